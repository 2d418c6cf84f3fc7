"""From samples to spans: which codes prove *up*, which prove *down*, and how far two of them may be apart to join.

Pure; works on raw codes in blocks, so that a capture of 24 million samples costs little more than one pass over memory.
Times are integer nanoseconds on the capture's own line (0 = its trigger); `rig.rail.place` puts them on the common one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rig.rail.intervals import Intervals
from rig.rail.outages import RailSettings
from rig.rail.source import Crossing, Source

Codes = npt.NDArray[np.uint8] | npt.NDArray[np.int16]
_BLOCK = 1 << 14
_MAX_CROSSINGS = 2_000


@dataclass(frozen=True)
class Scale:
    """What codes mean: volts = (code - `zero_code`) * `volts_per_code`. From `low_code` down and `high_code` up: clipped.

    The true rail is within `gain_error` * |volts| + `offset_error_v` + `noise_v` of that (worst case).
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
    """Codes `up_from`..`up_to` prove up, `down_from`..`down_to` prove down (none where from > to)."""

    up_from: int
    up_to: int
    down_from: int
    down_to: int
    middle: float


def code_limits(scale: Scale, down_below_v: float, up_above_v: float) -> CodeLimits:
    """Which codes prove what. Raises ValueError for a scale that is not finite, or is not rising."""
    if not (np.isfinite(scale.volts_per_code) and np.isfinite(scale.zero_code) and scale.volts_per_code > 0):
        raise ValueError("the scale of the samples must be finite and rising")
    codes = np.arange(scale.low_code + 1, scale.high_code)
    volts = scale.volts(codes)
    error = np.abs(volts) * scale.gain_error + scale.offset_error_v + scale.noise_v
    up, down = codes[volts - error >= up_above_v], codes[volts + error <= down_below_v]
    middle = (down_below_v + up_above_v) / 2 / scale.volts_per_code + scale.zero_code
    return CodeLimits(
        int(up[0]) if len(up) else scale.high_code,
        scale.high_code - 1,
        scale.low_code + 1,
        int(down[-1]) if len(down) else scale.low_code,
        float(middle),
    )


@dataclass(frozen=True)
class Runs:
    """Runs of equal state over sample indices: `first`..`last` inclusive; state 1 up, -1 down, 0 unknown, 2 clipped."""

    first: npt.NDArray[np.int64]
    last: npt.NDArray[np.int64]
    state: npt.NDArray[np.int8]


def classify(codes: Codes, limits: CodeLimits) -> Runs:
    """Runs of what the samples prove: minimum and maximum of each block; only mixed blocks are looked at closer."""
    full = len(codes) // _BLOCK * _BLOCK
    table = codes[:full].reshape(-1, _BLOCK)
    low, high = table.min(axis=1).astype(np.int64), table.max(axis=1).astype(np.int64)
    state = np.zeros(len(table), np.int8)
    state[(low >= limits.up_from) & (high <= limits.up_to)] = 1
    state[(low >= limits.down_from) & (high <= limits.down_to)] = -1
    mixed = state == 0
    starts, states = [], []
    turns = np.concatenate(([full > 0], (state[1:] != state[:-1]) | mixed[1:] | mixed[:-1]))
    for block in np.flatnonzero(turns[: len(table)]):
        if not mixed[block]:
            starts.append(np.array([block * _BLOCK], np.int64))
            states.append(state[block : block + 1])
        else:
            at, what = _runs_of(codes[block * _BLOCK : (block + 1) * _BLOCK], limits)
            starts.append(at + block * _BLOCK)
            states.append(what)
    if full < len(codes):
        at, what = _runs_of(codes[full:], limits)
        starts.append(at + full)
        states.append(what)
    if not starts:
        empty = np.empty(0, np.int64)
        return Runs(empty, empty, np.empty(0, np.int8))
    first, what = np.concatenate(starts), np.concatenate(states)
    keep = np.concatenate(([True], what[1:] != what[:-1]))
    first, what = first[keep], what[keep]
    return Runs(first, np.concatenate((first[1:] - 1, [len(codes) - 1])), what)


