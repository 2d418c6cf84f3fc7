"""Times the alert models on histories of 100 cuts. The budget is 1 ms for one region, whatever the history and reading.

Run with `python -m bench.alerts`; prints the best of many calls in milliseconds: for every history the slowest reading
of each mechanism, at the default times and for ranges so wide that few cuts have one outcome.
"""

from __future__ import annotations

import timeit
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import product
from random import Random

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
    """Cuts of 25 s, 15 s apart: the boot is restarted each time, and every state is unclear at one end."""
    return History(tuple(Cut(40.0 * i, 40.0 * i + 0.5, 40.0 * i + 25.0, 40.0 * i + 25.5) for i in range(CUTS)))


def spread() -> History:
    """Cuts of 100 s, 150 s apart: each may come before the return notification of the one before."""
    return History.of([(250.0 * i, 250.0 * i + 100.0) for i in range(CUTS)])


def short() -> History:
    """Cuts of 10 s, 90 s apart: every one is ridden through, or restarts a boot."""
    return History.of([(100.0 * i, 100.0 * i + 10.0) for i in range(CUTS)])


def even() -> History:
    """Cuts of 30 s, 70 s apart: each comes while the hub waits, with several gaps open."""
    return History.of([(100.0 * i, 100.0 * i + 30.0) for i in range(CUTS)])


def long() -> History:
    """Cuts of 330 s, 670 s apart: each may alert by itself."""
    return History.of([(1000.0 * i, 1000.0 * i + 330.0) for i in range(CUTS)])


def alternating() -> History:
    """Cuts of 10 s and of 50 s by turns: no two neighbours meet the same fate."""
    return History.of([(200.0 * i, 200.0 * i + (50.0 if i % 2 else 10.0)) for i in range(CUTS)])


def unsure() -> History:
    """Cuts that may not have been, or may have lasted 90 s, and may hide others."""
    return History(tuple(Cut(100.0 * i, 100.0 * i + 40, 100.0 * i + 30, 100.0 * i + 90) for i in range(CUTS)))


def mixed() -> History:
    """Cuts of 1 to 170 s, 4 to 260 s apart, with bounds of up to a second."""
    random = Random(3)
    at, cuts = 0.0, []
    for _ in range(CUTS):
        length = random.choice([random.uniform(4, 25), random.uniform(15, 60), random.uniform(40, 170)])
        by = random.choice([0.0, 0.02, 1.0])
        cuts.append(Cut(at - by, at + by, at + length - by, at + length + by))
        at += length + random.choice([random.uniform(4, 30), random.uniform(20, 100), random.uniform(60, 260)])
    return History(tuple(cuts))


WIDE_SOUTH_CENTRAL = SouthCentralSettings(
    holdup_s=Range(5, 30),
    recharge_s=Range(0, 300),
    reboot_s=Range(60, 240),
    wait_s=Range(60, 180),
    gap_s=Range(300, 440),
)
WIDE_NORTH = NorthSettings(
    held_from_s=Range(8, 40),
    held_share=Range(0.1, 1),
    pra_lost=Range(0.01, 0.2),
    holdup_s=Range(100, 300),
    recharge_s=Range(0, 3000),
    pra_latency_s=Range(0, 60),
)


def milliseconds(call: Callable[[], Prediction]) -> float:
    """The best of 60 calls in ms."""
    return min(timeit.repeat(call, number=1, repeat=60)) * 1e3


def north(history: History, settings: NorthSettings) -> dict[str, float]:
    """The time in ms of every reading."""
    return {
        f"later PRA {later.value}": milliseconds(
            partial(predict_north, history, replace(settings, later_pra_discards=later))
        )
        for later in Answer
    }


def south_central(history: History, settings: SouthCentralSettings) -> dict[str, float]:
    """The time in ms of every reading."""
    out = {}
    for rebases, rides, returns in product(Answer, repeat=3):
        s = replace(
            settings,
            second_shutdown_rebases=rebases,
            booting_rides_on_holdup=rides,
            returns_on_holdup=returns,
        )
        name = f"re-basing {rebases.value}, rides {rides.value}, returns {returns.value}"
        out[name] = milliseconds(partial(predict_south_central, history, s))
    return out


def main() -> None:
    budget = f"for {CUTS} cuts (budget {BUDGET_MS} ms)"
    for make in (dense, spread, short, even, long, alternating, unsure, mixed):
        history = make()
        times = {
            "north": north(history, NorthSettings()),
            "north, wide ranges": north(history, WIDE_NORTH),
            "south_central": south_central(history, SouthCentralSettings()),
            "south_central, wide ranges": south_central(history, WIDE_SOUTH_CENTRAL),
        }
        for region, readings in times.items():
            name, time_ms = max(readings.items(), key=lambda row: row[1])
            print(f"alerts.{make.__name__}.{region}, slowest ({name}): {time_ms:.3f} ms {budget}")


if __name__ == "__main__":
    main()
