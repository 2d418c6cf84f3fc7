"""What holds the relay lines when a guardian's work is done: real processes, lines on files."""

from __future__ import annotations

import fcntl
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rig.errors import BenchError
from rig.guardian.client import GuardianClient
from rig.guardian.keeper import holder, keep_safe, pins, take
from tests.guardian.peers import PINS, Lines, Supply, charge, gone

START = Callable[..., GuardianClient]


@pytest.fixture
def state(tmp_path: Path) -> Iterator[str]:
    """The state folder; whoever keeps lines for it is ended with the test."""
    folder = str(tmp_path / "state")
    yield folder
    take(folder, PINS.values())


def finished(client: GuardianClient) -> None:
    client.arm()
    client.set("meter-feed", True)
    client.make_safe()
    client.stand_down()
    client.close()


def test_without_the_wish_nobody_is_left(start: START, state: str) -> None:
    client = start()
    finished(client)
    assert gone(client.pid)
    assert holder(state, PINS["meter-feed"]) is None


def test_the_lines_are_held_after_the_guardian_has_ended(start: START, state: str, lines: Lines) -> None:
    client = start(keeps_lines=True)
    finished(client)
    assert gone(client.pid)
    keeper = holder(state, PINS["meter-feed"])
    assert keeper is not None
    assert not gone(keeper, 0)
    assert {holder(state, pin) for pin in PINS.values()} == {keeper}
    assert holder(state, 5) is None
    assert not lines.closed()["meter-feed"]


def test_the_keeper_holds_no_lock_of_the_bench(start: START, state: str, tmp_path: Path) -> None:
    lock = os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX)
    client = start((lock,), keeps_lines=True)
    finished(client)
    os.close(lock)
    again = os.open(tmp_path / "lock", os.O_RDWR)
    fcntl.flock(again, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(again)
    assert holder(state, PINS["mains"]) is not None


def test_the_next_guardian_takes_the_lines_over(start: START, state: str) -> None:
    finished(start(keeps_lines=True))
    first = holder(state, PINS["mains"])
    client = start(keeps_lines=True)
    assert first is not None
    assert gone(first)
    assert holder(state, PINS["mains"]) is None
    finished(client)
    assert holder(state, PINS["mains"]) not in (None, first)


def test_who_keeps_other_lines_is_left_alone(start: START, state: str) -> None:
    finished(start(keeps_lines=True))
    keeper = holder(state, PINS["mains"])
    take(state, [2, 3])
    assert holder(state, PINS["mains"]) == keeper


def test_a_keeper_that_was_killed_keeps_nothing(start: START, state: str) -> None:
    finished(start(keeps_lines=True))
    keeper = holder(state, PINS["mains"])
    assert keeper is not None
    os.kill(keeper, signal.SIGKILL)
    assert gone(keeper)
    assert holder(state, PINS["mains"]) is None
    take(state, PINS.values())
    assert list((Path(state) / "keepers").iterdir()) == []


def test_when_the_guardian_dies_a_keeper_takes_the_lines_and_makes_them_safe(
    start: START, state: str, lines: Lines
) -> None:
    client = start(keeps_lines=True)
    client.arm()
    client.set("meter-feed", True)
    os.kill(client.pid, signal.SIGKILL)
    assert client.make_safe() == {"K1": True, "K2": True, "K3": True}
    assert not lines.closed()["meter-feed"]
    assert not client.closed("meter-feed")
    client.stand_down()
    client.close()
    assert holder(state, PINS["meter-feed"]) is not None


def test_a_line_that_does_not_follow_is_told_and_keeps_nobody_from_the_others(
    state: str, lines: Lines, supply: Supply, tmp_path: Path
) -> None:
    lines.set(PINS["meter-feed"], 1)
    lines.set(PINS["supply-feed"], 1)
    lines.stick(PINS["meter-feed"])
    specs = charge(tmp_path / "state", supply).relays
    assert keep_safe(state, specs) == {"K1": True, "K2": False, "K3": True}
    assert holder(state, PINS["supply-feed"]) is not None
    assert pins(specs) == tuple(sorted(PINS.values()))


def test_where_nobody_can_keep_the_lines_it_is_an_error(lines: Lines, supply: Supply, tmp_path: Path) -> None:
    file = tmp_path / "a file"
    file.touch()
    with pytest.raises(BenchError, match="Not a directory"):
        keep_safe(str(file), charge(tmp_path / "state", supply).relays)
