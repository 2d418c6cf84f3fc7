"""The Aim-TTi driver against strict transcripts: its own words, two error registers, and events that are read twice."""

from __future__ import annotations

import pytest

from rig.errors import LinkError, Refused
from rig.instruments.guards import Guard
from rig.instruments.ports import SupplyLimits, SupplySettings
from rig.instruments.supplies.aim_tti import AimTTi
from tests.transcript import Pair, Transcript, transcript

IDN: Pair = ("*IDN?", "THURLBY THANDAR, PL303-P, 123456, 1.00-4.07")
UNLOCKED: Pair = ("IFLOCK?", "0")
GOOD = SupplySettings(volts=12.0, amps=1.5, over_voltage_v=13.2, over_current_a=2.0)
READING: tuple[Pair, ...] = (
    ("V1O?", "12.001V"),
    ("I1O?", "0.150A"),
    ("OP1?", "1"),
    ("LSR1?", "1"),
    ("LSR1?", "1"),
)


def supply(link: Transcript, channel: int = 1) -> AimTTi:
    return AimTTi("supply", link, channel, SupplyLimits(14.0, 2.5))


def obeyed(command: str, question: str, back: str) -> tuple[Pair, ...]:
    return ((command, None), ("*ESR?", "0"), (question, back))


def reading(**replies: str) -> tuple[Pair, ...]:
    keys = ("volts", "amps", "on", "past", "present")
    return tuple((question, replies.get(key, str(reply))) for key, (question, reply) in zip(keys, READING, strict=True))


def test_settings_are_sent_one_by_one_protections_before_volts_and_each_is_read_back() -> None:
    with transcript(
        IDN,
        UNLOCKED,
        *obeyed("I1 1.500", "I1?", "I1 1.500"),
        *obeyed("OVP1 13.20", "OVP1?", "VP1 13.2"),
        *obeyed("OCP1 2.00", "OCP1?", "CP1 2.00"),
        *obeyed("V1 12.000", "V1?", "V1 12.000"),
    ) as link:
        supply(link).apply(GOOD)


def test_an_mx_has_its_protections_put_on_first() -> None:
    with transcript(
        ("*IDN?", "THURLBY THANDAR, MX180TP, 1, 1.0"),
        UNLOCKED,
        *obeyed("I1 1.500", "I1?", "I1 1.500"),
        *(("OVP1 ON", None), ("*ESR?", "0"), *obeyed("OVP1 13.20", "OVP1?", "VP1 13.2")),
        *(("OCP1 ON", None), ("*ESR?", "0"), *obeyed("OCP1 2.00", "OCP1?", "CP1 2.00")),
        *obeyed("V1 12.000", "V1?", "V1 12.000"),
    ) as link:
        supply(link).apply(GOOD)


def test_a_protection_that_is_off_is_no_level() -> None:
    with (
        transcript(
            IDN, UNLOCKED, *obeyed("I1 1.500", "I1?", "I1 1.500"), *obeyed("OVP1 13.20", "OVP1?", "VP1 OFF")
        ) as link,
        pytest.raises(LinkError, match="wrong reply to 'OVP1\\?'"),
    ):
        supply(link).apply(GOOD)


@pytest.mark.parametrize(
    ("esr", "eer", "told"),
    [
        ("32", None, "not understood"),
        ("16", "100", "outside the permitted range"),
        ("16", "200", "another interface holds its lock"),
        ("16", "114", "execution error 114"),
        ("8", None, "not understood"),
    ],
)
def test_an_error_register_is_told_with_the_command(esr: str, eer: str | None, told: str) -> None:
    more: tuple[Pair, ...] = () if eer is None else (("EER?", eer),)
    with (
        transcript(IDN, UNLOCKED, ("I1 1.500", None), ("*ESR?", esr), *more) as link,
        pytest.raises(LinkError, match=rf"I1 1.500.*{told}"),
    ):
        supply(link).apply(GOOD)


def test_power_on_and_operation_complete_are_no_errors() -> None:
    with transcript(IDN, UNLOCKED, ("OP1 1", None), ("*ESR?", "129"), ("OP1?", "1")) as link:
        supply(link).output(True)


def test_a_supply_that_another_interface_holds_is_refused() -> None:
    with transcript(IDN, ("IFLOCK?", "-1")) as link, pytest.raises(LinkError, match="holds its lock"):
        supply(link).identify()


@pytest.mark.parametrize(
    ("replies", "mode", "tripped"),
    [
        ({}, "CV", False),
        ({"present": "2"}, "CC", False),
        ({"past": "2"}, "CV", False),  # it was limited, and is no more
        ({"on": "0", "past": "4", "present": "0"}, "off", True),
        ({"on": "0", "past": "8", "present": "0"}, "off", True),
    ],
)
def test_a_reading_says_mode_output_and_trips(replies: dict[str, str], mode: str, tripped: bool) -> None:
    with transcript(*reading(**replies)) as link:
        found = supply(link).read()
    assert (found.volts, found.amps, found.mode, found.tripped) == (12.001, 0.15, mode, tripped)


def test_a_trip_is_remembered_until_it_is_cleared_though_its_register_forgets() -> None:
    off = reading(on="0", past="0", present="0")
    with transcript(
        *reading(on="0", past="4", present="0"),
        *off,
        *(IDN, UNLOCKED, *obeyed("OP1 0", "OP1?", "0"), ("TRIPRST", None), ("*ESR?", "0"), *off),
    ) as link:
        it = supply(link)
        assert it.read().tripped
        assert it.read().tripped
        assert not it.clear().tripped


@pytest.mark.parametrize(
    "bad",
    [
        *({"volts": text} for text in ("V2 12.0", "nan", "12.0.0V", "", "V1 ")),
        *({key: ""} for key in ("on", "past", "present")),
    ],
)
def test_a_reply_that_is_not_its_own_is_an_error(bad: dict[str, str]) -> None:
    with transcript(*reading(**bad)) as link, pytest.raises(LinkError, match="wrong reply"):
        supply(link).read()


def test_safe_is_off_and_read_back() -> None:
    with transcript(("OP1 0", None), ("*ESR?", "0"), *reading(on="0")) as link:
        assert not supply(link).make_safe().output_on
    with transcript(("OP1 0", None), ("*ESR?", "16"), *READING) as link, pytest.raises(LinkError, match="still on"):
        supply(link).make_safe()


@pytest.mark.parametrize("reply", ["THURLBY THANDAR, CPX400DP, 1, 1", "THURLBY THANDAR, PL303", "SIGLENT,PL303-P,1,1"])
def test_another_instrument_or_half_an_identity_is_refused(reply: str) -> None:
    with transcript(("*IDN?", reply)) as link, pytest.raises(LinkError):
        supply(link).identify()


def test_an_auxiliary_output_has_no_protections_and_is_refused() -> None:
    with transcript(("*IDN?", "THURLBY THANDAR, PL303QMT-P, 1, 1")) as link, pytest.raises(LinkError, match="channel"):
        supply(link, channel=3).identify()


def test_a_guard_in_place_of_a_level_is_refused() -> None:
    settings = SupplySettings(12.0, 1.5, 13.2, Guard.AT_LIMIT)
    with transcript(IDN, UNLOCKED) as link, pytest.raises(Refused) as caught:
        supply(link).apply(settings)
    assert caught.value.where.expected == "a level"
