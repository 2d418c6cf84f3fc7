"""Where the rail crossed the middle of its thresholds, for people: interpolated, with the limits of that. Pure.

Nothing here decides: bounds come from what is proven, never from a crossing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rig.rail.classify import DOWN, UP, CodeLimits, Readings, States
from rig.rail.source import Crossings
from rig.rail.times import Floats, Indices

_MOST = 2_000
"""Crossings that are kept; later outages are estimated by the middle of their bounds."""

_NARROW = 64
_PIECE = 1 << 16


@dataclass(frozen=True)
class _Row:
    """Readings from a decided one to the next of the other state, without those that tell nothing of the crossing."""

    falling: bool
    index: Floats
    low: Floats
    high: Floats

    def then(self, other: _Row) -> _Row:
        parts = ((self.index, other.index), (self.low, other.low), (self.high, other.high))
        return _Row(self.falling, *(np.concatenate(p) for p in parts))


class CrossingFinder:
    """Fed block by block; `found` gives the crossings so far, in order.

    `bins`: the readings are the least and the greatest of bins, each from its index to the next. `at_ns` turns
    fractional indices of shape (n,) into ns (shape (n,), as floats) after `zero_ns`.
    """

    def __init__(
        self, name: str, limits: CodeLimits, bins: bool, at_ns: Callable[[Floats], Floats], zero_ns: int
    ) -> None:
        self._name = name
        self._limits = limits
        self._bins = bins
        self._at_ns = at_ns
        self._zero_ns = zero_ns
        self._open: _Row | None = None
        self._found: list[Crossings] = []
        self._count = 0

    def found(self) -> Crossings:
        return Crossings.merged(self._found).part(slice(_MOST))

    def add(self, base: int, low: Readings, high: Readings, first: Indices, last: Indices, state: States) -> None:
        """One block, its first reading of index `base`, with its decided runs (`first`, `last` inside the block)."""
        if self._count >= _MOST:
            return
        rows: list[_Row] = []
        if self._open is not None:
            upto = int(first[0]) if len(state) else len(low) - 1
            joined = self._open.then(self._digest(self._open.falling, base, low, high, 0, upto))
            self._open = joined
            if len(state) and self._open.falling == bool(state[0] == DOWN):
                rows.append(joined)
        turns = np.flatnonzero(state[1:] != state[:-1])[: _MOST - self._count]
        wide = first[turns + 1] - last[turns] >= _NARROW
        rows += [
            self._digest(bool(state[turn] == UP), base, low, high, int(last[turn]), int(first[turn + 1]))
            for turn in turns[wide]
        ]
        if rows:
            self._locate_rows(rows)
        self._locate_narrow(base, low, high, last[turns[~wide]], first[turns[~wide] + 1], state[turns[~wide]] == UP)
        if len(state):
            self._open = self._digest(bool(state[-1] == UP), base, low, high, int(last[-1]), len(low) - 1)

    def _digest(self, falling: bool, base: int, low: Readings, high: Readings, a: int, b: int) -> _Row:
        """Of the readings a..b only those that a crossing can be found from."""
        middle, error = self._limits.middle, self._limits.middle_error
        may, sure = (low, high) if falling else (high, low)
        band = error if falling else -error
        keep = {a, b}
        for readings, level in ((may, middle + band), (may, middle), (sure, middle - band)):
            k = _first_past(readings[a : b + 1], level, falling)
            if k is not None:
                keep |= {a + k, max(a, a + k - 1)}
        at = np.array(sorted(keep), np.int64)
        return _Row(falling, (base + at).astype(np.float64), low[at].astype(np.float64), high[at].astype(np.float64))

    def _locate_rows(self, rows: list[_Row]) -> None:
        width = max(len(r.index) for r in rows)

        def table(columns: list[Floats]) -> Floats:
            return np.stack([np.pad(c, (0, width - len(c)), mode="edge") for c in columns])

        low, high = table([r.low for r in rows]), table([r.high for r in rows])
        self._locate(table([r.index for r in rows]), low, high, np.array([r.falling for r in rows]))

    def _locate_narrow(
        self, base: int, low: Readings, high: Readings, a: Indices, b: Indices, falling: npt.NDArray[np.bool_]
    ) -> None:
        if len(a) == 0:
            return
        at = np.minimum(a[:, None] + np.arange(int((b - a).max()) + 1), b[:, None])
        some_low, some_high = low[at].astype(np.float64), high[at].astype(np.float64)
        self._locate((base + at).astype(np.float64), some_low, some_high, falling)

    def _locate(self, index: Floats, low: Floats, high: Floats, falling: npt.NDArray[np.bool_]) -> None:
        """Rows (n, width) that begin before the crossing and end, perhaps repeated, after it."""
        row = np.arange(len(index))
        sign = np.where(falling, -1.0, 1.0)[:, None]
        level, error = sign * self._limits.middle, self._limits.middle_error
        may, sure = np.maximum(sign * low, sign * high), np.minimum(sign * low, sign * high)
        k1 = np.maximum(_first_true(may >= level - error), 1)
        k2 = np.maximum(_first_true(may >= level), 1)
        k3 = _first_true(sure >= level + error)
        if not self._bins:
            before, after = index[row, k1 - 1], index[row, k3]
            here, step = index[row, k2 - 1], index[row, k2] - index[row, k2 - 1]
            with np.errstate(invalid="ignore", divide="ignore"):
                rise = may[row, k2] - may[row, k2 - 1]
                at = here + (level[:, 0] - may[row, k2 - 1]) / rise * step
        else:
            before, after, step = index[row, k1], np.maximum(index[row, k3], index[row, k1]), np.ones(len(index))
            at = (before + after) / 2
        lost = ~(np.isfinite(at) & (at >= before) & (at <= after))
        before = np.where(lost, index[:, 0], before)
        after = np.maximum(after, before)
        at = np.where(lost, (before + after) / 2, at)
        self._keep(falling, at, before, after, step)

    def _keep(self, falling: npt.NDArray[np.bool_], at: Floats, before: Floats, after: Floats, step: Floats) -> None:
        at_ns = self._at_ns(at)
        half = np.maximum(at_ns - self._at_ns(before), self._at_ns(after) - at_ns)
        level = np.maximum(0.0, half - (self._at_ns(np.floor(at) + step) - self._at_ns(np.floor(at))))
        order = np.argsort(at_ns, kind="stable")
        some = Crossings(
            self._zero_ns + np.rint(at_ns).astype(np.int64),
            falling,
            np.maximum(np.ceil(half), 1).astype(np.int64),
            level.astype(np.int64),
            np.zeros(len(at), np.int64),
            np.full(len(at), self._name),
        )
        self._found.append(some.part(order))
        self._count += len(some)


def _first_true(past: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
    """The first true column of each row; the last column counts as true."""
    past[:, -1] = True
    return np.asarray(np.argmax(past, axis=1))


def _first_past(readings: Readings, level: float, falling: bool) -> int | None:
    """The index of the first reading at the level or past it."""
    for at in range(0, len(readings), _PIECE):
        part = readings[at : at + _PIECE]
        past = part <= level if falling else part >= level
        k = int(np.argmax(past))
        if past[k]:
            return at + k
    return None
