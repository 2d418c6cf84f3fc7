"""A source with a clock of its own, put on the common line: an offset within limits, a rate within limits. Pure.

Spans shrink by the worst case of both. The limits of the offset come from paired readings of both clocks (the trigger
fell between a query that said 'waiting' and an answer that said 'triggered'); they may be narrowed by what another
source proves about the same node, for two truthful sources never prove opposite things. That matches no cut to another.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from rig.errors import InputError, Where
from rig.rail.intervals import Array, Intervals, checked
from rig.rail.source import Contradiction, Crossings, Source

_PAIRS = 1 << 18
"""Pairs of spans that are compared at once."""

_MOST_PAIRS = 1 << 23
"""Pairs that are compared at all: the longest spans first. What is left out can only leave the offset wider."""


@dataclass(frozen=True)
class Offset:
    """What the source's clock shows as `anchor_ns` happens in [anchor + low, anchor + high] of the common line.

    Away from the anchor its rate is within `rate_ppm` at every moment. Raises `InputError` for senseless limits.
    """

    low_ns: int
    high_ns: int
    rate_ppm: float
    anchor_ns: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.rate_ppm <= 1e5:
            raise InputError("rate out of range", Where(key="rate_ppm", found=str(self.rate_ppm), expected="0 to 1e5"))
        checked(self.anchor_ns)
        if not checked(self.low_ns) <= checked(self.high_ns):
            raise InputError("an offset without room", Where(found=f"{self.low_ns} to {self.high_ns} ns"))

    def drift_ns(self, at_ns: Array) -> Array:
        """By how much the rate may have moved instants of the source's line (shape (n,)) away from the common one."""
        rate = self.rate_ppm * 1e-6
        away = np.abs(at_ns - self.anchor_ns) * (rate / (1 - rate))
        return np.ceil(away).astype(np.int64) + (1 if rate else 0)

    def latest(self, at_ns: Array) -> Array:
        return np.asarray(at_ns + self.high_ns + self.drift_ns(at_ns))

    def earliest(self, at_ns: Array) -> Array:
        return np.asarray(at_ns + self.low_ns - self.drift_ns(at_ns))


@dataclass(frozen=True)
class Reading:
    """The source's clock showed `source_ns` at some moment between `sent_ns` and `received_ns` of the common line."""

    sent_ns: int
    source_ns: int
    received_ns: int


def paired(readings: Iterable[Reading], rate_ppm: float) -> tuple[Offset, ...] | None:
    """The offset near each of several readings; `place` takes all of them. None when they contradict each other."""
    rows = tuple(Offset(r.sent_ns - r.source_ns, r.received_ns - r.source_ns, rate_ppm, r.source_ns) for r in readings)
    anchors = np.array([o.anchor_ns for o in rows], np.int64)
    if rows and bool(np.any(_latest(rows, anchors) < _earliest(rows, anchors))):
        return None
    return rows


def place(source: Source, *offsets: Offset) -> Source:
    """The source on the common line, each span shrunk so that it is true for every offset and rate allowed.

    Raises ValueError without any offset.
    """
    if not offsets:
        raise ValueError("a source needs an offset to be placed")
    worst = max(o.rate_ppm for o in offsets) * 1e-6
    slower = 1 / (1 - worst)

    def moved(spans: Intervals) -> Intervals:
        return Intervals.normalised(_latest(offsets, spans.start), _earliest(offsets, spans.end))

    return replace(
        source,
        up=moved(source.up),
        down=moved(source.down),
        seen=moved(source.seen),
        crossings=_moved_crossings(source.crossings, offsets),
        up_bridge_ns=math.ceil(source.up_bridge_ns * slower),
        down_bridge_ns=math.ceil(source.down_bridge_ns * slower),
    )


def narrow(source: Source, offset: Offset, reference: Source) -> Offset | None:
    """The part of `offset` in which `source` and `reference` do not contradict each other; None when there is none.

    Only the outermost feasible offsets are kept, so the true offset is never lost when both sources are truthful.
    Raises ValueError when the two speak of different nodes.
    """
    if source.node != reference.node:
        raise ValueError(f"{source.name} speaks of {source.node}, {reference.name} of {reference.node}")
    slower = 1 / (1 - offset.rate_ppm * 1e-6)
    taken = Intervals.empty()
    for mine, theirs, own, other in (
        (source.up, reference.down, source.up_bridge_ns, reference.down_bridge_ns),
        (source.down, reference.up, source.down_bridge_ns, reference.up_bridge_ns),
    ):
        for low, high in _forbidden(mine, theirs, offset, math.ceil(own * slower) + other):
            taken = taken.union(Intervals.normalised(low + 1, high - 1))
    free = _outermost(taken, offset.low_ns, offset.high_ns)
    return None if free is None else replace(offset, low_ns=free[0], high_ns=free[1])


