"""When the readings of a record were taken: on a grid, or each at an instant of its own. Pure.

Integer nanoseconds on the record's own line. Instants between two nanoseconds are moved into what they prove: the start
of a stretch to the next, its end to the last.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from rig.errors import InputError, Where
from rig.rail.intervals import INSTANT_LIMIT

Indices = npt.NDArray[np.int64]
Instants = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Grid:
    """Uniform sampling: sample i at `first_s` + i * `dt_s` seconds after the record's zero."""

    first_s: float
    dt_s: float

    def at_ns(self, index: Indices) -> Instants:
        """The instants of samples `index`, to the nearest ns."""
        return np.asarray(round(self.first_s * 1e9) + np.rint(index * (self.dt_s * 1e9)).astype(np.int64))


@dataclass(frozen=True, eq=False)
class Times:
    """Sample i was taken at `at_ns`[i] of the record's own line: strictly rising, shape (n,)."""

    at_ns: npt.NDArray[np.int64]


def line_of(times: Grid | Times) -> EvenLine | StampedLine:
    """Raises `InputError` for a grid that makes no sense; stamps are checked as they are used."""
    if isinstance(times, Times):
        return StampedLine(times.at_ns)
    grid = times
    if not (math.isfinite(grid.first_s) and math.isfinite(grid.dt_s) and grid.dt_s > 0):
        raise InputError("sample times must be finite and rising", Where(key="time", found=str(grid)))
    if abs(grid.first_s) * 1e9 >= INSTANT_LIMIT:
        raise InputError("sample times out of range", Where(key="time", found=f"{grid.first_s} s"))
    dt_ns = grid.dt_s * 1e9
    whole = round(dt_ns)
    return EvenLine(round(grid.first_s * 1e9), float(whole) if abs(dt_ns - whole) <= 1e-15 * dt_ns else dt_ns)


@dataclass(frozen=True)
class EvenLine:
    """Reading i at `zero_ns` + i * `dt_ns`. It `rounds`: readings may lie between two nanoseconds."""

    zero_ns: int
    dt_ns: float
    rounds: ClassVar[bool] = True

    def starts(self, index: Indices) -> Instants:
        return np.asarray(np.ceil(index * self.dt_ns).astype(np.int64) + self.zero_ns)

    def ends(self, index: Indices) -> Instants:
        return np.asarray(np.floor(index * self.dt_ns).astype(np.int64) + self.zero_ns)

    def since_zero_ns(self, index: Floats) -> Floats:
        return index * self.dt_ns

    def step_ns(self, _first: int, _last: int, gap_ns: int) -> int:
        """The longest step between neighbours that is not beyond `gap_ns`, to a part in 1e9; 0 where there is none."""
        return math.ceil(self.dt_ns) if self.dt_ns <= gap_ns * (1 + 1e-9) else 0

    def breaks(self, _first: int, _last: int, _gap_ns: int) -> Indices:
        """Where in [first, last] a step is beyond `gap_ns`; a grid `joins`, or it does not."""
        return np.empty(0, np.int64)

    def joins(self, gap_ns: int) -> bool:
        return self.step_ns(0, 0, gap_ns) > 0

    def check(self, last: int) -> None:
        """Raises `InputError` when the record reaches index `last` and the times do not."""
        if not abs(self.zero_ns) + (last + 1) * self.dt_ns < INSTANT_LIMIT:
            raise InputError("sample times out of range", Where(key="time", found=f"{last + 1} x {self.dt_ns} ns"))

    def check_end(self, _count: int) -> None:
        """Nothing to check: a grid has no end."""


class StampedLine:
    """Reading i at `at_ns`[i]."""

    rounds: ClassVar[bool] = False

    def __init__(self, at_ns: npt.NDArray[np.int64]) -> None:
        self._at = at_ns
        self._checked = 0
        self.zero_ns = int(at_ns[0]) if len(at_ns) else 0

    def starts(self, index: Indices) -> Instants:
        return self._at[index]

    ends = starts

    def since_zero_ns(self, index: Floats) -> Floats:
        whole = np.floor(index).astype(np.int64)
        here = (self._at[whole] - self.zero_ns).astype(np.float64)
        after = (self._at[np.minimum(whole + 1, len(self._at) - 1)] - self.zero_ns).astype(np.float64)
        return here + (index - whole) * (after - here)

    def step_ns(self, first: int, last: int, gap_ns: int) -> int:
        steps = np.diff(self._at[max(0, first - 1) : last + 1])
        return int(steps.max(initial=0, where=steps <= gap_ns))

    def breaks(self, first: int, last: int, gap_ns: int) -> Indices:
        return np.flatnonzero(np.diff(self._at[first : last + 1]) > gap_ns) + 1

    def joins(self, _gap_ns: int) -> bool:
        return True

    def check(self, last: int) -> None:
        if last >= len(self._at):
            raise InputError("fewer times than samples", Where(key="time", found=f"{len(self._at)} times"))
        part = self._at[max(0, self._checked - 1) : last + 1]
        wrong = np.flatnonzero(part[1:] <= part[:-1])
        if len(wrong):
            found = f"{int(part[wrong[0] + 1])} ns after {int(part[wrong[0]])} ns"
            raise InputError("sample times must rise", Where(key="time", found=found))
        if len(part) and not -INSTANT_LIMIT < int(part[0]) <= int(part[-1]) < INSTANT_LIMIT:
            raise InputError("sample times out of range", Where(key="time", found=f"{int(part[-1])} ns"))
        self._checked = last + 1

    def check_end(self, count: int) -> None:
        if count != len(self._at):
            found = f"{len(self._at)} times"
            raise InputError("more times than samples", Where(key="time", found=found, expected=str(count)))
