"""A comparison of two soaks as plain lines. Bounds are rounded outward. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rig.judgement.soak.comparison import ChanceDifference, Shift
from rig.judgement.soak.counting import Counts
from rig.records.compare import CompareRecord, SideRow
from rig.records.report_words import at_least, at_most, exact, plain
from rig.records.soak_words import counts_words, whole_percent


def compare_sentence(record: CompareRecord) -> str:
    """The one sentence at the top."""
    difference = record.difference
    if not difference.chances:
        return "Nothing could be compared: no firmware of the one has a partner in the other."
    chance = _found(
        difference.chances,
        "B breaks the limit more often",
        "B breaks the limit less often",
        "no difference in how often the limit is broken was shown",
    )
    length = _found(
        difference.shifts,
        "B cuts the hub off for longer",
        "B cuts the hub off for a shorter time",
        "no difference in how long the hub is cut off was shown",
    )
    return f"{chance[:1].upper()}{chance[1:]}, and {length}."


def _found(pairs: Sequence[ChanceDifference] | Sequence[Shift], more: str, less: str, nothing: str) -> str:
    """What was found, and of which directions."""
    parts = []
    for finding, words in (("more", more), ("less", less)):
        of = [pair.b.words for pair in pairs if pair.finding == finding]
        parts += [f"{words}: {', '.join(of)}"] if of else []
    return "; ".join(parts) or nothing


def pair_words(pair: Shift) -> str:
    """Which direction, or which of A beside which of B."""
    return pair.a.words if pair.a == pair.b else f"{pair.a.words} in A, {pair.b.words} in B"


def compare_lines(record: CompareRecord) -> Iterator[str]:
    """All of it, for a terminal."""
    yield compare_sentence(record)
    yield from (f"  ATTENTION: {text}" for text in record.attention)
    yield f"  A {_side(record.a)}"
    yield f"  B {_side(record.b)}"
    yield f"  limit {plain(record.limit_s)} s ({record.comparison}); meter {record.a.meter}"
    for chance, shift in zip(record.difference.chances, record.difference.shifts, strict=True):
        yield f"  {pair_words(shift)}: {shift_words(shift)}"
        yield f"    chance of a violation: {chance_words(chance)}"
    for name, alone in (("A", record.difference.alone_a), ("B", record.difference.alone_b)):
        if alone:
            yield f"  only in {name}, and not compared: {', '.join(direction.words for direction in alone)}"


def _side(row: SideRow) -> str:
    return f"{row.soak_id}: {row.verdict}; {counts_words(row.counts)}; bench {row.bench}"


def chance_words(chance: ChanceDifference) -> str:
    """What was counted, percentage points, and both one-sided p-values."""
    low, high = at_least(exact(chance.low) * 100, 2), at_most(exact(chance.high) * 100, 2)
    return (
        f"{_violations(chance.counts_a)} in A, {_violations(chance.counts_b)} in B; "
        f"B less A is {low} to {high} percentage points, {whole_percent(chance.confidence)} sure "
        f"(Fisher, one-sided: more {chance.p_more:.3g}, less {chance.p_less:.3g})"
    )


def _violations(counts: Counts) -> str:
    """Of those that are counted; ERROR is not."""
    unanswered = f" and {counts.inconclusive} INCONCLUSIVE" if counts.inconclusive else ""
    return f"{counts.failed}{unanswered} of {counts.cycles - counts.errors}"


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
