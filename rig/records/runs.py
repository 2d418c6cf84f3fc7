"""What `rig runs` tells of a journal: the attempts that were asked for, and what they sum up to (`rig.runs/1`).

Knows the journal. Seconds as in `run.json`; nothing is rounded.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rig.records.journal import Filter, Process, Reader
from rig.records.journal.rows import Listed

LOST = "LOST"
RUNNING = "RUNNING"
VERDICTS = ("PASS", "FAIL", "INCONCLUSIVE", "ERROR", "VALID", "INVALID")


@dataclass(frozen=True)
class Asked:
    """Which attempts. `verdict`: one of `VERDICTS`, or LOST for what never ended; `newest`: at most so many of them."""

    soak: str | None = None
    verdict: str | None = None
    fixture: str | None = None
    bench: str | None = None
    since: str | None = None
    until: str | None = None
    newest: int | None = None


@dataclass(frozen=True)
class Summary:
    """Of all that was asked for. `longest`: the largest upper bound; None where nothing was judged.

    `unbounded`: attempts whose outage has no upper bound, which may be longer than that.
    """

    attempts: int
    words: Mapping[str, int]
    longest: Listed | None
    unbounded: int


@dataclass(frozen=True)
class Listing:
    """`rows` with the word for each: a verdict, LOST or RUNNING."""

    out: Path
    asked: Asked
    rows: list[tuple[Listed, str]]
    summary: Summary

    def to_json(self) -> dict[str, Any]:
        """The object `rig.runs/1`."""
        return {
            "schema": "rig.runs/1",
            "out": str(self.out),
            "asked": asdict(self.asked),
            "runs": [_row(row, word) for row, word in self.rows],
            "summary": _summary(self.summary),
        }


def listing(out: Path, asked: Asked, *, short: bool = False) -> Listing:
    """Look into the journal of `out`; `short`: without what only `to_json` tells.

    Raises InputError: no journal there, a damaged one, or one from a newer version.
    """
    which = Filter(
        soak=asked.soak,
        verdict=None if asked.verdict == LOST else asked.verdict,
        fixture=asked.fixture,
        bench=asked.bench,
        since=asked.since,
        until=asked.until,
    )
    with Reader.open(out) as reader:
        found = [(row, _word(row)) for row in reader.listed(which, unended=asked.verdict == LOST, short=short)]
    if asked.verdict == LOST:
        found = [(row, word) for row, word in found if word == LOST]
    shown = found if asked.newest is None else found[-asked.newest :]
    return Listing(out, asked, shown, _summed(found))


def _word(row: Listed) -> str:
    if row.verdict is not None:
        return row.verdict
    return RUNNING if row.running else LOST


def _summed(found: list[tuple[Listed, str]]) -> Summary:
    longest, upper_s, unbounded = None, -1.0, 0
    for row, _ in found:
        if row.rail_verdict is None:
            continue
        if row.upper_s is None:
            unbounded += 1
        elif row.upper_s > upper_s:
            longest, upper_s = row, row.upper_s
    return Summary(len(found), Counter(word for _, word in found), longest, unbounded)


_KEYS = Listed._fields[: -len(Process.__dataclass_fields__)]


def _row(row: Listed, word: str) -> dict[str, Any]:
    body: dict[str, Any] = dict(zip(_KEYS, row, strict=False))  # without the process
    body["state"] = "ended" if row.verdict is not None else word.lower()
    body["reasons"] = [] if row.reasons in (None, "[]") else json.loads(row.reasons)
    body["safe"] = None if row.safe is None else bool(row.safe)
    return body


def _summary(summary: Summary) -> dict[str, Any]:
    longest = summary.longest
    return {
        "attempts": summary.attempts,
        "counts": {word.lower(): summary.words.get(word, 0) for word in (*VERDICTS, LOST, RUNNING)},
        "longest_outage": None
        if longest is None
        else {"run_id": longest.run_id, "lower_s": longest.lower_s, "upper_s": longest.upper_s},
        "unbounded": summary.unbounded,
    }
