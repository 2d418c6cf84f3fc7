"""One channel of one file: its samples, when they were taken, and what was assumed to read it. Knows no file format."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rig.errors import InputError, Where
from rig.rail.samples import Grid, Scale

Values = npt.NDArray[np.float64] | npt.NDArray[np.float32] | npt.NDArray[np.uint8] | npt.NDArray[np.int16]
MAX_SAMPLES = 1 << 28
"""More samples than this in one channel are refused: 2 GiB of volts."""

LATEST_S = 2.0e9
"""Times further from zero than this are refused: nanoseconds of them would not fit the rail's time line."""


def checked_grid(file: str, first_s: float, interval_s: float | None, count: int) -> Grid:
    """The grid of `count` samples. Raises `InputError` when its interval or its reach is none of an oscilloscope's."""
    if interval_s is None or not interval_s > 0 or not abs(first_s) + interval_s * count < LATEST_S:
        found = f"start {first_s} s, interval {interval_s} s, {count} samples"
        raise InputError("no usable sample interval", Where(file, "--interval", None, found, "a number above 0"))
    return Grid(first_s, interval_s)


@dataclass(frozen=True)
class Waveform:
    """The samples of one channel, shape (n,).

    `values` are volts where `scale` is None (NaN = unknown: infinite, over-range or not a number in the file), else
    integer codes that `scale` turns into volts. Sample i was taken at `grid` (seconds after the file's own zero, mostly
    the trigger) where the sampling is uniform, else at `times_ns[i]`, strictly increasing; one of both is given.
    `time_base_ppm` is the time base's worst rate error where the file states it. `time_error_s` is how far a sample may
    have been from its time because of the digits printed: half of the last one. `notes` are for people.
    """

    file: str
    channel: str
    dialect: str
    values: Values
    scale: Scale | None
    grid: Grid | None
    times_ns: npt.NDArray[np.int64] | None
    notes: tuple[str, ...]
    time_base_ppm: float | None = None
    time_error_s: float = 0.0
