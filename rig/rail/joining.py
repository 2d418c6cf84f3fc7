"""Stretches of one state each, in order, that join where they are near enough. Pure; grows block by block."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rig.rail.classify import DOWN, UP, States
from rig.rail.intervals import Array, Intervals


@dataclass(frozen=True)
class Pieces:
    """Stretches of one state each, in order; shapes (n,)."""

    start: Array
    end: Array
    state: States

    def then(self, other: Pieces) -> Pieces:
        return Pieces(
            np.concatenate((self.start, other.start)),
            np.concatenate((self.end, other.end)),
            np.concatenate((self.state, other.state)),
        )

    def part(self, which: slice | npt.NDArray[np.bool_]) -> Pieces:
        return Pieces(self.start[which], self.end[which], self.state[which])

    def joined(self, up_gap_ns: int, down_gap_ns: int) -> tuple[Pieces, int, int]:
        """Neighbours of one state join where they are near enough; also the longest stretch bridged, up and down."""
        if len(self.start) < 2:
            return self, 0, 0
        apart = self.start[1:] - self.end[:-1]
        up = self.state[1:] == UP
        join = (self.state[1:] == self.state[:-1]) & (apart <= np.where(up, up_gap_ns, down_gap_ns))
        first, last = np.concatenate(([True], ~join)), np.concatenate((~join, [True]))
        longest_up = int(apart.max(initial=0, where=join & up))
        longest_down = int(apart.max(initial=0, where=join & ~up))
        return Pieces(self.start[first], self.end[last], self.state[first]), longest_up, longest_down


class Spans:
    """Pieces that grow at their end. What is finished goes to lists, the last piece waits for what follows it."""

    def __init__(self, up_gap_ns: int, down_gap_ns: int) -> None:
        self._gaps = (up_gap_ns, down_gap_ns)
        self._done: list[Pieces] = []
        self._last = Pieces(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int8))
        self.count = 0
        self.bridged = [0, 0]

    def add(self, pieces: Pieces) -> None:
        joined, *bridged = self._last.then(pieces).joined(*self._gaps)
        self.bridged = [max(a, b) for a, b in zip(self.bridged, bridged, strict=True)]
        done, self._last = joined.part(slice(0, -1)), joined.part(slice(-1, None))
        if len(done.start):
            self._done.append(done)
            self.count += len(done.start)

    def of(self, state: int) -> Intervals:
        some = [p.part(p.state == state) for p in (*self._done, self._last)]
        return Intervals.normalised(np.concatenate([p.start for p in some]), np.concatenate([p.end for p in some]))

    def replace(self, up: Intervals, down: Intervals) -> None:
        """Other spans instead of all that are finished."""
        rows = [Pieces(s.start, s.end, np.full(len(s), state, np.int8)) for s, state in ((up, UP), (down, DOWN))]
        self._done = rows
        self.count = len(up) + len(down)

    def finished(self, state: int) -> Intervals:
        last, self._last = self._last, self._last.part(slice(0, 0))
        try:
            return self.of(state)
        finally:
            self._last = last
