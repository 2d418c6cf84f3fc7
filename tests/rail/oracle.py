"""The definition of an outage, written down as slowly and as plainly as possible. Shares no code with `rig.rail`.

A true rail is piecewise linear over exact rational time; it may jump, and stays as it is before its first corner and
after its last. Volts are rational, in millivolts. Everything is right-continuous: a stretch contains its start, not its
end.
"""

from __future__ import annotations

import itertools
import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

Number = int | Fraction
Stretch = tuple[Number | float, Number | float]


@dataclass(frozen=True)
class Rail:
    """Corners (time, volts just before, volts from then on), times strictly rising."""

    corners: tuple[tuple[Number, Number, Number], ...]

    def at(self, time: Number) -> Number:
        times = [c[0] for c in self.corners]
        k = bisect_right(times, time)
        if k == 0:
            return self.corners[0][1]
        if k == len(times):
            return self.corners[-1][2]
        (t0, _, v0), (t1, v1, _) = self.corners[k - 1], self.corners[k]
        return v0 + (v1 - v0) * Fraction(time - t0) / (t1 - t0)

    def pieces(self) -> list[tuple[Number | float, Number | float, Number, Number]]:
        """(from, to, volts at from, volts just before to), from minus infinity to infinity."""
        first, last = self.corners[0], self.corners[-1]
        rows: list[tuple[Number | float, Number | float, Number, Number]] = [(-math.inf, first[0], first[1], first[1])]
        for (t0, _, v0), (t1, v1, _) in zip(self.corners[:-1], self.corners[1:], strict=True):
            rows.append((t0, t1, v0, v1))
        rows.append((last[0], math.inf, last[2], last[2]))
        return rows

    def extremes(self, start: Number, end: Number) -> tuple[Number, Number]:
        """The least and the greatest volts in [start, end], both sides of every jump included."""
        values = [self.at(start), self.at(end)]
        for t, before, after in self.corners:
            if start < t <= end:
                values.append(before)
            if start <= t <= end:
                values.append(after)
        return min(values), max(values)

    def moved(self, scale: Fraction, offset: Number) -> Rail:
        """The same rail against a clock that shows offset + scale * t."""
        return Rail(tuple((offset + scale * t, a, b) for t, a, b in self.corners))


def up_stretches(rail: Rail, threshold: Number) -> list[Stretch]:
    """Where V >= threshold, in order, touching ones joined."""
    found: list[Stretch] = []
    for t0, t1, v0, v1 in rail.pieces():
        if v0 >= threshold and v1 >= threshold:
            piece: Stretch = (t0, t1)
        elif v0 < threshold and v1 < threshold:
            continue
        else:
            cross = t0 + (threshold - v0) * Fraction(t1 - t0) / (v1 - v0)  # type: ignore[operator, arg-type]
            piece = (cross, t1) if v0 < threshold else (t0, cross)
        if piece[0] == piece[1]:
            continue
        if found and found[-1][1] == piece[0]:
            found[-1] = (found[-1][0], piece[1])
        else:
            found.append(piece)
    return found


def outages(ups: Sequence[Stretch], ride_through: Number, restore_min: Number) -> list[Stretch]:
    """Fill dips shorter than `ride_through`, drop ups shorter than `restore_min`; what is left between is an outage."""
    filled: list[Stretch] = []
    for start, end in ups:
        if filled and start - filled[-1][1] < ride_through:
            filled[-1] = (filled[-1][0], end)
        else:
            filled.append((start, end))
    kept = [(start, end) for start, end in filled if end - start >= restore_min]
    edges: list[Number | float] = [-math.inf]
    for start, end in kept:
        edges += [start, end]
    edges.append(math.inf)
    return [(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if a < b]


def longest(found: Sequence[Stretch], start: Number, end: Number) -> Number | float:
    """The full length of the longest outage of which a part lies in the window; infinite where it never ends."""
    return max((b - a for a, b in found if a < end and b > start), default=0)


def truth(
    rail: Rail, threshold: Number, ride_through: Number, restore_min: Number, start: Number, end: Number
) -> Number | float:
    """What is true: the longest outage of the window [start, end]."""
    return longest(outages(up_stretches(rail, threshold), ride_through, restore_min), start, end)


def short_dips(rail: Rail, threshold: Number, ride_through: Number) -> list[Stretch]:
    """The dips that `ride_through` fills."""
    ups = up_stretches(rail, threshold)
    return [(a[1], b[0]) for a, b in itertools.pairwise(ups) if b[0] - a[1] < ride_through]
