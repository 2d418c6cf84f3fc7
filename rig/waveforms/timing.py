"""Whether sample times lie on a uniform grid, within the digits they were printed with. Pure.

A time printed as `0.0012` stands for anything half a last digit to either side. Times that a grid meets so closely are
uniform as far as the file can tell. The interval is the one that the header declares if it fits, else the shortest
decimal that does, else the one of least squares.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from rig.rail.samples import Grid

Array = npt.NDArray[np.float64]
_STEP = 1 << 19
_FINEST = 17
_HALVINGS = 60
_FEW = 1 << 17
_PRINTED = re.compile(r"^[+-]?0*([0-9]*)[.,]?([0-9]*)(?:[eE]([+-]?[0-9]{1,6}))?$")
_SINGLE = 2.0**-23


@dataclass(frozen=True)
class Digits:
    """How times are printed: `count` places after the point, or (`floating`) that many significant digits.

    `settled` = all that were looked at are printed alike; else more digits may show in those that were not.
    """

    floating: bool
    count: int
    per_second: float
    settled: bool = True

    def unit(self, times_s: Array) -> Array:
        """The last digit's worth at each time, in seconds."""
        if not self.floating:
            return np.full(np.shape(times_s), 10.0**-self.count / self.per_second)
        size = np.maximum(np.abs(times_s) * self.per_second, 1e-300)
        return np.asarray(10.0 ** (np.floor(np.log10(size)) - self.count + 1) / self.per_second)

    def of_all(self, times_s: Array) -> Digits:
        """With as many digits as all the times need, where those looked at do not settle it."""
        return self if self.settled else _fine_enough(times_s, self)


def digits_of(printed: Iterable[str], per_second: float) -> Digits:
    """The way of printing of `printed`, in a unit of which `per_second` make a second: `0.010`, `1.0e-02` or `0.01`.

    Trailing zeros that are left out show as places that vary: then the significant digits are what is limited.
    """
    places: set[int] = set()
    significant: set[int] = set()
    powers = False
    for text in printed:
        found = _PRINTED.match(text.strip())
        digits = (found.group(1) + found.group(2)).lstrip("0") if found else ""
        if found and (digits or not places):
            powers = powers or found.group(3) is not None
            places.add(len(found.group(2)) - int(found.group(3) or 0))
            significant.add(max(1, len(digits)))
    floating = len(places) > 1 or (powers and len(significant) == 1)
    count = max(significant, default=1) if floating else max(places, default=0)
    return Digits(floating, min(max(count, -_FINEST), _FINEST), per_second, not floating or len(significant) == 1)


def uniform(times_s: Array, declared_s: float | None, digits: Digits, *, only_declared: bool = False) -> Grid | None:
    """The grid that times of shape (n >= 2,), in order, lie on within their printed digits; None when there is none."""
    if not times_s[-1] > times_s[0]:
        return None
    slope = float(times_s[-1] - times_s[0]) / (len(times_s) - 1)
    ends = digits.unit(times_s[[0, -1]])
    slack = min(float(ends.sum()) / 2 / (len(times_s) - 1), slope / 2)
    declared = [declared_s] if declared_s is not None and np.isfinite(declared_s) and declared_s > 0 else []
    quick = [] if only_declared else [_shortest(slope - slack, slope + slack)]
    for interval_s in declared + quick:
        if _meets(times_s, interval_s):
            return Grid(float(times_s[0]), interval_s)
    digits = _fine_enough(times_s, digits)
    ends = digits.unit(times_s[[0, -1]])
    fitted = None if only_declared else _least_squares(times_s)
    for room_s in (0.0, _single_precision(times_s[[0, -1]], digits)):
        slack = (float(ends.max()) / 2 + room_s) / len(times_s)
        fits = [_shortest(fitted - slack, fitted + slack), fitted] if fitted is not None else []
        for interval_s in declared + fits:
            first_s = _offset(times_s, interval_s, digits, room_s)
            if first_s is not None and interval_s > 0:
                return Grid(first_s, interval_s)
    return None


