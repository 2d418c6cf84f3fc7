"""Does the outage grow over the cycles of one direction, as flash wears? A rank test on bounds. Pure.

Mann and Kendall's S counts pairs of cycles: those where the later outage is surely longer (its lower bound above the
earlier one's upper bound), less all others. So no lengths within the bounds have a larger p-value, and 'grows' is never
an artefact of how a length was measured. The slope is Theil and Sen's (the median over all pairs) with
its distribution-free interval (Sen, 1968), both worked out at the ends of the bounds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from rig.judgement.soak.cycle import Cycle, Direction
from rig.judgement.soak.ranks import Floats, middle_of, ordered, trend_margin, trend_p

Finding = Literal["grows", "falls", "none seen", "too few cycles"]
MOST_CYCLES = 2000
"""Of more, every k-th is used: pairs grow with the square. A night has some sixty."""


@dataclass(frozen=True)
class EstimateTrend:
    """What the estimates alone say, for people; None where they are all alike. It never decides."""

    cycles: int
    tau: float
    p: float


@dataclass(frozen=True)
class Trend:
    """Seconds per cycle of the soak (whichever direction the cycles between had). None is unbounded.

    `p_grows`, `p_falls`: one-sided; no lengths within the bounds have a larger one. Each is compared with `level`.
    `slope_*`: between these lies the slope of the sample; `from_*`, `to_*`: with two-sided confidence 1 - 2 `level`,
    between these lies the slope.
    """

    direction: Direction
    cycles: int
    every: int
    level: float
    p_grows: float
    p_falls: float
    finding: Finding
    slope_lower_s: float | None
    slope_upper_s: float | None
    from_s: float | None
    to_s: float | None
    estimates: EstimateTrend | None


def trend_of(direction: Direction, cycles: Sequence[Cycle], level: float) -> Trend:
    """`cycles`: those of one direction. `level`: the chance, to each side, of a trend that is none."""
    rows = sorted((c for c in cycles if c.is_measured), key=lambda c: c.number)
    every = math.ceil(len(rows) / MOST_CYCLES) or 1
    rows = rows[::every]
    count, pairs = len(rows), len(rows) * (len(rows) - 1) // 2
    at = np.asarray([c.number for c in rows], dtype=np.float64)
    lower = np.asarray([c.lower_s for c in rows], dtype=np.float64)
    upper = np.asarray([math.inf if c.upper_s is None else c.upper_s for c in rows], dtype=np.float64)
    later = [np.s_[i + 1 :] for i in range(count)]
    rises = sum(int((lower[after] > upper[i]).sum()) for i, after in enumerate(later))
    falls = sum(int((upper[after] < lower[i]).sum()) for i, after in enumerate(later))
    p_grows, p_falls = trend_p(2 * rises - pairs, count), trend_p(2 * falls - pairs, count)
    margin = trend_margin(count, level)
    finding: Finding = "none seen"
    if margin is None:
        finding = "too few cycles"
    elif min(p_grows, p_falls) <= level:
        finding = "grows" if p_grows < p_falls else "falls"
    slope, limits = _slopes(at, lower, upper, margin)
    return Trend(direction, count, every, level, p_grows, p_falls, finding, *slope, *limits, _estimates(rows))


Limits = tuple[float | None, float | None]


def _slopes(at: Floats, lower: Floats, upper: Floats, margin: int | None) -> tuple[Limits, Limits]:
    """The median slope at both ends of the bounds, and the outer limits of its interval."""
    count, pairs = len(at), len(at) * (len(at) - 1) // 2
    if pairs == 0:
        return (None, None), (None, None)
    rank = 0 if margin is None else (pairs - margin) // 2 + 1  # Hollander and Wolfe, 9.4: S below `margin` is kept
    low = np.concatenate([(lower[i + 1 :] - upper[i]) / (at[i + 1 :] - at[i]) for i in range(count - 1)])
    least, from_ = middle_of(low), ordered(low, rank) if rank else None
    del low  # two million pairs are sixteen megabytes
    high = np.concatenate([(upper[i + 1 :] - lower[i]) / (at[i + 1 :] - at[i]) for i in range(count - 1)])
    return (least, middle_of(high)), (from_, ordered(high, pairs - rank + 1) if rank else None)


def _estimates(rows: Sequence[Cycle]) -> EstimateTrend | None:
    from scipy.stats import kendalltau

    known = [(c.number, c.estimate_s) for c in rows if c.estimate_s is not None]
    if len({value for _, value in known}) < 2:  # all alike: tau is not defined
        return None
    result = kendalltau([n for n, _ in known], [value for _, value in known])
    return EstimateTrend(len(known), float(result.statistic), float(result.pvalue))
