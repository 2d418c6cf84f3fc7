"""The text format `rig.record/1`: how bytes become a line that people can read, and how a file is read back, strictly.

    rig.record/1
    # a comment
    1000000000 psu open TCPIP::192.0.2.10::5555::SOCKET
    1000120000 psu > *IDN?\\n
    1003450000 psu < RIGOL TECHNOLOGIES,DP832,DP8C1,00.01\\n
    1003460000 psu close

Nanoseconds on the run's monotonic line, the link's name, what happened, what was sent (`>`) or received (`<`). Bytes
that are no printable ASCII are \\n \\r \\t or \\xNN, a backslash is doubled, and so is written a space at either end.
A long piece stands as \\[LENGTH SHA256], a secret as \\{secret}.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rig.errors import InputError, Where

HEADER = "rig.record/1"
Kind = Literal["open", ">", "<", "clear", "close"]
_LINE = re.compile(r"([0-9]{1,19}) ([!-~]{1,80}) (open|>|<|clear|close)(?: (.*))?")
_NAMED = {0x0A: "\\n", 0x0D: "\\r", 0x09: "\\t", 0x5C: "\\\\"}
_TOKEN = re.compile(
    r"\\x([0-9a-f]{2})|\\([nrt\\])|\\\[([0-9]{1,12}) ([0-9a-f]{64})\]|(\\\{secret\})|([ -\[\]-~]+)",
)
_BYTES = {"n": b"\n", "r": b"\r", "t": b"\t", "\\": b"\\"}
SECRET_MARK = "\\{secret}"  # noqa: S105 - it says that there was one


@dataclass(frozen=True)
class Elided:
    """A long piece of which only its length and its SHA-256 (hexadecimal) were kept."""

    length: int
    sha256: str


@dataclass(frozen=True)
class Struck:
    """A secret was here."""


Piece = bytes | Elided | Struck


@dataclass(frozen=True)
class Event:
    """One line, number `line` from 1. `data`: what was sent or received; `text`: an opening's address."""

    line: int
    at_ns: int
    name: str
    kind: Kind
    data: tuple[Piece, ...] = ()
    text: str = ""

    def whole(self) -> bytes:
        """The bytes, where all of them were kept. Raises InputError."""
        for piece in self.data:
            if isinstance(piece, Elided):
                message = f"{piece.length} bytes were not kept: record with --full to play this back"
                raise InputError(message, Where(line=self.line))
            if isinstance(piece, Struck):
                raise InputError("a secret was struck out here", Where(line=self.line))
        return b"".join(piece for piece in self.data if isinstance(piece, bytes))

    def matches(self, data: bytes) -> bool:
        """Whether these may have been the bytes; a secret may have been anything."""
        pattern = b""
        for piece in self.data:
            if isinstance(piece, Elided):
                return False
            pattern += b".*" if isinstance(piece, Struck) else re.escape(piece)
        return re.fullmatch(pattern, data, re.DOTALL) is not None


@dataclass(frozen=True)
class Recording:
    """A whole file, in its order."""

    file: str
    events: tuple[Event, ...]

    def names(self) -> tuple[str, ...]:
        """The links, in the order of their first line."""
        return tuple(dict.fromkeys(event.name for event in self.events))

    def of(self, name: str) -> tuple[Event, ...]:
        """What happened on one link. Raises InputError when there is no such link."""
        found = tuple(event for event in self.events if event.name == name)
        if not found:
            raise InputError("no such link", Where(self.file, found=name, expected=" or ".join(self.names())))
        return found


def escaped(data: bytes) -> str:
    """Bytes as a line holds them."""
    text = "".join(_NAMED.get(b) or (chr(b) if 0x20 <= b < 0x7F else f"\\x{b:02x}") for b in data)
    for end in (0, -1):  # a space there is lost in too many editors
        if text and text[end] == " ":
            text = f"\\x20{text[1:]}" if end == 0 else f"{text[:-1]}\\x20"
    return text


def unescaped(text: str) -> tuple[Piece, ...]:
    """What `escaped` was given, with what stands for long pieces and secrets. Raises ValueError with the place."""
    pieces: list[Piece] = []
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise ValueError(f"{text[at : at + 20]!r} at column {at + 1} of the data")
        code, named, length, digest, secret, plain = found.groups()
        if length is not None:
            pieces.append(Elided(int(length), digest))
        elif secret is not None:
            pieces.append(Struck())
        else:
            data = bytes.fromhex(code) if code else _BYTES[named] if named else plain.encode("ascii")
            if pieces and isinstance(pieces[-1], bytes):
                pieces[-1] += data
            else:
                pieces.append(data)
        at = found.end()
    return tuple(pieces)


def read_recording(file: Path) -> Recording:
    """Raises InputError with the line: what is no line of this format, and what cannot follow what stands before it."""
    try:
        text = file.read_bytes().decode("ascii")
    except OSError as error:
        raise InputError(f"the recording cannot be read: {error.strerror}", Where(str(file))) from None
    except UnicodeDecodeError as error:
        where = Where(str(file), line=error.object[: error.start].count(b"\n") + 1)
        raise InputError("this is no ASCII text", where) from None
    lines = text.split("\n")
    if lines[0].rstrip("\r") != HEADER:
        raise InputError("this is no recording", Where(str(file), line=1, found=repr(lines[0][:40]), expected=HEADER))
    if lines[-1]:
        raise InputError("the last line has no end: the recording was cut off", Where(str(file), line=len(lines)))
    order = _Order(str(file))
    for number, line in enumerate(lines[1:-1], 2):
        if line and not line.startswith("#"):
            order.add(_event(str(file), number, line.rstrip("\r")))
    return Recording(str(file), tuple(order.events))


def _event(file: str, number: int, line: str) -> Event:
    found = _LINE.fullmatch(line)
    if found is None:
        where = Where(file, line=number, found=repr(line[:60]), expected="NANOSECONDS NAME open|>|<|clear|close ...")
        raise InputError("this is no line of a recording", where)
    at, name, kind, rest = found.groups()
    try:
        data = unescaped(rest or "") if kind in "><" else ()
    except ValueError as error:
        raise InputError("this is no escaped data", Where(file, line=number, found=str(error))) from None
    if (kind in ("clear", "close") and rest) or (kind in "><" and not data) or (kind == "open" and not rest):
        raise InputError(f"'{kind}' with {'more' if rest else 'nothing'} behind it", Where(file, line=number))
    return Event(number, int(at), name, kind, data, rest or "" if kind == "open" else "")  # type: ignore[arg-type]


class _Order:
    """What may follow what: nothing is sent before a link is open, and no link's time goes back."""

    def __init__(self, file: str) -> None:
        self.events: list[Event] = []
        self._file = file
        self._last: dict[str, Event] = {}
        self._open: set[str] = set()

    def add(self, event: Event) -> None:
        last = self._last.get(event.name)
        if last is not None and event.at_ns < last.at_ns:
            where = Where(self._file, line=event.line, found=str(event.at_ns), expected=f"{last.at_ns} or later")
            raise InputError(f"{event.name}: time goes back", where)
        if (event.kind == "open") == (event.name in self._open):
            why = "is opened, and was open" if event.kind == "open" else "was not open"
            raise InputError(f"{event.name} {why}", Where(self._file, line=event.line))
        if event.kind == "open":
            self._open.add(event.name)
        elif event.kind == "close":
            self._open.discard(event.name)
        self._last[event.name] = event
        self.events.append(event)
