"""Sets of time: sorted, disjoint, closed intervals of integer nanoseconds.

Pure. Knows nothing of volts or of limits. A set is two int64 arrays of shape (n,), `start <= end`,
`end[i] < start[i+1]`. Instants lie within +-`INSTANT_LIMIT`, so that neither a length nor a shift can wrap around.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.int64]
INSTANT_LIMIT = 1 << 61
"""73 years in ns."""


def checked(at_ns: int) -> int:
    """The instant itself. Raises ValueError when it is outside what this module can add and subtract."""
    if not -INSTANT_LIMIT <= at_ns <= INSTANT_LIMIT:
        raise ValueError(f"an instant of {at_ns} ns is more than 73 years from zero")
    return at_ns


def _array(values: Iterable[int]) -> Array:
    return np.asarray(list(values), dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Intervals:
    """Sorted disjoint closed intervals in ns. Build with `of` or `union`; the constructor trusts the order.

    Raises ValueError for instants beyond `INSTANT_LIMIT`.
    """

    start: Array
    end: Array

    def __post_init__(self) -> None:
        if len(self.start):
            checked(int(self.start[0]))
            checked(int(self.end[-1]))

    @staticmethod
    def empty() -> Intervals:
        return Intervals(np.empty(0, np.int64), np.empty(0, np.int64))

    @staticmethod
    def of(pairs: Iterable[tuple[int, int]]) -> Intervals:
        """From any pairs (start, end), in any order, overlapping or not. Pairs with end < start are left out."""
        rows = [(checked(int(a)), checked(int(b))) for a, b in pairs]
        return Intervals.normalised(_array(a for a, _ in rows), _array(b for _, b in rows))

    @staticmethod
    def normalised(start: Array, end: Array) -> Intervals:
        """From arrays in any order: sorted, empty ones dropped, overlapping or touching ones joined."""
        if len(start) == 0 or (bool((end >= start).all()) and bool((start[1:] > end[:-1]).all())):
            return Intervals(start, end)  # as it mostly is
        keep = end >= start
        start, end = start[keep], end[keep]
        if len(start) == 0:
            return Intervals.empty()
        order = np.argsort(start, kind="stable")
        start, end = start[order], np.maximum.accumulate(end[order])
        first = np.concatenate(([True], start[1:] > end[:-1]))
        last = np.concatenate((first[1:], [True]))
        return Intervals(start[first], end[last])

    def __len__(self) -> int:
        return len(self.start)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return zip(self.start.tolist(), self.end.tolist(), strict=True)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Intervals)
            and np.array_equal(self.start, other.start)
            and np.array_equal(self.end, other.end)
        )

    __hash__ = None  # type: ignore[assignment]

    def lengths(self) -> Array:
        return self.end - self.start

    def union(self, *others: Intervals) -> Intervals:
        sets = [s for s in (self, *others) if len(s)]
        if len(sets) == 1:
            return Intervals.normalised(sets[0].start, sets[0].end)
        if not sets:
            return self
        return Intervals.normalised(np.concatenate([s.start for s in sets]), np.concatenate([s.end for s in sets]))

    def gaps(self, start: int, end: int) -> Intervals:
        """What of the window is not in this set, each gap with its closed ends; gaps of no length are left out.

        Two gaps touch where this set has a single instant.
        """
        inside = self.clip(checked(start), checked(end))
        starts = np.concatenate((np.array([start], np.int64), inside.end))
        ends = np.concatenate((inside.start, np.array([end], np.int64)))
        keep = ends > starts
        return Intervals(starts[keep], ends[keep])

    def clip(self, start: int, end: int) -> Intervals:
        """The part inside [start, end]; what only touches the window with a point is kept as that point."""
        first = int(self.end.searchsorted(start, side="left"))
        after = max(first, int(self.start.searchsorted(end, side="right"))) if start <= end else first
        return Intervals(np.maximum(self.start[first:after], start), np.minimum(self.end[first:after], end))

    def intersection(self, other: Intervals) -> Intervals:
        """Where both are, with positive length (single points are left out)."""
        first = other.end.searchsorted(self.start, side="right")
        count = np.maximum(other.start.searchsorted(self.end, side="left") - first, 0)
        meetings = int(count.sum())
        if meetings == 0:
            return Intervals.empty()
        mine = np.repeat(np.arange(len(self)), count)
        theirs = np.arange(meetings) + np.repeat(first - (np.cumsum(count) - count), count)
        start = np.maximum(self.start[mine], other.start[theirs])
        end = np.minimum(self.end[mine], other.end[theirs])
        keep = end > start
        return Intervals(start[keep], end[keep])

    def minus(self, other: Intervals) -> Intervals:
        """What is in this set and not in the other, with positive length."""
        if len(self) == 0 or len(other) == 0:
            return self
        long = other.drop_shorter_than(1)  # a single instant takes nothing away
        return self.intersection(long.gaps(int(self.start[0]), int(self.end[-1])))

    def join_closer_than(self, gap: int) -> Intervals:
        """Neighbours with less than `gap` between them become one."""
        if len(self) < 2:
            return self
        apart = (self.start[1:] - self.end[:-1]) >= gap
        first = np.concatenate(([True], apart))
        last = np.concatenate((apart, [True]))
        return Intervals(self.start[first], self.end[last])

    def drop_shorter_than(self, length: int) -> Intervals:
        keep = self.lengths() >= length
        return Intervals(self.start[keep], self.end[keep])

    def measure(self, start: Array, end: Array) -> Array:
        """How much of each window [start[i], end[i]] lies in this set, in ns; windows of shape (n,)."""
        if len(self) == 0:
            return np.zeros(len(start), np.int64)
        before = np.concatenate(([0], np.cumsum(self.lengths())))

        def covered(at: Array) -> Array:
            begun = self.start.searchsorted(at, side="right")
            last = np.maximum(begun - 1, 0)
            return np.asarray(before[begun] - np.where(begun > 0, np.maximum(self.end[last] - at, 0), 0))

        return covered(end) - covered(start)

    def longest(self) -> int:
        """Length of the longest interval in ns, 0 when there is none."""
        return int(self.lengths().max()) if len(self) else 0

    def holds(self, at: Array) -> npt.NDArray[np.bool_]:
        """Whether each of these instants, shape (n,), lies in this set."""
        if len(self) == 0:
            return np.zeros(len(at), np.bool_)
        index = self.start.searchsorted(at, side="right") - 1
        return np.asarray((index >= 0) & (self.end[index] >= at))

    def contains(self, at: int) -> bool:
        index = int(np.searchsorted(self.start, at, side="right")) - 1
        return index >= 0 and bool(self.end[index] >= at)
