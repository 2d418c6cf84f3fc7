"""Sense lines over a local socket: what the protocol carries, and that anything else ends what is known of them."""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from rig.clock.system import SystemClock
from rig.errors import BenchError, LinkError
from rig.instruments.line_client import PROTOCOL, ServedSenseLines, boot_id
from rig.instruments.ports import LineEdge
from rig.instruments.sense import SenseLine
from tests.hurried import LONG_S, HurriedClock

LINES = (SenseLine("up", 5, True), SenseLine("present", 16, False))
Play = Callable[[str], str | None]
"""What the server says to one line of the client; None: it hangs up."""


def now() -> int:
    return time.monotonic_ns()


def hello() -> str:
    return f"{PROTOCOL} {boot_id()} {now()}\n"


@contextmanager
def server(play: Play, family: socket.AddressFamily, place: tuple[str, int] | str) -> Iterator[str]:
    """Serves one client; its address."""
    listener = socket.create_server(place, family=family) if family != socket.AF_UNIX else socket.socket(family)
    if family == socket.AF_UNIX:
        listener.bind(place)
        listener.listen()

    def run() -> None:
        client, _ = listener.accept()
        with client, client.makefile("r") as lines, suppress(ConnectionError):
            for line in lines:
                answer = play(line.rstrip("\n"))
                if answer is None:
                    return
                client.sendall(answer.encode())

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield str(place) if family == socket.AF_UNIX else f"127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.close()
        thread.join()


@contextmanager
def opened(play: Play, clock: SystemClock | None = None) -> Iterator[ServedSenseLines]:
    def whole(line: str) -> str | None:
        return hello() if line.startswith(PROTOCOL) else play(line)

    with server(whole, socket.AF_INET, ("127.0.0.1", 0)) as address:
        lines = ServedSenseLines(address, LINES, clock or SystemClock(), LONG_S)
        try:
            yield lines
        finally:
            lines.close()


def test_the_request_names_the_lines_and_levels_come_in_their_order() -> None:
    asked: list[str] = []

    def play(line: str) -> str:
        asked.append(line)
        return hello() if len(asked) == 1 else "levels 1 1\n"

    with server(play, socket.AF_INET, ("127.0.0.1", 0)) as address:
        lines = ServedSenseLines(address, LINES, SystemClock(), LONG_S)
        assert lines.names() == ("up", "present")
        assert lines.levels() == {"up": True, "present": False}, "present is active low"
        lines.close()
    assert asked == [f"{PROTOCOL} 5 16", "levels"]


def test_a_unix_socket_serves_as_well(tmp_path: Path) -> None:
    place = str(tmp_path / "lines.sock")
    with server(lambda line: "levels 0 0\n" if line == "levels" else hello(), socket.AF_UNIX, place) as address:
        lines = ServedSenseLines(address, LINES, SystemClock(), LONG_S)
        assert lines.levels() == {"up": False, "present": True}
        lines.close()


def test_edges_that_came_before_the_levels_are_kept_in_their_order() -> None:
    at = now()
    with opened(lambda _: f"edge 5 1 {at} 1\nedge 16 1 {at + 1} 1\nlevels 1 1\nedge 5 2 {at + 2} 0\n") as lines:
        lines.levels()
        assert lines.edges() == [
            LineEdge("up", at, True, 1),
            LineEdge("present", at + 1, False, 1),
            LineEdge("up", at + 2, False, 2),
        ]
        assert lines.edges() == []


def test_its_descriptor_wakes_who_waits_on_the_clock_and_a_line_may_come_in_pieces() -> None:
    at = now()
    left, right = socket.socketpair()
    with opened(lambda _: "levels 0 0\n") as lines, left, right:
        assert lines._socket is not None
        lines._socket.close()
        lines._socket = left
        right.sendall(f"edge 5 1 {at} ".encode())
        clock = SystemClock()
        assert clock.wait(lines, 60.0)
        assert lines.edges() == []
        right.sendall(b"1\n")
        assert clock.wait(lines, 60.0)
        assert lines.edges() == [LineEdge("up", at, True, 1)]
        assert not clock.wait(lines, 0.0)


