"""Which readings prove *up*, which prove *down*, and the runs of equal proof in a record. Pure; knows no time.

Fast because most of a record is dull: the least and the greatest reading of a block say what all of them prove. Only
blocks that hold more than one state are looked at again, reading by reading.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from rig.errors import InputError, Where
from rig.rail.times import Indices

Codes = npt.NDArray[np.uint8] | npt.NDArray[np.int16]
Volts = npt.NDArray[np.float64] | npt.NDArray[np.float32]
Readings = Codes | Volts
States = npt.NDArray[np.int8]

UP, DOWN, BETWEEN, BLIND = 1, -1, 0, 2
"""What one reading proves. BLIND: clipped, saturated or not a number, so that nothing was seen."""

_MIXED = 3
_BLOCK = 1 << 12
_PARTS = 8
_PART = _BLOCK // _PARTS
"""A mixed block is looked at again in so many parts, of so many readings: most of them are dull."""
_CACHE = 1 << 20
"""Bytes whose minimum and maximum are taken in turn: few enough to stay in the processor's cache."""

_MOST_MIXED = 512
"""Mixed blocks in one batch of runs."""


@dataclass(frozen=True)
class Accuracy:
    """Worst case of readings in volts: the true rail is within `gain_error` * |reading| + `offset_error_v` + `noise_v`.

    Readings from `low_v` down and from `high_v` up are clipped; infinite ones always are.
    """

    gain_error: float
    offset_error_v: float
    noise_v: float
    low_v: float = -math.inf
    high_v: float = math.inf


@dataclass(frozen=True)
class Scale:
    """What codes mean: volts = (code - `zero_code`) * `volts_per_code`.

    Codes from `low_code` down and from `high_code` up are clipped. The true rail is within `gain_error` * |volts| +
    `offset_error_v` + `noise_v` of that (worst case).
    """

    volts_per_code: float
    zero_code: float
    low_code: int
    high_code: int
    gain_error: float
    offset_error_v: float
    noise_v: float

    def volts(self, codes: npt.NDArray[np.generic]) -> npt.NDArray[np.float64]:
        return (codes.astype(np.float64) - self.zero_code) * self.volts_per_code


@dataclass(frozen=True)
class CodeLimits:
    """Readings `up_from`..`up_to` prove up, `down_from`..`down_to` prove down (none where from > to); ends included.

    Outside `down_from`..`up_to` a reading is clipped. `middle` is the middle of the thresholds, which the rail has
    surely crossed once a reading is `middle_error` past it. All in the unit of the readings: codes, or volts.
    """

    up_from: float
    up_to: float
    down_from: float
    down_to: float
    middle: float
    middle_error: float = 0.0


def code_limits(scale: Scale, down_below_v: float, up_above_v: float) -> CodeLimits:
    """Which codes prove what. Raises `InputError` for a scale or thresholds that make no sense."""
    per_code, zero = scale.volts_per_code, scale.zero_code
    if not (math.isfinite(per_code) and math.isfinite(zero) and per_code > 0):
        raise InputError("the scale of the samples must be finite and rising", Where(found=f"{per_code} V a code"))
    accuracy = Accuracy(scale.gain_error, scale.offset_error_v, scale.noise_v)
    up_v, down_v = _proving(accuracy, down_below_v, up_above_v)
    up = math.ceil(up_v / Fraction(per_code) + Fraction(zero))
    down = math.floor(down_v / Fraction(per_code) + Fraction(zero))
    return CodeLimits(
        min(max(up, scale.low_code + 1), scale.high_code),
        scale.high_code - 1,
        scale.low_code + 1,
        max(min(down, scale.high_code - 1), scale.low_code),
        (down_below_v + up_above_v) / 2 / per_code + zero,
        _middle_error(accuracy, down_below_v, up_above_v) / per_code,
    )


def volt_limits(accuracy: Accuracy, down_below_v: float, up_above_v: float) -> CodeLimits:
    """The same for readings that are volts already (float arrays; NaN is no reading)."""
    up_v, down_v = _proving(accuracy, down_below_v, up_above_v)
    up, down = float(up_v), float(down_v)
    finite = float(np.finfo(np.float64).max)
    return CodeLimits(
        up if Fraction(up) >= up_v else math.nextafter(up, math.inf),
        min(math.nextafter(accuracy.high_v, -math.inf), finite),
        max(math.nextafter(accuracy.low_v, math.inf), -finite),
        down if Fraction(down) <= down_v else math.nextafter(down, -math.inf),
        (down_below_v + up_above_v) / 2,
        _middle_error(accuracy, down_below_v, up_above_v),
    )


def _proving(accuracy: Accuracy, down_below_v: float, up_above_v: float) -> tuple[Fraction, Fraction]:
    """The least reading that proves up and the greatest that proves down, in volts, exactly."""
    if not (math.isfinite(down_below_v) and math.isfinite(up_above_v) and down_below_v < up_above_v):
        found = f"down_below_v {down_below_v}, up_above_v {up_above_v}"
        raise InputError("the thresholds are crossed over", Where(found=found, expected="down_below_v < up_above_v"))
    parts = (accuracy.gain_error, accuracy.offset_error_v, accuracy.noise_v)
    if not all(math.isfinite(p) and p >= 0 for p in parts) or accuracy.gain_error >= 1:
        raise InputError("the limits of error make no sense", Where(found=str(parts), expected="0 or more, gain < 1"))
    gain, fixed = Fraction(accuracy.gain_error), Fraction(accuracy.offset_error_v) + Fraction(accuracy.noise_v)
    up, down = Fraction(up_above_v) + fixed, Fraction(down_below_v) - fixed
    return up / (1 - gain if up >= 0 else 1 + gain), down / (1 + gain if down >= 0 else 1 - gain)


