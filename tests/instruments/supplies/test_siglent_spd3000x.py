"""The SPD3000X driver against strict transcripts: one odd status word, and no protections."""

from __future__ import annotations

import pytest

from rig.errors import LinkError, Refused
from rig.instruments.guards import Guard
from rig.instruments.ports import SupplyLimits, SupplySettings
from rig.instruments.supplies.siglent_spd3000x import SiglentSPD3000X, off_texts
from tests.transcript import Pair, Transcript, transcript

IDN: Pair = ("*IDN?", "Siglent Technologies,SPD3303X-E,SPD3XHBD1R0001,1.01.01.02.05,V3.0")
GOOD = SupplySettings(volts=12.0, amps=1.5, over_voltage_v=Guard.NONE, over_current_a=Guard.NONE)
NO_ERROR: Pair = ("SYST:ERR?", "0  No Error")
READING: tuple[Pair, ...] = (("MEAS:VOLT? CH2", "12.001"), ("MEAS:CURR? CH2", "0.150"))


def supply(link: Transcript, channel: int = 2) -> SiglentSPD3000X:
    return SiglentSPD3000X("supply", link, channel, SupplyLimits(14.0, 2.5))


def status(word: str) -> Pair:
    return ("SYST:STAT?", word)


def test_settings_are_sent_one_by_one_and_each_is_read_back() -> None:
    with transcript(
        IDN,
        *(("CH2:CURR 1.500", None), NO_ERROR, ("CH2:CURR?", "1.500")),
        *(("CH2:VOLT 12.000", None), NO_ERROR, ("CH2:VOLT?", "12.000")),
    ) as link:
        supply(link).apply(GOOD)


def test_its_fifth_field_is_a_part_of_the_version() -> None:
    with transcript(IDN) as link:
        assert supply(link).identify().version == "1.01.01.02.05,V3.0"


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        (SupplySettings(12.0, 1.5, 13.2, Guard.NONE), "over_voltage_v"),
        (SupplySettings(12.0, 1.5, Guard.NONE, 2.0), "over_current_a"),
        (SupplySettings(12.0, 1.5, Guard.NONE, Guard.AT_LIMIT), "over_current_a"),
    ],
)
def test_a_protection_that_it_has_not_is_refused_and_nothing_is_set(settings: SupplySettings, key: str) -> None:
    with transcript(IDN) as link, pytest.raises(Refused) as caught:
        supply(link).apply(settings)
    assert (caught.value.where.key, caught.value.where.expected) == (key, "'none'")


@pytest.mark.parametrize(
    ("word", "on", "mode"),
    [
        ("0x24", True, "CV"),
        ("0x26", True, "CC"),
        ("0x25", True, "CV"),  # channel 1 is limited, not this one
        ("0x14", False, "off"),  # channel 1 is on
        ("0x0224", True, "CV"),
        ("0x4", False, "off"),
    ],
)
def test_one_word_tells_output_and_mode_of_this_channel(word: str, on: bool, mode: str) -> None:
    with transcript(*READING, status(word)) as link:
        found = supply(link).read()
    assert (found.output_on, found.mode, found.tripped) == (on, mode, False)


@pytest.mark.parametrize("word", ["0x28", "0x2C", "0x20"])
def test_channels_in_series_or_parallel_are_refused(word: str) -> None:
    with transcript(*READING, status(word)) as link, pytest.raises(LinkError, match="coupled"):
        supply(link).read()


@pytest.mark.parametrize("word", ["", "on", "0xZZ", "-1", "0x123456789"])
def test_a_status_that_is_no_word_of_bits_is_an_error(word: str) -> None:
    with transcript(*READING, status(word)) as link, pytest.raises(LinkError, match="wrong reply"):
        supply(link).read()


def test_the_output_is_switched_and_its_own_bit_is_read_back() -> None:
    with transcript(IDN, ("OUTP CH2,ON", None), NO_ERROR, status("0x24")) as link:
        supply(link).output(True)
    with (
        transcript(IDN, ("OUTP CH2,ON", None), NO_ERROR, status("0x14")) as link,
        pytest.raises(LinkError, match="not obeyed"),
    ):
        supply(link).output(True)


def test_an_error_without_a_comma_is_told_and_the_queue_is_emptied() -> None:
    with (
        transcript(
            IDN, ("CH2:CURR 1.500", None), ("SYST:ERR?", "13  Parameters Error"), ("SYST:ERR?", "0  No Error")
        ) as link,
        pytest.raises(LinkError, match="13,Parameters Error"),
    ):
        supply(link).apply(GOOD)


def test_safe_is_off_and_read_back() -> None:
    with transcript(("OUTP CH2,OFF", None), NO_ERROR, *READING, status("0x04")) as link:
        assert not supply(link).make_safe().output_on
    with (
        transcript(("OUTP CH2,OFF", None), NO_ERROR, *READING, status("0x24")) as link,
        pytest.raises(LinkError, match="still on"),
    ):
        supply(link).make_safe()


def test_the_guardian_reads_the_same_bit() -> None:
    assert (off_texts(1).off_bit, off_texts(2).off_bit) == (4, 5)


def test_the_third_channel_is_set_by_hand_and_not_supported() -> None:
    with transcript(IDN) as link, pytest.raises(LinkError, match="no such positive channel"):
        supply(link, channel=3).identify()
