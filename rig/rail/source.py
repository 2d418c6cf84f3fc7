"""What one source knows of the rail: when it was surely up, surely down, and when it was looking at all.

Pure. Spans are proofs: *up* means V >= `up_above_v` and *down* means V <= `down_below_v`, each even with the source's
worst-case gain, offset and noise, and already shrunk by its worst-case timing. Everything else is unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from rig.rail.intervals import Array, Intervals

State = Literal["up", "down"]


@dataclass(frozen=True)
class Span:
    """A stretch [start_ns, end_ns] of the common monotonic line in which the rail was surely `state`."""

    start_ns: int
    end_ns: int
    state: State


@dataclass(frozen=True)
class Crossing:
    """For people: the rail crossed the middle of the thresholds at `at_ns`, give or take `half_width_ns`.

    Of that, `level_ns` comes from the limits of gain, offset and noise, and `shift_ns` from where the source's line
    lies on the common one: both act alike on all crossings of one `source`.
    """

    at_ns: int
    falling: bool
    half_width_ns: int
    level_ns: int = 0
    shift_ns: int = 0
    source: str = ""


@dataclass(frozen=True, eq=False)
class Crossings:
    """Many of them, sorted by `at_ns`: a column for each field of `Crossing`, all of shape (n,)."""

    at_ns: Array
    falling: npt.NDArray[np.bool_]
    half_width_ns: Array
    level_ns: Array
    shift_ns: Array
    source: npt.NDArray[np.str_]

    @staticmethod
    def of(rows: Iterable[Crossing]) -> Crossings:
        """From crossings in any order."""
        some = sorted(rows, key=lambda c: c.at_ns)
        return Crossings(
            np.array([c.at_ns for c in some], np.int64),
            np.array([c.falling for c in some], np.bool_),
            np.array([c.half_width_ns for c in some], np.int64),
            np.array([c.level_ns for c in some], np.int64),
            np.array([c.shift_ns for c in some], np.int64),
            np.array([c.source for c in some], np.str_),
        )

    def __len__(self) -> int:
        return len(self.at_ns)

    def __iter__(self) -> Iterator[Crossing]:
        columns = (self.at_ns, self.falling, self.half_width_ns, self.level_ns, self.shift_ns, self.source)
        return (Crossing(*row) for row in zip(*(c.tolist() for c in columns), strict=True))

    def part(self, which: slice | npt.NDArray[np.bool_] | npt.NDArray[np.intp]) -> Crossings:
        columns = (self.at_ns, self.falling, self.half_width_ns, self.level_ns, self.shift_ns, self.source)
        return Crossings(*(c[which] for c in columns))  # type: ignore[arg-type]

    def inside(self, first_ns: int, last_ns: int) -> Crossings:
        """Those in [first, last]."""
        begin = self.at_ns.searchsorted(first_ns, side="left")
        return self.part(slice(int(begin), int(self.at_ns.searchsorted(last_ns, side="right"))))

    @staticmethod
    def merged(some: Iterable[Crossings]) -> Crossings:
        """All of several, sorted."""
        parts = [c for c in some if len(c)]
        if len(parts) < 2:
            return parts[0] if parts else _NO_CROSSINGS
        every = Crossings(
            np.concatenate([c.at_ns for c in parts]),
            np.concatenate([c.falling for c in parts]),
            np.concatenate([c.half_width_ns for c in parts]),
            np.concatenate([c.level_ns for c in parts]),
            np.concatenate([c.shift_ns for c in parts]),
            np.concatenate([c.source for c in parts]),
        )
        return every.part(np.argsort(every.at_ns, kind="stable"))


_NO_CROSSINGS = Crossings.of(())


@dataclass(frozen=True)
class Contradiction:
    """Two sources proved opposite things of one node in [start_ns, end_ns]."""

    node: str
    start_ns: int
    end_ns: int
    says_up: str
    says_down: str


@dataclass(frozen=True)
class Source:
    """What one source proves about one node.

    `seen` is where the source was looking and would have proven something had there been something to prove: a level
    between the thresholds is seen, though neither up nor down; a stopped oscilloscope sees nothing.
    `up_bridge_ns` and `down_bridge_ns` are the longest stretches without evidence that a span bridges (0 where the
    whole span was seen): a shorter contradiction inside a span is no contradiction. `contradictions` were found when it
    was placed.
    """

    name: str
    node: str
    up: Intervals
    down: Intervals
    seen: Intervals
    crossings: Crossings = _NO_CROSSINGS
    up_bridge_ns: int = 0
    down_bridge_ns: int = 0
    contradictions: tuple[Contradiction, ...] = ()

    @staticmethod
    def of(name: str, node: str, spans: Iterable[Span]) -> Source:
        """From spans in any order."""
        rows = list(spans)
        up = Intervals.of((s.start_ns, s.end_ns) for s in rows if s.state == "up")
        down = Intervals.of((s.start_ns, s.end_ns) for s in rows if s.state == "down")
        return Source(name, node, up, down, up.union(down))

    def spans(self) -> list[Span]:
        """All spans in the order of their start."""
        rows = [Span(a, b, "up") for a, b in self.up] + [Span(a, b, "down") for a, b in self.down]
        return sorted(rows, key=lambda s: (s.start_ns, s.end_ns))

    def without(self, stretches: Intervals) -> Source:
        """The same, knowing nothing inside `stretches` (a lost link, a clock whose rate was out of bounds)."""
        return replace(
            self,
            up=self.up.minus(stretches),
            down=self.down.minus(stretches),
            seen=self.seen.minus(stretches),
            crossings=self.crossings.part(~stretches.holds(self.crossings.at_ns)),
        )
