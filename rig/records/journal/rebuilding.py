"""The journal made anew from the bundles alone: each is checked against its sums first, and what is wrong is named.

What no bundle tells is not in it: an attempt that left nothing on the disk, and when somebody called one lost. The new
journal takes its name only when it is whole; the old one is kept beside it.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import sqlite3
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rig.errors import InputError
from rig.records.checksums import damages
from rig.records.journal.bundles import ATTEMPT, RECORDS, begun_in, ended_in
from rig.records.journal.facts import Begun, Ended, Lost
from rig.records.journal.rows import insert
from rig.records.journal.soak_folder import SoakFacts, is_soak, soak_in
from rig.records.journal.store import (
    FILE,
    index_of,
    lock_folder,
    log_of,
    make_anew,
    name_too,
    path_in,
    told,
    unfinished,
)
from rig.whole_file import sync_folder

_HALF = ".partial"


@dataclass(frozen=True)
class Damaged:
    """One folder that is not in the new journal as it should be, and why: which file, found, expected."""

    folder: str
    why: str


@dataclass(frozen=True)
class Rebuilt:
    """`half_written`: hidden folders that killed runs left. `kept`: the name of the old journal, None = there was none.

    `unsealed`: soaks that were killed, or that go on; nothing is wrong with them.
    """

    attempts: int
    soaks: int
    damaged: tuple[Damaged, ...]
    half_written: tuple[str, ...]
    unsealed: tuple[str, ...]
    kept: str | None

    def to_json(self) -> dict[str, Any]:
        """The object `rig.rebuilt/1`."""
        return {"schema": "rig.rebuilt/1", **asdict(self)}


@dataclass(frozen=True)
class _Told:
    """What one bundle tells; `lost`: why it is none that ended."""

    begun: Begun
    ended: Ended | Lost | None

    @property
    def order(self) -> tuple[str, int, int, str]:
        cycle = self.begun.cycle
        return (self.begun.utc, cycle.number if cycle else 0, cycle.attempt if cycle else 0, self.begun.run_id)


class _Survey:
    """Reads a folder of results."""

    def __init__(self, out: Path) -> None:
        self.told: list[_Told] = []
        self.soaks: list[SoakFacts] = []
        self.damaged: list[Damaged] = []
        self.half_written: list[str] = []
        for folder in sorted(path for path in out.iterdir() if path.is_dir()):
            self._look(folder)

    def _look(self, folder: Path) -> None:
        try:
            if folder.name.startswith(".") and folder.name.endswith(_HALF):
                self._half(folder)
            elif is_soak(folder):
                self._soak(folder)
            elif any((folder / name).exists() for name in (ATTEMPT, *RECORDS.values())):
                self._bundle(folder)
        except InputError as error:
            self.damaged.append(Damaged(folder.name, error.one_line()))

    def _half(self, folder: Path) -> None:
        """Of a run that goes on, or was killed; one that was killed before it began is only named."""
        self.half_written.append(folder.name)
        if (folder / ATTEMPT).exists():
            self.told.append(_Told(begun_in(folder), None))

    def _soak(self, folder: Path) -> None:
        found = soak_in(folder)
        if found.sealed and (wrong := damages(folder)):
            self.damaged.append(Damaged(folder.name, _in_a_line(wrong)))
        else:
            self.soaks.append(found)

    def _bundle(self, folder: Path) -> None:
        wrong = damages(folder)
        if wrong:
            why = _in_a_line(wrong)
            self.damaged.append(Damaged(folder.name, why))
            if not any(line.startswith(ATTEMPT) for line in wrong) and (folder / ATTEMPT).exists():
                begun = begun_in(folder)
                self.told.append(_Told(begun, Lost(begun.run_id, begun.utc, f"its bundle is damaged: {why}")))
            return
        begun, ended = begun_in(folder), ended_in(folder)
        if not begun.run_id == ended.run_id == folder.name:
            named = begun.run_id if begun.run_id == ended.run_id else f"{begun.run_id} and {ended.run_id}"
            self.damaged.append(Damaged(folder.name, f"it is of another run (found {named}, expected {folder.name})"))
            return
        self.told.append(_Told(begun, ended))


def rebuild(out: Path) -> Rebuilt:
    """Make the journal of `out` anew. What is damaged is in the answer, not raised.

    Raises InputError: no such folder. BenchError: the journal is in use, or cannot be written; then it is as it was.
    """
    lock = lock_folder(out, alone=True)
    try:
        survey = _Survey(out)
        path = path_in(out)
        draft = out / f".{FILE}.{secrets.token_hex(4)}{_HALF}"
        with told(path):
            try:
                written = _write(draft, survey)
                kept = _put_in_place(draft, path)
            finally:
                for leftover in (draft, log_of(draft), index_of(draft)):
                    with contextlib.suppress(OSError):
                        leftover.unlink(missing_ok=True)
    finally:
        os.close(lock)
    return Rebuilt(
        attempts=written,
        soaks=len(survey.soaks),
        damaged=tuple(survey.damaged),
        half_written=tuple(survey.half_written),
        unsealed=tuple(found.soak.soak_id for found in survey.soaks if not found.sealed),
        kept=kept,
    )


def _write(draft: Path, survey: _Survey) -> int:
    connection = make_anew(draft)
    written = 0
    try:
        connection.execute("BEGIN IMMEDIATE")
        for found in sorted(survey.soaks, key=lambda found: (found.soak.utc, found.soak.soak_id)):
            insert(connection, found.soak)
            for fact in found.facts:
                insert(connection, fact)
        ends: list[Ended | Lost] = []
        for told_of in sorted(survey.told, key=lambda one: one.order):
            try:
                insert(connection, told_of.begun)
            except sqlite3.IntegrityError:
                survey.damaged.append(Damaged(told_of.begun.run_id, _twice(told_of.begun)))
                continue
            written += 1
            if told_of.ended is not None:
                ends.append(told_of.ended)
        for end in ends:
            insert(connection, end)
        connection.execute("COMMIT")
    finally:
        connection.close()  # and with it everything is in the file: this is its only connection
    return written


def _twice(begun: Begun) -> str:
    if begun.cycle is None:
        return "another folder tells of the same run"
    return (
        f"cycle {begun.cycle.number} of {begun.cycle.soak}, attempt {begun.cycle.attempt}, is told by another run too"
    )


def _put_in_place(draft: Path, path: Path) -> str | None:
    """There is a journal at every moment, and never a log of the old one beside the new one."""
    kept = _free_name(path) if path.exists() else None
    if kept is not None:
        if unfinished(path):
            log_of(path).rename(log_of(kept))
        name_too(path, kept)
    index_of(path).unlink(missing_ok=True)
    log_of(path).unlink(missing_ok=True)
    sync_folder(path.parent)
    draft.replace(path)
    sync_folder(path.parent)
    return kept.name if kept is not None else None


def _free_name(path: Path) -> Path:
    number = 1
    while (kept := path.with_name(f"{path.name}.{number}")).exists():
        number += 1
    return kept


def _in_a_line(wrong: tuple[str, ...]) -> str:
    return wrong[0] if len(wrong) == 1 else f"{wrong[0]}; and {len(wrong) - 1} more"