def _middle_error(accuracy: Accuracy, down_below_v: float, up_above_v: float) -> float:
    middle = abs(down_below_v + up_above_v) / 2
    fixed = accuracy.offset_error_v + accuracy.noise_v
    return (middle * accuracy.gain_error + fixed) / (1 - accuracy.gain_error)


# -- runs -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Batch:
    """Runs of equal state in `count` readings from `begin` on: where each begins after `begin`, and its state."""

    begin: int
    count: int
    first: Indices
    state: States


def runs(low: Readings, high: Readings, limits: CodeLimits) -> Iterator[Batch]:
    """All runs in order, in as few batches as memory allows.

    `low` and `high` are one array, or the least and the greatest of bins, shape (n,). A bin is up or down only where
    all of it is; it is BLIND where any of it was clipped.
    """
    full = len(low) // _BLOCK
    low_rows = low[: full * _BLOCK].reshape(-1, _BLOCK)
    high_rows = low_rows if high is low else high[: full * _BLOCK].reshape(-1, _BLOCK)
    state = _settled(*_extremes(low_rows, high_rows), limits)
    edges = [0, *np.flatnonzero(state == _MIXED)[_MOST_MIXED::_MOST_MIXED].tolist(), full]
    for begin, end in pairwise(edges):
        count = (end - begin) * _BLOCK
        some = low_rows[begin:end]
        other = some if high is low else high_rows[begin:end]
        parts = [_plain(*_changes(state[begin:end].reshape(1, -1), np.zeros(1, np.int64), _BLOCK))]
        parts += _inside(some, other, np.flatnonzero(state[begin:end] == _MIXED), limits)
        if end == full and full * _BLOCK < len(low):
            tail = _states(low[full * _BLOCK :], high[full * _BLOCK :], limits)
            parts.append(_changes(tail.reshape(1, -1), np.array([count])))
            count += len(tail)
        if count:
            first, what = np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])
            if len(parts) > 1:
                order = np.argsort(first, kind="stable")
                first, what = first[order], what[order]
            keep = np.concatenate(([True], what[1:] != what[:-1]))
            yield Batch(begin * _BLOCK, count, first[keep], what[keep])


def _inside(
    low: Readings, high: Readings, rows: npt.NDArray[np.intp], limits: CodeLimits
) -> Iterator[tuple[Indices, States]]:
    """Runs of these mixed rows: part by part, and what is mixed again reading by reading."""
    step = max(1, _CACHE // (_BLOCK * low.itemsize))
    for at in range(0, len(rows), step):
        some = rows[at : at + step]
        start = some * _BLOCK
        each_low = low[some].reshape(-1, _PART)
        each_high = each_low if high is low else high[some].reshape(-1, _PART)
        state = _settled(*_extremes(each_low, each_high), limits)
        yield _plain(*_changes(state.reshape(len(some), -1), start, _PART))
        mixed = np.flatnonzero(state == _MIXED)
        begins = start[mixed // _PARTS] + mixed % _PARTS * _PART
        low_parts = each_low[mixed]
        high_parts = low_parts if high is low else each_high[mixed]
        yield _changes(_states(low_parts, high_parts, limits), begins)


def _plain(first: Indices, state: States) -> tuple[Indices, States]:
    """Without the blocks that must be looked at again."""
    plain = state != _MIXED
    return first[plain], state[plain]


def _extremes(low: Readings, high: Readings) -> tuple[Readings, Readings]:
    """The least and the greatest of each row."""
    least, greatest = np.empty(len(low), low.dtype), np.empty(len(low), high.dtype)
    step = max(1, _CACHE // (low.shape[1] * low.itemsize))
    with np.errstate(invalid="ignore"):
        for at in range(0, len(low), step):
            np.minimum.reduce(low[at : at + step], axis=1, out=least[at : at + step])
            np.maximum.reduce(high[at : at + step], axis=1, out=greatest[at : at + step])
    return least, greatest


def _settled(least: Readings, greatest: Readings, limits: CodeLimits) -> States:
    """What all readings of a row prove alike, from its extremes; `_MIXED` where they do not, or may not."""
    state = _states(least, greatest, limits)
    low, high = _comparable(least), _comparable(greatest)
    one_kind = (low > limits.down_to) & (high < limits.up_from) & (state == BETWEEN)
    state[(np.abs(state) != 1) & ~one_kind] = _MIXED
    return state


def _states(low: Readings, high: Readings, limits: CodeLimits) -> States:
    low, high = _comparable(low), _comparable(high)
    state: States = np.subtract(low >= limits.up_from, high <= limits.down_to, dtype=np.int8)  # UP, DOWN or BETWEEN
    seen = (low >= limits.down_from) & (high <= limits.up_to)
    if not seen.all():
        state[~seen] = BLIND
    return state


def _comparable(readings: Readings) -> Readings:
    """Single precision would round the limits to its own steps."""
    return readings.astype(np.float64) if readings.dtype == np.float32 else readings


def _changes(state: States, start: Indices, width: int = 1) -> tuple[Indices, States]:
    """Where the states of shape (rows, n) change along each row, the first of each included.

    Row i begins at `start`[i], shape (rows,), and each of its states is that of `width` readings.
    """
    new = np.empty(state.shape, bool)
    new[:, :1] = True
    np.not_equal(state[:, 1:], state[:, :-1], out=new[:, 1:])
    at = np.flatnonzero(new)
    row, column = np.divmod(at, max(1, state.shape[1]))
    return start[row] + column * width, state.ravel()[at]
