"""The Korad driver against strict transcripts: no ends, no error queue, a byte of bits, and firmware of many minds."""

from __future__ import annotations

import pytest

from rig.errors import LinkError, Refused
from rig.instruments.guards import Guard
from rig.instruments.ports import SupplyLimits, SupplySettings
from rig.instruments.supplies.korad import LENGTHS, Korad, off_texts, parse_idn
from tests.transcript import Pair, Transcript, transcript

IDN: Pair = ("*IDN?", "KORADKA3005PV2.0")
OFF, ON, ON_CC, ON_OCP, OFF_OCP = "\x11", "\x51", "\x50", "\x71", "\x31"
PLAIN = SupplySettings(volts=12.0, amps=1.5, over_voltage_v=Guard.NONE, over_current_a=Guard.NONE)
TRIPPING = SupplySettings(volts=12.0, amps=1.5, over_voltage_v=Guard.NONE, over_current_a=Guard.AT_LIMIT)


def supply(link: Transcript, channel: int = 1) -> Korad:
    return Korad("supply", link, channel, SupplyLimits(14.0, 2.5))


def reading(status: str, volts: str = "12.00", amps: str = "0.150") -> tuple[Pair, ...]:
    return (("VOUT1?", volts), ("IOUT1?", amps), ("STATUS?", status))


@pytest.mark.parametrize("limit", ["1.500", "1.500K", "1.500\x00"])
def test_settings_are_sent_one_by_one_and_each_is_read_back_whatever_comes_behind_the_limit(limit: str) -> None:
    with transcript(
        IDN,
        *(("ISET1:1.500", None), ("ISET1?", limit)),
        *(("OCP0", None), ("STATUS?", OFF)),
        *(("VSET1:12.00", None), ("VSET1?", "12.00")),
    ) as link:
        supply(link).apply(PLAIN)


def test_its_current_protection_is_put_on_where_its_firmware_tells_that_it_is() -> None:
    with transcript(
        IDN,
        *(("ISET1:1.500", None), ("ISET1?", "1.500K")),
        *(("OCP0", None), ("STATUS?", OFF), ("OCP1", None), ("STATUS?", OFF_OCP)),
        *(("VSET1:12.00", None), ("VSET1?", "12.00")),
    ) as link:
        supply(link).apply(TRIPPING)


@pytest.mark.parametrize(("after_off", "after_on"), [(OFF, OFF), (OFF_OCP, OFF_OCP), (OFF_OCP, OFF)])
def test_a_firmware_that_does_not_tell_is_refused_before_any_volts_are_set(after_off: str, after_on: str) -> None:
    with (
        transcript(
            IDN,
            *(("ISET1:1.500", None), ("ISET1?", "1.500")),
            *(("OCP0", None), ("STATUS?", after_off), ("OCP1", None), ("STATUS?", after_on)),
            *(("OCP0", None), ("STATUS?", after_off)),
        ) as link,
        pytest.raises(Refused, match="does not tell") as caught,
    ):
        supply(link).apply(TRIPPING)
    assert (caught.value.where.key, caught.value.where.expected) == ("over_current_a", "'none'")


@pytest.mark.parametrize("key", ["over_voltage_v", "over_current_a"])
def test_it_has_no_levels(key: str) -> None:
    of_volts = key == "over_voltage_v"
    settings = SupplySettings(12.0, 1.5, 13.2 if of_volts else Guard.NONE, Guard.NONE if of_volts else 2.0)
    with transcript(IDN) as link, pytest.raises(Refused) as caught:
        supply(link).apply(settings)
    assert caught.value.where.key == key


def test_a_set_that_was_lost_is_told() -> None:
    with (
        transcript(IDN, ("ISET1:1.500", None), ("ISET1?", "1.000K")) as link,
        pytest.raises(LinkError, match=r"'ISET1:1\.500' was not obeyed"),
    ):
        supply(link).apply(PLAIN)


