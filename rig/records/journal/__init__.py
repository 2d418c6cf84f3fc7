"""The journal of a folder of results: every attempt and every soak, in one SQLite file that is only ever added to.

Knows files. Knows no bench and no procedure. `<out>/journal.sqlite3` is an index: the bundles alone are enough to make
it anew. A second writer waits a little for the first; readers wait for nobody.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rig.records.journal.facts import (
    CONTROLS,
    RUN,
    Attempt,
    Begun,
    Cycle,
    Ended,
    EventKind,
    Lost,
    Process,
    Soak,
    SoakEnd,
    SoakEvent,
    State,
)
from rig.records.journal.reading import Filter, Reader, Standing
from rig.records.journal.rows import Fact, insert
from rig.records.journal.store import FILE, lock_folder, open_for_writing, path_in, roll_back, told

__all__ = [
    "CONTROLS",
    "FILE",
    "RUN",
    "Attempt",
    "Begun",
    "Cycle",
    "Ended",
    "EventKind",
    "Filter",
    "Journal",
    "Lost",
    "Process",
    "Reader",
    "Soak",
    "SoakEnd",
    "SoakEvent",
    "Standing",
    "State",
]


class Journal(Reader):
    """The journal, open for writing; also answers. Open with `Journal.open(out)`, a context manager.

    What `add` was given is on the disk when it returns. One thread uses it.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, lock: int) -> None:
        super().__init__(path, connection)
        self._lock = lock

    @classmethod
    def open(cls, out: Path) -> Journal:
        """Makes it, and its folder, where there is none.

        Raises InputError: a damaged journal, or one from a newer version. BenchError: it cannot be written, or is just
        being made anew.
        """
        with told(path_in(out)):
            out.mkdir(parents=True, exist_ok=True)
        lock = lock_folder(out, alone=False)
        try:
            return cls(path_in(out), open_for_writing(out), lock)
        except BaseException:
            os.close(lock)
            raise

    def close(self) -> None:
        """May be called twice."""
        super().close()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def add(self, *facts: Fact) -> None:
        """Their rows, all or none. Raises BenchError: they cannot be written, or one is there already."""
        with self.alone():
            for fact in facts:
                insert(self._db, fact)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Inside, nobody else writes; what is added becomes durable at the end, or not at all where that raises."""
        with told(self._path):
            if self._db.in_transaction:
                yield  # in an outer one, which decides
                return
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                roll_back(self._db)
                raise
