"""What of a soak is in the journal, and how a later sitting goes on from there. Knows files and the journal; no bench.

An attempt that began and did not end is lost, unless its bundle is whole: then it had ended, and only its row was
missing. Either way the next sitting begins with the next cycle.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rig.errors import InputError, Where
from rig.records.bundle import EVENTS, SUMS
from rig.records.journal import (
    Attempt,
    Ended,
    EventKind,
    Filter,
    Journal,
    Lost,
    Reader,
    Soak,
    SoakEvent,
    Standing,
)
from rig.records.run import RunRecord

LAST = "last"
_PREFIX = "soak-"


def new_id(utc: datetime) -> str:
    """Of a soak that begins now, e.g. `soak-20261124T180000Z-3f2a`."""
    return f"{_PREFIX}{utc.astimezone(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"


def ended_of(record: RunRecord, folder: Path, elapsed_s: float) -> Ended:
    """The journal's row of a run whose bundle is in `folder`. `elapsed_s` on the bench's clock."""
    return _ended(json.loads(json.dumps(record.to_json())), folder, elapsed_s)


def find(reader: Reader, word: str) -> Soak:
    """The soak that `word` means: its id, the beginning of it (with or without `soak-`), or `last`.

    Raises InputError for none, and for more than one.
    """
    soaks = reader.soaks()
    if word == LAST and soaks:
        return soaks[-1]
    begins = word.removeprefix(_PREFIX)
    fits = [s for s in soaks if begins and word != LAST and s.soak_id.removeprefix(_PREFIX).startswith(begins)]
    if len(fits) == 1:
        return fits[0]
    known = ", ".join(s.soak_id for s in (fits or soaks)[-5:]) or "none here"
    what = "more than one soak begins so" if fits else "no such soak in this journal"
    raise InputError(what, Where(key="--resume", found=word, expected=known))


@dataclass(frozen=True)
class Resumed:
    """Where a later sitting goes on. `lost`: what was lost, in words. `unsure`: an activation may still be going on."""

    attempts: tuple[Attempt, ...]
    lost: tuple[str, ...]
    unsure: bool


def resume(journal: Journal, out: Path, standing: Standing, utc: str) -> Resumed:
    """Make the journal whole again after a sitting that did not end in good order; each cycle that was lost is named.

    Raises InputError while another process is at it.
    """
    soak_id = standing.soak.soak_id
    if standing.running:
        process = standing.running[0].begun.process
        found = "another process" if process is None else f"process {process.pid}"
        raise InputError("this soak is going on", Where(key=soak_id, found=found, expected="nobody at it"))
    words = []
    unsure = False
    for attempt in standing.lost:
        if attempt.lost is not None:
            continue
        begun = attempt.begun
        unsure = True
        kept = _whole(out / begun.run_id)
        if kept is not None:
            journal.add(kept)
            continue
        number = begun.cycle.number if begun.cycle is not None else None
        text = f"cycle {number} ({begun.fixture}) was lost; what it left is in .{begun.run_id}.partial"
        journal.add(Lost(begun.run_id, utc, "its process ended before it did"))
        journal.add(SoakEvent(soak_id, utc, EventKind.LOST, text, number))
        words.append(text)
    fresh = journal.standing(soak_id)
    assert fresh is not None  # noqa: S101 - it was there
    journal.add(SoakEvent(soak_id, utc, EventKind.RESUMED, f"goes on with cycle {fresh.next_cycle}"))
    return Resumed(attempts_of(journal, soak_id), tuple(words), unsure)


def _whole(folder: Path) -> Ended | None:
    """The row of a bundle that is there and is what its sums say; None for any other."""
    try:
        for line in (folder / SUMS).read_text(encoding="utf-8").splitlines():
            digest, _, name = line.partition("  ")
            with (folder / name).open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != digest:
                    return None
        body = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        last = (folder / EVENTS).read_text(encoding="utf-8").splitlines()[-1]
        return _ended(body, folder, float(json.loads(last)["t_s"]))
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return None


def attempts_of(reader: Reader, soak_id: str) -> tuple[Attempt, ...]:
    """All attempts of a soak, in the order in which they began."""
    return reader.attempts(Filter(soak=soak_id))


def _ended(body: Mapping[str, Any], folder: Path, elapsed_s: float) -> Ended:
    """From the object `rig.run/1`."""
    longest, activation = body["longest_outage"], body["activation"]
    meter = body["identities"].get("meter", {})
    judged = body["rail_verdict"]
    return Ended(
        run_id=folder.name,
        verdict=body["verdict"],
        rail_verdict=judged,
        reasons=tuple(reason["code"] for reason in body["reasons"]),
        lower_s=longest["lower_s"],
        estimate_s=longest["estimate_s"],
        upper_s=longest["upper_s"],
        limit_s=body["limit_s"],
        comparison=body["comparison"],
        version_before=activation["version_before"],
        version_after=activation["version_after"],
        safe=body["safe_state"]["proven"],
        meter=meter.get("serial"),
        sums_sha256=hashlib.sha256((folder / SUMS).read_bytes()).hexdigest(),
        elapsed_s=elapsed_s,
        elapsed_real_s=body["labels"]["elapsed_real_s"],
    )