def place_beside(source: Source, offset: Offset, reference: Source) -> Source:
    """The source placed as well as `reference` allows.

    Where no offset allowed agrees with both, one of the two is wrong: what it proves is given up, and that is a
    contradiction from the first to the last instant at which it may have proven anything. (To place it by `offset`
    alone would shrink away the very spans that disagree.)
    """
    narrowed = narrow(source, offset, reference)
    if narrowed is not None:
        return place(source, narrowed)
    spans = source.up.union(source.down)
    first, last = int(offset.earliest(spans.start[:1])[0]), int(offset.latest(spans.end[-1:])[0])
    nothing = Intervals.empty()
    found = Contradiction(source.node, first, last, source.name, reference.name)
    return Source(source.name, source.node, nothing, nothing, nothing, contradictions=(found,))


def _latest(offsets: tuple[Offset, ...], at_ns: Array) -> Array:
    return np.asarray(np.min([o.latest(at_ns) for o in offsets], axis=0))


def _earliest(offsets: tuple[Offset, ...], at_ns: Array) -> Array:
    return np.asarray(np.max([o.earliest(at_ns) for o in offsets], axis=0))


def _moved_crossings(crossings: Crossings, offsets: tuple[Offset, ...]) -> Crossings:
    if len(crossings) == 0:
        return crossings
    latest, earliest = _latest(offsets, crossings.at_ns), _earliest(offsets, crossings.at_ns)
    common = (offsets[0].high_ns - offsets[0].low_ns) // 2 if len(offsets) == 1 else 0
    moved = replace(
        crossings,
        at_ns=(latest + earliest) // 2,
        half_width_ns=crossings.half_width_ns + (latest - earliest + 1) // 2,
        shift_ns=crossings.shift_ns + common,
    )
    return moved.part(latest >= earliest)


def _forbidden(mine: Intervals, theirs: Intervals, offset: Offset, bridged: int) -> Iterator[tuple[Array, Array]]:
    """Offsets (open intervals) at which one of `mine` would overlap one of `theirs` by more than `bridged`."""
    start, end = mine.start + offset.drift_ns(mine.start), mine.end - offset.drift_ns(mine.end)
    long = end - start > bridged  # a shorter one never overlaps anything by that much
    start, end = start[long], end[long]
    theirs = theirs.drop_shorter_than(bridged + 1)
    if len(start) == 0 or len(theirs) == 0:
        return
    longest = np.argsort(start - end, kind="stable")
    start, end = start[longest], end[longest]
    first = np.searchsorted(theirs.end, start + offset.low_ns, side="left")
    after = np.maximum(first, np.searchsorted(theirs.start, end + offset.high_ns, side="right"))
    pairs = np.cumsum(after - first)
    for begin, stop in _portions(pairs):
        count = after[begin:stop] - first[begin:stop]
        row = np.repeat(np.arange(begin, stop), count)
        other = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count) + first[row]
        low, high = theirs.start[other] - end[row] + bridged, theirs.end[other] - start[row] - bridged
        keep = (high - low > 1) & (high > offset.low_ns) & (low < offset.high_ns)
        yield low[keep], high[keep]


def _portions(pairs: Array) -> Iterator[tuple[int, int]]:
    """Rows that together have about `_PAIRS` pairs (one at least), until `_MOST_PAIRS`; `pairs` is the running sum."""
    begin, done = 0, 0
    while begin < len(pairs) and done < _MOST_PAIRS:
        stop = max(begin + 1, int(np.searchsorted(pairs, done + _PAIRS, side="right")))
        yield begin, stop
        begin, done = stop, int(pairs[stop - 1])


def _outermost(taken: Intervals, low: int, high: int) -> tuple[int, int] | None:
    """The least and the greatest integer of [low, high] outside `taken`."""
    first, last = low, high
    rows = list(taken)
    for a, b in rows:
        if a <= first <= b:
            first = b + 1
    for a, b in reversed(rows):
        if a <= last <= b:
            last = a - 1
    return (first, last) if first <= last else None
