"""One attempt in the journal, from its beginning to its end, beside the bundle that it leaves.

The order is the promise: the beginning is in the bundle and in the journal before anything is activated; the end is in
the journal after the bundle has its name. A journal of one's own that cannot be written loses no bundle and changes no
verdict: that is told. In a soak it ends the attempt: what the journal does not know would be done again.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from rig.clock import Clock, utc_label
from rig.errors import InputError, RigError
from rig.records.bundle import Bundle
from rig.records.checksums import damages
from rig.records.journal import Journal
from rig.records.journal.bundles import ATTEMPT, attempt_text, ended_in
from rig.records.journal.facts import Begun, Cycle, Ended, Lost, Process, State


@dataclass(frozen=True)
class InSoak:
    """Where an attempt belongs, and the soak's open journal."""

    journal: Journal
    cycle: Cycle


def settle(journal: Journal, out: Path) -> tuple[Ended, ...]:
    """End, in the journal, what has ended on the disk: its process died between the bundle's name and the row.

    What is still running stays, and so does what is not as its sums say. Whoever resumes a soak does this first.
    Returns those that ended. Raises BenchError.
    """
    with journal.alone():
        dead = [attempt for attempt in journal.unended() if attempt.state is State.LOST]
        settled = tuple(ended for attempt in dead if (ended := _whole(out / attempt.begun.run_id)) is not None)
        journal.add(*settled)
    return settled


def _whole(folder: Path) -> Ended | None:
    try:
        return None if not folder.is_dir() or damages(folder) else ended_in(folder)
    except InputError:
        return None


class AttemptLog:
    """A context manager around the attempt: what ends without `end` is lost, and the journal says why."""

    def __init__(
        self, bundle: Bundle, out: Path, clock: Clock, place: InSoak | None, tell: Callable[[str], None]
    ) -> None:
        """`tell` is given one line when a journal that is not a soak's cannot be written."""
        self._bundle = bundle
        self._out = out
        self._clock = clock
        self._place = place
        self._tell = tell
        self._begun: Begun | None = None
        self._noted = False
        self._over = False

    def begin(
        self,
        kind: str,
        bench: str,
        utc: str,
        fixture: str | None = None,
        versions: tuple[str | None, str | None] = (None, None),
    ) -> None:
        """`versions` from and to. Raises BenchError: the bundle, or the journal of a soak, cannot be written."""
        begun = Begun(
            run_id=self._bundle.run_id,
            kind=kind,
            utc=utc,
            bench=bench,
            fixture=fixture,
            version_from=versions[0],
            version_to=versions[1],
            meter=None,
            cycle=self._place.cycle if self._place else None,
            process=Process.this(),
        )
        self._bundle.put(ATTEMPT, attempt_text(begun))
        self._begun = begun
        try:
            self._add()
        except RigError:
            self._bundle.discard()
            raise

    def end(self, folder: Path) -> Ended:
        """The bundle is in `folder`, whole and durable. Raises BenchError as `begin` does."""
        ended = ended_in(folder)
        self._over = True
        self._add(ended)
        return ended

    def __enter__(self) -> AttemptLog:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if error is None or self._over or not self._noted:
            return
        why = error.one_line() if isinstance(error, RigError) else f"{type(error).__name__}: {error}"
        with contextlib.suppress(RigError):  # the first error is the one to tell; an attempt without an end is lost too
            self._write(Lost(self._bundle.run_id, utc_label(self._clock.utc()), why))

    def _add(self, *facts: Ended) -> None:
        if self._begun is None:
            raise ValueError("an attempt that did not begin cannot end")
        try:
            self._write(*(() if self._noted else (self._begun,)), *facts)
            self._noted = True
        except RigError as error:
            if self._place is not None:
                raise
            line = f"not in the journal: {error.one_line()}"
            self._bundle.event("journal", problem=line)
            self._tell(line)

    def _write(self, *facts: Begun | Ended | Lost) -> None:
        if self._place is not None:
            self._place.journal.add(*facts)
            return
        with Journal.open(self._out) as journal:
            settle(journal, self._out)
            journal.add(*facts)
