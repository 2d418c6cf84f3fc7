"""The watch compares two clocks and reads lines: what it makes of a slew, a busy machine and lines that are lost."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rig import firmware
from rig.bench.opening import Bench, open_bench
from rig.clock import NS
from rig.clock.virtual import VirtualClock
from rig.errors import LinkError
from rig.instruments.ports import LineEdge
from rig.procedures.watch import PAIR_S, Watch
from rig.twin.bench import Twin
from tests.bench.files import checked

CONFIG = checked()


class Still:
    """Sense lines on which nothing happens: a rail that is up."""

    def names(self) -> tuple[str, ...]:
        return tuple(s.name for s in CONFIG.sense)

    def fileno(self) -> int:
        return self._never

    def __init__(self, never: int) -> None:
        self._never = never
        self.fails: Callable[[], None] = lambda: None

    def edges(self) -> list[LineEdge]:
        return []

    def levels(self) -> dict[str, bool]:
        self.fails()
        return {name: name != "rail_down" for name in self.names()}

    def close(self) -> None: ...


class Clock(VirtualClock):
    """A virtual clock on which something else happens between two readings of the two clocks."""

    def __init__(self) -> None:
        super().__init__()
        self.delays: list[int] = []
        """What passes, in ns, while CLOCK_MONOTONIC_RAW is read, one for each reading; then nothing."""
        self.read = 0

    def now_raw(self) -> int:
        self.read += 1
        raw = super().now_raw()
        self._now += self.delays.pop(0) if self.delays else 0
        return raw


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def still() -> object:
    import os

    fd = os.eventfd(0)
    yield Still(fd)
    os.close(fd)


def watched(clock: Clock, still: Still, seconds: float, then: Callable[[], None] = lambda: None) -> Watch:
    watch = Watch(CONFIG, still, clock)
    watch.start()
    clock.sleep(seconds)
    then()
    clock.sleep(seconds)
    watch.stop()
    return watch


def test_a_clock_that_keeps_its_rate_is_known_throughout(clock: Clock, still: Still) -> None:
    watch = watched(clock, still, 5.0)
    assert watch.worst_rate_ppm() == pytest.approx(0.0, abs=0.01)
    assert len(watch.slewed()) == 0


def test_a_slewed_stretch_is_unknown_from_pair_to_pair(clock: Clock, still: Still) -> None:
    start = clock.now()
    watch = watched(clock, still, 5.5, lambda: clock.set_slew(1000.0))
    assert watch.worst_rate_ppm() == pytest.approx(1000.0, rel=0.01)
    ((begin, end),) = list(watch.slewed())
    assert begin <= start + 5.5 * NS
    assert end >= start + 11.0 * NS - PAIR_S * NS
    up = watch.sources()[0].up
    assert all(b <= begin or a >= end for a, b in up)


def test_a_slew_just_inside_the_limit_is_none(clock: Clock, still: Still) -> None:
    clock.set_slew(CONFIG.limits.clock_rate_ppm - 1)
    watch = watched(clock, still, 5.0)
    assert len(watch.slewed()) == 0
    assert watch.worst_rate_ppm() == pytest.approx(199.0, rel=0.01)


def test_a_machine_that_is_busy_between_two_readings_makes_no_slew(clock: Clock, still: Still) -> None:
    """One try in five that nothing disturbs is enough."""
    watch = Watch(CONFIG, still, clock)
    watch.start()
    clock.delays = [3_000_000, 5_000_000, 1_000_000, 700_000, 0] * 3
    clock.sleep(5.0)
    watch.stop()
    assert watch.worst_rate_ppm() == pytest.approx(0.0, abs=0.01)
    assert len(watch.slewed()) == 0


def test_a_machine_that_is_always_busy_then_waits_for_a_pair_that_says_something(clock: Clock, still: Still) -> None:
    watch = Watch(CONFIG, still, clock)
    watch.start()
    clock.delays = [1_000_000] * 5 * 3
    clock.sleep(10.0)
    watch.stop()
    assert len(watch.slewed()) == 0
    assert watch.worst_rate_ppm() < 1.0


def test_a_clock_that_nobody_could_compare_is_not_known(clock: Clock, still: Still) -> None:
    watch = Watch(CONFIG, still, clock)
    start = clock.now()
    watch.start()
    clock.delays = [1_000_000] * 10_000
    clock.sleep(5.0)
    watch.stop()
    ((begin, end),) = list(watch.slewed())
    assert begin <= start
    assert end >= start + 5 * NS


def test_what_the_pairs_are_unsure_of_counts_against_the_clock(clock: Clock, still: Still) -> None:
    clock.set_slew(CONFIG.limits.clock_rate_ppm - 5)
    watch = Watch(CONFIG, still, clock)
    watch.start()
    clock.delays = [30_000] * 10_000  # half of it to either side, at both ends: some 30 ppm of a second
    clock.sleep(1.0)
    assert len(watch.slewed()) == 0, "too unsure to be used"
    clock.sleep(2.0)
    watch.stop()
    assert len(watch.slewed()) == 1, "over two seconds: 195 ppm, and some 15 ppm unsure"


def test_lines_that_cannot_be_read_any_more_end_the_watch_and_say_so(clock: Clock, still: Still) -> None:
    def gone() -> None:
        raise LinkError("sense lines: the line server is gone")

    watch = watched(clock, still, 2.0, lambda: setattr(still, "fails", gone))
    assert watch.lost == "sense lines: sense lines: the line server is gone"
    assert watch.now().state == "unknown"
    assert {why for _, _, why in watch.losses()} == {watch.lost}


def test_level_reads_come_as_often_as_a_restoration_is_short() -> None:
    twin = Twin([firmware.load("cut-45s")], depth=120_000)
    bench: Bench = open_bench(twin.config, twin.clock, twin.call_sets)
    rail = twin.config.rail.model_copy(update={"restore_min_s": 0.1})
    looks: list[int] = []
    watch = Watch(twin.config.model_copy(update={"rail": rail}), bench.sense, twin.clock)
    watch.on_tick = lambda: looks.append(twin.clock.now())
    watch.start()
    twin.clock.sleep(1.05)
    watch.stop()
    assert 10 <= len(looks) <= 12
    bench.close()
    twin.close()
