"""The distribution of the longest outage over the cycles: by lower and by upper bounds, without a model of it. Pure.

Every figure is a band. The true lengths lie between the bounds, and order statistics keep that order: the r-th smallest
true length lies between the r-th smallest lower and the r-th smallest upper bound. An unbounded upper bound is larger
than all others: what needs it is None.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rig.judgement.soak.cycle import Cycle
from rig.judgement.soak.ranks import Floats, least_cycles, quantile_ranks, tolerance_confidence

QUANTILES = (0.5, 0.9, 0.95, 0.99)
CONTENTS = (0.95, 0.99)
_BINS = 20
_MOST_STEPS = 400


@dataclass(frozen=True)
class Largest:
    """The longest outage of all cycles: at least, and at most (None = unbounded)."""

    lower_s: float
    upper_s: float | None


@dataclass(frozen=True)
class Quantile:
    """The sample's quantile lies from `lower_s` to `upper_s` (None = unbounded); that of all activations, with
    `confidence`, from `from_s` to `to_s` (`to_s` None: too few cycles, or unbounded ones, to say)."""

    content: float
    lower_s: float
    upper_s: float | None
    from_s: float
    to_s: float | None
    confidence: float


@dataclass(frozen=True)
class Tolerance:
    """With `confidence`, at least `content` of all activations stay at or below `upper_s`, the largest upper bound.

    `needed_cycles` give `needed_confidence`.
    """

    content: float
    confidence: float
    upper_s: float | None
    needed_cycles: int
    needed_confidence: float


@dataclass(frozen=True)
class Bin:
    """How many lower bounds and how many upper bounds lie in [from_s, to_s). All are equally wide; none is empty."""

    from_s: float
    to_s: float
    lower: int
    upper: int


@dataclass(frozen=True)
class Step:
    """The share of cycles whose longest outage is at most `at_s`: surely (`least`), and possibly (`most`)."""

    at_s: float
    least: float
    most: float


@dataclass(frozen=True)
class Distribution:
    """`cycles` that measured; beside them those that are void (another cause), and those of which nothing is known.

    `unbounded`: how many of `cycles` have no upper bound; they are in no bin.
    """

    cycles: int
    void: int
    without: int
    unbounded: int
    largest: Largest | None
    quantiles: tuple[Quantile, ...]
    tolerance: tuple[Tolerance, ...]
    histogram: tuple[Bin, ...]
    ecdf: tuple[Step, ...]


def distribution_of(cycles: Sequence[Cycle], confidence: float) -> Distribution:
    measured = [cycle for cycle in cycles if cycle.is_measured]
    lower = np.sort(np.asarray([c.lower_s for c in measured], dtype=np.float64))
    upper = np.sort(np.asarray([math.inf if c.upper_s is None else c.upper_s for c in measured], dtype=np.float64))
    return Distribution(
        cycles=len(measured),
        void=sum(c.void for c in cycles),
        without=sum(c.lower_s is None and not c.void for c in cycles),
        unbounded=int(np.isinf(upper).sum()),
        largest=Largest(float(lower[-1]), _finite(upper[-1])) if measured else None,
        quantiles=tuple(_quantile(lower, upper, content, confidence) for content in QUANTILES) if measured else (),
        tolerance=tuple(_tolerance(upper, content, confidence) for content in CONTENTS),
        histogram=_histogram(lower, upper),
        ecdf=_ecdf(lower, upper),
    )


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _quantile(lower: Floats, upper: Floats, content: float, confidence: float) -> Quantile:
    count = len(lower)
    rank = max(1, math.ceil(content * count - 1e-9))  # 0.95 * 20 is 19, whatever binary makes of 0.95
    ranks = quantile_ranks(count, content, confidence)
    return Quantile(
        content,
        lower_s=float(lower[rank - 1]),
        upper_s=_finite(upper[rank - 1]),
        from_s=0.0 if ranks.low is None else float(lower[ranks.low - 1]),
        to_s=None if ranks.high is None else _finite(upper[ranks.high - 1]),
        confidence=ranks.confidence,
    )


def _tolerance(upper: Floats, content: float, confidence: float) -> Tolerance:
    reached = tolerance_confidence(len(upper), content)
    largest = _finite(upper[-1]) if len(upper) else None
    return Tolerance(content, reached, largest, least_cycles(content, confidence), confidence)


def _histogram(lower: Floats, upper: Floats) -> tuple[Bin, ...]:
    """As wide as shows where most lie; a few that lie far out do not make them wider."""
    finite = upper[np.isfinite(upper)]
    both = np.concatenate((lower, finite))
    if len(both) == 0:
        return ()
    most = np.quantile(both, (0.05, 0.95))
    width = _round_width(float(most[1] - most[0]) / _BINS)
    counts = [Counter(np.floor(values / width).astype(np.int64).tolist()) for values in (lower, finite)]
    where = sorted({index for count in counts for index in count})
    return tuple(Bin(n * width, (n + 1) * width, counts[0][n], counts[1][n]) for n in where)


def _round_width(least: float) -> float:
    """The smallest of 1, 2, 5 x 10^n that is not below `least`; at least a millisecond."""
    least = max(least, 0.001)
    power = 10.0 ** math.floor(math.log10(least))
    return next(m * power for m in (1.0, 2.0, 5.0, 10.0) if m * power >= least * (1 - 1e-9))


def _ecdf(lower: Floats, upper: Floats) -> tuple[Step, ...]:
    """At every length where either curve steps; of very many, evenly chosen ones, each exact."""
    at = np.unique(np.concatenate((lower, upper[np.isfinite(upper)])))
    if len(at) > _MOST_STEPS:
        at = at[np.linspace(0, len(at) - 1, _MOST_STEPS).round().astype(np.intp)]
    least = np.searchsorted(upper, at, side="right") / max(1, len(upper))
    most = np.searchsorted(lower, at, side="right") / max(1, len(lower))
    return tuple(Step(float(x), float(a), float(b)) for x, a, b in zip(at, least, most, strict=True))
