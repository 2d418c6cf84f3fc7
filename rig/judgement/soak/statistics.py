"""All that a soak's cycles say together, and by direction. Pure: from cycles to figures; loads scipy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rig.judgement.soak.counting import Counts, Violation, counts_of, violation_of
from rig.judgement.soak.cycle import Cycle, Direction, by_direction
from rig.judgement.soak.distribution import Distribution, distribution_of
from rig.judgement.soak.trend import Trend, trend_of

CONFIDENCE = 0.95


@dataclass(frozen=True)
class OfDirection:
    """One direction's share of the soak."""

    direction: Direction
    counts: Counts
    violation: Violation
    outage: Distribution


@dataclass(frozen=True)
class Statistics:
    """`trends`: one of each direction; the error that `confidence` leaves is shared among them."""

    confidence: float
    counts: Counts
    violation: Violation
    outage: Distribution
    directions: tuple[OfDirection, ...]
    trends: tuple[Trend, ...]


def statistics_of(cycles: Sequence[Cycle], confidence: float = CONFIDENCE) -> Statistics:
    """Of any number of cycles, also none. The order of `cycles` does not matter: their numbers do, for the trend."""
    groups = by_direction(cycles)
    level = (1.0 - confidence) / 2 / max(1, len(groups))
    counts = counts_of(cycles)
    return Statistics(
        confidence,
        counts,
        violation_of(counts, confidence),
        distribution_of(cycles, confidence),
        tuple(_of(direction, rows, confidence) for direction, rows in groups.items()),
        tuple(trend_of(direction, rows, level) for direction, rows in groups.items()),
    )


def _of(direction: Direction, rows: Sequence[Cycle], confidence: float) -> OfDirection:
    counts = counts_of(rows)
    return OfDirection(direction, counts, violation_of(counts, confidence), distribution_of(rows, confidence))
