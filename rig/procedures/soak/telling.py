"""A soak that tells people away from the bench what its plan wants told. A listener around the soak's own listener.

Each message is noted in the soak with how it went. One that fails stops nothing; it takes `rig.notify.DEADLINE_S` at
most, after a FAIL (whose safe state is proven) and after the end, never while the bench is fed.
"""

from __future__ import annotations

import contextlib

from rig.errors import RigError
from rig.notify import Kind, Notifier
from rig.procedures.progress import Panel
from rig.procedures.soak.plan import Plan
from rig.procedures.soak.progress import CycleRow, SoakProgress, SoakState
from rig.procedures.soak.runner import Ending
from rig.records.journal import EventKind
from rig.records.journal.soak_folder import SoakFolder
from rig.records.soak import SoakRecord
from rig.records.soak_words import band, summary_lines

_DONE = ("cycles", "time")
_NOT_SAFE = ("not-safe", "guardian")


class Telling:
    """Implements `SoakProgress`; raises what the soak's folder raises when it cannot be written."""

    def __init__(self, inner: SoakProgress, notifier: Notifier | None, plan: Plan, book: SoakFolder) -> None:
        self._inner = inner
        self._notifier = notifier
        self._wanted = frozenset(plan.tables.notify.on) if plan.tables.notify is not None else frozenset()
        self._name = plan.tables.plan.name
        self._book = book

    def step(self, name: str, text: str) -> None:
        self._inner.step(name, text)

    def note(self, text: str) -> None:
        self._inner.note(text)

    def panel(self, now: Panel) -> None:
        self._inner.panel(now)

    def transferred(self, done: int, total: int) -> None:
        self._inner.transferred(done, total)

    def soak(self, state: SoakState) -> None:
        self._inner.soak(state)

    def happened(self, kind: str, text: str, elapsed_s: float) -> None:
        self._inner.happened(kind, text, elapsed_s)

    def cycle(self, row: CycleRow, state: SoakState) -> None:
        self._inner.cycle(row, state)
        if row.verdict == "FAIL" and row.lower_s is not None:
            text = f"{row.fixture}: away for {band(row.lower_s, row.upper_s)}; {row.run_id}"
            self._tell(Kind.FAIL, f"{self._name}: cycle {row.number} FAIL", text, row.number)

    def ended(self, ending: Ending, record: SoakRecord) -> bool:
        """Tell the end, with the summary; whether anything was told."""
        kind = Kind.END if ending.reason in _DONE else Kind.STOP
        if ending.reason in _NOT_SAFE:
            kind = Kind.NOT_SAFE
        return self._tell(kind, f"{self._name}: {ending.text}", "\n".join(summary_lines(record)), None)

    def broke(self, error: Exception) -> None:
        """Tell that the soak broke off in no good order, before this goes on to whoever started it."""
        text = error.one_line() if isinstance(error, RigError) else type(error).__name__
        with contextlib.suppress(RigError):  # the first error is the one to tell
            self._tell(Kind.STOP, f"{self._name}: broke off", text, None)

    def _tell(self, kind: Kind, title: str, text: str, cycle: int | None) -> bool:
        if self._notifier is None or kind.value not in self._wanted:
            return False
        said = self._notifier.tell(kind, title, text)
        self._book.note(EventKind.MARK, said, cycle)
        return True
