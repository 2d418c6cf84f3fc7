"""What of a soak is in the journal, and how a later sitting goes on from there. Knows files and the journal; no bench.

An attempt that began and did not end is lost, unless its bundle is whole: then it had ended, and only its row was
missing. Either way the next sitting begins with the next cycle.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rig.errors import InputError, Where
from rig.records.bundle import SUMS
from rig.records.checksums import damages
from rig.records.journal import (
    Attempt,
    EventKind,
    Filter,
    Journal,
    Lost,
    Reader,
    Soak,
    Standing,
)
from rig.records.journal.attempt import settle
from rig.records.journal.bundles import sums_sha256
from rig.records.journal.soak_folder import PREFIX, SoakFolder

LAST = "last"


def find(reader: Reader, word: str) -> Soak:
    """The soak that `word` means: its id, the beginning of it (with or without `soak-`), or `last`.

    Raises InputError for none, and for more than one.
    """
    soaks = reader.soaks()
    if word == LAST and soaks:
        return soaks[-1]
    begins = word.removeprefix(PREFIX)
    fits = [s for s in soaks if begins and word != LAST and s.soak_id.removeprefix(PREFIX).startswith(begins)]
    if len(fits) == 1:
        return fits[0]
    known = ", ".join(s.soak_id for s in (fits or soaks)[-5:]) or "a folder (--out) in which a soak began"
    what = "more than one soak begins so" if fits else "no such soak in this journal"
    raise InputError(what, Where(key="--resume", found=word, expected=known))


@dataclass(frozen=True)
class Resumed:
    """Where a later sitting goes on. `lost`: what was lost, in words. `unsure`: an activation may still be going on."""

    attempts: tuple[Attempt, ...]
    lost: tuple[str, ...]
    unsure: bool


def resume(book: SoakFolder, journal: Journal, out: Path, standing: Standing) -> Resumed:
    """Make the journal whole again after a sitting that did not end in good order; each cycle that was lost is named.

    Raises BenchError, InputError: the journal or the soak's folder cannot be written, or is damaged.
    """
    soak_id = standing.soak.soak_id
    unsure = any(attempt.lost is None for attempt in standing.lost)
    settle(journal, out)
    words = []
    for attempt in _standing(journal, soak_id).lost:
        if attempt.lost is not None:
            continue
        begun = attempt.begun
        number = begun.cycle.number if begun.cycle is not None else None
        text = f"cycle {number} ({begun.fixture}) was lost; what it left is in .{begun.run_id}.partial"
        lost = book.note(EventKind.LOST, text, number)
        journal.add(Lost(begun.run_id, lost.utc, "its process ended before it did"))
        words.append(text)
    book.note(EventKind.RESUMED, f"goes on with cycle {_standing(journal, soak_id).next_cycle}")
    return Resumed(attempts_of(journal, soak_id), tuple(words), unsure)


def check_bundles(out: Path, attempts: Iterable[Attempt]) -> None:
    """Nothing goes on upon evidence that was changed. Raises InputError: which file, and what to do about it."""
    for attempt in attempts:
        if attempt.ended is None:
            continue
        folder = out / attempt.begun.run_id
        wrong = damages(folder)
        if not wrong and sums_sha256(folder) != attempt.ended.sums_sha256:
            wrong = (f"{SUMS}: is not the one that the journal knows",)
        if wrong:
            expected = f"the bundle as it was written; after 'rig runs rebuild --out {out}' it counts as lost"
            raise InputError(f"a bundle of this soak is damaged: {wrong[0]}", Where(str(folder), expected=expected))


def standing_of(reader: Reader, soak: Soak) -> Standing:
    """Where it stands. Raises InputError while another process is at it."""
    standing = _standing(reader, soak.soak_id)
    if standing.running:
        process = standing.running[0].begun.process
        found = "another process" if process is None else f"process {process.pid}"
        raise InputError("this soak is going on", Where(key=soak.soak_id, found=found, expected="nobody at it"))
    return standing


def _standing(reader: Reader, soak_id: str) -> Standing:
    standing = reader.standing(soak_id)
    assert standing is not None  # noqa: S101 - it was found in this journal
    return standing


def attempts_of(reader: Reader, soak_id: str) -> tuple[Attempt, ...]:
    """All attempts of a soak, in the order in which they began."""
    return reader.attempts(Filter(soak=soak_id))
