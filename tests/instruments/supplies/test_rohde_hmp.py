"""The HMP and NGE100 driver against strict transcripts: a channel is chosen in every line, the fuse, two switches."""

from __future__ import annotations

import pytest

from rig.errors import LinkError, Refused
from rig.instruments.guards import Guard
from rig.instruments.ports import SupplyLimits, SupplySettings
from rig.instruments.supplies.rohde_hmp import RohdeHMP
from tests.transcript import Pair, Transcript, setting, transcript

HMP: Pair = ("*IDN?", "ROHDE&SCHWARZ,HMP2020,100123,HW50020001/SW2.50")
NGE: Pair = ("*IDN?", "Rohde&Schwarz,NGE103B,5601.3800k03/100123,1.54")
GOOD = SupplySettings(volts=12.0, amps=1.5, over_voltage_v=13.2, over_current_a=Guard.AT_LIMIT)
READING: tuple[Pair, ...] = (
    ("INST:NSEL 1;:MEAS:VOLT?", "12.001"),
    ("INST:NSEL 1;:MEAS:CURR?", "0.1500"),
    ("INST:NSEL 1;:OUTP:SEL?", "1"),
    ("OUTP:GEN?", "1"),
    ("STAT:QUES:INST:ISUM1:COND?", "2"),
    ("INST:NSEL 1;:VOLT:PROT:TRIP?", "0"),
    ("INST:NSEL 1;:FUSE:TRIP?", "0"),
)


def supply(link: Transcript, channel: int = 1) -> RohdeHMP:
    return RohdeHMP("supply", link, channel, SupplyLimits(14.0, 2.5))


def here(command: str, question: str, back: str) -> tuple[Pair, ...]:
    return setting(f"INST:NSEL 1;:{command}", f"INST:NSEL 1;:{question}", back)


def reading(**replies: str) -> tuple[Pair, ...]:
    keys = ("volts", "amps", "active", "general", "mode", "ovp", "fuse")
    return tuple((question, replies.get(key, str(reply))) for key, (question, reply) in zip(keys, READING, strict=True))


def test_an_hmp_is_set_with_its_fuse_in_milliseconds() -> None:
    with transcript(
        HMP,
        *here("CURR 1.5000", "CURR?", "1.5000"),
        *here("VOLT:PROT:LEV 13.200", "VOLT:PROT:LEV?", "13.200"),
        *here("FUSE:DEL 100", "FUSE:DEL?", "100"),
        *here("FUSE ON", "FUSE?", "1"),
        *here("VOLT 12.000", "VOLT?", "12.000"),
    ) as link:
        supply(link).apply(GOOD)


def test_an_nge_is_set_with_its_fuse_in_seconds_and_its_protection_put_on() -> None:
    with transcript(
        NGE,
        *here("CURR 1.5000", "CURR?", "1.5000"),
        *here("VOLT:PROT:LEV 13.200", "VOLT:PROT:LEV?", "13.200"),
        *here("FUSE:DEL 0.1", "FUSE:DEL?", "0.10"),
        *here("FUSE ON", "FUSE?", "1"),
        *here("VOLT:PROT ON", "VOLT:PROT?", "1"),
        *here("VOLT 12.000", "VOLT?", "12.000"),
    ) as link:
        supply(link).apply(GOOD)


def test_on_is_activated_and_the_general_switch() -> None:
    with transcript(
        HMP,
        ("INST:NSEL 2;:OUTP:SEL?", "0"),
        *here("OUTP:SEL 1", "OUTP:SEL?", "1"),
        *setting("OUTP:GEN 1", "OUTP:GEN?", "1"),
    ) as link:
        supply(link).output(True)


def test_the_general_switch_never_puts_another_channel_on() -> None:
    with transcript(HMP, ("INST:NSEL 2;:OUTP:SEL?", "1")) as link, pytest.raises(Refused, match="channel 2 on as well"):
        supply(link).output(True)


def test_off_is_this_channel_alone() -> None:
    with transcript(HMP, *here("OUTP:SEL 0", "OUTP:SEL?", "0")) as link:
        supply(link).output(False)


@pytest.mark.parametrize(
    ("replies", "mode", "on", "tripped"),
    [
        ({}, "CV", True, False),
        ({"mode": "1"}, "CC", True, False),
        ({"mode": "0"}, "UR", True, False),
        ({"mode": "3"}, "UR", True, False),
        ({"general": "0"}, "off", False, False),
        ({"active": "0"}, "off", False, False),
        ({"active": "0", "ovp": "1"}, "off", False, True),
        ({"active": "0", "fuse": "1"}, "off", False, True),
    ],
)
def test_a_reading_says_mode_output_and_trips(replies: dict[str, str], mode: str, on: bool, tripped: bool) -> None:
    with transcript(*reading(**replies)) as link:
        found = supply(link).read()
    assert (found.volts, found.amps, found.mode, found.output_on, found.tripped) == (12.001, 0.15, mode, on, tripped)


@pytest.mark.parametrize("bad", [{"volts": ""}, {"amps": "9.91e37"}, {"active": "YES"}, {"mode": "x"}, {"fuse": "2"}])
def test_a_reply_that_is_no_number_or_no_known_word_is_an_error(bad: dict[str, str]) -> None:
    with transcript(*reading(**bad)) as link, pytest.raises(LinkError, match="wrong reply"):
        supply(link).read()


@pytest.mark.parametrize(
    ("identity", "fuse"),
    [(HMP, ("FUSE OFF", "FUSE ON")), (NGE, ("FUSE:TRIP:CLE",))],
)
def test_a_trip_is_cleared_with_the_channel_off(identity: Pair, fuse: tuple[str, ...]) -> None:
    cleared = [pair for text in ("VOLT:PROT:CLE", *fuse) for pair in here(text, "", "")[:2]]
    with transcript(
        identity, *here("OUTP:SEL 0", "OUTP:SEL?", "0"), *cleared, *reading(active="0", general="1")
    ) as link:
        assert not supply(link).clear().tripped


def test_safe_is_off_and_read_back() -> None:
    off: tuple[Pair, ...] = (("INST:NSEL 1;:OUTP:SEL 0", None), (":SYST:ERR?", '0,"No error"'))
    with transcript(*off, *reading(active="0")) as link:
        assert not supply(link).make_safe().output_on
    with transcript(*off, *READING) as link, pytest.raises(LinkError, match="still on"):
        supply(link).make_safe()


@pytest.mark.parametrize("reply", ["ROHDE&SCHWARZ,NGM202,1,1", "HAMEG,HMP4040", "RIGOL TECHNOLOGIES,HMP2020,1,1"])
def test_another_instrument_or_half_an_identity_is_refused(reply: str) -> None:
    with transcript(("*IDN?", reply)) as link, pytest.raises(LinkError):
        supply(link).identify()


def test_an_old_one_says_hameg() -> None:
    with transcript(("*IDN?", "HAMEG,HMP4040,012345,1.15")) as link:
        assert supply(link, channel=4).identify().model == "HMP4040"
