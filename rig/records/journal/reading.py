"""What the journal answers: which attempts there were, what a soak has done, where it goes on. Changes nothing.

A reader never holds up the writer and is never held up by it; each question sees one state of the file.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypeVar

from rig.records.journal import rows
from rig.records.journal.facts import Attempt, EventKind, Soak, SoakEnd, SoakEvent, State
from rig.records.journal.store import damaged, open_for_reading, path_in, told

_T = TypeVar("_T")


@dataclass(frozen=True)
class Filter:
    """Which attempts: None = all. `since` and `until` (both included) are labels as `Begun.utc` is."""

    soak: str | None = None
    verdict: str | None = None
    fixture: str | None = None
    bench: str | None = None
    kind: str | None = None
    since: str | None = None
    until: str | None = None

    def sql(self) -> tuple[str, list[str]]:
        """A WHERE clause and its values."""
        terms = {
            "begun.soak = ?": self.soak,
            "ended.verdict = ?": self.verdict,
            "begun.fixture = ?": self.fixture,
            "begun.bench = ?": self.bench,
            "begun.kind = ?": self.kind,
            "begun.utc >= ?": self.since,
            "begun.utc <= ?": self.until,
        }
        asked = {term: value for term, value in terms.items() if value is not None}
        return (f" WHERE {' AND '.join(asked)}" if asked else ""), list(asked.values())


@dataclass(frozen=True)
class Standing:
    """Where a soak stands, as its resume must know it.

    `finished`: cycles of which an attempt has ended, in order. `lost`: attempts that began and did not end, and whose
    process is gone; those without a `Lost` row were not told yet. `running`: another process is at them now.
    """

    soak: Soak
    finished: tuple[int, ...]
    lost: tuple[Attempt, ...]
    running: tuple[Attempt, ...]
    next_cycle: int
    quarantined: tuple[SoakEvent, ...]
    ends: tuple[SoakEnd, ...]


class Reader:
    """Open with `Reader.open(out)`, a context manager."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path = path
        self._db = connection

    @classmethod
    def open(cls, out: Path) -> Self:
        """Raises InputError: no journal, a damaged one, or one from a newer version."""
        return cls(path_in(out), open_for_reading(out))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._db.close()

    def attempts(self, which: Filter | None = None, newest: int | None = None) -> tuple[Attempt, ...]:
        """In the order in which they began; at most the `newest` ones."""
        where, values = (which or Filter()).sql()
        limit = -1 if newest is None else newest
        found = self._ask(f"{rows.ATTEMPTS}{where} ORDER BY begun.n DESC LIMIT ?", [*values, limit], rows.attempt_of)
        return found[::-1]

    def listed(self, which: Filter, *, unended: bool = False, short: bool = False) -> list[rows.Listed]:
        """`attempts`, flat; `unended`: only those that have not ended. `short`: see `rows.listed`."""
        where, values = which.sql()
        if unended:
            where = f"{where} AND ended.run_id IS NULL" if where else " WHERE ended.run_id IS NULL"
        with told(self._path):
            found = self._db.execute(f"{rows.listed(short=short)}{where} ORDER BY begun.n", values).fetchall()
        return list(map(rows.Listed._make, found))

    def attempt(self, run_id: str) -> Attempt | None:
        found = self._ask(f"{rows.ATTEMPTS} WHERE begun.run_id = ?", [run_id], rows.attempt_of)
        return found[0] if found else None

    def unended(self) -> tuple[Attempt, ...]:
        """Those that began, did not end, and that nobody has called lost, in the order in which they began."""
        return self._ask(
            f"{rows.ATTEMPTS} WHERE ended.run_id IS NULL AND lost.run_id IS NULL ORDER BY begun.n", [], rows.attempt_of
        )

    def verdicts(self, which: Filter | None = None) -> Mapping[str, int]:
        """How many attempts ended with which verdict."""
        where, values = (which or Filter()).sql()
        asked = f"SELECT verdict, count(*) FROM begun JOIN ended USING (run_id){where} GROUP BY verdict"  # noqa: S608
        return Counter(dict(self._ask(asked, values, lambda row: (str(row[0]), int(row[1])))))

    def soaks(self) -> tuple[Soak, ...]:
        """In the order in which they were started."""
        return self._ask(f"{rows.SOAKS} ORDER BY n", [], rows.soak_of)

    def soak(self, soak_id: str) -> Soak | None:
        found = self._ask(f"{rows.SOAKS} WHERE soak_id = ?", [soak_id], rows.soak_of)
        return found[0] if found else None

    def events(self, soak_id: str) -> tuple[SoakEvent, ...]:
        """Of a soak, in the order in which they happened."""
        return self._ask(f"{rows.EVENTS} WHERE soak_id = ? ORDER BY n", [soak_id], rows.event_of)

    def ends(self, soak_id: str) -> tuple[SoakEnd, ...]:
        """Of the sittings of a soak, in order."""
        return self._ask(f"{rows.ENDS} WHERE soak_id = ? ORDER BY n", [soak_id], rows.end_of)

    def standing(self, soak_id: str) -> Standing | None:
        """Where this soak stands; None for one that is not here."""
        soak = self.soak(soak_id)
        if soak is None:
            return None
        attempts = self.attempts(Filter(soak=soak_id))
        numbers = {a.begun.run_id: a.begun.cycle.number for a in attempts if a.begun.cycle is not None}
        states = {a.begun.run_id: a.state for a in attempts}

        def those(state: State) -> tuple[Attempt, ...]:
            return tuple(a for a in attempts if states[a.begun.run_id] is state)

        return Standing(
            soak=soak,
            finished=tuple(sorted({numbers[a.begun.run_id] for a in those(State.ENDED)})),
            lost=those(State.LOST),
            running=those(State.RUNNING),
            next_cycle=max(numbers.values(), default=0) + 1,
            quarantined=tuple(e for e in self.events(soak_id) if e.kind is EventKind.QUARANTINE),
            ends=self.ends(soak_id),
        )

    def _ask(self, question: str, values: Sequence[str | int], of: Callable[[rows.Row], _T]) -> tuple[_T, ...]:
        with told(self._path):
            found = self._db.execute(question, values).fetchall()
        try:
            return tuple(of(row) for row in found)
        except (ValueError, TypeError) as error:
            raise damaged(self._path, str(error)) from error
