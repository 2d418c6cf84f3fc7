"""The DP800 driver against its face in the twin, over loopback TCP; and the face's own manners."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from rig.clock.base import to_ns
from rig.clock.virtual import VirtualClock
from rig.errors import LinkError, LinkTimeout
from rig.instruments.link import VisaLink
from rig.instruments.ports import SupplyLimits, SupplySettings
from rig.instruments.supplies.rigol_dp800 import RigolDP800
from rig.twin.supplies.rigol_dp800 import TwinDP800
from rig.twin.wire import SILENCE, HangUp, LineServer
from tests.twin.stages import Stage

SETTINGS = SupplySettings(volts=12.0, amps=2.0, over_voltage_v=13.5, over_current_a=2.2)


@dataclass
class Bench:
    clock: VirtualClock
    stage: Stage
    face: TwinDP800
    server: LineServer
    supply: RigolDP800


@pytest.fixture
def bench() -> Iterator[Bench]:
    clock, stage = VirtualClock(), Stage(80.0)
    face = TwinDP800(stage, "DP8C1")
    server = LineServer("supply", face.handle, clock, threading.RLock())
    link = VisaLink(server.address, clock, 1.0, "supply")
    supply = RigolDP800("supply", link, 1, SupplyLimits(30.0, 3.0))
    yield Bench(clock, stage, face, server, supply)
    supply.close()
    server.close()


def test_the_driver_sets_switches_reads_and_makes_safe(bench: Bench):
    assert bench.supply.identify().serial == "DP8C1"
    bench.supply.apply(SETTINGS)
    assert bench.supply.read().mode == "off"
    bench.supply.output(True)
    found = bench.supply.read()
    assert (found.volts, found.amps, found.mode, found.output_on, found.tripped) == (12.0, 0.15, "CV", True, False)
    assert bench.supply.make_safe().output_on is False
    assert not bench.stage.on


def test_the_current_limit_shows_as_constant_current(bench: Bench):
    bench.supply.apply(SupplySettings(12.0, 0.1, 13.5, 0.2))
    bench.supply.output(True)
    found = bench.supply.read()
    assert (found.mode, found.volts) == ("CC", 8.0)


def test_a_surge_trips_the_protection_and_the_output_cannot_be_switched_on_again(bench: Bench):
    bench.supply.apply(SETTINGS)
    bench.supply.output(True)
    bench.stage.surge_v = 2.0
    found = bench.supply.read()
    assert found.tripped
    assert not bench.stage.on
    with pytest.raises(LinkError, match="-221"):
        bench.supply.output(True)


def test_silence_costs_the_timeout_of_virtual_time_and_the_supply_can_be_made_safe_afterwards(bench: Bench):
    bench.supply.apply(SETTINGS)
    bench.supply.output(True)
    bench.face.silent = True
    before = bench.clock.now()
    with pytest.raises(LinkTimeout):
        bench.supply.make_safe()
    assert bench.clock.now() - before == to_ns(1.0)
    bench.face.silent = False
    assert bench.supply.make_safe().output_on is False


def test_a_slow_supply_is_waited_for(bench: Bench):
    bench.supply.identify()
    bench.face.reply_delay_s = 0.25
    before = bench.clock.now()
    bench.supply.identify()
    assert bench.clock.now() - before == to_ns(0.25)


def test_a_supply_that_lost_its_power_is_an_error(bench: Bench):
    bench.supply.identify()
    bench.face.dead = True
    for _ in range(2):
        with pytest.raises(LinkError):
            bench.supply.read()


def ask(face: TwinDP800, line: str) -> str:
    answer = face.handle(line)
    assert isinstance(answer, bytes)
    return answer.decode().strip()


@pytest.mark.parametrize(
    "line",
    [":OUTPut:OVP:VALue CH1,8.8", "outp:ovp:val ch1,8.8", ":OUTP:OVP:VAL 8.8", ":Output:Ovp:Value CH1, 8.8"],
)
def test_long_short_and_any_case_are_the_same_command(bench: Bench, line: str):
    assert bench.face.handle(line) is None
    assert ask(bench.face, ":OUTP:OVP:VAL? CH1") == "8.800"


def test_several_commands_in_a_line_answer_in_one_line(bench: Bench):
    assert ask(bench.face, ":VOLT 5;:SOUR1:CURR 1.5;VOLT?;:CURR?") == "5.000;1.5000"


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (":FOO 1", -113),
        (":OUT CH1,ON", -113),
        (":MEAS:ALL", -113),
        (":VOLT 32.1", -222),
        (":VOLT -1", -222),
        (":VOLT nan", -222),
        (":VOLT twelve", -104),
        (":VOLT", -109),
        (":SOUR4:VOLT 1", -114),
        (":OUTP CH9,ON", -224),
        (":OUTP CH1,MAYBE", -224),
    ],
)
def test_what_is_wrong_goes_into_the_error_queue_and_changes_nothing(bench: Bench, line: str, code: int):
    assert bench.face.handle(line) is None
    assert ask(bench.face, ":SYST:ERR?").startswith(f"{code},")
    assert ask(bench.face, ":SYST:ERR?") == '0,"No error"'
    assert ask(bench.face, ":VOLT?") == "0.000"


def test_a_question_that_is_not_understood_is_never_answered(bench: Bench):
    assert bench.face.handle(":FOO?") == SILENCE
    assert ask(bench.face, ":SYST:ERR?") == '-113,"Undefined header"'


def test_the_error_queue_overflows_as_the_standard_says(bench: Bench):
    for _ in range(25):
        bench.face.handle(":FOO")
    errors = [ask(bench.face, "SYST:ERR?") for _ in range(21)]
    assert errors[19] == '-350,"Queue overflow"'
    assert errors[20] == '0,"No error"'


def test_reset_switches_everything_off(bench: Bench):
    for line in (":VOLT 5", ":OUTP ON"):
        bench.face.handle(line)
    assert bench.stage.on
    bench.face.handle("*RST")
    assert not bench.stage.on
    assert ask(bench.face, ":OUTP? CH1;*OPC?") == "OFF;1"


def test_a_dead_face_hangs_up(bench: Bench):
    bench.face.dead = True
    assert isinstance(bench.face.handle("*IDN?"), HangUp)


@pytest.mark.skipif(shutil.which("sigrok-cli") is None, reason="sigrok-cli is not installed")
def test_a_foreign_program_recognises_the_supply(bench: Bench):
    device = f"scpi-pps:conn=tcp-raw/127.0.0.1/{bench.server.port}"
    shown = subprocess.run(
        ["sigrok-cli", "-d", device, "--show"], capture_output=True, text=True, timeout=60, check=True
    )
    assert "Rigol DP832" in shown.stdout
    assert "V3 I3 P3" in shown.stdout


def test_volts_and_amperes_of_a_channel_are_applied_and_told_together(bench: Bench):
    bench.face.handle(":APPL CH1,12.5,0.75")
    assert bench.face.handle(":APPL? CH1") == b"CH1:30V/3A,12.500,0.7500\n"
    bench.face.handle(":APPL CH1,13,99")
    assert bench.face.handle(":SYST:ERR?") == b'-222,"Data out of range"\n'
    assert bench.face.handle(":APPL? CH1") == b"CH1:30V/3A,12.500,0.7500\n"
