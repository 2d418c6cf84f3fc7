"""The E36300 driver against its face in the twin, over loopback TCP; and the face's own manners."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from rig.clock.virtual import VirtualClock
from rig.errors import LinkError, LinkTimeout, Refused
from rig.guardian.plain_supply import reach, switch_off
from rig.instruments.guards import Guard
from rig.instruments.link import VisaLink
from rig.instruments.ports import SupplyLimits, SupplySettings
from rig.instruments.supplies.keysight_e36300 import KeysightE36300, off_texts
from rig.twin.supplies.keysight_e36300 import TwinE36300
from rig.twin.wire import SILENCE, LineServer
from tests.guardian.peers import spec_of
from tests.twin.stages import Stage

SETTINGS = SupplySettings(volts=12.0, amps=1.5, over_voltage_v=13.2, over_current_a=Guard.AT_LIMIT)


@dataclass
class Bench:
    clock: VirtualClock
    stage: Stage
    face: TwinE36300
    server: LineServer
    supply: KeysightE36300


@pytest.fixture
def bench() -> Iterator[Bench]:
    clock, stage = VirtualClock(), Stage(80.0)
    face = TwinE36300(stage, "MY1")
    server = LineServer("supply", face.handle, clock, threading.RLock())
    supply = KeysightE36300("supply", VisaLink(server.address, clock, 1.0, "supply"), 2, SupplyLimits(14.0, 2.5))
    yield Bench(clock, stage, face, server, supply)
    supply.close()
    server.close()


def ask(bench: Bench, line: str) -> str:
    answer = bench.face.handle(line)
    assert isinstance(answer, bytes), answer
    return answer.decode().strip()


def test_the_driver_sets_switches_reads_and_makes_safe(bench: Bench) -> None:
    assert bench.supply.identify().model == "E36313A"
    bench.supply.apply(SETTINGS)
    assert bench.supply.read().mode == "off"
    bench.supply.output(True)
    found = bench.supply.read()
    assert (found.volts, found.amps, found.mode, found.output_on, found.tripped) == (12.0, 0.15, "CV", True, False)
    assert not bench.supply.make_safe().output_on
    assert not bench.stage.on


def test_it_trips_when_its_current_limit_acts_and_is_cleared(bench: Bench) -> None:
    bench.supply.apply(SETTINGS)
    bench.supply.output(True)
    bench.stage.ohms = 4.0
    found = bench.supply.read()
    assert (found.tripped, found.output_on, bench.stage.on) == (True, False, False)
    with pytest.raises(LinkError, match="-221"):
        bench.supply.output(True)
    bench.stage.ohms = 80.0
    assert not bench.supply.clear().tripped
    bench.supply.output(True)
    assert bench.stage.on


def test_a_surge_trips_the_over_voltage_protection(bench: Bench) -> None:
    bench.supply.apply(SETTINGS)
    bench.supply.output(True)
    bench.stage.surge_v = 2.0
    assert bench.supply.read().tripped
    assert ask(bench, "STAT:QUES:INST:ISUM2:COND?") == "+512"


def test_silence_and_a_late_answer_are_told_as_such(bench: Bench) -> None:
    bench.supply.apply(SETTINGS)
    bench.face.silent = True
    with pytest.raises(LinkTimeout):
        bench.supply.read()
    bench.face.silent = False
    assert not bench.supply.make_safe().output_on


def test_the_guardian_switches_it_off_without_a_driver(bench: Bench) -> None:
    bench.supply.apply(SETTINGS)
    bench.supply.output(True)
    spec = spec_of(off_texts(2), bench.server.address)
    assert reach(spec) == "1"
    assert switch_off(spec) == "0"
    assert not bench.stage.on


@pytest.mark.parametrize(
    ("line", "question", "answer"),
    [
        ("VOLT 5,(@2)", "VOLTage? (@2)", "+5.00000000E+00"),
        ("source:voltage:level:immediate:amplitude 5, (@2,3)", "volt? (@2,3)", "+5.00000000E+00,+5.00000000E+00"),
        ("INST:NSEL 3;:VOLT 4", "INST?;:VOLT?", "CH3;+4.00000000E+00"),
        ("INST P2;:CURR 0.5", "INST:NSEL?;:CURR?", "2;+5.00000000E-01"),
        ("OUTP ON,(@1,3)", "OUTP? (@1,2,3)", "1,0,1"),
        ("CURR:PROT:DEL 0.2,(@2)", "CURR:PROT:DEL? (@2)", "+2.00000000E-01"),
        ("OUTP:PROT:CLE (@2)", "*OPC?", "1"),
    ],
)
def test_long_and_short_forms_lists_and_selected_channels(bench: Bench, line: str, question: str, answer: str) -> None:
    assert bench.face.handle(line) is None
    assert ask(bench, question) == answer
    assert ask(bench, "SYST:ERR?") == '+0,"No error"'


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("FOO 1", -113),
        ("VOLT 26,(@2)", -222),
        ("VOLT 7,(@1)", -222),
        ("VOLT 5,(@4)", -222),
        ("VOLT 5,(2)", -104),
        ("CURR 0,(@2)", -222),
        ("CURR:PROT:DEL 1,(@2)", -222),
        ("VOLT:PROT 28,(@2)", -222),
        ("INST CH9", -224),
        ("OUTP MAYBE,(@2)", -224),
    ],
)
def test_what_is_wrong_goes_into_the_error_queue(bench: Bench, line: str, code: int) -> None:
    assert bench.face.handle(line) is None
    assert ask(bench, "SYST:ERR?").startswith(f"{code},")
    assert ask(bench, "VOLT? (@2)") == "+0.00000000E+00"


@pytest.mark.parametrize("question", ["FOO?", "VOLT? (@7)", "STAT:QUES:INST:ISUM4:COND?"])
def test_a_question_that_is_wrong_is_never_answered(bench: Bench, question: str) -> None:
    assert bench.face.handle(question) == SILENCE
    assert not ask(bench, "SYST:ERR?").startswith("+0")


def test_reset_switches_everything_off(bench: Bench) -> None:
    for line in ("VOLT 5,(@2)", "OUTP ON,(@2)"):
        bench.face.handle(line)
    assert bench.stage.on
    bench.face.handle("*RST")
    assert not bench.stage.on
    assert ask(bench, "OUTP? (@2);*OPC?") == "0;1"


def test_a_wrong_channel_for_the_rail_is_refused_before_a_byte_is_set(bench: Bench) -> None:
    link = VisaLink(bench.server.address, bench.clock, 1.0, "supply")
    small = KeysightE36300("supply", link, 1, SupplyLimits(14.0, 2.5))
    with pytest.raises(Refused, match="outside the limits"):
        small.apply(SETTINGS)
    small.close()
    assert ask(bench, "VOLT? (@1)") == "+0.00000000E+00"