def likely_interval(times_s: Array, digits: Digits) -> float:
    """The plainest interval with which a grid meets the times, shape (n >= 2,), or nearly does. For messages: slow.

    How far the best grid of an interval lies from the times is convex in the interval: halving finds the least.
    """
    step = max(1, len(times_s) // _FEW)
    times_s = times_s[::step]
    slope = float(times_s[-1] - times_s[0]) / (len(times_s) - 1)
    slack = float(digits.unit(times_s[[0, -1]]).sum()) / (len(times_s) - 1)
    low, high = slope - slack, slope + slack
    for _ in range(_HALVINGS):
        left, right = low + (high - low) / 3, high - (high - low) / 3
        missed = _missed(times_s, left, digits), _missed(times_s, right, digits)
        if min(missed) <= 0:
            best = left if missed[0] <= 0 else right
            return _shortest(*(_edge(times_s, best, end, digits) / step for end in (low, high)))
        low, high = (low, right) if missed[0] < missed[1] else (left, high)
    return (low + high) / 2 / step


def _missed(times_s: Array, interval_s: float, digits: Digits) -> float:
    """How far the times lie from every grid of this interval, beyond half a digit; 0 or less where one meets them."""
    low, high = -np.inf, np.inf
    for part, index in _pieces(times_s):
        room, shifted = digits.unit(part) / 2, part - index * interval_s
        low, high = max(low, float((shifted - room).max())), min(high, float((shifted + room).min()))
    return low - high


def _edge(times_s: Array, good: float, bad: float, digits: Digits) -> float:
    """The interval furthest from `good` towards `bad` with which a grid still meets the times."""
    for _ in range(_HALVINGS):
        middle = (good + bad) / 2
        good, bad = (middle, bad) if _missed(times_s, middle, digits) <= 0 else (good, middle)
    return good


def _pieces(times_s: Array) -> Iterator[tuple[Array, Array]]:
    for at in range(0, len(times_s), _STEP):
        part = times_s[at : at + _STEP]
        yield part, np.arange(at, at + len(part), dtype=np.float64)


def _meets(times_s: Array, interval_s: float) -> bool:
    """Whether the times are the grid's but for the last bits of a double."""
    first = float(times_s[0])
    room = 1e-6 * interval_s + 4 * float(np.spacing(np.abs(times_s[[0, -1]]).max()))
    return all(bool(np.all(np.abs(part - (first + index * interval_s)) <= room)) for part, index in _pieces(times_s))


def _fine_enough(times_s: Array, digits: Digits) -> Digits:
    """More digits where the lines looked at did not show them all."""
    for count in range(digits.count, _FINEST):
        trial = replace(digits, count=count)
        if all(_are_multiples(part, trial.unit(part)) for part, _ in _pieces(times_s)):
            return trial
    return replace(digits, count=_FINEST)


def _are_multiples(times_s: Array, unit_s: Array) -> bool:
    steps = times_s / unit_s
    return bool(np.all(np.abs(steps - np.rint(steps)) <= 1e-3 + 1e-15 * np.abs(steps)))


def _single_precision(ends_s: Array, digits: Digits) -> float:
    """The rounding of an instrument that computes its times in single precision; none where more digits are printed."""
    room = np.abs(ends_s) * _SINGLE
    return float(room.max()) if np.all(room <= 10 * digits.unit(ends_s)) else 0.0


def _offset(times_s: Array, interval_s: float, digits: Digits, room_s: float) -> float | None:
    """The first time with which the grid stays within half a digit, and `room_s`, of every time; None if none does."""
    low, high = -np.inf, np.inf
    for part, index in _pieces(times_s):
        unit = digits.unit(part)
        room = unit * 0.5000001 + room_s
        shifted = part - index * interval_s
        low, high = max(low, float((shifted - room).max())), min(high, float((shifted + room).min()))
        if low > high:
            return None
    first = float(times_s[0])
    return first if low <= first <= high else (low + high) / 2


def _least_squares(times_s: Array) -> float:
    middle = (len(times_s) - 1) / 2
    first = float(times_s[0])
    products = sum(float(((index - middle) * (part - first)).sum()) for part, index in _pieces(times_s))
    squares = (len(times_s) ** 2 - 1) * len(times_s) / 12
    return products / squares


def _shortest(low: float, high: float) -> float:
    """The decimal with the fewest digits between `low` and `high`, the one nearest their middle."""
    middle = (low + high) / 2
    for places in range(_FINEST):
        trial = float(f"{middle:.{places}e}")
        if low <= trial <= high:
            return trial
    return middle
