"""Two soaks of one meter, A and B: does B break the rule more often, does B cut for longer? Pure.

Both are asked of each direction by itself: over a whole plan, the soak with the larger share of a bad firmware would
look worse where no firmware is. And of the worst case that the bounds and the unanswered cycles allow: 'B is worse' is
said only where every arrangement of them says so.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from rig.judgement.soak.counting import Counts, counts_of
from rig.judgement.soak.cycle import Cycle, Direction, by_direction
from rig.judgement.soak.ranks import Floats, lower_limit, middle_of, ordered, shift_margin, shift_p, upper_limit

Finding = Literal["more", "less", "none seen"]
MOST_CYCLES = 1500
"""Of more, every k-th is used: pairs grow with the product."""


@dataclass(frozen=True)
class ChanceDifference:
    """The probability of a violation in B less that in A, of one direction.

    `p_more`, `p_less`: Fisher's exact test, one-sided, the largest over every way to count INCONCLUSIVE cycles (ERROR
    cycles are left out). `low`, `high`: with `confidence`, the difference lies between (each probability between its
    own exact limits at half the error: never too narrow).
    """

    a: Direction
    b: Direction
    counts_a: Counts
    counts_b: Counts
    p_more: float
    p_less: float
    finding: Finding
    low: float
    high: float
    confidence: float


@dataclass(frozen=True)
class Shift:
    """How much longer B's longest outage is than A's, in seconds; negative: shorter. None is unbounded.

    `p_longer`, `p_shorter`: Mann and Whitney's test, one-sided, the largest over all lengths within the bounds.
    `shift_*`: between these lies the sample's shift (Hodges and Lehmann); `from_s`, `to_s`: with `confidence`, between
    these lies the shift.
    """

    a: Direction
    b: Direction
    cycles_a: int
    cycles_b: int
    p_longer: float
    p_shorter: float
    finding: Finding
    shift_lower_s: float | None
    shift_upper_s: float | None
    from_s: float | None
    to_s: float | None
    confidence: float


@dataclass(frozen=True)
class Difference:
    """B against A, pair by pair of directions. `alone_*`: those that have no partner, and are not compared."""

    chances: tuple[ChanceDifference, ...]
    shifts: tuple[Shift, ...]
    alone_a: tuple[Direction, ...]
    alone_b: tuple[Direction, ...]


def difference_of(a: Sequence[Cycle], b: Sequence[Cycle], confidence: float) -> Difference:
    """The error that `confidence` leaves is shared by all pairs, so that their chances together hold with it, and their
    shifts likewise."""
    of_a, of_b = by_direction(a), by_direction(b)
    pairs = _partners(tuple(of_a), tuple(of_b))
    each = 1.0 - (1.0 - confidence) / max(1, len(pairs))
    return Difference(
        tuple(_chance(x, y, of_a[x], of_b[y], each) for x, y in pairs),
        tuple(_shift(x, y, of_a[x], of_b[y], each) for x, y in pairs),
        tuple(d for d in of_a if d not in {x for x, _ in pairs}),
        tuple(d for d in of_b if d not in {y for _, y in pairs}),
    )


def _partners(of_a: Sequence[Direction], of_b: Sequence[Direction]) -> list[tuple[Direction, Direction]]:
    """The same direction in both; else the only one left there, and the only one left back: two firmwares."""
    pairs = [(d, d) for d in of_a if d in of_b]
    for way in ("there", "back"):
        left_a = [d for d in of_a if d.way == way and d not in of_b]
        left_b = [d for d in of_b if d.way == way and d not in of_a]
        if len(left_a) == len(left_b) == 1:
            pairs.append((left_a[0], left_b[0]))
    return pairs


def _chance(
    a: Direction, b: Direction, of_a: Sequence[Cycle], of_b: Sequence[Cycle], confidence: float
) -> ChanceDifference:
    count_a, count_b = counts_of(of_a), counts_of(of_b)
    (low_a, high_a, all_a), (low_b, high_b, all_b) = _violations(count_a), _violations(count_b)
    p_more = _fisher(low_b, all_b, high_a, all_a)
    p_less = _fisher(low_a, all_a, high_b, all_b)
    level = (1.0 - confidence) / 2
    each = 1.0 - level / 2
    return ChanceDifference(
        a,
        b,
        count_a,
        count_b,
        p_more,
        p_less,
        _finding(p_more, p_less, level),
        lower_limit(low_b, all_b, each) - upper_limit(high_a, all_a, each),
        upper_limit(high_b, all_b, each) - lower_limit(low_a, all_a, each),
        confidence,
    )


def _violations(counts: Counts) -> tuple[int, int, int]:
    """The fewest and the most, of how many."""
    return counts.failed, counts.failed + counts.inconclusive, counts.cycles - counts.errors


def _fisher(more: int, of_more: int, less: int, of_less: int) -> float:
    """One-sided p that the first proportion is the larger."""
    if of_more == 0 or of_less == 0:
        return 1.0
    from scipy.stats import fisher_exact

    table = [[more, of_more - more], [less, of_less - less]]
    return min(1.0, float(fisher_exact(table, alternative="greater").pvalue))


def _finding(p_more: float, p_less: float, level: float) -> Finding:
    if min(p_more, p_less) > level:
        return "none seen"
    return "more" if p_more < p_less else "less"


def _shift(a: Direction, b: Direction, of_a: Sequence[Cycle], of_b: Sequence[Cycle], confidence: float) -> Shift:
    lower_a, upper_a = _bounds(of_a)
    lower_b, upper_b = _bounds(of_b)
    first, second = len(lower_a), len(lower_b)
    level = (1.0 - confidence) / 2
    low, high = np.subtract.outer(lower_b, upper_a).ravel(), np.subtract.outer(upper_b, lower_a).ravel()
    p_longer = shift_p(int((low > 0).sum()), first, second)
    p_shorter = shift_p(int((high < 0).sum()), first, second)
    margin = shift_margin(first, second, level)
    rank = 0 if margin is None else first * second - margin + 1
    return Shift(
        a,
        b,
        first,
        second,
        p_longer,
        p_shorter,
        _finding(p_longer, p_shorter, level),
        middle_of(low) if len(low) else None,
        middle_of(high) if len(high) else None,
        ordered(low, rank) if rank else None,
        ordered(high, len(high) - rank + 1) if rank else None,
        confidence,
    )


def _bounds(cycles: Sequence[Cycle]) -> tuple[Floats, Floats]:
    rows = [c for c in cycles if c.is_measured]
    rows = rows[:: math.ceil(len(rows) / MOST_CYCLES) or 1]
    lower = np.asarray([c.lower_s for c in rows], dtype=np.float64)
    return lower, np.asarray([math.inf if c.upper_s is None else c.upper_s for c in rows], dtype=np.float64)
