"""A link to an instrument whose commands and replies have no end mark (Korad supplies): lengths, or silence, end them.

Knows no command of an instrument but how it is asked who it is. Over a serial port, or a socket that leads to one.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Protocol

from rig.clock.base import NS, Clock, to_ns
from rig.errors import LinkError, Where
from rig.instruments.guarded import GuardedWire
from rig.instruments.link import wire_to
from rig.instruments.wires import LineSettings, Wire
from rig.recording import Tap


class ByteLink(Protocol):
    """What a driver needs of it. All may raise `LinkError` (broken, another instrument) or `LinkTimeout` (silence)."""

    @property
    def name(self) -> str: ...

    @property
    def openings(self) -> int:
        """How often it was opened so far: settings may be gone when it has grown."""

    @property
    def is_open(self) -> bool:
        """False before the first exchange, and after a broken one."""

    def tell(self, command: str) -> None:
        """Send what is not answered. Nothing proves that it arrived: read it back."""

    def ask(self, command: str, length: int | None = None, before: Sequence[str] = ()) -> bytes:
        """Send, and return the `length` bytes of the answer; None: all that comes until the line is quiet.

        `before`: what is sent first and not answered, in the same exchange: so it was heard when the answer is there.
        """

    def close(self) -> None: ...


class SerialByteLink:
    """`ByteLink` over the wire that `address` names.

    `pause_s` is kept between two commands, for an instrument that loses what comes sooner. `gap_s`: so long nothing
    comes behind an answer whose length is not known. `question`: what it answers with who it is, serial number and all.
    `tap` hears all that is said.
    """

    def __init__(
        self,
        address: str,
        clock: Clock,
        timeout_s: float,
        name: str,
        *,
        line: LineSettings | None = None,
        pause_s: float = 0.0,
        gap_s: float = 0.05,
        question: str = "*IDN?",
        tap: Tap | None = None,
    ) -> None:
        self._clock = clock
        self._timeout_s = timeout_s
        self._name = name
        self._pause_s = pause_s
        self._gap_s = gap_s
        self._sent_ns: int | None = None
        self._wire = GuardedWire(
            name, wire_to(address, timeout_s, line, tap), clock, partial(_greet, name, question, gap_s)
        )

    @property
    def name(self) -> str:
        return self._name

    @property
    def openings(self) -> int:
        return self._wire.openings

    @property
    def is_open(self) -> bool:
        """False before the first exchange, and after a broken one."""
        return self._wire.is_open

    def tell(self, command: str) -> None:
        self._ready()
        with self._wire.exchange(command, self._timeout_s) as wire:
            wire.write(command.encode("ascii"))
        self._sent_ns = self._clock.now()

    def ask(self, command: str, length: int | None = None, before: Sequence[str] = ()) -> bytes:
        self._ready()
        with self._wire.exchange(command, self._timeout_s) as wire:
            for text in before:
                wire.write(text.encode("ascii"))
                self._clock.digest(self._pause_s)
            wire.write(command.encode("ascii"))
            reply = wire.read_quiet(self._gap_s) if length is None else bytes(wire.read(length))
        self._sent_ns = self._clock.now()
        return reply

    def abort(self) -> None:
        """See `rig.clock.Abortable`."""
        self._wire.abort()

    def close(self) -> None:
        self._wire.close()

    def _ready(self) -> None:
        """Open, and the pause over. Opening asks who it is, so it is an exchange of its own, with a pause behind it."""
        self._pause()
        if not self._wire.is_open:
            self._wire.reopen(self._timeout_s)
            self._sent_ns = self._clock.now()
            self._pause()

    def _pause(self) -> None:
        if self._sent_ns is not None and (left := self._sent_ns + to_ns(self._pause_s) - self._clock.now()) > 0:
            self._clock.sleep(left / NS)


def _greet(name: str, question: str, gap_s: float, wire: Wire) -> str:
    wire.write(question.encode("ascii"))
    reply = wire.read_quiet(gap_s)
    if not (text := reply.decode("latin-1").strip("\0\r\n ")) or not text.isascii() or not text.isprintable():
        found = Where(found=repr(reply[:40]), expected="maker, model and version in one line")
        raise LinkError(f"{name}: wrong reply to {question!r}", found)
    return text
