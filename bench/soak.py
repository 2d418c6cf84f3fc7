"""A night on the twin in real time, and thousands of short cycles: what one costs, and that nothing grows.

`python -m bench.soak [CYCLES]` (5000 by default: about ten minutes). A short cycle is a whole one, of half a minute of
the twin's time, with a capture of 12,000 samples. Its own work is the processor time of this process without the
twin's instruments, and without the capture: the activity that sets the oscilloscope up, follows it and reads it.
"""

from __future__ import annotations

import gc
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil

from rig.clock.virtual import VirtualClock
from rig.clock.virtual_activity import VirtualActivity
from rig.firmware import Behaviour
from rig.procedures.soak.plan import Pair
from rig.procedures.soak.progress import CycleRow, SilentSoak, SoakState
from rig.soak import PreparedSoak, SoakRequest
from rig.twin import bench as twins

CYCLES, NIGHT = 5000, 60
SETTLED, PART = 200, 100
PLAN = """\
schema = "rig.plan/1"
[plan]
name = "bench"
[[firmware]]
fixture = "cut-45s"
[end]
cycles = {cycles}
[disk]
passed = "{keep}"
"""
SHORT = Behaviour(feed=((1.0, 0.0), (4.0, 12.0)), version_changes_at_s=6.0, silent=((1.0, 6.0),))
SHRUNK = {
    "settle_s = 60.0": "settle_s = 4.0",
    "window_s = 600.0": "window_s = 12.0",
    "pre_s = 6.0": "pre_s = 1.0",
    "depth = 12_000_000": "depth = 12_000",
    "quiet_s = 60.0": "quiet_s = 5.0",
    "control_valid_h = 24.0": "control_valid_h = 8760.0",
}


class Measured(SilentSoak):
    """When each cycle ended, by wall and by processor; and how much this process holds."""

    def __init__(self) -> None:
        self.wall = [time.perf_counter()]
        self.own = [own_s()]
        self.captures = [0.0]
        self.held: dict[int, tuple[float, int, int, int]] = {}

    def cycle(self, row: CycleRow, state: SoakState) -> None:
        assert row.verdict == "PASS", row
        if state.done in (SETTLED, 1000, 2500) or state.done == state.planned:
            self.hold(state.done)
        self.wall.append(time.perf_counter())
        self.own.append(own_s())
        self.captures.append(_Captures.spent_s)

    def hold(self, number: int) -> None:
        gc.collect()
        me = psutil.Process()
        self.held[number] = (me.memory_info().rss / 1e6, me.num_fds(), threading.active_count(), len(gc.get_objects()))

    def per_cycle_ms(self, times: list[float], first: int, last: int) -> float:
        return 1e3 * (times[last] - times[first]) / (last - first)


def own_s() -> float:
    """Processor time of this process without its captures, and without the servers of the twin's instruments."""
    peers = {t.native_id for t in threading.enumerate() if t.name.endswith((" client", " listener"))}
    rows = psutil.Process().threads()
    servers = sum(row.user_time + row.system_time for row in rows if row.id in peers)
    return time.process_time() - servers - _Captures.spent_s


class _Captures:
    """What the activities that hold the oscilloscope took of the processor: each tells it when it ends."""

    spent_s = 0.0

    @classmethod
    def count(cls) -> None:
        spawn = VirtualClock.spawn

        def counted(clock: VirtualClock, name: str, fn: Callable[[], None]) -> VirtualActivity:
            def timed() -> None:
                try:
                    fn()
                finally:
                    cls.spent_s += time.thread_time()

            return spawn(clock, name, timed if name == "oscilloscope" else fn)

        VirtualClock.spawn = counted  # type: ignore[method-assign]


def soak(folder: Path, cycles: int, *, short: bool) -> Measured:
    folder.mkdir()
    plan = folder / "plan.toml"
    plan.write_text(PLAN.format(cycles=cycles, keep="none" if short else "envelope"), encoding="utf-8")
    prepared = PreparedSoak(SoakRequest(plan, out=folder / "runs"))
    if short:
        prepared.plan = replace(prepared.plan, pairs=tuple(map(_short, prepared.plan.pairs)))
    told = Measured()
    prepared.run(told)
    return told


def _short(pair: Pair) -> Pair:
    return replace(pair, there=replace(pair.there, behaviour=SHORT), back=replace(pair.back, behaviour=SHORT))


def _shrunk(name: str) -> str:
    text = twins_template(name)
    for old, new in SHRUNK.items():
        text = text.replace(old, new)
    return text


twins_template = twins.template


def main(cycles: int) -> None:
    _Captures.count()
    with tempfile.TemporaryDirectory(prefix="soak-bench-", dir=_memory()) as place:
        used_s = time.process_time()
        night = soak(Path(place) / "night", NIGHT, short=False)
        used_s, total = time.process_time() - used_s, night.wall[-1] - night.wall[0]
        print(
            f"soak: a night of {NIGHT} cycles in {total:.1f} s (< 60); {used_s:.1f} s of it on a processor", flush=True
        )
        twins.template = _shrunk
        told = soak(Path(place) / "short", cycles, short=True)
    part = min(PART, cycles // 4)
    first, last = (told.per_cycle_ms(told.own, a, b) for a, b in ((part, 2 * part), (cycles - part, cycles)))
    wall = told.per_cycle_ms(told.wall, part, cycles)
    whole, capture = (told.per_cycle_ms(times, part, cycles) for times in (told.own, told.captures))
    print(f"soak: {cycles} short cycles, {whole:.1f} ms of own work each (< 50), and {capture:.1f} ms for the capture")
    print(f"soak: {wall:.1f} ms each by the clock on the wall, the twin's instruments included")
    print(f"soak: the last {part} cycles cost {last / first:.2f} times the first (about 1)")
    for number, (rss, fds, threads, objects) in sorted(told.held.items()):
        print(f"soak: after {number} cycles {rss:.1f} MB, {fds} open files, {threads} threads, {objects} objects")
    if SETTLED in told.held and cycles > SETTLED:
        print(f"soak: memory grew by {told.held[cycles][0] - told.held[SETTLED][0]:.1f} MB from {SETTLED} on (< 5)")


def _memory() -> str | None:
    """In memory: how fast a disk syncs is not what is measured."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else CYCLES)
