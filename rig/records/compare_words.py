"""A comparison of two soaks as plain lines. Bounds are rounded outward. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from rig.judgement.soak.comparison import ChanceDifference, Shift
from rig.records.compare import CompareRecord, SideRow
from rig.records.report_words import at_least, at_most, exact, plain
from rig.records.soak_words import counts_words, whole_percent


def compare_sentence(record: CompareRecord) -> str:
    """The one sentence at the top."""
    chance = {
        "more": "B breaks the limit more often than A",
        "less": "B breaks the limit less often than A",
        "none seen": "no difference in how often the limit is broken was shown",
    }[record.difference.chance.finding]
    return f"{chance[:1].upper()}{chance[1:]}, and {_lengths(record.difference.shifts)}."


def _lengths(shifts: tuple[Shift, ...]) -> str:
    if not shifts:
        return "no lengths could be compared"
    found = {shift.finding for shift in shifts}
    if found == {"none seen"}:
        return "no difference in how long the hub is cut off was shown"
    longer = [s.b.words for s in shifts if s.finding == "more"]
    shorter = [s.b.words for s in shifts if s.finding == "less"]
    parts = [f"B cuts the hub off for longer: {', '.join(longer)}"] if longer else []
    parts += [f"B cuts the hub off for a shorter time: {', '.join(shorter)}"] if shorter else []
    return "; ".join(parts)


def compare_lines(record: CompareRecord) -> Iterator[str]:
    """All of it, for a terminal."""
    yield compare_sentence(record)
    yield from (f"  ATTENTION: {text}" for text in record.attention)
    yield f"  A {_side(record.a)}"
    yield f"  B {_side(record.b)}"
    yield f"  limit {plain(record.limit_s)} s ({record.comparison}); meter {record.a.meter}"
    yield f"  chance of a violation: {chance_words(record.difference.chance)}"
    for shift in record.difference.shifts:
        same = shift.a == shift.b
        yield f"  {shift.a.words if same else f'{shift.a.words} in A, {shift.b.words} in B'}: {shift_words(shift)}"
    for name, alone in (("A", record.difference.alone_a), ("B", record.difference.alone_b)):
        if alone:
            yield f"  only in {name}, and not compared: {', '.join(direction.words for direction in alone)}"


def _side(row: SideRow) -> str:
    return f"{row.soak_id}: {row.verdict}; {counts_words(row.counts)}; bench {row.bench}"


def chance_words(chance: ChanceDifference) -> str:
    """Percentage points, and both one-sided p-values."""
    low, high = at_least(exact(chance.low) * 100, 2), at_most(exact(chance.high) * 100, 2)
    return (
        f"B less A is {low} to {high} percentage points, {whole_percent(chance.confidence)} sure "
        f"(Fisher, one-sided: more {chance.p_more:.3g}, less {chance.p_less:.3g})"
    )


def shift_words(shift: Shift) -> str:
    """Seconds that B is longer, in these cycles and beyond, and both one-sided p-values."""
    cycles = f"{shift.cycles_a} and {shift.cycles_b} cycles"
    if 0 in (shift.cycles_a, shift.cycles_b):
        return f"nothing to compare ({cycles})"
    here = f"B less A is {_band(shift.shift_lower_s, shift.shift_upper_s)} here"
    if shift.from_s is None and shift.to_s is None:
        return f"{here}; too little to say more ({cycles})"
    sure = whole_percent(shift.confidence)
    return (
        f"{here}, {_band(shift.from_s, shift.to_s)} with {sure} ({cycles}; Mann and Whitney, one-sided: "
        f"longer {shift.p_longer:.3g}, shorter {shift.p_shorter:.3g})"
    )


def _band(low_s: float | None, high_s: float | None) -> str:
    low = "any" if low_s is None else at_least(low_s)
    return f"{low} to {'any' if high_s is None else at_most(high_s)} s"
