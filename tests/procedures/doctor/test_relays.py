"""Coils of a relay board are read and not moved; operations are told against the rated life."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rig.bench.config import BenchConfig, CoilRelayTable
from rig.bench.wear import wear_file
from rig.clock.virtual import VirtualClock
from rig.procedures.doctor.relays import BoardLook, boards, wear
from rig.twin.modbus_server import ModbusServer
from rig.twin.relay_board import TwinRelayBoard
from tests.bench.files import checked

ROLES = (("K1", "mains", "as-is"), ("K2", "meter-feed", "open"), ("K3", "supply-feed", "open"))


class Board:
    """Three coils on Modbus TCP, and how often each of them moved."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.moves = [0, 0, 0]
        self.coils = TwinRelayBoard([lambda _, n=n: self._moved(n) for n in range(3)])  # type: ignore[misc]
        self.server = ModbusServer(self.coils, self.clock, threading.RLock(), name="relays")

    def _moved(self, coil: int) -> None:
        self.moves[coil] += 1

    def tables(self, unit: int = 1) -> list[CoilRelayTable]:
        return [
            CoilRelayTable.model_validate(
                {"name": name, "role": role, "driver": "modbus-coil", "address": self.server.endpoint, "coil": coil,
                 "safe": safe, "unit": unit}
            )
            for coil, (name, role, safe) in enumerate(ROLES)
        ]  # fmt: skip


@pytest.fixture
def board() -> Iterator[Board]:
    made = Board()
    yield made
    made.server.close()


def test_coils_are_read_and_none_is_moved(board: Board) -> None:
    board.coils.stick(0, True)
    before = list(board.moves)
    first, *others = BoardLook(board.tables(), board.clock).run()
    assert (first.status, first.found) == ("ok", "coil 0 reads closed")
    assert [check.found for check in others] == ["coil 1 reads open", "coil 2 reads open"]
    assert first.asked == ("Modbus: read coil 0", "Modbus: read coil 1", "Modbus: read coil 2")
    assert board.moves == before


def test_a_feed_that_is_closed_at_rest_is_a_warning_and_stays_closed(board: Board) -> None:
    board.coils.stick(2, True)
    *_, check = BoardLook(board.tables(), board.clock).run()
    assert (check.what, check.status, check.found) == ("relay K3", "warning", "coil 2 reads closed")
    assert board.moves == [0, 0, 1]


def test_a_board_that_does_not_answer_costs_its_timeout_once(board: Board) -> None:
    start = board.clock.now()
    (check,) = BoardLook(board.tables(unit=7), board.clock).run()
    assert board.clock.now() - start == pytest.approx(1e9, abs=1e6)
    assert check.status == "failed"
    assert check.found == "relay K1: read coil 0: no answer within 1 s"


@pytest.mark.parametrize("place", [{"address": "127.0.0.1:1"}, {"port": "/dev/no-such-port", "address": None}])
def test_a_board_that_is_not_there_is_told(board: Board, place: dict[str, str | None]) -> None:
    (check,) = BoardLook([board.tables()[0].model_copy(update=place)], board.clock).run()
    assert check.status == "failed"
    assert "relay board at" in (check.to_do or "")


def test_relays_are_asked_board_by_board(board: Board) -> None:
    here, there, serial = board.tables()
    there = there.model_copy(update={"address": "192.0.2.1:502"})
    serial = serial.model_copy(update={"address": None, "port": "/dev/ttyUSB0"})
    config = checked().model_copy(update={"relay": [here, there, serial, here.model_copy(update={"name": "K4"})]})
    assert [[relay.name for relay in group] for group in boards(config)] == [["K1", "K4"], ["K2"], ["K3"]]
    assert boards(checked()) == [], "relays on lines are not asked"


# -- operations --------------------------------------------------------------------------------------------------------


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch, home: Path, text: str) -> Iterator[BenchConfig]:
    monkeypatch.setenv("ICHIS_RIG_STATE", str(home))
    relays = [relay.model_copy(update={"rated_operations": 1000}) for relay in checked().relay]
    config = checked().model_copy(update={"relay": relays})
    file = wear_file(config, home)
    file.parent.mkdir(parents=True)
    file.write_text(text)
    yield config
    assert file.read_text() == text, "looking counts nothing"


def test_operations_are_told_against_the_rated_life(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = {"schema": "rig.relays/1", "bench": "twin", "operations": {"K1": 3, "K2": 850, "K3": 1000}}
    with counted(monkeypatch, tmp_path, json.dumps(body)) as config:
        checks = wear(config)
    assert [(check.what, check.status, check.found) for check in checks] == [
        ("operations of K1", "ok", "3 of 1000"),
        ("operations of K2", "warning", "850 of 1000"),
        ("operations of K3", "warning", "1000 of 1000"),
    ]


def test_a_count_that_cannot_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with counted(monkeypatch, tmp_path, "{}") as config:
        (check,) = wear(config)
    assert check.status == "failed"
    assert "no count of relay operations" in check.found


def test_relays_without_a_rated_life_are_not_counted() -> None:
    relays = [relay.model_copy(update={"rated_operations": None}) for relay in checked().relay]
    assert wear(checked().model_copy(update={"relay": relays})) == []
