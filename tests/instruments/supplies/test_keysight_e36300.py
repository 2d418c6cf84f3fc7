"""The E36300 driver against strict transcripts."""

from __future__ import annotations

import pytest

from rig.errors import LinkError, Refused
from rig.instruments.guards import Guard
from rig.instruments.ports import SupplyLimits, SupplySettings
from rig.instruments.supplies.keysight_e36300 import KeysightE36300
from tests.transcript import Pair, Transcript, setting, transcript

IDN: Pair = ("*IDN?", "Keysight Technologies,E36313A,MY59000001,2.1.0-1.0.4-1.12")
LIMITS = SupplyLimits(max_volts=14.0, max_amps=2.5)
GOOD = SupplySettings(volts=12.0, amps=1.5, over_voltage_v=13.2, over_current_a=Guard.AT_LIMIT)
READING: tuple[Pair, ...] = (
    ("MEAS:VOLT? (@2)", "+1.20004E+01"),
    ("MEAS:CURR? (@2)", "+1.50000E-01"),
    ("OUTP? (@2)", "1"),
    ("STAT:QUES:INST:ISUM2:COND?", "+2"),
    ("VOLT:PROT:TRIP? (@2)", "0"),
    ("CURR:PROT:TRIP? (@2)", "0"),
)


def supply(link: Transcript, channel: int = 2) -> KeysightE36300:
    return KeysightE36300("supply", link, channel, LIMITS)


def reading(**replies: str) -> tuple[Pair, ...]:
    keys = ("volts", "amps", "on", "mode", "ovp", "ocp")
    return tuple((question, replies.get(key, str(reply))) for key, (question, reply) in zip(keys, READING, strict=True))


def test_settings_are_sent_one_by_one_protections_before_volts_and_each_is_read_back() -> None:
    with transcript(
        IDN,
        *setting("CURR 1.5000,(@2)", "CURR? (@2)", "+1.50000000E+00"),
        *setting("VOLT:PROT 13.200,(@2)", "VOLT:PROT? (@2)", "+1.32000000E+01"),
        *setting("CURR:PROT:DEL 0.1,(@2)", "CURR:PROT:DEL? (@2)", "+1.00000000E-01"),
        *setting("CURR:PROT:STAT ON,(@2)", "CURR:PROT:STAT? (@2)", "1"),
        *setting("VOLT 12.000,(@2)", "VOLT? (@2)", "+1.20000000E+01"),
    ) as link:
        supply(link).apply(GOOD)


def test_a_level_for_the_current_is_refused_for_it_has_none() -> None:
    settings = SupplySettings(12.0, 1.5, 13.2, 2.0)
    with transcript(IDN) as link, pytest.raises(Refused, match="not such a protection") as caught:
        supply(link).apply(settings)
    assert (caught.value.where.key, caught.value.where.expected) == ("over_current_a", "'at-limit'")


@pytest.mark.parametrize(
    "settings",
    [
        SupplySettings(12.0, 2.1, 13.2, Guard.AT_LIMIT),
        SupplySettings(12.0, 1.5, Guard.NONE, Guard.AT_LIMIT),
        SupplySettings(12.0, 1.5, float("nan"), Guard.AT_LIMIT),
    ],
)
def test_what_the_model_cannot_do_is_refused_and_nothing_is_set(settings: SupplySettings) -> None:
    link = Transcript(IDN)
    with pytest.raises(Refused):
        supply(link).apply(settings)


def test_the_small_channel_cannot_feed_a_rail_of_twelve_volts() -> None:
    with transcript(IDN) as link, pytest.raises(Refused) as caught:
        supply(link, channel=1).apply(GOOD)
    assert (caught.value.where.key, caught.value.where.expected) == ("volts", "0 to 6.18")