def _runs_of(block: Codes, limits: CodeLimits) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int8]]:
    state = np.zeros(len(block), np.int8)
    state[block > limits.up_to] = 2
    state[block < limits.down_from] = 2
    state[(block >= limits.up_from) & (block <= limits.up_to)] = 1
    state[(block >= limits.down_from) & (block <= limits.down_to)] = -1
    first = np.flatnonzero(np.concatenate(([True], state[1:] != state[:-1])))
    return first.astype(np.int64), state[first]


@dataclass(frozen=True)
class Grid:
    """Uniform sampling: sample i at `first_s` + i * `dt_s` seconds after the trigger."""

    first_s: float
    dt_s: float

    def at_ns(self, index: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        at: npt.NDArray[np.int64] = np.rint((self.first_s + index * self.dt_s) * 1e9).astype(np.int64)
        return at


def source_of(name: str, node: str, codes: Codes, grid: Grid, limits: CodeLimits, settings: RailSettings) -> Source:
    """One capture as a source on its own time line (0 = trigger).

    Two up samples join where at most `ride_through` apart with nothing proven down between; two down samples where at
    most `restore_min` apart with nothing proven up between.
    """
    runs = classify(codes, limits)
    up, _ = _joined(runs, grid, 1, settings.ride_through_ns)
    down, down_bridge = _joined(runs, grid, -1, settings.restore_min_ns)
    seen = Intervals.empty()
    if grid.dt_s * 1e9 <= settings.ride_through_ns:
        clear = runs.state != 2
        seen = Intervals.normalised(grid.at_ns(runs.first[clear]), grid.at_ns(runs.last[clear]))
        seen = seen.join_closer_than(settings.ride_through_ns)
    return Source(
        name,
        node,
        up,
        down,
        seen,
        _crossings(runs, codes, grid, limits),
        up_bridge_ns=settings.ride_through_ns,
        down_bridge_ns=down_bridge,
    )


def _joined(runs: Runs, grid: Grid, state: int, gap_ns: int) -> tuple[Intervals, int]:
    """The runs of one state as spans, and the longest stretch that a join bridged."""
    dt_ns = round(grid.dt_s * 1e9)
    if dt_ns > gap_ns:
        return Intervals.empty(), 0
    mine = np.flatnonzero(runs.state == state)
    if len(mine) == 0:
        return Intervals.empty(), 0
    opposite = np.cumsum(runs.state == -state)
    start, end = grid.at_ns(runs.first[mine]), grid.at_ns(runs.last[mine])
    apart = start[1:] - end[:-1]
    join = (apart <= gap_ns) & (opposite[mine[1:]] == opposite[mine[:-1]])
    first = np.concatenate(([True], ~join))
    last = np.concatenate((~join, [True]))
    bridged = int(apart[join].max()) if join.any() else 0
    return Intervals(start[first], end[last]), max(dt_ns, bridged)


def _crossings(runs: Runs, codes: Codes, grid: Grid, limits: CodeLimits) -> tuple[Crossing, ...]:
    """Where the rail crossed the middle of the thresholds, interpolated between the two samples beside it."""
    decided = np.flatnonzero(np.abs(runs.state) == 1)
    states = runs.state[decided]
    turns = np.flatnonzero(states[1:] != states[:-1])[:_MAX_CROSSINGS]
    found = []
    for turn in turns:
        a, b = int(runs.last[decided[turn]]), int(runs.first[decided[turn + 1]])
        part = codes[a : b + 1].astype(np.float64)
        falling = bool(states[turn] == 1)
        past = part <= limits.middle if falling else part >= limits.middle
        k = int(np.argmax(past))
        step = part[k] - part[k - 1]
        fraction = (limits.middle - part[k - 1]) / step if step else 0.5
        at_s = grid.first_s + (a + k - 1 + fraction) * grid.dt_s
        found.append(Crossing(round(at_s * 1e9), falling, max(1, round(grid.dt_s * 1e9))))
    return tuple(found)
