"""The Korad driver against its face in the twin, over a pseudo-terminal; the face's manners; and sigrok's driver."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from rig.clock.base import to_ns
from rig.clock.virtual import VirtualClock
from rig.errors import LinkError, LinkTimeout
from rig.guardian.plain_supply import reach, switch_off
from rig.instruments.guards import Guard
from rig.instruments.ports import SupplyLimits, SupplySettings
from rig.instruments.supplies.korad import Korad, link_to, off_texts
from rig.instruments.wires import LineSettings
from rig.twin.supplies.korad import KoradServer, TwinKorad
from tests.guardian.peers import spec_of
from tests.twin.stages import Stage

SETTINGS = SupplySettings(volts=12.0, amps=1.5, over_voltage_v=Guard.NONE, over_current_a=Guard.AT_LIMIT)


@dataclass
class Bench:
    clock: VirtualClock
    stage: Stage
    face: TwinKorad
    server: KoradServer
    supply: Korad


@pytest.fixture
def bench() -> Iterator[Bench]:
    clock, stage = VirtualClock(), Stage(80.0)
    face = TwinKorad(stage)
    server = KoradServer(face, clock, threading.RLock())
    link = link_to(server.address, clock, 1.0, "supply", LineSettings())
    supply = Korad("supply", link, 1, SupplyLimits(14.0, 2.5))
    yield Bench(clock, stage, face, server, supply)
    supply.close()
    server.close()


def test_the_driver_sets_switches_reads_and_makes_safe(bench: Bench) -> None:
    who = bench.supply.identify()
    assert (who.model, who.serial, who.version) == ("KA3005P", "", "2.0")
    bench.supply.apply(SETTINGS)
    assert bench.supply.read().mode == "off"
    bench.supply.output(True)
    found = bench.supply.read()
    assert (found.volts, found.amps, found.mode, found.output_on, found.tripped) == (12.0, 0.15, "CV", True, False)
    assert not bench.supply.make_safe().output_on
    assert not bench.stage.on


def test_it_trips_when_its_current_limit_acts(bench: Bench) -> None:
    bench.supply.apply(SETTINGS)
    bench.supply.output(True)
    bench.stage.ohms = 4.0
    found = bench.supply.read()
    assert (found.tripped, found.output_on, bench.stage.on) == (True, False, False)
    assert not bench.supply.clear().tripped
    bench.stage.ohms = 80.0
    bench.supply.output(True)
    assert bench.stage.on


def test_without_its_protection_it_only_limits(bench: Bench) -> None:
    bench.supply.apply(SupplySettings(12.0, 1.5, Guard.NONE, Guard.NONE))
    bench.supply.output(True)
    bench.stage.ohms = 4.0
    found = bench.supply.read()
    assert (found.mode, found.volts, found.tripped) == ("CC", 6.0, False)


def test_each_exchange_keeps_the_pause_that_the_firmware_needs(bench: Bench) -> None:
    bench.supply.identify()
    before = bench.clock.now()
    bench.supply.read()
    assert bench.clock.now() - before == to_ns(3 * 0.08)


def test_silence_costs_the_timeout_of_virtual_time_and_it_can_be_made_safe_afterwards(bench: Bench) -> None:
    bench.supply.apply(SETTINGS)
    bench.supply.output(True)
    bench.face.silent = True
    with pytest.raises(LinkTimeout):
        bench.supply.make_safe()
    assert not bench.stage.on, "it heard, and said nothing: so nothing is claimed"
    bench.face.silent = False
    assert not bench.supply.make_safe().output_on


def test_a_port_that_is_unplugged_is_an_error(bench: Bench) -> None:
    bench.supply.identify()
    bench.server.unplug()
    for _ in range(2):
        with pytest.raises(LinkError):
            bench.supply.read()


def test_another_supply_at_its_port_is_refused(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.supply.identify()
    bench.supply.close()
    monkeypatch.setattr("rig.twin.supplies.korad.IDN", "KORADKA3005PV5.8 SN:1")
    with pytest.raises(LinkError, match="another instrument answers"):
        bench.supply.read()


def test_the_guardian_switches_it_off_without_a_driver(bench: Bench) -> None:
    bench.supply.apply(SETTINGS)
    bench.supply.output(True)
    bench.supply.close()
    spec = spec_of(off_texts(1), bench.server.address)
    assert reach(spec) == "0x71"
    assert switch_off(spec) == "0x31"
    assert not bench.stage.on


@pytest.mark.parametrize(
    ("sent", "answers"),
    [
        ([b"VSET1:12.00", b"VSET1?"], b"12.00"),
        ([b"VSET1:31.50", b"VSET1?"], b"00.00"),
        ([b"VSET1:7.5", b"VSET1?"], b"07.50"),
        ([b"ISET1:5.200", b"ISET1?"], b"0.000K"),
        ([b"ISET1:0.500", b"ISET1?"], b"0.500K"),
        ([b"OCP1", b"STATUS?"], b"\x31"),
        ([b"OVP1", b"BEEP0", b"STATUS?"], b"\x81"),
        ([b"NONSENSE", b"STATUS?"], b"\x11"),
        ([b"*IDN?"], b"KORADKA3005PV2.0"),
    ],
)
def test_it_obeys_ignores_and_answers_like_firmware_2(bench: Bench, sent: list[bytes], answers: bytes) -> None:
    assert [bench.face.handle(each) for each in sent if not each.endswith(b"?")] == [None] * (len(sent) - 1)
    assert bench.face.handle(sent[-1]) == answers


# -- another maker's program -------------------------------------------------------------------------------------------

SHIM = Path(__file__).parents[1] / "foreign" / "pty_modem_lines.c"
needs_sigrok = pytest.mark.skipif(
    shutil.which("sigrok-cli") is None or shutil.which("cc") is None, reason="no sigrok-cli, or no C compiler"
)


@pytest.fixture
def sigrok(bench: Bench, tmp_path: Path) -> Callable[..., str]:
    """sigrok-cli at the supply's port. Its serial library wants a link in /sys/class/tty, and modem lines."""
    shim, link = tmp_path / "modem_lines.so", tmp_path / "port"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", shim, SHIM, "-ldl"], check=True, timeout=60)
    link.symlink_to(bench.server.path)
    device = f"korad-kaxxxxp:conn=/dev/../../..{link}"  # the same from /sys/class/tty

    def run(*words: str) -> str:
        return subprocess.run(
            ["sigrok-cli", "-d", device, *words],
            env={**os.environ, "LD_PRELOAD": str(shim)},
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        ).stdout

    return run


@needs_sigrok
def test_a_foreign_program_recognises_the_supply_and_drives_it(bench: Bench, sigrok: Callable[..., str]) -> None:
    shown = sigrok("--show")
    assert "Korad KA3005P with 2 channels: V I" in shown
    assert "regulation: CV (current)" in shown
    measured = sigrok("--config", "voltage_target=12.5:current_limit=1.25:enabled=on", "--samples", "1")
    assert (bench.stage.volts, bench.stage.amps, bench.stage.on) == (12.5, 1.25, True)
    assert "V: 12.50 V DC" in measured
    assert "I: 156 mA DC" in measured