@pytest.mark.parametrize(
    ("replies", "mode", "tripped"),
    [
        ({}, "CV", False),
        ({"mode": "+1"}, "CC", False),
        ({"mode": "+3"}, "UR", False),
        ({"mode": "+0"}, "UR", False),
        ({"on": "0", "mode": "+0"}, "off", False),
        ({"on": "0", "mode": "+512", "ovp": "1"}, "off", True),
        ({"on": "0", "mode": "+1024", "ocp": "1"}, "off", True),
    ],
)
def test_a_reading_says_mode_output_and_trips(replies: dict[str, str], mode: str, tripped: bool) -> None:
    with transcript(*reading(**replies)) as link:
        found = supply(link).read()
    assert (found.mode, found.tripped, found.output_on) == (mode, tripped, replies.get("on") != "0")
    assert (found.volts, found.amps) == (12.0004, 0.15)


@pytest.mark.parametrize(
    "bad", [{"volts": "NaN"}, {"amps": "9.91E+37"}, {"on": "2"}, {"mode": "CV"}, {"ovp": ""}, {"mode": "99999999"}]
)
def test_a_reply_that_is_no_number_or_no_known_word_is_an_error(bad: dict[str, str]) -> None:
    with transcript(*reading(**bad)) as link, pytest.raises(LinkError, match="wrong reply"):
        supply(link).read()


def test_the_output_is_switched_and_read_back() -> None:
    with transcript(IDN, *setting("OUTP ON,(@2)", "OUTP? (@2)", "1")) as link:
        supply(link).output(True)
    with transcript(IDN, *setting("OUTP ON,(@2)", "OUTP? (@2)", "0")) as link, pytest.raises(LinkError, match="obeyed"):
        supply(link).output(True)


def test_a_trip_is_cleared_with_the_output_off() -> None:
    off = reading(on="0", mode="+0")
    with transcript(
        IDN,
        *setting("OUTP OFF,(@2)", "OUTP? (@2)", "0"),
        ("OUTP:PROT:CLE (@2)", None),
        (":SYST:ERR?", '+0,"No error"'),
        *off,
    ) as link:
        assert not supply(link).clear().tripped


def test_a_trip_that_stays_is_an_error() -> None:
    with (
        transcript(
            IDN,
            *setting("OUTP OFF,(@2)", "OUTP? (@2)", "0"),
            ("OUTP:PROT:CLE (@2)", None),
            (":SYST:ERR?", '+0,"No error"'),
            *reading(on="0", ovp="1"),
        ) as link,
        pytest.raises(LinkError, match="not cleared"),
    ):
        supply(link).clear()


def test_safe_is_off_and_read_back_in_one_exchange() -> None:
    with transcript(("OUTP OFF,(@2)", None), (":SYST:ERR?", '+0,"No error"'), *reading(on="0")) as link:
        assert supply(link).make_safe().output_on is False


def test_safe_is_never_claimed_while_the_output_reads_on() -> None:
    with (
        transcript(("OUTP OFF,(@2)", None), (":SYST:ERR?", '-113,"Undefined header"'), *READING) as link,
        pytest.raises(LinkError, match="still on"),
    ):
        supply(link).make_safe()


@pytest.mark.parametrize(
    "reply",
    ["Keysight Technologies,E36233A,MY1,1", "RIGOL TECHNOLOGIES,DP832,DP8,1", "Keysight Technologies,E36313A", ""],
)
def test_another_instrument_or_half_an_identity_is_refused(reply: str) -> None:
    with transcript(("*IDN?", reply)) as link, pytest.raises(LinkError):
        supply(link).identify()


def test_a_refused_command_is_told_with_its_code() -> None:
    with (
        transcript(
            IDN, ("CURR 1.5000,(@2)", None), (":SYST:ERR?", '-222,"Data out of range"'), (":SYST:ERR?", '+0,"No error"')
        ) as link,
        pytest.raises(LinkError, match=r"CURR 1.5000,\(@2\).*-222"),
    ):
        supply(link).apply(GOOD)
