"""The virtual clock: one baton, one order, no real waiting, and requests to stop."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from rig.clock import NS, Cancelled, Clock
from rig.clock.virtual import VirtualClock
from tests.clock.devices import T0, Nothing, echo, from_another_thread, served

SWITCH_S = sys.getswitchinterval()


def test_it_is_a_clock() -> None:
    assert isinstance(VirtualClock(), Clock)


# -- order ---------------------------------------------------------------------------------------------------------


def test_sleeping_takes_exactly_its_virtual_time_and_no_real_time() -> None:
    clock = VirtualClock()
    before = time.monotonic()
    clock.sleep(86_400.000_000_001)
    assert clock.now() - T0 == 86_400 * NS + 1
    assert time.monotonic() - before < 30


def test_those_who_are_due_together_run_in_the_order_of_their_spawning() -> None:
    clock, log = VirtualClock(), []
    activities = [clock.spawn(f"a{n}", lambda n=n: (clock.sleep(1.0), log.append(n))) for n in range(5)]  # type: ignore[misc]
    clock.sleep(1.0)
    log.append("main")
    for activity in activities:
        activity.join()
    assert log == ["main", 0, 1, 2, 3, 4]


def test_an_event_runs_before_every_activity_that_is_due_with_it() -> None:
    clock, log = VirtualClock(), []
    activity = clock.spawn("a", lambda: (clock.sleep(1.0), log.append("activity")))  # type: ignore[arg-type,return-value]
    clock.sleep(0.5)
    clock.schedule(T0 + NS, lambda: log.append("event"))
    activity.join()
    assert log == ["event", "activity"]


def test_an_event_that_is_already_past_runs_at_once_and_time_never_goes_back() -> None:
    clock, seen = VirtualClock(), []
    clock.sleep(10.0)
    clock.schedule(T0, lambda: seen.append(clock.now()))
    clock.sleep(0.0)
    assert seen == [T0 + 10 * NS]


def test_a_cancelled_event_does_not_run() -> None:
    clock, seen = VirtualClock(), []
    handle = clock.schedule(T0 + NS, lambda: seen.append(1))
    handle.cancel()
    clock.sleep(2.0)
    handle.cancel()
    assert seen == []


def test_events_of_one_instant_run_in_the_order_in_which_they_were_scheduled() -> None:
    clock, seen = VirtualClock(), []
    for n in range(100):
        clock.schedule(T0 + NS, lambda n=n: seen.append(n))  # type: ignore[misc]
    clock.sleep(1.0)
    assert seen == list(range(100))


def _program(seed: int) -> list[tuple[int, str]]:
    """Three activities that sleep, wait for flags, ask late devices and spawn; every step is logged."""
    clock, log, dice = VirtualClock(), [], random.Random(seed)
    plans = [[dice.choice((0.0, 0.25, 0.5, 1.0)) for _ in range(12)] for _ in range(3)]
    flags = [clock.flag() for _ in range(3)]
    with served(clock, echo, links=3) as links:

        def run(n: int) -> None:
            for step, pause in enumerate(plans[n]):
                kind = (n + step) % 3
                if kind == 0:
                    clock.sleep(pause)
                elif kind == 1:
                    clock.wait(flags[(n + 1) % 3], pause)
                else:
                    with clock.io(links[n], 5.0):
                        links[n].ask(f"late {pause} x")
                log.append((clock.now(), f"{n}.{step}"))
                if step == 6 + n:
                    flags[n].set()

        activities = [clock.spawn(f"a{n}", lambda n=n: run(n)) for n in range(3)]  # type: ignore[misc]
        for activity in activities:
            activity.join()
    return log


@pytest.fixture
def busy_core() -> Iterator[None]:
    """Another process that keeps a core busy, and a short switch interval: threads are pre-empted often."""
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    sys.setswitchinterval(1e-5)
    try:
        yield
    finally:
        sys.setswitchinterval(SWITCH_S)
        process.kill()
        process.wait()


@pytest.mark.usefixtures("busy_core")
def test_the_same_program_gives_the_same_log_a_hundred_times() -> None:
    first = _program(7)
    assert len(first) == 36
    for _ in range(100):
        assert _program(7) == first


def test_exactly_one_activity_runs_at_a_time() -> None:
    clock, inside, worst = VirtualClock(), [0], [0]

    def run() -> None:
        for _ in range(50):
            inside[0] += 1
            worst[0] = max(worst[0], inside[0])
            sum(range(500))
            inside[0] -= 1
            clock.sleep(0.0)

    sys.setswitchinterval(1e-5)
    try:
        for activity in [clock.spawn(f"a{n}", run) for n in range(4)]:
            activity.join()
    finally:
        sys.setswitchinterval(SWITCH_S)
    assert worst == [1]


def test_server_threads_may_schedule_while_activities_run() -> None:
    clock, seen = VirtualClock(), []
    threads = [
        threading.Thread(target=lambda: [clock.schedule(0, lambda: seen.append(1)) for _ in range(500)])
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        clock.sleep(0.001)
    clock.sleep(0.001)
    assert len(seen) == 2000


# -- waiting ---------------------------------------------------------------------------------------------------------


def test_a_wait_ends_when_its_flag_is_set_and_tells_so() -> None:
    clock, flag = VirtualClock(), None
    flag = clock.flag()
    clock.schedule(T0 + 2 * NS, flag.set)
    assert clock.wait(flag, 10.0)
    assert clock.now() == T0 + 2 * NS
    assert clock.wait(flag, 10.0)
    assert clock.now() == T0 + 2 * NS


def test_a_wait_that_is_never_satisfied_lasts_exactly_its_time_out() -> None:
    clock = VirtualClock()
    assert not clock.wait(clock.flag(), 1.5)
    assert clock.now() == T0 + 3 * NS // 2


def test_all_who_wait_for_a_flag_run_in_the_order_of_their_spawning() -> None:
    clock, log = VirtualClock(), []
    flag = clock.flag()
    activities = [clock.spawn(f"a{n}", lambda n=n: (clock.wait(flag, 9.0), log.append(n))) for n in range(4)]  # type: ignore[misc]
    clock.sleep(1.0)
    flag.set()
    for activity in reversed(activities):
        activity.join()
    assert log == [0, 1, 2, 3]


def test_a_wait_for_a_descriptor_ends_when_an_event_makes_it_readable() -> None:
    clock = VirtualClock()
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as pipe:
        clock.schedule(T0 + NS, lambda: os.write(writer, b"x") and None)
        assert clock.wait(pipe, 5.0)
        assert clock.now() == T0 + NS
        assert clock.wait(pipe, 5.0)
        assert pipe.read1() == b"x"
        assert not clock.wait(pipe, 5.0)
        assert clock.now() == T0 + 6 * NS
    os.close(writer)


def test_a_wait_for_a_descriptor_ends_when_another_activity_makes_it_readable() -> None:
    clock, seen = VirtualClock(), []
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as pipe:
        waiter = clock.spawn("waiter", lambda: seen.append((clock.wait(pipe, 60.0), clock.now())))
        clock.sleep(1.0)
        os.write(writer, b"x")
        clock.sleep(10.0)
        waiter.join()
    os.close(writer)
    assert seen == [(True, T0 + NS)]


def test_a_wait_for_a_descriptor_beyond_1024_works() -> None:
    clock = VirtualClock()
    reader, writer = os.pipe()
    high = os.dup2(reader, 2000)
    with os.fdopen(high, "rb") as pipe:
        assert not clock.wait(pipe, 1.0)
    os.close(reader)
    os.close(writer)


def test_joining_waits_for_the_end_and_raises_what_ended_it_once() -> None:
    clock = VirtualClock()

    def fail() -> None:
        clock.sleep(3.0)
        raise ZeroDivisionError("inside")

    activity = clock.spawn("a", fail)
    activity.join(1.0)
    assert not activity.done()
    with pytest.raises(ZeroDivisionError, match="inside"):
        activity.join()
    assert activity.done()
    assert clock.now() == T0 + 3 * NS
    activity.join()


def test_an_activity_that_fails_at_once_does_not_stop_the_others() -> None:
    clock, log = VirtualClock(), []
    bad = clock.spawn("bad", lambda: 1 // 0)  # type: ignore[arg-type,return-value]
    good = clock.spawn("good", lambda: (clock.sleep(5.0), log.append(clock.now())))  # type: ignore[arg-type,return-value]
    good.join()
    assert log == [T0 + 5 * NS]
    with pytest.raises(ZeroDivisionError):
        bad.join()


# -- stopping --------------------------------------------------------------------------------------------------------


def test_a_request_to_stop_ends_sleeps_at_that_very_moment() -> None:
    clock = VirtualClock()
    clock.schedule(T0 + 7 * NS, lambda: from_another_thread(lambda: clock.cancel("SIGINT")))
    with pytest.raises(Cancelled, match="SIGINT"):
        clock.sleep(3600.0)
    assert clock.now() == T0 + 7 * NS
    assert clock.cancelled() == "SIGINT"


@pytest.mark.parametrize("how", ["sleep", "wait", "join", "io"])
def test_after_a_request_to_stop_every_call_that_waits_raises(how: str) -> None:
    clock = VirtualClock()
    activity = clock.spawn("a", lambda: None)
    clock.cancel("first")
    clock.cancel("second")
    calls: dict[str, Callable[[], object]] = {
        "sleep": lambda: clock.sleep(0.0),
        "wait": lambda: clock.wait(clock.flag(), 0.0),
        "join": activity.join,
        "io": lambda: clock.io(Nothing(), 1.0).__enter__(),
    }
    with pytest.raises(Cancelled, match="first"):
        calls[how]()


def test_shielded_work_goes_on_and_ends_in_its_own_time() -> None:
    clock, log = VirtualClock(), []

    def clean() -> None:
        with clock.shielded(), clock.shielded():
            clock.sleep(10.0)
            log.append(clock.now())
            log.append(clock.wait(clock.flag(), 1.0))
        clock.sleep(0.0)

    activity = clock.spawn("clean", clean)
    clock.sleep(1.0)
    clock.cancel("stop")
    with clock.shielded(), pytest.raises(Cancelled):
        activity.join()
    assert log == [T0 + 10 * NS, False]


def test_all_unshielded_activities_are_woken_at_the_moment_of_the_request() -> None:
    clock, ends = VirtualClock(), []

    def sleeper() -> None:
        try:
            clock.sleep(3600.0)
        finally:
            ends.append(clock.now())

    activities = [clock.spawn(f"a{n}", sleeper) for n in range(3)]
    clock.sleep(2.0)
    clock.cancel("stop")
    with clock.shielded():
        for activity in activities:
            with pytest.raises(Cancelled):
                activity.join()
    assert ends == [T0 + 2 * NS] * 3


# -- the two clocks of the machine -----------------------------------------------------------------------------------


def test_a_slewed_clock_runs_ahead_of_the_raw_one_by_its_rate() -> None:
    clock = VirtualClock()
    clock.sleep(10.0)
    assert clock.now_raw() == clock.now()
    clock.set_slew(1000.0)
    clock.sleep(100.0)
    assert clock.now() - clock.now_raw() == NS // 10
    clock.set_slew(0.0)
    clock.sleep(100.0)
    assert clock.now() - clock.now_raw() == NS // 10


def test_utc_runs_with_the_clock() -> None:
    clock = VirtualClock()
    before = clock.utc()
    clock.sleep(86_400.0)
    assert (clock.utc() - before).total_seconds() == 86_400
    assert before.utcoffset() is not None
