"""The status registers that every SCPI instrument of the twin has (IEEE 488.2, 11), and what waits for nothing."""

from __future__ import annotations

import pytest

from rig.twin.scpi import ScpiFace


@pytest.fixture
def face() -> ScpiFace:
    return ScpiFace("ACME", "X1", "S1", "1.0")


def asked(face: ScpiFace, question: str) -> str:
    answer = face.handle(question)
    assert isinstance(answer, bytes)
    return answer.decode().strip()


def test_a_command_that_waits_is_taken_and_is_no_error(face: ScpiFace) -> None:
    assert face.handle("*WAI") is None
    assert asked(face, "*OPC?;*WAI;*TST?") == "1;0"
    assert asked(face, "SYST:ERR?") == '0,"No error"'


@pytest.mark.parametrize(("code", "bit"), [(-113, 32), (-222, 16), (-350, 8), (-410, 4), (113, 0)])
def test_each_kind_of_error_has_its_bit_and_reading_clears_it(face: ScpiFace, code: int, bit: int) -> None:
    face.error(code, "what")
    assert [asked(face, "*ESR?") for _ in range(2)] == [str(bit), "0"]


def test_an_operation_that_is_complete_is_an_event_and_cls_forgets_it(face: ScpiFace) -> None:
    face.handle("*OPC;NOSUCH")
    face.handle("*CLS")
    assert (asked(face, "*ESR?"), asked(face, "*STB?")) == ("0", "0")


def test_the_status_byte_tells_of_the_queue_and_of_the_events_that_were_chosen(face: ScpiFace) -> None:
    face.handle("NOSUCH 1")
    assert asked(face, "*STB?") == "4"
    face.handle("*ESE 32;*SRE 32")
    assert (asked(face, "*ESE?"), asked(face, "*SRE?"), asked(face, "*STB?")) == ("32", "32", str(4 + 32 + 64))
    face.handle("*ESE 256")
    assert '-222,"Data out of range"' in [asked(face, "SYST:ERR?") for _ in range(2)]
