"""A strict stand-in for a link: it plays a transcript, and fails on anything that is not in it, saying what."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO

from rig.instruments.scpi import PLAIN, Block, Frame, is_query, read_block

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
