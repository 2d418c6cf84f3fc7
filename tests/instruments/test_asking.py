"""A link on which an instrument can only be asked, and which driver an answer belongs to."""

from __future__ import annotations

import pytest

from rig.errors import LinkError, Refused
from rig.instruments.asking import AskingLink, driver_of, identify
from rig.instruments.ports import Identity
from tests.transcript import transcript


def test_questions_go_through_and_each_is_remembered_once() -> None:
    with transcript((":A?", "1"), (":B? CH1", "2"), (":A?", "3"), name="psu") as inner:
        link = AskingLink(inner)
        assert link.name == "psu"
        assert link.exchange(":A?", ":B? CH1") == ("1", "2")
        assert link.query(":A?") == "3"
        assert link.asked == [":A?", ":B? CH1"]
        link.close()
        assert inner.closed


@pytest.mark.parametrize("command", [":OUTP CH1,ON", "*RST", "*CLS", "*RST;*IDN?", ":OUTP CH1,OFF?", ":RUN"])
def test_what_is_no_question_is_refused_before_a_byte_leaves(command: str) -> None:
    with transcript() as inner:
        link = AskingLink(inner)
        with pytest.raises(Refused, match="nothing was sent"):
            link.exchange(command, ":SYST:ERR?")
        with pytest.raises(Refused, match="nothing was sent"):
            link.exchange(":SYST:ERR?", command)
        assert link.asked == []


def test_a_block_is_not_asked_for() -> None:
    with transcript() as inner, pytest.raises(Refused, match="nothing was sent"):
        AskingLink(inner).query_block(":WAV:DATA?")


def test_anybody_can_be_asked_who_he_is() -> None:
    with transcript(("*IDN?", "KEYSIGHT,E36312A,MY1,1.0")) as link:
        assert identify(link) == Identity("KEYSIGHT", "E36312A", "MY1", "1.0")
    with transcript(("*IDN?", "hello")) as link, pytest.raises(LinkError, match="wrong reply"):
        identify(link)


@pytest.mark.parametrize(
    ("maker", "model", "driver"),
    [
        ("RIGOL TECHNOLOGIES", "DP832", "rigol-dp800"),
        ("RIGOL TECHNOLOGIES", "dp832a", "rigol-dp800"),
        ("Rigol Technologies", "DS1104Z", "rigol-ds1000z"),
        ("RIGOL TECHNOLOGIES", "MSO1104Z", "rigol-ds1000z"),
        ("RIGOL TECHNOLOGIES", "DS1102Z-E", None),
        ("RIGOL TECHNOLOGIES", "DP2031", None),
        ("SIGLENT", "DP832", None),
        ("SIGLENT", "DS1104Z", None),
    ],
)
def test_the_driver_is_that_of_the_makers_family(maker: str, model: str, driver: str | None) -> None:
    assert driver_of(Identity(maker, model, "1", "1")) == driver
