"""A wire under watch: opened with the first exchange, closed by whatever breaks one, opened again by the next.

Knows no command. Each exchange runs under the clock's watchdog. Who answers is asked at each opening, and another
instrument than at the first is refused. After a broken exchange the next opening clears the device, where its wire can,
so that an answer that comes late is never taken for another question's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rig.clock.base import Clock
from rig.errors import LinkError, LinkTimeout, Where
from rig.instruments.wires import Wire

Greet = Callable[[Wire], str]
"""Asks who is there, in words that tell one instrument from another. May raise LinkError."""


class GuardedWire:
    """See the module. `name` is the instrument's, for messages."""

    def __init__(self, name: str, wire: Wire, clock: Clock, greet: Greet) -> None:
        self.name = name
        self.openings = 0
        """How often it was opened so far: a driver that counts sees when its settings may be gone."""
        self._wire = wire
        self._clock = clock
        self._greet = greet
        self._known: str | None = None
        self.is_open = False
        self._broken = False

    def reopen(self, timeout_s: float) -> None:
        """Close, open and ask who is there."""
        self.close()
        with self.exchange("open", timeout_s):
            pass

    @contextmanager
    def exchange(self, command: str, timeout_s: float) -> Iterator[Wire]:
        """One exchange on the open wire. What goes wrong is a `LinkError` that names `command`, and closes the wire."""
        if self._broken and not self.is_open and self._wire.settles_s > 0:
            self._clock.sleep(self._wire.settles_s)
        begun = False
        try:
            with self._clock.io(self, timeout_s):
                begun = True
                self._ready(timeout_s)
                yield self._wire
                self._nothing_left(f"more than one reply to {command!r}")
        except LinkTimeout as error:
            self._break()
            raise LinkTimeout(f"{self.name}: {command!r}: {error.message}") from error
        except OSError as error:
            self._break()
            why = error.strerror or str(error) or type(error).__name__
            raise LinkError(f"{self.name}: {command!r}: the link broke: {why}") from error
        except BaseException:
            if begun:  # else it is a request to stop, and nothing is in flight
                self._break()
            raise

    def abort(self) -> None:
        """From the clock's watchdog, in any thread: a blocked read ends with an error."""
        self._wire.abort()

    def close(self) -> None:
        """Close; the next exchange would open again."""
        self.is_open = False
        self._wire.close()

    def _break(self) -> None:
        self._broken = True
        self.close()

    def _ready(self, timeout_s: float) -> None:
        """A peer that went away meanwhile is told to the caller: its settings may be gone too."""
        wait_s = self._clock.real_timeout_s(timeout_s)
        if self.is_open:
            self._wire.wait_at_most(wait_s)
            self._nothing_left("it sent what nobody asked for")
            return
        self._wire.open(wait_s)
        if self._broken:
            self._wire.clear()
        who = self._greet(self._wire)
        if self._known not in (None, who):
            where = Where(found=who, expected=self._known)
            raise LinkError(f"{self.name}: another instrument answers at its address", where)
        self._known = who
        self.is_open = True
        self._broken = False
        self.openings += 1

    def _nothing_left(self, otherwise: str) -> None:
        """What is left would be taken for the answer to the next question."""
        if left := self._wire.leftover():
            raise LinkError(f"{self.name}: {otherwise}", Where(found=repr(bytes(left[:40]))))
