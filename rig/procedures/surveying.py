"""One pass over a waveform before it is judged: some of its samples, for the levels, and the least and the greatest of
each column of a picture. Holds no more of a long record than a block. Judges nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rig.rail.levels import MOST_SAMPLES
from rig.waveforms import Waveform

_COLUMNS = 2000


@dataclass(frozen=True, eq=False)
class Survey:
    """`volts`: at most half a million samples, evenly taken.

    `columns`: (first sample, lowest V, highest V) of each column in which anything is known.
    """

    volts: npt.NDArray[np.floating]
    columns: tuple[tuple[int, float, float], ...]


def survey(wave: Waveform) -> Survey:
    """Raises `InputError` when the file turns out to be damaged."""
    step = max(1, -(-wave.read_count // MOST_SAMPLES))
    edges = np.unique(np.linspace(0, wave.read_count, min(_COLUMNS, wave.read_count) + 1).astype(np.int64))[:-1]
    low, high = np.full(len(edges), np.nan), np.full(len(edges), np.nan)
    taken: list[npt.NDArray[np.floating]] = []
    at = 0
    for block in wave.blocks():
        taken.append(_volts(wave, block[-at % step :: step]))
        first = int(np.searchsorted(edges, at, side="right")) - 1
        after = int(np.searchsorted(edges, at + len(block), side="left"))
        starts = np.maximum(edges[first:after] - at, 0)
        low[first:after] = np.fmin(low[first:after], _volts(wave, np.fmin.reduceat(block, starts)))
        high[first:after] = np.fmax(high[first:after], _volts(wave, np.fmax.reduceat(block, starts)))
        at += len(block)
    columns = zip(map(wave.sample_of, edges.tolist()), low.tolist(), high.tolist(), strict=True)
    return Survey(np.concatenate(taken), tuple(column for column in columns if column[1] == column[1]))


def _volts(wave: Waveform, values: npt.NDArray[np.generic]) -> npt.NDArray[np.floating]:
    return np.array(values, np.float64) if wave.scale is None else wave.scale.volts(values)
