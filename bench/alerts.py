"""Times the alert models on a history of 100 cuts. The budget is 1 ms for one region.

Run with `python -m bench.alerts`; prints the best of many calls, in milliseconds, for every reading of both mechanisms
at the default times, and the slowest reading for ranges so wide that few cuts have one outcome.
"""

from __future__ import annotations

import timeit
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import product

from rig.judgement.alerts import (
    Answer,
    Cut,
    History,
    NorthSettings,
    Prediction,
    Range,
    SouthCentralSettings,
    predict_north,
    predict_south_central,
)

BUDGET_MS = 1.0
CUTS = 100


def dense() -> History:
    """One hundred cuts of 25 s, 15 s apart: the boot is restarted each time, and every state is unclear at one end."""
    return History(tuple(Cut(40.0 * i, 40.0 * i + 0.5, 40.0 * i + 25.0, 40.0 * i + 25.5) for i in range(CUTS)))


def spread() -> History:
    """One hundred cuts of 100 s, 150 s apart: each may come before the return notification of the one before."""
    return History(tuple(Cut(250.0 * i, 250.0 * i, 250.0 * i + 100.0, 250.0 * i + 100.0) for i in range(CUTS)))


def short() -> History:
    """One hundred cuts of 10 s, 90 s apart: every one is ridden through, or restarts a boot."""
    return History(tuple(Cut(100.0 * i, 100.0 * i, 100.0 * i + 10.0, 100.0 * i + 10.0) for i in range(CUTS)))


def milliseconds(call: Callable[[], Prediction]) -> float:
    """Best of 20 runs of 5 calls each: the time of one call in ms."""
    return min(timeit.repeat(call, number=5, repeat=20)) / 5 * 1e3


def even() -> History:
    """One hundred cuts of 30 s, 70 s apart: each comes while the hub waits, with several gaps open."""
    return History(tuple(Cut(100.0 * i, 100.0 * i, 100.0 * i + 30.0, 100.0 * i + 30.0) for i in range(CUTS)))


WIDE_SOUTH_CENTRAL = SouthCentralSettings(
    holdup_s=Range(5, 30),
    recharge_s=Range(0, 300),
    reboot_s=Range(60, 240),
    wait_s=Range(60, 180),
    gap_s=Range(300, 440),
)
WIDE_NORTH = NorthSettings(
    held_from_s=Range(8, 40), holdup_s=Range(100, 300), recharge_s=Range(0, 3000), pra_latency_s=Range(0, 60)
)


def readings(history: History, south_central: SouthCentralSettings, north: NorthSettings) -> dict[str, float]:
    """The time in ms of every reading of both mechanisms."""
    out = {}
    for later in Answer:
        n = replace(north, later_pra_discards=later)
        out[f"north, later PRA {later.value}"] = milliseconds(partial(predict_north, history, n))
    for rebases, rides, returns in product(Answer, repeat=3):
        s = replace(
            south_central,
            second_shutdown_rebases=rebases,
            booting_rides_on_holdup=rides,
            returns_on_holdup=returns,
        )
        name = f"south_central, re-basing {rebases.value}, rides {rides.value}, returns {returns.value}"
        out[name] = milliseconds(partial(predict_south_central, history, s))
    return out


def main() -> None:
    budget = f"for {CUTS} cuts (budget {BUDGET_MS} ms)"
    for make in (dense, spread, short, even):
        for name, time_ms in readings(make(), SouthCentralSettings(), NorthSettings()).items():
            print(f"alerts.{make.__name__}.{name}: {time_ms:.3f} ms {budget}")
        name, time_ms = max(readings(make(), WIDE_SOUTH_CENTRAL, WIDE_NORTH).items(), key=lambda row: row[1])
        print(f"alerts.{make.__name__}.wide ranges, slowest ({name}): {time_ms:.3f} ms {budget}")


if __name__ == "__main__":
    main()
