"""From readings to spans: single readings or bins, on a grid or at times of their own, whole or block by block. Pure.

Times are integer nanoseconds on the record's own line (of a capture: 0 = its trigger); `rig.rail.place` puts them on
the common one. `ride_through` and `restore_min` are read on the record's own time base: its rate limit is their
tolerance.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from rig.errors import InputError, Where
from rig.rail.classify import (
    BLIND,
    DOWN,
    UP,
    Accuracy,
    Batch,
    CodeLimits,
    Codes,
    Readings,
    Scale,
    States,
    Volts,
    code_limits,
    runs,
    volt_limits,
)
from rig.rail.crossings import CrossingFinder
from rig.rail.intervals import Intervals
from rig.rail.joining import Pieces, Spans
from rig.rail.outages import RailSettings
from rig.rail.source import Source
from rig.rail.times import EvenLine, Grid, Indices, StampedLine, Times, line_of

__all__ = [
    "Accuracy",
    "Bins",
    "CodeLimits",
    "Codes",
    "Grid",
    "Scale",
    "Times",
    "Volts",
    "code_limits",
    "source_of",
    "volt_limits",
]

_NONE = 9
"""No state: nothing came before."""

_MOST_SPANS = 1 << 20
"""Beyond so many spans the shortest are given up: less is known then, nothing is wrong."""


@dataclass(frozen=True)
class Bins:
    """Peak detect: the least and the greatest reading of each bin, shapes (n,). Bin i ends where the next one begins.

    Sound only where an instrument looked at all of the bin.
    """

    low: Readings
    high: Readings


Record = Readings | Bins


def source_of(
    name: str,
    node: str,
    samples: Record | Iterable[Record],
    times: Grid | Times,
    limits: CodeLimits,
    settings: RailSettings,
) -> Source:
    """One record as a source on its own time line.

    `samples`: codes, or volts with NaN for no reading, shape (n,), or `Bins`; or an iterable of consecutive blocks of
    one of these, so that a long record needs little memory. `times` of bins are their edges, one more than there are
    bins.

    Two up samples join where at most `ride_through` apart with nothing proven down between; two down samples where at
    most `restore_min` apart with nothing proven up between. Bins join where they touch. Raises `InputError` for times
    that are not those of the samples.
    """
    joiner: _Joiner | None = None
    for record in [samples] if isinstance(samples, np.ndarray | Bins) else samples:
        if joiner is None:
            joiner = _Joiner(name, line_of(times), isinstance(record, Bins), limits, settings)
        joiner.add(record)
    if joiner is None:
        return Source.of(name, node, ())
    return joiner.source(node)


class _Joiner:
    """Turns blocks of readings into the spans of a source."""

    def __init__(
        self, name: str, line: EvenLine | StampedLine, bins: bool, limits: CodeLimits, settings: RailSettings
    ) -> None:
        self._name = name
        self._line = line
        self._bins = bins
        self._limits = limits
        self._ride_through = settings.ride_through_ns
        gaps = (0, 0) if bins else (settings.ride_through_ns, settings.restore_min_ns)
        self._gaps = gaps
        self._known = Spans(*gaps)
        self._seen = Spans(self._ride_through, 0)
        self._crossings = CrossingFinder(name, limits, bins, line.since_zero_ns, line.zero_ns)
        self._count = 0
        self._steps = [0, 0]
        self._tail = (_NONE, 0)

    def add(self, record: Record) -> None:
        low, high = (record.low, record.high) if isinstance(record, Bins) else (record, record)
        if isinstance(record, Bins) != self._bins or len(low) != len(high):
            raise InputError("samples and bins are mixed", Where(key="samples"))
        for batch in runs(low, high, self._limits):
            part = slice(batch.begin, batch.begin + batch.count)
            self._add(low[part], low[part] if high is low else high[part], batch)

    def source(self, node: str) -> Source:
        self._line.check_end(self._count + (1 if self._bins else 0))
        line, (up_gap, down_gap) = self._line, self._gaps
        nothing = Intervals.empty()
        bridged = [max(a, b) for a, b in zip(self._steps, self._known.bridged, strict=True)]
        return Source(
            self._name,
            node,
            self._known.of(UP) if self._bins or line.joins(up_gap) else nothing,
            self._known.of(DOWN) if self._bins or line.joins(down_gap) else nothing,
            self._seen.of(UP) if self._bins or line.joins(self._ride_through) else nothing,
            self._crossings.found(),
            up_bridge_ns=bridged[0],
            down_bridge_ns=bridged[1],
        )

    def _add(self, low: Readings, high: Readings, batch: Batch) -> None:
        base, after = self._count, self._count + batch.count
        self._count = after
        self._line.check(after if self._bins else after - 1)
        first, state = batch.first, batch.state
        if not self._bins:
            for n, gap in enumerate(self._gaps):
                self._steps[n] = max(self._steps[n], self._line.step_ns(base, after - 1, gap))
            first, state = self._split(first, state, self._line.breaks(base, after - 1, min(self._gaps)))
        last = np.concatenate((first[1:] - 1, [batch.count - 1]))
        start = self._line.starts(first + base)
        end = self._line.ends(last + base + (1 if self._bins else 0))
        if self._line.rounds and state[0] == self._tail[0]:
            start[0] = self._tail[1]  # the run goes on: no gap but that of rounding
        self._tail = (int(state[-1]), int(end[-1]))
        decided, seen = np.abs(state) == 1, state != BLIND
        self._known.add(Pieces(start[decided], end[decided], state[decided]))
        self._seen.add(Pieces(start[seen], end[seen], np.full(int(seen.sum()), UP, np.int8)))
        self._crossings.add(base, low, high, first[decided], last[decided], state[decided])
        if self._known.count > _MOST_SPANS:
            self._give_up_the_shortest()

    @staticmethod
    def _split(first: Indices, state: States, breaks: Indices) -> tuple[Indices, States]:
        """Runs end where the record does not go on without a gap."""
        if len(breaks) == 0:
            return first, state
        both = np.union1d(first, breaks)
        return both, state[np.searchsorted(first, both, side="right") - 1]

    def _give_up_the_shortest(self) -> None:
        """Forget every dip that `ride_through` fills: at most two spans are left for each of its lengths."""
        up = self._known.finished(UP).join_closer_than(self._ride_through)
        down = self._known.finished(DOWN).drop_shorter_than(self._ride_through)
        self._known.replace(up, down)
        self._steps[0] = max(self._steps[0], self._ride_through)
