"""Order statistics: binomial tails, and the null distributions of rank tests. Pure; scipy does the sums.

Nothing here assumes a distribution of outages. A rank test of lengths that are known only between bounds is made on the
worst arrangement that the bounds allow: the p-value of a statistic is asked of scipy with ranks that have just it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
_EXACT_TREND = 100  # cycles; beyond, the normal approximation of scipy.stats.kendalltau
_EXACT_SHIFT = 3600  # pairs; beyond, that of scipy.stats.mannwhitneyu


def upper_limit(violations: int, cycles: int, confidence: float) -> float:
    """One-sided upper confidence limit on a probability, exact for fixed `cycles` (Clopper and Pearson, 1934)."""
    if violations >= cycles:  # also of none: nothing is known
        return 1.0
    from scipy.special import betaincinv

    return float(betaincinv(violations + 1, cycles - violations, confidence))


def lower_limit(violations: int, cycles: int, confidence: float) -> float:
    """One-sided lower confidence limit, likewise."""
    return 1.0 - upper_limit(cycles - violations, cycles, confidence) if cycles else 0.0


def tolerance_confidence(cycles: int, content: float, from_top: int = 1) -> float:
    """How sure it is that at least `content` of all lie below the `from_top`-th largest of `cycles` (Wilks, 1941)."""
    if from_top > cycles:
        return 0.0
    from scipy.special import bdtr

    return float(bdtr(cycles - from_top, cycles, content))


def least_cycles(content: float, confidence: float, from_top: int = 1) -> int:
    """The fewest cycles for which `tolerance_confidence` reaches `confidence` (59 for 95 % of 95 %)."""
    high = from_top
    while tolerance_confidence(high, content, from_top) < confidence:
        high *= 2
    low = high // 2
    while high - low > 1:  # the confidence grows with every cycle
        middle = (low + high) // 2
        low, high = (low, middle) if tolerance_confidence(middle, content, from_top) >= confidence else (middle, high)
    return high


@dataclass(frozen=True)
class Ranks:
    """Two ranks, counted from 1, between which a quantile lies with `confidence`; None: no cycle is that far out."""

    low: int | None
    high: int | None
    confidence: float


def quantile_ranks(cycles: int, content: float, confidence: float) -> Ranks:
    """The ranks of a two-sided distribution-free interval for a quantile, each tail at most half the rest.

    Conover, Practical Nonparametric Statistics, 3.2: P(X(r) <= q) = P(at most r - 1 of n lie below q) summed.
    """
    from scipy.special import bdtr

    tail = (1.0 - confidence) / 2
    below = bdtr(np.arange(cycles), cycles, content) if cycles else np.empty(0)  # P(at most k lie below), k < n
    low = int(np.searchsorted(below, tail, side="right"))  # largest r with P(at most r - 1) <= tail
    high = int(np.searchsorted(below, 1.0 - tail, side="left")) + 1  # least s with P(at most s - 1) >= 1 - tail
    reached_low = float(below[low - 1]) if low >= 1 else 0.0
    reached_high = float(below[high - 1]) if high <= cycles else 1.0
    return Ranks(low or None, high if high <= cycles else None, reached_high - reached_low)


def trend_p(score: int, cycles: int) -> float:
    """P(S >= `score`) for Kendall's S of `cycles` lengths without ties and without a trend.

    `score` and the number of pairs are odd or even together.
    """
    from scipy.stats import kendalltau

    pairs = cycles * (cycles - 1) // 2
    if cycles < 2 or score <= -pairs:
        return 1.0
    order = _order_with(inversions=(pairs - score) // 2, length=cycles)
    method = "exact" if cycles <= _EXACT_TREND else "asymptotic"
    return float(kendalltau(np.arange(cycles), order, method=method, alternative="greater").pvalue)


def _order_with(inversions: int, length: int) -> npt.NDArray[np.int64]:
    """An order of 0 ... length - 1 in which exactly so many pairs fall."""
    rest = list(range(length))
    order = []
    for left in range(length - 1, -1, -1):
        take = min(inversions, left)
        inversions -= take
        order.append(rest.pop(take))
    return np.asarray(order, dtype=np.int64)


def trend_margin(cycles: int, level: float) -> int | None:
    """The least S whose `trend_p` is at most `level`; None where even a perfect order does not reach it."""
    pairs = cycles * (cycles - 1) // 2
    if cycles < 2 or trend_p(pairs, cycles) > level:
        return None
    low, high = 0, pairs // 2 + 1  # steps of two down from a perfect order: `high` leaves no trend at all
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if trend_p(pairs - 2 * middle, cycles) <= level else (low, middle)
    return pairs - 2 * low


def shift_p(larger: int, first: int, second: int) -> float:
    """P(U >= `larger`): so many of the `first` x `second` pairs have the second larger, where both are alike."""
    from scipy.stats import mannwhitneyu

    if first == 0 or second == 0 or larger <= 0:
        return 1.0
    low, high = _samples_with(larger, first, second)
    method = "exact" if first * second <= _EXACT_SHIFT else "asymptotic"
    return float(mannwhitneyu(high, low, alternative="greater", method=method).pvalue)


def _samples_with(larger: int, first: int, second: int) -> tuple[Floats, Floats]:
    """Two samples without ties: exactly so many pairs have the second larger."""
    whole, part = divmod(larger, first)
    above = [first] * whole + [part] * (whole < second)
    above += [0] * (second - len(above))
    low = np.arange(1, first + 1, dtype=np.float64)
    high = np.asarray(above, dtype=np.float64) + 0.5 + np.arange(second) / (2.0 * second + 2.0)
    return low, high


def shift_margin(first: int, second: int, level: float) -> int | None:
    """The least number of larger pairs whose `shift_p` is at most `level`; None where none is."""
    pairs = first * second
    if pairs == 0 or shift_p(pairs, first, second) > level:
        return None
    low, high = pairs // 2, pairs  # shift_p(low) is about a half, shift_p(high) is small enough
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if shift_p(middle, first, second) <= level else (middle, high)
    return high


def ordered(values: Floats, rank: int) -> float | None:
    """The `rank`-th smallest, counted from 1; None where it is infinite. Reorders `values`."""
    values.partition(rank - 1)
    found = float(values[rank - 1])
    return found if math.isfinite(found) else None


def middle_of(values: Floats) -> float | None:
    """The median; None where it is infinite. Reorders `values`."""
    half = len(values) // 2
    values.partition([half - 1, half] if len(values) > 1 else half)
    found = float(values[half]) if len(values) % 2 else (float(values[half - 1]) + float(values[half])) / 2
    return found if math.isfinite(found) else None
