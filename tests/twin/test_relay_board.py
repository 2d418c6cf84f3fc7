"""The twin's relay board: coils by functions 1, 5 and 15, exceptions for everything else."""

from __future__ import annotations

import pytest

from rig.twin.relay_board import TwinRelayBoard


class Rack:
    def __init__(self) -> None:
        self.moves: list[tuple[int, bool]] = []
        self.board = TwinRelayBoard([lambda on, n=n: self.moves.append((n, on)) for n in range(10)])  # type: ignore[misc]

    def ask(self, request: str, unit: int = 1) -> str | None:
        reply = self.board.answer(unit, bytes.fromhex(request))
        return None if reply is None else reply.hex(" ")


def test_a_coil_that_is_written_moves_its_relay_once_and_reads_back() -> None:
    rack = Rack()
    for _ in range(2):
        assert rack.ask("05 00 09 ff 00") == "05 00 09 ff 00"
    assert rack.moves == [(9, True)]
    assert rack.ask("01 00 09 00 01") == "01 01 01"
    assert rack.ask("01 00 00 00 0a") == "01 02 00 02"
    rack.ask("05 00 09 00 00")
    assert rack.moves == [(9, True), (9, False)]


def test_several_coils_are_written_at_once() -> None:
    rack = Rack()
    assert rack.ask("0f 00 01 00 09 02 03 01") == "0f 00 01 00 09"
    assert rack.moves == [(1, True), (2, True), (9, True)]


def test_a_coil_that_is_stuck_answers_as_if_it_had_moved_and_reads_as_it_is() -> None:
    rack = Rack()
    rack.board.stick(3, True)
    assert rack.ask("05 00 03 00 00") == "05 00 03 00 00"
    assert rack.ask("01 00 03 00 01") == "01 01 01"
    assert rack.moves == [(3, True)]


def test_it_is_silent_to_other_units_and_to_nothing() -> None:
    assert Rack().ask("05 00 00 ff 00", unit=2) is None
    assert Rack().ask("") is None


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ("06 00 00 00 01", 1),
        ("05 00 0a ff 00", 2),
        ("05 02 00 ff 00", 2),
        ("01 00 09 00 02", 2),
        ("01 00 00 00 00", 3),
        ("01 00 00 07 d1", 3),
        ("05 00 00 55 00", 3),
        ("05 00 00 ff", 3),
        ("0f 00 00 00 09 01 ff", 3),
        ("0f 00 00", 3),
    ],
)
def test_what_it_cannot_do_is_an_exception_and_moves_nothing(request_: str, code: int) -> None:
    rack = Rack()
    assert rack.ask(request_) == f"{int(request_[:2], 16) | 0x80:02x} {code:02x}"
    assert rack.moves == []
