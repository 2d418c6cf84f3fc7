"""Times the alert models on a history of 100 cuts. The budget is 1 ms for one region.

Run with `python -m bench.alerts`; prints the best of many calls, in milliseconds.
"""

from __future__ import annotations

import timeit
from collections.abc import Callable

from rig.judgement.alerts import (
    Answer,
    Cut,
    History,
    Prediction,
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
    """Best of 20 runs of 20 calls each: the time of one call in ms."""
    return min(timeit.repeat(call, number=20, repeat=20)) / 20 * 1e3


def main() -> None:
    unknown = SouthCentralSettings(second_shutdown_rebases=Answer.UNKNOWN)
    for make in (dense, spread, short):
        history = make()
        rows = {
            "north": lambda h=history: predict_north(h),
            "south_central": lambda h=history: predict_south_central(h),
            "south_central, re-basing unknown": lambda h=history: predict_south_central(h, unknown),
        }
        for name, call in rows.items():
            print(f"alerts.{make.__name__}.{name}: {milliseconds(call):.3f} ms for {CUTS} cuts (budget {BUDGET_MS} ms)")


if __name__ == "__main__":
    main()
