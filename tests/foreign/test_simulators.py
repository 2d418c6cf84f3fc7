"""Our drivers with instruments that simulators of other makers serve: sinstruments (TCP, serial) and lewis (TCP)."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rig.clock.system import SystemClock
from rig.errors import LinkError
from rig.instruments.catalogue import supply
from rig.instruments.link import VisaLink
from rig.instruments.ports import SupplyLimits, SupplySettings
from rig.instruments.scpi import command
from tests.foreign.programs import HERE, PYTHON, needs_foreign, server

pytestmark = needs_foreign
TIMEOUT_S = 20.0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def lewis() -> Iterator[str]:
    """Its port is ours to choose, and it says when it listens."""
    port = free_port()
    options = f"stream: {{bind_address: 127.0.0.1, port: {port}}}"
    words = ["-m", "lewis", "-a", str(HERE), "-k", "lewis_devices", "dp832", "-c", "0.01", "-p", options]
    with subprocess.Popen(
        [PYTHON, *words], stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(HERE)}
    ) as it:
        assert it.stderr is not None
        try:
            lines = iter(it.stderr.readline, "")
            assert any("Listening on" in line for line in lines)
            yield f"TCPIP::127.0.0.1::{port}::SOCKET"
        finally:
            it.kill()


@contextmanager
def sinstruments_tcp() -> Iterator[str]:
    with server("sinstruments_dp832.py", "tcp") as port:
        yield f"TCPIP::127.0.0.1::{port}::SOCKET"


@contextmanager
def sinstruments_serial(folder: Path) -> Iterator[str]:
    with server("sinstruments_dp832.py", "serial", str(folder / "port")) as device:
        yield f"ASRL{device}::INSTR"


@pytest.fixture(params=["sinstruments", "sinstruments-serial", "lewis"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    at = {"sinstruments": sinstruments_tcp(), "lewis": lewis()}.get(request.param) or sinstruments_serial(tmp_path)
    with at as found:
        yield found


def test_a_supply_of_another_makers_simulator_is_set_switched_read_and_made_safe(address: str) -> None:
    link = VisaLink(address, SystemClock(), TIMEOUT_S, "psu")
    psu = supply("rigol-dp800").open("psu", link, 1, SupplyLimits(14.0, 2.5))
    assert psu.identify().serial == "DP8C000000001"
    psu.apply(SupplySettings(12.0, 1.5, 13.2, 2.0))
    psu.output(True)
    reading = psu.read()
    assert (reading.volts, reading.output_on, reading.mode) == (12.0, True, "CV")
    assert not psu.make_safe().output_on
    psu.close()


def test_what_that_simulator_does_not_know_is_told_by_name(address: str) -> None:
    link = VisaLink(address, SystemClock(), TIMEOUT_S, "scope")
    with pytest.raises(LinkError, match=r"':NOSUCH' was refused by the instrument: -113"):
        command(link, ":NOSUCH")
    link.close()
