"""The guardian inside the controller's own process: the in-process twin's. The same core, on the injected clock."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path

from rig.clock.base import Activity, Clock, Flag
from rig.errors import BenchError, Refused
from rig.guardian.core import Core, Move
from rig.guardian.journal import Journal


class LocalGuardian:
    """Implements `rig.guardian.port.Guardian`. An activity of its own looks at what is due while it is armed.

    `closing` is told the name of a relay that is about to be asked to close; what it raises keeps it open.
    """

    def __init__(self, core: Core, clock: Clock, closing: Callable[[str], None] = lambda _: None) -> None:
        self._core = core
        self._clock = clock
        self._closing = closing
        self._journal = Journal(clock.now)
        self._changed: Flag = clock.flag()
        self._activity: Activity | None = None
        self._ending = False
        self._told = False

    @property
    def tripped(self) -> str | None:
        trip = self._core.tripped
        return None if trip is None else trip.text

    @property
    def moves(self) -> Sequence[Move]:
        return self._core.moves

    def arm(self) -> None:
        self._core.arm()
        self._journal.note("arm")
        if self._activity is None:
            self._ending = False
            self._activity = self._clock.spawn("guardian", self._run)

    def set(self, role: str, closed: bool) -> Move:
        moved = self._core.moved
        if closed and not self._core.closed(role):
            self._closing(self._core.name(role))
        try:
            move = self._core.set(role, closed)
        except Refused as refusal:
            self._journal.note("refused", role=role, closed=closed, message=refusal.message)
            raise
        finally:
            self._look()
        if self._core.moved > moved:
            self._journal.note("move", role=role, closed=closed, took_s=(move.after_ns - move.before_ns) / 1e9)
        return move

    def closed(self, role: str) -> bool:
        return self._core.closed(role)

    def name(self, role: str) -> str:
        return self._core.name(role)

    def make_safe(self) -> dict[str, bool]:
        found = self._core.make_safe()
        self._journal.note("make_safe", **found)
        return found

    def stand_down(self) -> None:
        self._core.stand_down()
        self._journal.note("stand_down")
        self._end()

    def keep_journal(self, folder: Path, zero_ns: int) -> None:
        self._journal.follow(str(folder), zero_ns)

    def close(self) -> None:
        """Raises the first BenchError of a relay whose line could not be given back."""
        if self._core.armed:
            self.make_safe()
        try:
            self._end()
        finally:
            failed: list[BenchError] = self._core.close()
        if failed:
            raise failed[0]

    def _end(self) -> None:
        self._journal.leave()
        activity, self._activity = self._activity, None
        if activity is not None:
            self._ending = True
            self._wake()
            with self._clock.shielded():
                activity.join()

    def _run(self) -> None:
        with self._clock.shielded():
            while not self._ending and self._core.tripped is None:
                changed, due = self._changed, self._core.due_ns()
                self._clock.wait(changed, math.inf if due is None else (due - self._clock.now()) / 1e9)
                self._core.tick()
                self._look()

    def _look(self) -> None:
        """After anything that may have changed what is due, or tripped."""
        trip = self._core.tripped
        if trip is not None and not self._told:
            self._told = True
            self._journal.tell("trip", text=trip.text, safe=dict(trip.safe))
            self._clock.cancel(trip.text)
        self._wake()

    def _wake(self) -> None:
        changed, self._changed = self._changed, self._clock.flag()
        changed.set()
