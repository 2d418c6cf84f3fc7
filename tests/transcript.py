"""A strict stand-in for a link: it plays a transcript, and fails on anything that is not in it, saying what."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from rig.clock import Clock
from rig.instruments.link import VisaLink
from rig.instruments.scpi import PLAIN, Block, Frame, is_query, read_block
from rig.recording import Recording, read_recording

Pair = tuple[str, str | bytes | None]
"""What is sent, and what comes back: text, the raw bytes of a block, or nothing."""


class TranscriptError(AssertionError):
    """The driver did not do what the transcript says."""


class Transcript:
    """`ScpiLink` over a list of pairs. Call `finish` at the end: an unsent pair is a failure too."""

    def __init__(self, *pairs: Pair, name: str = "device") -> None:
        self.name = name
        self.closed = False
        self.openings = 1
        self.is_open = True
        self._pairs = list(pairs)
        self._at = 0

    def exchange(self, *commands: str) -> tuple[str, ...]:
        if not is_query(commands[-1]):
            raise TranscriptError(f"{commands[-1]!r} is left in flight: an exchange ends with a query")
        replies = []
        for command in commands:
            reply = self._next(command)
            if is_query(command):
                if not isinstance(reply, str):
                    raise TranscriptError(f"pair {self._at}: {command!r} asks, but the transcript has no text for it")
                replies.append(reply)
            elif reply is not None:
                raise TranscriptError(f"pair {self._at}: the reply {reply!r} to {command!r} would never be read")
        return tuple(replies)

    def query(self, command: str) -> str:
        return self.exchange(command)[0]

    def query_block(self, command: str, timeout_s: float | None = None, frame: Frame = PLAIN) -> Block:
        reply = self._next(command)
        if not isinstance(reply, bytes):
            raise TranscriptError(f"pair {self._at}: {command!r} wants a block, the transcript has {reply!r}")
        stream = BytesIO(reply)
        block = read_block(self.name, command, stream.read, frame)
        if rest := stream.read():
            raise TranscriptError(f"pair {self._at}: {len(rest)} bytes behind the block are unread")
        return block

    def close(self) -> None:
        self.closed = True

    def give_up(self) -> None:
        """The rest is not expected: the driver stopped at an error on the way."""
        self._at = len(self._pairs)

    def finish(self) -> None:
        if self._at < len(self._pairs):
            raise TranscriptError(f"{len(self._pairs) - self._at} pairs unsent, the next is {self._pairs[self._at]!r}")

    def _next(self, command: str) -> str | bytes | None:
        if self._at >= len(self._pairs):
            raise TranscriptError(f"{command!r} was sent after the transcript's end")
        sent, reply = self._pairs[self._at]
        if command != sent:
            raise TranscriptError(f"pair {self._at}: sent {command!r}, the transcript says {sent!r}")
        self._at += 1
        return reply


@contextmanager
def transcript(*pairs: Pair, name: str = "device") -> Iterator[Transcript]:
    """A transcript that must have been played to its end, unless an error came first."""
    link = Transcript(*pairs, name=name)
    yield link
    link.finish()


def setting(command: str, question: str, back: str) -> tuple[Pair, ...]:
    """The pairs of one set that is obeyed: command, error queue, read-back."""
    return ((command, None), (":SYST:ERR?", '0,"No error"'), (question, back))


# -- recordings ----------------------------------------------------------------------------------------------------


class RecordedWire:
    """`Wire` that plays one link of a recording (`rig.record/1`), strictly, by the numbers of its lines.

    What is sent must be, to the byte, what was sent then; an answer that was not read, a command that was not sent, and
    a part of one are failures. Call `finish` at the end.
    """

    settles_s = 0.0

    def __init__(self, recording: Recording, name: str) -> None:
        self._events = [event for event in recording.of(name) if event.kind in "><"]
        self._file = recording.file
        self._at = 0
        self._rest = b""

    def open(self, timeout_s: float) -> None: ...

    def wait_at_most(self, timeout_s: float) -> None: ...

    def write(self, data: bytes) -> None:
        self._all_read(f"{data!r} is sent")
        if self._at == len(self._events):
            raise TranscriptError(f"{self._file}: {data!r} is sent after the recording's end")
        event = self._events[self._at]
        if not event.matches(data):
            then = b"".join(piece for piece in event.data if isinstance(piece, bytes))
            part = "a part of it is sent: " if then.startswith(data) else "sent "
            raise TranscriptError(f"{self._file}:{event.line}: {part}{data!r}, the recording says {then!r}")
        self._at += 1

    def read_line(self) -> bytes:
        while b"\n" not in self._rest:
            self._receive("a line")
        line, end, self._rest = self._rest.partition(b"\n")
        return line + end

    def read(self, count: int) -> bytes:
        while len(self._rest) < count:
            self._receive(f"{count} bytes")
        data, self._rest = self._rest[:count], self._rest[count:]
        return data

    def read_quiet(self, gap_s: float) -> bytes:
        self._receive("something")
        while self._at < len(self._events) and self._events[self._at].kind == "<":
            self._receive("more")
        data, self._rest = self._rest, b""
        return data

    def leftover(self) -> bytes:
        return self._rest

    def unread(self) -> bytes:
        return self._rest

    def clear(self) -> None: ...

    def abort(self) -> None: ...

    def close(self) -> None: ...

    def finish(self) -> None:
        self._all_read("the test ends")
        if self._at < len(self._events):
            event = self._events[self._at]
            raise TranscriptError(f"{self._file}:{event.line}: {event.whole()!r} was never sent")

    def _receive(self, wanted: str) -> None:
        if self._at == len(self._events) or self._events[self._at].kind != "<":
            line = self._events[min(self._at, len(self._events) - 1)].line
            raise TranscriptError(f"{self._file}:{line}: {wanted} is read, and nothing more came then")
        self._rest += self._events[self._at].whole()
        self._at += 1

    def _all_read(self, what: str) -> None:
        unread = self._rest
        if not unread and self._at < len(self._events) and self._events[self._at].kind == "<":
            unread = self._events[self._at].whole()
        if unread:
            line = self._events[min(self._at, len(self._events) - 1)].line
            raise TranscriptError(f"{self._file}:{line}: {what}, and {unread!r} was not read")


@contextmanager
def recorded(file: Path, name: str, clock: Clock) -> Iterator[VisaLink]:
    """A link that plays the recording of the link `name`; all of it must be played, unless an error comes first."""
    wire = RecordedWire(read_recording(file), name)
    yield VisaLink("", clock, 5.0, name, wire=wire)
    wire.finish()
