"""The DP800 driver against strict transcripts."""

from __future__ import annotations

import pytest

from rig.errors import LinkError, Refused
from rig.instruments.ports import SupplyLimits, SupplySettings
from rig.instruments.supplies.rigol_dp800 import RigolDP800
from tests.transcript import Pair, Transcript, TranscriptError, setting, transcript

IDN: Pair = ("*IDN?", "RIGOL TECHNOLOGIES,DP832,DP8C000001,00.01.16")
LIMITS = SupplyLimits(max_volts=14.0, max_amps=2.5)
GOOD = SupplySettings(volts=12.0, amps=2.0, over_voltage_v=13.5, over_current_a=2.2)
READING: tuple[Pair, ...] = (
    (":MEAS:ALL? CH1", "12.0012,0.1500,1.800"),
    (":OUTP? CH1", "ON"),
    (":OUTP:CVCC? CH1", "CV"),
    (":OUTP:OVP:QUES? CH1", "NO"),
    (":OUTP:OCP:QUES? CH1", "NO"),
)


def supply(link: Transcript, channel: int = 1, limits: SupplyLimits = LIMITS) -> RigolDP800:
    return RigolDP800("supply", link, channel, limits)


def reading(**replies: str) -> tuple[Pair, ...]:
    """The reading with some replies replaced, by the first word of their question."""
    named = {"measured": 0, "on": 1, "mode": 2, "ovp": 3, "ocp": 4}
    pairs = list(READING)
    for key, reply in replies.items():
        pairs[named[key]] = (pairs[named[key]][0], reply)
    return tuple(pairs)


def test_settings_are_sent_one_by_one_protections_before_volts_and_each_is_read_back():
    with transcript(
        IDN,
        *setting(":SOUR1:CURR 2.0000", ":SOUR1:CURR?", "2.000"),
        *setting(":OUTP:OVP:VAL CH1,13.500", ":OUTP:OVP:VAL? CH1", "13.500"),
        *setting(":OUTP:OCP:VAL CH1,2.2000", ":OUTP:OCP:VAL? CH1", "2.2000"),
        *setting(":OUTP:OVP CH1,ON", ":OUTP:OVP? CH1", "ON"),
        *setting(":OUTP:OCP CH1,ON", ":OUTP:OCP? CH1", "ON"),
        *setting(":SOUR1:VOLT 12.000", ":SOUR1:VOLT?", "12.00"),
    ) as link:
        supply(link).apply(GOOD)


@pytest.mark.parametrize(
    "settings",
    [
        SupplySettings(14.01, 2.0, 14.0, 2.2),
        SupplySettings(12.0, 2.51, 13.5, 2.5),
        SupplySettings(12.0, 2.0, 14.5, 2.2),
        SupplySettings(12.0, 2.0, 13.5, 2.6),
        SupplySettings(12.0, 2.0, 11.0, 2.2),
        SupplySettings(-0.1, 2.0, 13.5, 2.2),
        SupplySettings(float("nan"), 2.0, 13.5, 2.2),
    ],
)
def test_a_value_outside_the_bench_limits_is_refused_before_a_byte_leaves(settings: SupplySettings):
    with transcript() as link, pytest.raises(Refused):
        supply(link).apply(settings)


def test_a_value_outside_the_model_rating_is_refused_and_nothing_is_set():
    with transcript(IDN) as link, pytest.raises(Refused) as caught:
        supply(link, channel=3).apply(GOOD)
    assert caught.value.where.expected == "0 to 5"


def test_an_error_in_the_queue_is_told_with_the_command_and_the_queue_is_emptied():
    with (
        transcript(
            IDN,
            (":SOUR1:CURR 2.0000", None),
            (":SYST:ERR?", '-113,"Undefined header"'),
            (":SYST:ERR?", '-222,"Data out of range"'),
            (":SYST:ERR?", '0,"No error"'),
        ) as link,
        pytest.raises(LinkError, match=r":SOUR1:CURR 2.0000.*-113.*Undefined header"),
    ):
        supply(link).apply(GOOD)


def test_a_set_value_that_reads_back_otherwise_is_an_error():
    with (
        transcript(IDN, *setting(":SOUR1:CURR 2.0000", ":SOUR1:CURR?", "1.990")) as link,
        pytest.raises(LinkError, match="not obeyed"),
    ):
        supply(link).apply(GOOD)


@pytest.mark.parametrize(
    "reply",
    [
        "RIGOL TECHNOLOGIES,DS1104Z,DS1ZA1,00.04",
        "KEYSIGHT,N6705C,MY1,1.0",
        "RIGOL TECHNOLOGIES,DP832",
        "RIGOL TECHNOLOGIES,DP832,,00.01.16",
        "",
    ],
)
def test_another_instrument_or_half_an_identity_is_refused(reply: str):
    with transcript(("*IDN?", reply)) as link, pytest.raises(LinkError):
        supply(link).identify()


