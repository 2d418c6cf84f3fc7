"""Coil relays on a transcript of protocol data units: what is sent, what is believed, and what is never sent twice."""

from __future__ import annotations

import subprocess
import sys

import pytest

from rig.errors import BenchError, LinkError, LinkTimeout
from rig.instruments.modbus_coil import CoilRelay

CLOSE, OPEN = "05 00 02 ff 00", "05 00 02 00 00"
READ, CLOSED, OPENED = "01 00 02 00 01", "01 01 01", "01 01 00"

Row = tuple[str, str | Exception]


class Board:
    """Expects these requests in this order, and answers as written; an exception is raised instead."""

    def __init__(self, *rows: Row) -> None:
        self.rows = list(rows)
        self.closed = 0

    def exchange(self, unit: int, request: bytes, reply_bytes: int) -> bytes:
        assert unit == 17
        assert self.rows, f"nobody expected {request.hex(' ')}"
        wanted, answer = self.rows.pop(0)
        assert request.hex(" ") == wanted
        assert reply_bytes == (5 if request[0] == 5 else 3)
        if isinstance(answer, Exception):
            raise answer
        return bytes.fromhex(answer)

    def close(self) -> None:
        self.closed += 1


def relay(board: Board, *, safe_closed: bool | None = False) -> CoilRelay:
    return CoilRelay("K3", board, 17, 2, safe_closed=safe_closed)


AT_FIRST: tuple[Row, ...] = ((OPEN, OPEN), (READ, OPENED))


def test_opening_moves_it_to_its_safe_position_and_every_write_is_read_back() -> None:
    board = Board(*AT_FIRST, (CLOSE, CLOSE), (READ, CLOSED))
    relay(board).set(True)
    assert board.rows == []


def test_a_relay_that_is_safe_as_it_is_is_only_read() -> None:
    board = Board((READ, CLOSED))
    assert relay(board, safe_closed=None).make_safe()
    assert board.rows == []


def test_a_coil_that_does_not_follow_is_an_error_whatever_the_reply_to_the_write_said() -> None:
    board = Board(*AT_FIRST, (CLOSE, CLOSE), (READ, OPENED))
    with pytest.raises(BenchError, match="relay K3: coil 2 does not follow: set closed, reads otherwise"):
        relay(board).set(True)


@pytest.mark.parametrize("error", [LinkTimeout("no answer within 1 s"), LinkError("the link broke")])
def test_a_write_whose_reply_is_missing_is_never_sent_again(error: LinkError) -> None:
    board = Board(*AT_FIRST, (CLOSE, error))
    with pytest.raises(type(error), match="relay K3: write coil 2: "):
        relay(board).set(True)
    assert board.rows == []


def test_the_safe_position_is_asked_for_once_more_when_the_link_proves_dead() -> None:
    dead = LinkError("the link broke")
    board = Board(*AT_FIRST, (OPEN, dead), (OPEN, OPEN), (READ, OPENED))
    assert relay(board).make_safe()
    board = Board(*AT_FIRST, (OPEN, dead), (OPEN, dead))
    with pytest.raises(LinkError):
        relay(board).make_safe()
    assert board.rows == []


def test_a_safe_position_that_does_not_read_back_is_not_called_safe() -> None:
    assert not relay(Board(*AT_FIRST, (OPEN, OPEN), (READ, CLOSED))).make_safe()


@pytest.mark.parametrize(
    ("code", "words"), [(1, "illegal function"), (2, "illegal data address"), (6, "busy"), (77, "unknown")]
)
def test_an_exception_is_told_by_its_name(code: int, words: str) -> None:
    board = Board(*AT_FIRST, (CLOSE, f"85 {code:02x}"))
    with pytest.raises(LinkError, match=rf"relay K3: write coil 2: Modbus exception {code} \({words}\)"):
        relay(board).set(True)
    assert board.closed == 0, "the exchange itself was sound"


WRONG_TO_A_WRITE = {
    "another coil": "05 00 03 ff 00",
    "another value": "05 00 02 00 00",
    "another function": "06 00 02 ff 00",
    "an exception of another function": "81 02",
}
WRONG_TO_A_READ = {
    "two bytes of coils": "01 02 01",
    "no byte of coils": "01 00 01",
    "bits that nobody asked for": "01 01 03",
    "an adapter's echo of the request": "01 00 02",
    "another function": "02 01 01",
    "an exception of another function": "85 02",
}


@pytest.mark.parametrize("reply", WRONG_TO_A_WRITE.values(), ids=WRONG_TO_A_WRITE.keys())
def test_a_wrong_reply_to_a_write_is_not_believed_and_ends_the_link(reply: str) -> None:
    board = Board(*AT_FIRST, (CLOSE, reply))
    with pytest.raises(LinkError, match="write coil 2: wrong reply") as caught:
        relay(board).set(True)
    assert caught.value.where.found == reply
    assert board.closed == 1


@pytest.mark.parametrize("reply", WRONG_TO_A_READ.values(), ids=WRONG_TO_A_READ.keys())
def test_a_wrong_reply_to_a_read_is_not_believed_and_ends_the_link(reply: str) -> None:
    board = Board(*AT_FIRST, (READ, reply))
    with pytest.raises(LinkError, match="read coil 2: wrong reply"):
        relay(board).read()
    assert board.closed == 1


def test_the_relay_drivers_load_nothing_beyond_the_standard_library_and_the_errors() -> None:
    """They also run in the process that keeps the bench safe, which must be small and up at once."""
    program = (
        "import sys; before = set(sys.modules)\n"
        "import rig.instruments.modbus_coil, rig.instruments.modbus_link, rig.instruments.relays\n"
        "new = {name.partition('.')[0] for name in set(sys.modules) - before} - set(sys.stdlib_module_names)\n"
        "print(sorted(new), sorted(n for n in sys.modules if n.startswith('rig.')))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    modules = ["errors", "instruments", "instruments.modbus_coil", "instruments.modbus_link", "instruments.relays"]
    assert done.stdout.strip() == f"['rig'] {[f'rig.{name}' for name in modules]}"
