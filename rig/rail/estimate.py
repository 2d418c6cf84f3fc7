"""How long an outage probably was, for people: an estimate with its uncertainty budget. Pure. It never decides.

The model is `length = (end - start + shift + level) * (1 + rate)`, each input with a rectangular distribution between
its worst-case limits; the standard uncertainty follows from JCGM 100:2008 (GUM), 4.3.7 and 5.1.2, the expanded one with
k = 2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from rig.rail.source import Crossings

COVERAGE_FACTOR = 2
_SQRT3 = math.sqrt(3.0)


@dataclass(frozen=True)
class Estimate:
    """Where the rail crossed the middle of its thresholds: at most `half_width_ns` to each side, rectangular.

    `level_ns` and `shift_ns` of that act alike on every crossing that `source` saw (see `rig.rail.Crossing`).
    """

    at_ns: int
    half_width_ns: int
    level_ns: int = 0
    shift_ns: int = 0
    source: str = ""


def sharpest(crossings: Crossings, falling: bool, first_ns: int, last_ns: int) -> Estimate:
    """The sharpest crossing that a source saw in [first, last], or else the middle of that stretch."""
    half = (last_ns - first_ns + 1) // 2
    seen = crossings.inside(first_ns, last_ns)
    widths = np.where(seen.falling == falling, seen.half_width_ns, half + 1)
    best = int(np.argmin(widths)) if len(seen) else 0
    if len(seen) == 0 or int(widths[best]) > half:
        return Estimate((first_ns + last_ns) // 2, half)
    (found,) = seen.part(slice(best, best + 1))
    return Estimate(found.at_ns, found.half_width_ns, found.level_ns, found.shift_ns, found.source)


@dataclass(frozen=True)
class BudgetLine:
    """One input of the model, in ns: its value, its limits to either side, and by how much the length follows it."""

    name: str
    value_ns: float
    half_width_ns: float
    distribution: str
    standard_ns: float
    sensitivity: float


def budget(start: Estimate, end: Estimate, rate_ppm: float) -> tuple[BudgetLine, ...]:
    """The lines of the budget of `end` - `start`; a line that cannot matter is left out.

    One oscilloscope that reads high sees the fall too late and the rise too early: both ends' level errors are one
    input with the sum of both limits. What is wrong in where its record lies moves both ends alike, and so drops out.
    """
    return tuple(
        BudgetLine(name, float(value), float(half), "rectangular", half / _SQRT3, sensitivity)
        for name, value, half, sensitivity in _inputs(start, end, rate_ppm)
        if half > 0
    )


def expanded_ns(start: Estimate, end: Estimate, rate_ppm: float) -> int:
    """The expanded uncertainty (k = 2) of that budget, in ns, rounded up."""
    halves = [sensitivity * half for _, _, half, sensitivity in _inputs(start, end, rate_ppm)]
    return math.ceil(COVERAGE_FACTOR * math.hypot(*halves) / _SQRT3)


def _inputs(start: Estimate, end: Estimate, rate_ppm: float) -> tuple[tuple[str, int, float, float], ...]:
    """Name, value, limits to either side and sensitivity of each input of the model; ns."""
    one = start.source != "" and start.source == end.source
    start_shift, end_shift = (0, 0) if one else (start.shift_ns, end.shift_ns)
    return (
        ("start of the outage", start.at_ns, start.half_width_ns - start.level_ns - start.shift_ns, -1.0),
        ("end of the outage", end.at_ns, end.half_width_ns - end.level_ns - end.shift_ns, 1.0),
        ("gain, offset and noise", 0, start.level_ns + end.level_ns, 1.0),
        ("place of the start's record on the common line", 0, start_shift, -1.0),
        ("place of the end's record on the common line", 0, end_shift, 1.0),
        ("rate of the clock", 0, (end.at_ns - start.at_ns) * rate_ppm * 1e-6, 1.0),
    )
