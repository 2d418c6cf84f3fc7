"""The two levels of a waveform and its noise, for files without thresholds: a proposal, never a proof. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

MOST_SAMPLES = 1 << 19
"""So many samples, taken evenly, are enough: the caller thins out more of them."""
_ROUNDS = 30
_QUANTILE = 0.9999
"""Of the steps between neighbours; divided by the root of 2 that is 3.9 standard deviations of normal noise, and 1.4
times the bound of uniform noise."""
UP_FRACTION, DOWN_FRACTION = 5 / 6, 1 / 2
"""Where the proposed thresholds lie between the levels: 10 V and 6 V for a rail of 12 V, as the bench's defaults."""


@dataclass(frozen=True)
class Levels:
    """Volts of the upper and the lower level, and an estimate of the noise's bound."""

    high_v: float
    low_v: float
    noise_v: float
    usual_step_v: float

    @property
    def two(self) -> bool:
        """Whether there really are two levels, and not one with noise: nine steps in ten are small beside the swing."""
        return self.high_v - self.low_v > max(4 * self.noise_v, 2 * self.usual_step_v)

    def thresholds(self) -> tuple[float, float]:
        """The proposal (down_below_v, up_above_v)."""
        swing = self.high_v - self.low_v
        return round(self.low_v + DOWN_FRACTION * swing, 3), round(self.low_v + UP_FRACTION * swing, 3)


def levels_of(volts: npt.NDArray[np.floating]) -> Levels | None:
    """The levels of these samples, shape (n,); None where all that is finite is one value, or nothing is."""
    known = volts[np.isfinite(volts)].astype(np.float64)
    if len(known) < 2 or known.min() == known.max():
        return None
    middle = (float(known.min()) + float(known.max())) / 2
    high = low = middle
    for _ in range(_ROUNDS):
        above = known > middle
        high, low = float(known[above].mean()), float(known[~above].mean())
        if middle == (high + low) / 2:
            break
        middle = (high + low) / 2
    steps = np.abs(np.diff(known))
    quiet = steps[steps <= (high - low) / 4]
    levels = Levels(high, low, _noise(quiet), float(np.quantile(steps, 0.9)))
    return levels if levels.two else replace(levels, noise_v=_noise(steps))


def _noise(steps: npt.NDArray[np.float64]) -> float:
    return float(np.quantile(steps, _QUANTILE) / np.sqrt(2)) if len(steps) else 0.0