@pytest.mark.parametrize(("status", "on", "mode"), [(OFF, False, "off"), (ON, True, "CV"), (ON_CC, True, "CC")])
def test_a_reading_says_mode_and_output(status: str, on: bool, mode: str) -> None:
    with transcript(*reading(status)) as link:
        found = supply(link).read()
    assert (found.volts, found.amps, found.output_on, found.mode, found.tripped) == (12.0, 0.15, on, mode, False)


def test_an_output_that_went_off_by_itself_has_tripped_until_it_is_cleared() -> None:
    with transcript(
        IDN,
        *(("ISET1:1.500", None), ("ISET1?", "1.500K")),
        *(("OCP0", None), ("STATUS?", OFF), ("OCP1", None), ("STATUS?", OFF_OCP)),
        *(("VSET1:12.00", None), ("VSET1?", "12.00")),
        *(("OUT1", None), ("STATUS?", ON_OCP)),
        *reading(OFF_OCP, "00.00", "0.000"),
        *(("OUT0", None), ("STATUS?", OFF_OCP)),
        *reading(OFF_OCP, "00.00", "0.000"),
    ) as link:
        it = supply(link)
        it.apply(TRIPPING)
        it.output(True)
        assert it.read().tripped
        assert not it.clear().tripped


@pytest.mark.parametrize(
    "bad",
    [
        *(reading(ON, volts=text) for text in ("12.0", "1200", "nan", "", "12.00K")),
        reading(ON, amps="+.150"),
        reading(""),
        reading("QQ"),
    ],
)
def test_a_reply_that_is_not_of_its_form_is_an_error(bad: tuple[Pair, ...]) -> None:
    with transcript(*bad) as link, pytest.raises(LinkError, match="wrong reply"):
        supply(link).read()


def test_safe_is_off_and_read_back_in_one_exchange() -> None:
    with transcript(("OUT0", None), *reading(OFF)) as link:
        assert not supply(link).make_safe().output_on
    with transcript(("OUT0", None), *reading(ON)) as link, pytest.raises(LinkError, match="still on"):
        supply(link).make_safe()


def test_an_output_that_does_not_switch_is_an_error() -> None:
    with transcript(("OUT1", None), ("STATUS?", OFF)) as link, pytest.raises(LinkError, match="not switched on"):
        supply(link).output(True)


@pytest.mark.parametrize(
    ("text", "maker", "model", "serial", "version"),
    [
        ("KORADKA3005PV2.0", "KORAD", "KA3005P", "", "2.0"),
        ("KORAD KA3005P V5.8 SN:03379314", "KORAD", "KA3005P", "03379314", "5.8"),
        ("TENMA72-2710V2.1", "TENMA", "72-2710", "", "2.1"),
        ("TENMA 72-2710 V6.6 SN:01234567", "TENMA", "72-2710", "01234567", "6.6"),
        ("RND 320-KA3005P V2.0\0", "RND", "KA3005P", "", "2.0"),
        ("VELLEMANLABPS3005DV2.0", "VELLEMAN", "LABPS3005D", "", "2.0"),
    ],
)
def test_its_one_word_is_taken_apart(text: str, maker: str, model: str, serial: str, version: str) -> None:
    who = parse_idn(text)
    assert who is not None
    assert (who.maker, who.model, who.serial, who.version) == (maker, model, serial, version)


@pytest.mark.parametrize(
    "reply", ["KORADKA3005P", "KORADKA9999PV2.0", "KA3005PV2.0", "RIGOL TECHNOLOGIES,DP832,1,1", ""]
)
def test_another_instrument_or_half_an_identity_is_refused(reply: str) -> None:
    with transcript(("*IDN?", reply)) as link, pytest.raises(LinkError, match="another instrument"):
        supply(link).identify()


def test_there_is_one_channel() -> None:
    with transcript(IDN) as link, pytest.raises(LinkError, match="no such channel"):
        supply(link, channel=2).identify()


def test_the_guardian_sends_the_same_bytes_and_reads_the_same_bit() -> None:
    texts = off_texts(1)
    assert (texts.command, texts.question, texts.off_bit, texts.ends, texts.reply_bytes) == (
        "OUT0",
        "STATUS?",
        6,
        "",
        1,
    )
    assert LENGTHS[texts.question] == texts.reply_bytes
