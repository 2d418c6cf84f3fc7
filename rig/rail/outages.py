"""From what is known of the rail to hard bounds on how long it was away. The heart of the rig; pure.

What is true: for a threshold, up(t) = V(t) >= threshold. From up(t), first dips shorter than `ride_through` are filled,
then ups shorter than `restore_min` are dropped; what is left between two ups is an **outage**. Filling and dropping are
monotone (more up never means a longer outage), so with what is surely up and surely down known, exactly:

    upper = longest outage if everything not known up were down
    lower = longest outage if everything not known down were up

This holds for every threshold above `down_below_v` and not above `up_above_v`. The clock that stamped all this may be
wrong by its rate limit: lengths are widened by it, and a stretch counts as shorter (or not shorter) than a setting only
where it is so at every rate allowed. Where the rate is known only on average between two looks at another clock, both
ends of a length may lie anywhere between two such looks, and that is added. A gap in what was seen counts against the
meter.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from rig.errors import InputError, Where
from rig.rail.estimate import Estimate, expanded_ns, sharpest
from rig.rail.intervals import Intervals
from rig.rail.merge import Knowledge
from rig.rail.source import Crossings

Open = Literal["none", "start", "end", "both"]
_OPEN: dict[tuple[bool, bool], Open] = {
    (False, False): "none",
    (True, False): "start",
    (False, True): "end",
    (True, True): "both",
}
"""By whether an outage touches the start and the end of the window."""


@dataclass(frozen=True)
class RailSettings:
    """What counts as an outage. Both times are printed assumptions. `rate_ppm` bounds the clock's rate error.

    `pair_ns`: over how long a stretch that rate is an average (0: it holds at every moment, as a crystal's does).
    Inside one stretch a clock that is slewed may do all of it at once.

    Raises `InputError` for settings that make no sense.
    """

    ride_through_ns: int = 20_000_000
    restore_min_ns: int = 1_000_000_000
    rate_ppm: float = 200.0
    pair_ns: int = 0

    def __post_init__(self) -> None:
        if self.ride_through_ns < 0 or self.restore_min_ns < 0:
            found = f"{self.ride_through_ns} ns, {self.restore_min_ns} ns"
            raise InputError("ride-through and restore time cannot be negative", Where(found=found))
        if not 0 <= self.rate_ppm <= 1e5:
            raise InputError("rate out of range", Where(key="rate_ppm", found=str(self.rate_ppm), expected="0 to 1e5"))
        if self.pair_ns < 0:
            raise InputError("a stretch cannot be negative", Where(key="pair_ns", found=str(self.pair_ns)))

    @cached_property
    def step_ns(self) -> int:
        """How far a length may be off besides its rate: each of its ends lies somewhere inside one stretch."""
        return math.ceil(2 * self.pair_ns * self.rate_ppm * 1e-6)

    def surely_ns(self, length_ns: int) -> int:
        """The least length on the clock that is surely no shorter than `length_ns`: length / (1 - rate) + step."""
        whole, kept = self._left
        return -(-length_ns * whole // kept) + self.step_ns

    def surely_below_ns(self, length_ns: int) -> int:
        """A length on the clock below this is surely shorter than `length_ns`: length * (1 - rate) - step."""
        whole, kept = self._left
        return max(0, -(-length_ns * kept // whole) - self.step_ns)

    def widened(self, lower_ns: int, upper_ns: int) -> tuple[int, int]:
        """Bounds on a length as the clock has it, widened by what the clock may be wrong by. No length stays none."""
        (whole, kept), step = self._left, self.step_ns
        lower = lower_ns * kept // whole - step
        return max(0, lower), -(-upper_ns * whole // kept) + step if upper_ns > 0 else 0

    @cached_property
    def _left(self) -> tuple[int, int]:
        """1 - rate as an exact fraction: (whole, kept), of which it is kept / whole."""
        ppm, parts = self.rate_ppm.as_integer_ratio()
        return parts * 1_000_000, parts * 1_000_000 - ppm


@dataclass(frozen=True)
class Outage:
    """One outage, or what may be one. Lengths are hard bounds in ns, `upper_ns` None = unbounded.

    `from_ns` is the last instant known up before it and `to_ns` the first known up after it (or the window's ends, see
    `open`). `downs` are all stretches of the history that are outages even if everything not known down were up, `down`
    those inside this one: none in a stretch of which nothing is known, which may have been an outage (`lower_ns` 0).

    What is for people (`start`, `end`, `estimate_ns`, `expanded_uncertainty_ns`) is worked out when somebody asks, from
    the `crossings` that were seen inside and the limit of the clock's rate; None where there is nothing to tell.
    """

    from_ns: int
    to_ns: int
    lower_ns: int
    upper_ns: int | None
    open: Open
    downs: Intervals
    sources: tuple[str, ...]
    crossings: Crossings
    rate_ppm: float

    @property
    def proven(self) -> bool:
        """Whether it was surely an outage at all."""
        return self.lower_ns > 0

    @cached_property
    def down(self) -> Intervals:
        """Where it was surely one."""
        return self.downs.clip(self.from_ns, self.to_ns)

    @cached_property
    def start(self) -> Estimate | None:
        """When it began."""
        if len(self.down) == 0 or self.open in ("start", "both"):
            return None
        return sharpest(self.crossings, True, self.from_ns, int(self.down.start[0]))

    @cached_property
    def end(self) -> Estimate | None:
        """When it ended."""
        if len(self.down) == 0 or self.open in ("end", "both"):
            return None
        return sharpest(self.crossings, False, int(self.down.end[-1]), self.to_ns)

    @property
    def estimate_ns(self) -> int | None:
        """Its length."""
        return None if self.start is None or self.end is None else self.end.at_ns - self.start.at_ns

    @property
    def expanded_uncertainty_ns(self) -> int | None:
        """The expanded uncertainty of that length, k = 2."""
        return None if self.start is None or self.end is None else expanded_ns(self.start, self.end, self.rate_ppm)


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


def lower_world(down: Intervals, settings: RailSettings) -> Intervals:
    """The outages if everything not known down were up."""
    kept = down.drop_shorter_than(settings.surely_ns(settings.ride_through_ns))
    return kept.join_closer_than(settings.surely_below_ns(settings.restore_min_ns))


def upper_world(up: Intervals, settings: RailSettings, from_ns: int, to_ns: int) -> Intervals:
    """The outages inside the window if everything not known up were down."""
    kept = up.clip(from_ns, to_ns).join_closer_than(settings.surely_below_ns(settings.ride_through_ns))
    return kept.drop_shorter_than(settings.surely_ns(settings.restore_min_ns)).gaps(from_ns, to_ns)


def longest_bounds(knowledge: Knowledge, settings: RailSettings, from_ns: int, to_ns: int) -> tuple[int, int | None]:
    """Only the bounds (lower, upper) on the longest outage: what a watch asks every second.

    In a window without length nothing was seen: upper is unbounded.
    """
    if to_ns <= from_ns:
        return 0, None
    proven, possible = _worlds(knowledge, settings, from_ns, to_ns)
    return _bounds(proven, possible, settings, from_ns, to_ns)


def _worlds(knowledge: Knowledge, settings: RailSettings, from_ns: int, to_ns: int) -> tuple[Intervals, Intervals]:
    proven = lower_world(knowledge.down.clip(from_ns, to_ns), settings)
    return proven, upper_world(knowledge.up, settings, from_ns, to_ns)


def _bounds(
    proven: Intervals, possible: Intervals, settings: RailSettings, from_ns: int, to_ns: int
) -> tuple[int, int | None]:
    lower, upper = settings.widened(proven.longest(), possible.longest())
    is_open = len(possible) > 0 and (int(possible.start[0]) == from_ns or int(possible.end[-1]) == to_ns)
    return lower, None if is_open else upper


def outages(knowledge: Knowledge, settings: RailSettings, from_ns: int, to_ns: int) -> RailHistory:
    """Every outage of the window [from_ns, to_ns] that was or may have been, with hard bounds.

    An outage that touches an end of the window is open there: its upper bound is unbounded, for nothing is known
    beyond.
    """
    if to_ns <= from_ns:
        return RailHistory(from_ns, to_ns, (), 0, None, Intervals.empty())
    proven, possible = _worlds(knowledge, settings, from_ns, to_ns)
    lower, upper = _bounds(proven, possible, settings, from_ns, to_ns)
    rows = tuple(_rows(knowledge, settings, proven.intersection(possible), possible, (from_ns, to_ns)))
    return RailHistory(from_ns, to_ns, rows, lower, upper, knowledge.seen.gaps(from_ns, to_ns))


def _rows(
    knowledge: Knowledge, settings: RailSettings, downs: Intervals, possible: Intervals, window: tuple[int, int]
) -> Iterator[Outage]:
    """An outage for each stretch that is possibly one; `downs` are those that surely are."""
    first = downs.start.searchsorted(possible.start, side="left").tolist()
    after = downs.start.searchsorted(possible.end, side="left").tolist()
    lengths = downs.lengths().tolist()
    names = knowledge.names_that_prove_down(possible)
    for (a, b), n, m, sources in zip(possible, first, after, names, strict=True):
        longest = lengths[n] if m == n + 1 else max(lengths[n:m], default=0)
        lower, upper = settings.widened(longest, b - a)
        kind = _OPEN[a == window[0], b == window[1]]
        bound = upper if kind == "none" else None
        yield Outage(a, b, lower, bound, kind, downs, sources, knowledge.crossings, settings.rate_ppm)
