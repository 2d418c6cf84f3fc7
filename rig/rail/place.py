"""A source with a clock of its own, put on the common line: an offset within limits, a rate within limits. Pure.

Spans shrink by the worst case of both. The limits of the offset come from paired readings of both clocks (the trigger
fell between a query that said 'waiting' and an answer that said 'triggered'); they may be narrowed by what another
source proves about the same node, for two truthful sources never prove opposite things. That matches no cut to another.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from rig.rail.intervals import Array, Intervals
from rig.rail.source import Crossing, Source


@dataclass(frozen=True)
class Offset:
    """The source's zero lies somewhere in [low_ns, high_ns] of the common line; its rate is within `rate_ppm`."""

    low_ns: int
    high_ns: int
    rate_ppm: float


def place(source: Source, offset: Offset) -> Source:
    """The source on the common line, each span shrunk so that it is true for every offset and rate allowed."""
    middle, half = (offset.low_ns + offset.high_ns) // 2, (offset.high_ns - offset.low_ns + 1) // 2

    def moved(spans: Intervals) -> Intervals:
        late = spans.start + offset.high_ns + _drift(spans.start, offset)
        early = spans.end + offset.low_ns - _drift(spans.end, offset)
        return Intervals.normalised(late, early)

    crossings = tuple(
        Crossing(c.at_ns + middle, c.falling, c.half_width_ns + half + int(abs(c.at_ns) * offset.rate_ppm * 1e-6))
        for c in source.crossings
    )
    return replace(source, up=moved(source.up), down=moved(source.down), seen=moved(source.seen), crossings=crossings)


def narrow(source: Source, offset: Offset, reference: Source) -> Offset | None:
    """The part of `offset` in which `source` and `reference` do not contradict each other; None when there is none.

    Only the outermost feasible offsets are kept, so the true offset is never lost when both sources are truthful.
    """
    low, high = _forbidden(source.up, reference.down, offset, source.up_bridge_ns + reference.down_bridge_ns)
    low2, high2 = _forbidden(source.down, reference.up, offset, source.down_bridge_ns + reference.up_bridge_ns)
    taken = Intervals.normalised(np.concatenate((low, low2)) + 1, np.concatenate((high, high2)) - 1)
    free = _integer_gaps(taken, offset.low_ns, offset.high_ns)
    if free is None:
        return None
    return replace(offset, low_ns=free[0], high_ns=free[1])


def _drift(at: Array, offset: Offset) -> Array:
    return np.ceil(np.abs(at) * (offset.rate_ppm * 1e-6)).astype(np.int64)


def _forbidden(mine: Intervals, theirs: Intervals, offset: Offset, bridged: int) -> tuple[Array, Array]:
    """Offsets (open intervals) at which one of `mine` would overlap one of `theirs` by more than `bridged`."""
    if len(mine) == 0 or len(theirs) == 0:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    start = mine.start + _drift(mine.start, offset)
    end = mine.end - _drift(mine.end, offset)
    low = (theirs.start[None, :] - end[:, None] + bridged).ravel()
    high = (theirs.end[None, :] - start[:, None] - bridged).ravel()
    keep = (high - low > 1) & (high > offset.low_ns) & (low < offset.high_ns)
    return low[keep], high[keep]


def _integer_gaps(taken: Intervals, low: int, high: int) -> tuple[int, int] | None:
    """The least and the greatest integer of [low, high] outside `taken`."""
    first, last = low, high
    for a, b in taken:
        if a <= first <= b:
            first = b + 1
    for a, b in reversed(list(taken)):
        if a <= last <= b:
            last = a - 1
    return (first, last) if first <= last else None
