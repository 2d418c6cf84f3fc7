"""From what is known of the rail to hard bounds on how long it was away. The heart of the rig; pure.

What is true: for a threshold, up(t) = V(t) >= threshold. From up(t), first dips shorter than `ride_through` are filled,
then ups shorter than `restore_min` are dropped; what is left between two ups is an **outage**. Filling and dropping are
monotone (more up never means a longer outage), so with what is surely up and surely down known, exactly:

    upper = longest outage if everything not known up were down
    lower = longest outage if everything not known down were up

Both are then widened by the rate limit of the clock that stamped them. A gap in what was seen counts against the meter.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from rig.rail.intervals import Intervals
from rig.rail.merge import Knowledge
from rig.rail.source import Crossing

Open = Literal["none", "start", "end", "both"]
_SQRT3 = math.sqrt(3.0)


@dataclass(frozen=True)
class RailSettings:
    """What counts as an outage. Both times are printed assumptions. `rate_ppm` bounds the clock's rate error."""

    ride_through_ns: int = 20_000_000
    restore_min_ns: int = 1_000_000_000
    rate_ppm: float = 200.0


@dataclass(frozen=True)
class Estimate:
    """Where the rail crossed the middle of its thresholds, for people; rectangular, `half_width_ns` to each side."""

    at_ns: int
    half_width_ns: int


@dataclass(frozen=True)
class Outage:
    """One outage, or what may be one. Lengths are hard bounds in ns, `upper_ns` None = unbounded.

    `from_ns` is the last instant known up before it and `to_ns` the first known up after it (or the window's ends, see
    `open`); `down` are the stretches inside that are outages even if everything not known down were up. `down` is empty
    for a stretch of which nothing is known: it may have been an outage (`lower_ns` 0).
    """

    from_ns: int
    to_ns: int
    down: Intervals
    lower_ns: int
    upper_ns: int | None
    open: Open
    start: Estimate | None
    end: Estimate | None
    estimate_ns: int | None
    expanded_uncertainty_ns: int | None
    sources: tuple[str, ...]

    @property
    def proven(self) -> bool:
        """Whether it was surely an outage at all."""
        return self.lower_ns > 0


@dataclass(frozen=True)
class RailHistory:
    """All outages of a window, and the bounds on the longest one (ns; `upper_ns` None = unbounded)."""

    from_ns: int
    to_ns: int
    outages: tuple[Outage, ...]
    lower_ns: int
    upper_ns: int | None
    unseen: Intervals

    @property
    def longest(self) -> Outage | None:
        """The outage that people mean by 'the longest': by estimate, or else by its lower bound."""
        proven = [o for o in self.outages if o.proven]
        return max(proven, key=lambda o: (o.estimate_ns or o.lower_ns, o.lower_ns), default=None)


def widen(lower_ns: int, upper_ns: int, rate_ppm: float) -> tuple[int, int]:
    """Bounds on a length widened by the rate limit of the clock, always outward."""
    return max(0, lower_ns - math.ceil(lower_ns * rate_ppm * 1e-6)), upper_ns + math.ceil(upper_ns * rate_ppm * 1e-6)


def lower_world(down: Intervals, settings: RailSettings) -> Intervals:
    """The outages if everything not known down were up."""
    return down.drop_shorter_than(settings.ride_through_ns).join_closer_than(settings.restore_min_ns)


def upper_world(up: Intervals, settings: RailSettings, from_ns: int, to_ns: int) -> Intervals:
    """The outages inside the window if everything not known up were down."""
    kept = up.clip(from_ns, to_ns).join_closer_than(settings.ride_through_ns)
    return kept.drop_shorter_than(settings.restore_min_ns).gaps(from_ns, to_ns)


def longest_bounds(knowledge: Knowledge, settings: RailSettings, from_ns: int, to_ns: int) -> tuple[int, int | None]:
    """Only the bounds (lower, upper) on the longest outage: what a watch asks every second."""
    possible = upper_world(knowledge.up, settings, from_ns, to_ns)
    lower, upper = widen(
        lower_world(knowledge.down.clip(from_ns, to_ns), settings).longest(), possible.longest(), settings.rate_ppm
    )
    is_open = len(possible) > 0 and (int(possible.start[0]) == from_ns or int(possible.end[-1]) == to_ns)
    return lower, None if is_open else upper


def outages(knowledge: Knowledge, settings: RailSettings, from_ns: int, to_ns: int) -> RailHistory:
    """Every outage of the window [from_ns, to_ns] that was or may have been, with hard bounds.

    An outage that touches an end of the window is open there: its upper bound is unbounded, for nothing is known
    beyond.
    """
    proven = lower_world(knowledge.down.clip(from_ns, to_ns), settings)
    rows = tuple(
        _outage(knowledge, settings, proven.clip(a, b), a, b, (a == from_ns, b == to_ns))
        for a, b in upper_world(knowledge.up, settings, from_ns, to_ns)
    )
    lower, upper = longest_bounds(knowledge, settings, from_ns, to_ns)
    return RailHistory(from_ns, to_ns, rows, lower, upper, knowledge.seen.gaps(from_ns, to_ns))


def _outage(
    knowledge: Knowledge, settings: RailSettings, down: Intervals, first: int, last: int, touches: tuple[bool, bool]
) -> Outage:
    at_start, at_end = touches
    kind: Open = "both" if at_start and at_end else "start" if at_start else "end" if at_end else "none"
    lower, upper = widen(down.longest(), last - first, settings.rate_ppm)
    start = end = None
    if len(down):
        start = None if at_start else _estimate(knowledge.crossings, True, first, int(down.start[0]))
        end = None if at_end else _estimate(knowledge.crossings, False, int(down.end[-1]), last)
    length = expanded = None
    if start is not None and end is not None:
        length = end.at_ns - start.at_ns
        rate = length * settings.rate_ppm * 1e-6
        expanded = math.ceil(2 * math.hypot(start.half_width_ns, end.half_width_ns, rate) / _SQRT3)
    return Outage(
        first,
        last,
        down,
        lower,
        None if kind != "none" else upper,
        kind,
        start,
        end,
        length,
        expanded,
        knowledge.names_that_prove_down(first, last),
    )


def _estimate(crossings: tuple[Crossing, ...], falling: bool, first: int, last: int) -> Estimate:
    """The sharpest crossing that a source saw in [first, last], or else the middle of that stretch."""
    middle = Estimate((first + last) // 2, (last - first + 1) // 2)
    seen = [Estimate(c.at_ns, c.half_width_ns) for c in crossings if c.falling == falling and first <= c.at_ns <= last]
    return min([*seen, middle], key=lambda e: e.half_width_ns)
