"""Two soaks of one meter side by side, `rig.compare/1`: what is compared, what must be alike, what was found.

Knows files only by `read_side`. Decides nothing: `rig.judgement.soak.comparison` does. Its schema:
`schemas/rig.compare-1.json`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rig.errors import InputError, Where
from rig.judgement.soak.comparison import Difference, difference_of
from rig.judgement.soak.counting import Counts, counts_of
from rig.judgement.soak.statistics import CONFIDENCE
from rig.records.bundle import SUMS
from rig.records.checksums import damages
from rig.records.journal import Reader
from rig.records.journal.bundles import read_json, strictly
from rig.records.soak import AttemptRow, Setup
from rig.records.soak_making import cycle_of, read_soak

_RECORD = "soak.json"
_SCHEMA = "rig.soak/1"
MUST_AGREE = ("meter", "topology", "limit_s", "comparison", "definition")
"""Without these alike, lengths and verdicts of two soaks do not mean the same thing."""
SHOULD_AGREE = ("bench", "hub_commissioned", "instruments")


@dataclass(frozen=True)
class Side:
    """What a comparison takes of a soak. `where`: how it was found, for messages."""

    soak_id: str
    verdict: str
    fixed_n: bool
    setup: Setup
    attempts: tuple[AttemptRow, ...]
    where: str


@dataclass(frozen=True)
class SideRow:
    """One of both. `bench` and `meter` in one line each."""

    soak_id: str
    verdict: str
    counts: Counts
    bench: str
    meter: str
    fixed_n: bool


@dataclass(frozen=True)
class CompareRecord:
    """B against A. `attention`: what differs between both beside the firmware, and may be the reason."""

    a: SideRow
    b: SideRow
    limit_s: float
    comparison: str
    confidence: float
    difference: Difference
    attention: tuple[str, ...]
    grounds: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """The object `rig.compare/1`."""
        return {"schema": "rig.compare/1", **asdict(self)}


def read_side(word: str, out: Path) -> Side:
    """A soak by its folder, by its `soak.json`, or by its id in the journal of `out`. Raises InputError."""
    path = Path(word)
    if path.is_dir() or path.suffix == ".json":
        return _from_file(path / _RECORD if path.is_dir() else path)
    with Reader.open(out) as reader:
        record = read_soak(reader, out, word)
    return _side(record.setup, record.attempts, record.verdict, record.ending.fixed_n, record.labels.soak_id, word)


def _from_file(file: Path) -> Side:
    """A soak's own folder must be as its SHA256SUMS says; a `soak.json` that was copied elsewhere stands for itself."""
    body = read_json(file)
    if body.get("schema") != _SCHEMA:
        found = str(body.get("schema", "nothing"))
        raise InputError("not the record of a soak", Where(str(file), "schema", found=found, expected=_SCHEMA))
    if (file.parent / SUMS).exists() and (wrong := damages(file.parent)):
        raise InputError(f"this soak's folder is damaged: {wrong[0]}", Where(str(file.parent)))
    try:
        rows = tuple(strictly(AttemptRow, row, file) for row in body["attempts"])
        setup = None if body["setup"] is None else strictly(Setup, body["setup"], file)
        labels, ending = body["labels"], body["ending"]
        return _side(setup, rows, body["verdict"], ending["fixed_n"], labels["soak_id"], str(file))
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError("not as this rig writes it", Where(str(file), found=f"no {error}")) from error


def _side(
    setup: Setup | None, rows: tuple[AttemptRow, ...], verdict: str, fixed_n: bool, soak_id: str, where: str
) -> Side:
    if setup is None or not setup.meter:
        found = "no attempt that ended" if setup is None else "a meter that never answered"
        raise InputError("nothing to compare in this soak", Where(where, found=found))
    changed = [key for key in MUST_AGREE if key in setup.differences]
    if changed:
        raise InputError(
            "this soak is of two minds, and cannot be compared",
            Where(where, found=f"{', '.join(changed)} changed in it"),
        )
    return Side(soak_id, verdict, fixed_n, setup, rows, where)


def compare(a: Side, b: Side, confidence: float = CONFIDENCE) -> CompareRecord:
    """B against A. Raises InputError where they do not mean the same: another meter, limit, or kind of outage."""
    for key in MUST_AGREE:
        one, other = getattr(a.setup, key), getattr(b.setup, key)
        if one != other:
            where = Where(b.where, key, found=_words(other), expected=f"{_words(one)}, as in {a.where}")
            raise InputError("these two soaks cannot be compared", where)
    cycles = [[cycle_of(row) for row in side.attempts if row.state != "running"] for side in (a, b)]
    return CompareRecord(
        a=_row(a),
        b=_row(b),
        limit_s=a.setup.limit_s,
        comparison=a.setup.comparison,
        confidence=confidence,
        difference=difference_of(cycles[0], cycles[1], confidence),
        attention=tuple(_attention(a, b)),
        grounds=_GROUNDS,
    )


_GROUNDS = (
    "The cycles of both soaks are taken to be independent and alike, and the numbers of cycles to be fixed beforehand.",
    "A difference is said where every way to count INCONCLUSIVE cycles, or all lengths within the bounds, show it.",
    "Each direction is compared by itself; the error is shared by all of them.",
    "ERROR and lost attempts are left out of the chance; void ones, and those of which nothing is known, of lengths.",
    "A shift in seconds: both distributions are taken to have one form.",
)


def _row(side: Side) -> SideRow:
    counts = counts_of([cycle_of(row) for row in side.attempts if row.state != "running"])
    return SideRow(
        side.soak_id, side.verdict, counts, side.setup.bench, " ".join(side.setup.meter.values()), side.fixed_n
    )


def _attention(a: Side, b: Side) -> Iterator[str]:
    for key in SHOULD_AGREE:
        one, other = getattr(a.setup, key), getattr(b.setup, key)
        if one != other:
            are = "are" if key == "instruments" else "is"
            yield f"{key} {are} not the same: {_words(one)} in A, {_words(other)} in B"
    for name, side in (("A", a), ("B", b)):
        if side.setup.differences:
            yield f"{', '.join(side.setup.differences)} changed within {name}"
        if not side.fixed_n:
            yield f"{name} was stopped because of its verdicts: its number of cycles was not fixed"
    if a.soak_id == b.soak_id:
        yield "A and B are the same soak"


def _words(value: Any) -> str:
    """A setting for people: who a device is, what an outage is."""
    if isinstance(value, tuple):
        return "; ".join(f"{row.key} {row.value}" for row in value) or "nothing"
    if hasattr(value, "items"):
        named = [f"{key}: {_words(part)}" if hasattr(part, "items") else _words(part) for key, part in value.items()]
        return ("; " if any(hasattr(part, "items") for part in value.values()) else " ").join(named) or "nothing"
    return str(value)