@pytest.mark.parametrize(("model", "channel"), [("DP832", 4), ("DP831", 3), ("DP811A", 2), ("DP832", 0)])
def test_a_channel_that_the_model_has_not_is_refused(model: str, channel: int):
    with transcript(("*IDN?", f"RIGOL TECHNOLOGIES,{model},DP8,00.01")) as link, pytest.raises(LinkError):
        supply(link, channel).identify()


def test_a_reading_says_volts_amps_mode_output_and_trips():
    with transcript(*READING) as link:
        found = supply(link).read()
    assert (found.volts, found.amps, found.mode, found.output_on, found.tripped) == (12.0012, 0.15, "CV", True, False)


def test_a_tripped_protection_is_seen():
    with transcript(*reading(on="OFF", ocp="YES")) as link:
        found = supply(link).read()
    assert found.tripped
    assert found.mode == "off"


@pytest.mark.parametrize(
    "bad",
    [
        {"measured": "NaN,0.1,1.2"},
        {"measured": "12.0,9.9E37,0"},
        {"measured": "12.0,0.1"},
        {"measured": "12.0,0.1,"},
        {"on": "MAYBE"},
        {"mode": "12.0"},
        {"ovp": ""},
    ],
)
def test_a_reply_that_is_no_number_or_no_known_word_is_an_error(bad: dict[str, str]):
    with transcript(*reading(**bad)) as link, pytest.raises(LinkError):
        supply(link).read()


def test_the_output_is_switched_and_read_back():
    with transcript(IDN, *setting(":OUTP CH1,ON", ":OUTP? CH1", "ON")) as link:
        supply(link).output(True)


def test_an_output_that_stays_off_is_an_error():
    with transcript(IDN, *setting(":OUTP CH1,ON", ":OUTP? CH1", "OFF")) as link, pytest.raises(LinkError):
        supply(link).output(True)


def test_safe_is_off_and_read_back_in_one_exchange():
    with transcript((":OUTP CH1,OFF", None), (":SYST:ERR?", '0,"No error"'), *reading(on="OFF")) as link:
        assert supply(link).make_safe().output_on is False


def test_safe_is_never_claimed_while_the_output_reads_on():
    with (
        transcript((":OUTP CH1,OFF", None), (":SYST:ERR?", '0,"No error"'), *READING) as link,
        pytest.raises(LinkError, match="still on"),
    ):
        supply(link).make_safe()


def test_an_old_error_in_the_queue_does_not_stop_the_supply_from_being_safe():
    with transcript((":OUTP CH1,OFF", None), (":SYST:ERR?", '-222,"old"'), *reading(on="OFF")) as link:
        assert supply(link).make_safe().output_on is False


def test_a_trip_is_cleared_with_the_output_off():
    with transcript(
        IDN,
        *setting(":OUTP CH1,OFF", ":OUTP? CH1", "OFF"),
        *((":OUTP:OVP:CLEAR CH1", None), (":SYST:ERR?", '0,"No error"')),
        *((":OUTP:OCP:CLEAR CH1", None), (":SYST:ERR?", '0,"No error"')),
        *reading(on="OFF"),
    ) as link:
        assert not supply(link).clear().tripped


def test_a_trip_that_stays_is_an_error():
    with (
        transcript(
            IDN,
            *setting(":OUTP CH1,OFF", ":OUTP? CH1", "OFF"),
            *((":OUTP:OVP:CLEAR CH1", None), (":SYST:ERR?", '0,"No error"')),
            *((":OUTP:OCP:CLEAR CH1", None), (":SYST:ERR?", '0,"No error"')),
            *reading(on="OFF", ovp="YES"),
        ) as link,
        pytest.raises(LinkError, match="not cleared"),
    ):
        supply(link).clear()


def test_the_transcript_itself_fails_on_a_wrong_an_unsent_and_an_unread_pair():
    with pytest.raises(TranscriptError, match=r"sent '\*IDN\?'"):
        Transcript(("*RST", None)).query("*IDN?")
    with pytest.raises(TranscriptError, match="1 pairs unsent"):
        Transcript(IDN).finish()
    with pytest.raises(TranscriptError, match="never be read"):
        Transcript((":RUN", "1"), IDN).exchange(":RUN", "*IDN?")
    with pytest.raises(TranscriptError, match="in flight"):
        Transcript((":RUN", None)).exchange(":RUN")
    with pytest.raises(TranscriptError, match="after the transcript's end"):
        Transcript().query("*IDN?")
