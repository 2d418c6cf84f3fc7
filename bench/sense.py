"""What an edge costs the controller: through the watch's look, from gpiod's event to a known rail, and in a burst.

The reference, in the same run: the plainest loop that reads the same events and keeps their stamps. The chip is the
twin's, with gpiod's own event objects; a real chip adds one `read` of the kernel for up to 64 edges.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from rig.bench.config import BenchConfig
from rig.clock.virtual import VirtualClock
from rig.instruments.sense import GpiodSenseLines, SenseLine
from rig.procedures.watch import Watch
from rig.twin.devices import Signal
from rig.twin.gpio import TwinChip
from rig.twin.rack import NOWHERE, filled, template

EDGES = 1000
ROUNDS = 7


def bench() -> tuple[BenchConfig, tuple[SenseLine, ...]]:
    config = filled(template("twin"), NOWHERE, "twin")
    return config, tuple(SenseLine(s.name, s.line, s.active == "high") for s in config.sense)


def best(call: Callable[[], float]) -> float:
    return min(call() for _ in range(ROUNDS))


def chip() -> tuple[VirtualClock, dict[int, Signal], GpiodSenseLines]:
    _, lines = bench()
    clock, signals = VirtualClock(), {line.line: Signal() for line in lines}
    it = TwinChip("/dev/gpiochip0", clock, signals)
    return clock, signals, GpiodSenseLines("/dev/gpiochip0", lines, it.request_lines)  # type: ignore[arg-type]


def plain() -> float:
    """Reference: read what waits, keep the stamps."""
    _, signals, lines = chip()
    for number in range(EDGES):
        signals[5].set(number % 2 == 0)
    request, stamps = lines._request, []  # noqa: SLF001
    start = time.perf_counter()
    while request.wait_edge_events(0):
        stamps += [event.timestamp_ns for event in request.read_edge_events()]
    took = time.perf_counter() - start
    assert len(stamps) == EDGES
    lines.close()
    return took


def burst() -> float:
    """All of them wait at once: one look."""
    clock, signals, lines = chip()
    watch = Watch(bench()[0], lines, clock)
    watch._look()  # noqa: SLF001
    for number in range(EDGES):
        signals[5].set(number % 2 == 0)
    start = time.perf_counter()
    watch._look()  # noqa: SLF001
    took = time.perf_counter() - start
    assert watch.losses() == []
    lines.close()
    return took


def one_by_one() -> float:
    """Each of them wakes the watch: a look for each."""
    clock, signals, lines = chip()
    watch = Watch(bench()[0], lines, clock)
    watch._look()  # noqa: SLF001
    took = 0.0
    for number in range(EDGES):
        clock.sleep(0.01)
        signals[5].set(number % 2 == 0)
        start = time.perf_counter()
        watch._look()  # noqa: SLF001
        took += time.perf_counter() - start
    assert watch.losses() == []
    lines.close()
    return took


def main() -> None:
    base, at_once, single = best(plain), best(burst), best(one_by_one)
    print(
        f"sense: {EDGES} edges in a burst, none lost: {at_once / EDGES * 1e6:.1f} us an edge, {at_once / base:.1f} x a "
        f"plain read ({base / EDGES * 1e6:.1f} us); a look for each: {single / EDGES * 1e6:.0f} us (< 1000)"
    )


if __name__ == "__main__":
    main()
