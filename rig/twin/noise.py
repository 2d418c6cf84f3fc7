"""Noise that is a hash of (seed, channel, instant): bounded, and the same whoever asks, in whatever order.

Pure. The mixing is SplitMix64's finaliser (Steele, Lea and Flood, OOPSLA 2014) over 64-bit lanes.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_TWO_32 = float(1 << 32)


def _mix(lanes: npt.NDArray[np.uint64]) -> None:
    """SplitMix64's finaliser, in place."""
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        lanes ^= lanes >> np.uint64(shift)
        lanes *= np.uint64(factor)
    lanes ^= lanes >> np.uint64(31)


def triangular(seed: int, channel: int, at_ns: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Noise within [-1, 1], triangular around 0, one value for each instant; standard deviation 1/sqrt(6)."""
    key = np.array([(seed * 0x2545F4914F6CDD1D + channel * 0x9E3779B97F4A7C15) % (1 << 64)], dtype=np.uint64)
    _mix(key)
    lanes = at_ns.astype(np.uint64)
    lanes *= _GOLDEN
    lanes ^= key
    _mix(lanes)
    halves = lanes.astype("<u8", copy=False).view("<u4")
    out: npt.NDArray[np.float64] = np.subtract(halves[::2], halves[1::2], dtype=np.float64)
    out /= _TWO_32
    return out