WRONG_ANSWERS = {
    "one level too few": "levels 1\n",
    "one too many": "levels 1 0 1\n",
    "a level that is none": "levels 1 2\n",
    "an edge of a line that nobody asked for": "edge 6 1 5 1\nlevels 1 1\n",
    "an edge without a number": "edge 5 1 1\nlevels 1 1\n",
    "a stamp in the future": "edge 5 1 9000000000000000000 1\nlevels 1 1\n",
    "a level that is no level": "edge 5 1 5 3\nlevels 1 1\n",
    "another word": "hello\n",
    "an error": "error the lines are gone\n",
    "two answers": "levels 1 1\nlevels 1 1\n",
    "a line without end": "x" * 5000,
}


@pytest.mark.parametrize("answer", WRONG_ANSWERS.values(), ids=WRONG_ANSWERS.keys())
def test_whatever_is_not_the_protocol_ends_the_knowledge_of_all_lines(answer: str) -> None:
    with opened(lambda _: answer) as lines:
        with pytest.raises(LinkError, match="sense lines: the line server "):
            lines.levels()
        for call in (lines.levels, lines.edges, lines.fileno):
            with pytest.raises(LinkError, match="the line server is gone"):
                call()


def test_a_server_that_hangs_up_is_told_by_whoever_asks_next() -> None:
    with opened(lambda _: None) as lines, pytest.raises(LinkError, match="the line server closed the connection"):
        lines.levels()


def test_a_server_that_went_away_is_seen_by_who_waits_for_edges() -> None:
    with opened(lambda _: None) as lines:
        lines._link().sendall(b"levels\n")
        select.select([lines], [], [], 60)
        with pytest.raises(LinkError, match="the line server is gone"):
            lines.edges()


def test_silence_is_a_timeout() -> None:
    clock = HurriedClock()

    def play(line: str) -> str:
        clock.time_is_over()
        return ""

    with opened(play, clock) as lines, pytest.raises(LinkError, match="no answer within 60 s"):
        lines.levels()


WRONG_HELLOS = {
    "another protocol": ("HTTP/1.1 400 Bad Request\n", "this is no line server"),
    "another boot": (f"{PROTOCOL} 00000000-0000-0000-0000-000000000000 5\n", "of another machine or boot"),
    "another clock, behind": (f"{PROTOCOL} {boot_id()} 5\n", "not CLOCK_MONOTONIC of here"),
    "another clock, ahead": (f"{PROTOCOL} {boot_id()} 9000000000000000000\n", "not CLOCK_MONOTONIC of here"),
    "a refusal": ("error no line 16; there are 5\n", "the line server says: no line 16; there are 5"),
}


@pytest.mark.parametrize(("answer", "told"), WRONG_HELLOS.values(), ids=WRONG_HELLOS.keys())
def test_a_server_whose_stamps_mean_nothing_here_is_refused_at_once(answer: str, told: str) -> None:
    with server(lambda _: answer, socket.AF_INET, ("127.0.0.1", 0)) as address:
        with pytest.raises(BenchError, match=told) as caught:
            ServedSenseLines(address, LINES, SystemClock(), LONG_S)
        assert address in caught.value.message


def test_a_server_that_is_not_there_is_told_with_its_address() -> None:
    with pytest.raises(BenchError, match=r"Connection refused \(line server at 127\.0\.0\.1:1\)"):
        ServedSenseLines("127.0.0.1:1", LINES, SystemClock())
    with pytest.raises(BenchError, match=r"No such file or directory \(line server at /nowhere/lines\.sock\)"):
        ServedSenseLines("/nowhere/lines.sock", LINES, SystemClock())
