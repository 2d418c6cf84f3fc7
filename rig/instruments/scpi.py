"""SCPI as the drivers speak it: the link they need, strict replies, and a set that is always read back.

Knows the syntax of replies (SCPI-99 vol. 1; IEEE 488.2 for blocks and `*IDN?`). Knows no instrument and no library.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from rig.errors import LinkError, Where
from rig.instruments.ports import Identity

Block = npt.NDArray[np.uint8]

NOT_A_MEASUREMENT = 9.9e36
"""SCPI-99 vol. 1, 7.2.1.5 uses 9.9E37 for infinity and 9.91E37 for 'not a number'; nothing real is near."""


@dataclass(frozen=True)
class Frame:
    """What stands around a block: bytes before its `#`, and those that end the reply."""

    before: bytes = b""
    after: bytes = b"\n"


PLAIN = Frame()


class ScpiLink(Protocol):
    """What a driver needs of its link. Every call ends with nothing in flight.

    All may raise `LinkError` (broken link, another instrument at the address) or `LinkTimeout` (silence).
    """

    @property
    def name(self) -> str: ...

    @property
    def openings(self) -> int:
        """How often it was opened so far: the instrument's settings may be gone when it has grown."""

    @property
    def is_open(self) -> bool:
        """False before the first exchange, and after a broken one."""

    def exchange(self, *commands: str) -> tuple[str, ...]:
        """Send the commands in order, each on its own line, and read the reply of each that ends its header with `?`.

        The last must be a query: a command that nothing follows would still be in flight when the exchange ends.
        Returns the replies, stripped.
        """

    def query(self, command: str) -> str:
        """`exchange` of one query."""

    def query_block(self, command: str, timeout_s: float | None = None, frame: Frame = PLAIN) -> Block:
        """The data of a definite-length block (IEEE 488.2, 8.7.9) that stands in `frame`, uint8, shape (n,)."""

    def close(self) -> None: ...


@dataclass(frozen=True)
class OffTexts:
    """How an output is switched off by who has no driver: what to send, what to ask then, the answers that say off.

    `off_bit`: the answer is a number (0x.. or decimal; one byte as it is where `reply_bytes` is 1) in which this
    bit is clear when the output is off; then `says_off` is empty. `ends`: what ends a command ("" for none).
    `reply_bytes`: how long the answer is where nothing ends it. `pause_s`: between the command and the question.
    """

    command: str
    question: str
    says_off: tuple[str, ...] = ()
    off_bit: int | None = None
    ends: str = "\n"
    reply_bytes: int | None = None
    pause_s: float = 0.0


def is_query(command: str) -> bool:
    """Whether it is answered. Several in one line, joined by `;`, are answered where the last is a query."""
    return command.rpartition(";")[2].split(maxsplit=1)[0].endswith("?")


def wrong(name: str, command: str, found: str, expected: str) -> LinkError:
    """The error for a reply that is not what it must be."""
    return LinkError(f"{name}: wrong reply to {command!r}", Where(found=repr(found), expected=expected))


def parse_identity(name: str, reply: str) -> Identity:
    """`maker,model,serial,version` (IEEE 488.2, 10.14). Raises `LinkError` when a field is missing or empty.

    Some makers put the hardware's version behind, as a fifth field: it becomes a part of the version.
    """
    fields = [field.strip() for field in reply.split(",")]
    if not 4 <= len(fields) <= 5 or not all(fields[:3]):
        raise wrong(name, "*IDN?", reply, "maker,model,serial,version")
    return Identity(fields[0], fields[1], fields[2], ",".join(fields[3:]))


def parse_number(name: str, command: str, reply: str) -> float:
    """A finite number. NaN, the SCPI stand-ins for infinity and NaN, and anything unparsable raise `LinkError`."""
    try:
        value = float(reply)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or abs(value) >= NOT_A_MEASUREMENT:
        raise wrong(name, command, reply, "a finite number")
    return value


def parse_word(name: str, command: str, reply: str, allowed: tuple[str, ...]) -> str:
    """One of the words allowed, in upper case."""
    word = reply.strip().upper()
    if word not in allowed:
        raise wrong(name, command, reply, " or ".join(allowed))
    return word


def read_block(name: str, command: str, read: Callable[[int], bytes | bytearray], frame: Frame = PLAIN) -> Block:
    """A definite-length block and what ends it through `read(n)`, which returns n bytes or fewer at the end.

    Raises `LinkError` when the header is not one, or promises another length than comes.
    """
    before = read(len(frame.before)) if frame.before else b""
    if before != frame.before:
        raise wrong(name, command, before.decode("latin-1"), f"{frame.before.decode('latin-1')}, and a block")
    mark = read(2)
    if len(mark) != 2 or mark[:1] != b"#" or mark[1:] not in (b"1", b"2", b"3", b"4", b"5", b"6", b"7", b"8", b"9"):
        raise wrong(name, command, mark.decode("latin-1"), "a block header such as #9000250000")
    digits = read(int(mark[1:]))
    if len(digits) != int(mark[1:]) or not digits.isdigit():
        raise wrong(name, command, digits.decode("latin-1"), "the length of the block in decimal digits")
    count = int(digits)
    data = read(count) if count else b""
    if len(data) != count:
        raise wrong(name, command, f"{len(data)} bytes", f"the {count} bytes that the header promised")
    end = read(len(frame.after))
    if end != frame.after:
        raise wrong(name, command, end.decode("latin-1"), f"the end of the reply after {count} bytes")
    return np.frombuffer(data, dtype=np.uint8)


def check_error(link: ScpiLink, command: str, reply: str, question: str = ":SYST:ERR?") -> None:
    """Raise `LinkError` when the reply to `question` names an error; the rest of the queue is emptied first."""
    code, _, text = reply.partition(",")
    if not code.strip().lstrip("+-").isdigit():
        raise wrong(link.name, question, reply, '0,"No error"')
    if int(code) == 0:
        return
    for _ in range(32):
        found = re.match(r"\s*[+-]?[0-9]+", link.query(question))
        if found is None or int(found[0]) == 0:
            break
    raise LinkError(f"{link.name}: {command!r} was refused by the instrument: {int(code)},{text.strip()}")


def command(link: ScpiLink, text: str) -> None:
    """Send a command and read the error queue behind it."""
    (error,) = link.exchange(text, ":SYST:ERR?")
    check_error(link, text, error)
