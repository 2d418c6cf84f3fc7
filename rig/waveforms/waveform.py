"""One channel of one file: its samples, when they were taken, and what was assumed to read it. Knows no file format."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt

from rig.errors import InputError, Where
from rig.rail.samples import Grid, Scale

Values = npt.NDArray[np.float64] | npt.NDArray[np.float32] | npt.NDArray[np.uint8] | npt.NDArray[np.int16]
MAX_SAMPLES = 1 << 28
"""More samples than this in one channel are refused: 2 GiB of volts."""

BLOCK_SAMPLES = 1 << 22
"""Samples are handed on so many at a time."""

LATEST_S = 2.0e9
"""Times further from zero than this are refused: nanoseconds of them would not fit the rail's time line."""


def checked_grid(file: str, first_s: float, interval_s: float | None, count: int) -> Grid:
    """The grid of `count` samples. Raises `InputError` when its interval or its reach is none of an oscilloscope's."""
    if interval_s is None or not interval_s > 0 or not abs(first_s) + interval_s * count < LATEST_S:
        found = f"start {first_s} s, interval {interval_s} s, {count} samples"
        raise InputError("no usable sample interval", Where(file, "--interval", None, found, "a number above 0"))
    return Grid(first_s, interval_s)


@dataclass(frozen=True)
class Binning:
    """Only extremes are left: of `count` bins, each of `size` samples (the last: or less) and the one after.

    `whole`: of all that happened in the bin, for the instrument never looked away; a sample is then but an edge.
    """

    count: int
    size: int
    whole: bool = False


@dataclass(frozen=True, eq=False)
class Waveform:
    """The samples of one channel: `count` of them, which `blocks` gives in order, as often as it is called.

    They are volts where `scale` is None (NaN = unknown: infinite, over-range or not a number in the file), else integer
    codes that `scale` turns into volts. Sample i was taken at `grid` (seconds after the file's own zero, mostly the
    trigger) where the sampling is uniform, else at `times_ns[i]`, strictly increasing; one of both is given.
    `time_base_ppm` is the time base's worst rate error where the file states it. `time_error_s` is how far a sample may
    have been from its time because of the digits printed: half of the last one. `notes` are for people.

    Of an envelope (`bins`), `count` and `grid` are those of the samples that there were, and `blocks` gives the least
    and the greatest of each bin in turn.
    """

    file: str
    channel: str
    dialect: str
    count: int
    blocks: Callable[[], Iterator[Values]]
    scale: Scale | None
    grid: Grid | None
    times_ns: npt.NDArray[np.int64] | None
    notes: tuple[str, ...]
    time_base_ppm: float | None = None
    time_error_s: float = 0.0
    bins: Binning | None = None

    @property
    def read_count(self) -> int:
        """How many values `blocks` gives."""
        return self.count if self.bins is None else 2 * self.bins.count

    def sample_of(self, index: int) -> int:
        """The sample that value `index` of `blocks` is of, or the first of its bin."""
        return index if self.bins is None else index // 2 * self.bins.size

    @property
    def values(self) -> Values:
        """All that `blocks` gives, shape (`read_count`,): as large as the file is long."""
        blocks = self.blocks()
        first = next(blocks)
        if len(first) == self.read_count:
            return first
        whole: Values = np.empty(self.read_count, first.dtype)
        at = 0
        for block in chain((first,), blocks):
            whole[at : at + len(block)] = block
            at += len(block)
        return whole


def in_memory(values: Values) -> Callable[[], Iterator[Values]]:
    """The blocks of samples that are in memory anyway."""
    return lambda: (values[at : at + BLOCK_SAMPLES] for at in range(0, len(values), BLOCK_SAMPLES))
