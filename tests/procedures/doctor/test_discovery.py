"""Addresses that are asked who they are: over real sockets, and on the twin."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import pytest

from rig.clock.system import SystemClock
from rig.errors import InputError
from rig.procedures.doctor import discovery
from rig.procedures.doctor.discovery import USUAL_PORTS, Probe, ProbeLook, ProbesLook, parse_probe
from rig.twin.ports import Timeline
from rig.twin.wire import LineServer
from tests.procedures.doctor.benches import twin

DP832 = "RIGOL TECHNOLOGIES,DP832,DP8C000000001,00.01.16"
HOST = "127.0.0.1"
PATIENCE_S = 30.0


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """On the clock of the machine, which may be busy, what is there answers in time all the same."""
    monkeypatch.setattr(discovery, "PROBE_S", PATIENCE_S)


@contextmanager
def serving(reply: str, heard: list[str] | None = None) -> Iterator[LineServer]:
    def handle(line: str) -> bytes:
        if heard is not None:
            heard.append(line)
        return reply.encode() + b"\n"

    server = LineServer("instrument", handle, cast(Timeline, SystemClock()), threading.Lock())
    try:
        yield server
    finally:
        server.close()


CLOSED_PORT = 1
"""No program is given a port this low."""


@pytest.mark.parametrize(
    ("text", "probe"),
    [
        ("192.0.2.7", Probe("192.0.2.7", USUAL_PORTS)),
        ("scope.lab:5025", Probe("scope.lab", (5025,))),
        ("[2001:db8::7]:5555", Probe("[2001:db8::7]", (5555,))),
        ("[2001:db8::7]", Probe("[2001:db8::7]", USUAL_PORTS)),
    ],
)
def test_an_address_is_a_host_with_or_without_a_port(text: str, probe: Probe) -> None:
    assert parse_probe(text) == probe


@pytest.mark.parametrize("text", ["", ":5555", "h:", "h:0", "h:65536", "a b", "2001:db8::7", "TCPIP::h::1::SOCKET"])
def test_what_is_no_address_is_bad_input(text: str) -> None:
    with pytest.raises(InputError, match="not an address") as error:
        parse_probe(text)
    assert (error.value.where.key, error.value.where.found) == ("--probe", text)


def test_an_instrument_with_a_driver_is_found_by_one_question() -> None:
    heard: list[str] = []
    with serving(DP832, heard) as server:
        look = ProbeLook(Probe(HOST, (server.port,)), SystemClock(), named=True)
        (check,) = look.run()
    assert check.status == "ok"
    assert check.found.endswith(f"at {server.address}: driver rigol-dp800")
    assert check.asked == ("*IDN?",)
    assert set(heard) == {"*IDN?"}
    assert look.found is not None
    assert (look.found.driver, look.found.identity.serial) == ("rigol-dp800", "DP8C000000001")


def test_an_instrument_without_a_driver_is_a_warning() -> None:
    with serving("KEYSIGHT,N6705C,MY1,1.0") as server:
        look = ProbeLook(Probe(HOST, (server.port,)), SystemClock(), named=True)
        (check,) = look.run()
    assert check.status == "warning"
    assert look.found is not None
    assert look.found.driver is None


def test_the_next_port_is_asked_where_one_refuses() -> None:
    with serving("RIGOL TECHNOLOGIES,DS1104Z,DS1,00.04.05") as server:
        look = ProbeLook(Probe(HOST, (CLOSED_PORT, server.port)), SystemClock(), named=True)
        (check,) = look.run()
    assert (check.status, check.found.partition("driver ")[2]) == ("ok", "rigol-ds1000z")


@pytest.mark.parametrize(("named", "status"), [(True, "failed"), (False, "ok")])
def test_silence_is_a_failure_only_for_an_address_that_a_person_named(named: bool, status: str) -> None:
    look = ProbeLook(Probe(HOST, (CLOSED_PORT,)), SystemClock(), named=named)
    (check,) = look.run()
    assert (check.status, check.applies, look.found) == (status, named, None)


def test_what_answers_nonsense_is_not_taken_for_an_instrument() -> None:
    with serving("220 mail.example.org ESMTP") as server:
        (check,) = ProbeLook(Probe(HOST, (server.port,)), SystemClock(), named=True).run()
    assert check.status == "failed"
    assert "220 mail.example.org" in check.found


def test_a_silent_address_costs_its_own_time_and_the_others_are_asked_meanwhile() -> None:
    with twin("scope-silent") as bench:
        ports = [bench.scope_wire.port, bench.supply_wire.port]
        start = bench.clock.now()
        look = ProbesLook([Probe(HOST, (port,)) for port in [ports[0], *ports]], bench.clock, named=True)
        silent, again, supply = look.checks()
        assert bench.clock.now() - start == pytest.approx(PATIENCE_S * 1e9, abs=1e6)
    assert (silent.status, again.status, supply.status) == ("failed", "failed", "ok")
    assert [candidate.identity.model for candidate in look.found()] == ["DP832"]


def test_the_search_program_looks_at_this_machine_and_asks_the_network_only_when_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import pyvisa
    from pyvisa.constants import InterfaceType
    from pyvisa_py.sessions import Session

    from rig.instruments.visa_list import main

    def session(*names: str) -> type:
        return type("Found", (), {"list_resources": staticmethod(lambda: list(names))})

    def network() -> list[str]:
        raise AssertionError("nobody told it to ask the network")

    valid = [
        ((InterfaceType.asrl, "INSTR"), session("ASRL/dev/ttyUSB0::INSTR")),
        ((InterfaceType.prlgx_asrl, "INTFC"), session("PRLGX-ASRL::/dev/ttyUSB0::INTFC")),
        ((InterfaceType.tcpip, "INSTR"), type("Lan", (), {"list_resources": staticmethod(network)})),
    ]
    monkeypatch.setattr(Session, "iter_valid_session_classes", lambda: iter(valid))
    monkeypatch.setattr(Session, "iter_session_classes_issues", lambda: iter([((InterfaceType.usb, "INSTR"), "no")]))
    main([])
    assert capsys.readouterr().out == "ASRL/dev/ttyUSB0::INSTR\n# usb\n"
    manager = type("Manager", (), {"list_resources": lambda _: ("TCPIP::192.0.2.7::INSTR",)})
    monkeypatch.setattr(pyvisa, "ResourceManager", lambda library: manager())
    main(["--lan"])
    assert capsys.readouterr().out == "TCPIP::192.0.2.7::INSTR\n# usb\n"
