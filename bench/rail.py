"""From 24 million codes to outages with bounds, against one `numpy.max` pass over the same array in the same run.

Beside it the plain way: volts as floats, `flatnonzero` on the comparison; and the memory that both take above it.
"""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from rig.rail import RailHistory, RailSettings, merge, outages
from rig.rail.samples import Codes, Grid, Scale, code_limits, source_of

SAMPLES = 24_000_000
DT_S = 25e-6
ROUNDS = 15
DOWN_V, UP_V = 3.0, 9.0
_SCALES = {
    np.dtype(np.uint8): Scale(0.06, 0.0, 0, 255, 0.02, 0.1, 0.2),
    np.dtype(np.int16): Scale(0.0006, 0.0, -32768, 32767, 0.02, 0.1, 0.2),
}


def record(kind: type[np.uint8] | type[np.int16], cuts: int) -> Codes:
    """12 V with noise, away for a quarter of the time in so many cuts."""
    top, bottom, noise = (200, 8, 3) if kind is np.uint8 else (20_000, 800, 200)
    codes = np.random.default_rng(1).integers(-noise, noise + 1, SAMPLES, dtype=np.int16)
    period = SAMPLES // cuts
    away = np.arange(SAMPLES) % period // (period // 8)
    codes += np.where((away == 3) | (away == 4), np.int16(bottom), np.int16(top))
    return codes.astype(kind)


def judged(codes: Codes) -> RailHistory:
    """What a person would have to wait for: codes in memory to outages with bounds."""
    scale, settings = _SCALES[codes.dtype], RailSettings()
    limits = code_limits(scale, DOWN_V, UP_V)
    source = source_of("scope", "rail", codes, Grid(0.0, DT_S), limits, settings)
    return outages(merge([source]), settings, 0, round((SAMPLES - 1) * DT_S * 1e9))


def plainly(codes: Codes) -> npt.NDArray[np.float64]:
    """Lengths of what lies below one threshold, without any bound."""
    volts = _SCALES[codes.dtype].volts(codes)
    edges = np.flatnonzero(np.diff(volts < (DOWN_V + UP_V) / 2))
    return np.asarray(np.diff(edges)[::2] * DT_S)


def seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def megabytes(call: Callable[[], object]) -> float:
    tracemalloc.start()
    call()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak / 2**20


def main() -> None:
    for kind in (np.uint8, np.int16):
        for cuts in (1, 100):
            codes = record(kind, cuts)
            found = judged(codes)
            assert len(found.outages) == cuts
            rounds = [(seconds(codes.max), seconds(lambda c=codes: judged(c))) for _ in range(ROUNDS)]
            base, ours = (min(times) for times in zip(*rounds, strict=True))
            plain = min(seconds(lambda c=codes: plainly(c)) for _ in range(3))
            print(
                f"rail {np.dtype(kind).name} {cuts} outages: {ours / base:.1f} x numpy.max ({ours * 1e3:.1f} ms, < 4), "
                f"+{megabytes(lambda c=codes: judged(c)):.1f} MB (< 64); "
                f"plain way {plain / base:.0f} x, +{megabytes(lambda c=codes: plainly(c)):.0f} MB"
            )


if __name__ == "__main__":
    main()
