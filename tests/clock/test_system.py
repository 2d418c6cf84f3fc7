"""The clock of a real bench: descriptors, flags and a watchdog; tiny time-outs, none that a slow machine can miss."""

from __future__ import annotations

import gc
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rig.clock import Cancelled, Clock
from rig.clock.system import SystemClock, SystemFlag
from rig.errors import LinkTimeout

TINY_S = 0.01
LONG_S = 60.0
"""Never waited for: something else ends the wait, or the test fails."""


def descriptors() -> int:
    gc.collect()
    return len(list(Path("/proc/self/fd").iterdir()))


def watchdogs() -> int:
    return sum(thread.name == "link watchdog" for thread in threading.enumerate())


@contextmanager
def pipe() -> Iterator[tuple[socket.socket, socket.socket]]:
    mine, theirs = socket.socketpair()
    with mine, theirs:
        yield mine, theirs


class Link:
    """One end of a pair of sockets; reading blocks until something comes or somebody aborts."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self.aborts = 0

    def read(self) -> bytes:
        data = self._end.recv(16)
        if not data:
            raise ConnectionResetError("closed")
        return data

    def abort(self) -> None:
        self.aborts += 1
        self._end.shutdown(socket.SHUT_RDWR)


def test_it_is_a_clock() -> None:
    assert isinstance(SystemClock(), Clock)


def test_its_line_is_clock_monotonic() -> None:
    clock = SystemClock()
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
    assert before <= clock.now() <= time.clock_gettime_ns(time.CLOCK_MONOTONIC)
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC_RAW)
    assert before <= clock.now_raw() <= time.clock_gettime_ns(time.CLOCK_MONOTONIC_RAW)
    assert clock.utc().utcoffset() is not None


# -- waiting ---------------------------------------------------------------------------------------------------------


def test_a_sleep_never_ends_early() -> None:
    clock = SystemClock()
    for seconds in (0.0, 0.0001, 0.0015, TINY_S):
        before = time.monotonic_ns()
        clock.sleep(seconds)
        assert time.monotonic_ns() - before >= seconds * 1e9


def test_a_wait_tells_whether_its_flag_was_set() -> None:
    clock = SystemClock()
    flag = clock.flag()
    assert not clock.wait(flag, 0.0)
    assert not clock.wait(flag, TINY_S)
    assert not flag.is_set()
    activity = clock.spawn("setter", flag.set)
    assert clock.wait(flag, LONG_S)
    activity.join()
    flag.set()
    assert flag.is_set()
    assert clock.wait(flag, 0.0)


def test_a_wait_ends_when_its_descriptor_is_readable_or_closed_by_the_peer() -> None:
    clock = SystemClock()
    with pipe() as (mine, theirs):
        assert not clock.wait(mine, 0.0)
        activity = clock.spawn("sender", lambda: theirs.send(b"x") and None)
        assert clock.wait(mine, LONG_S)
        activity.join()
        mine.recv(1)
        assert not clock.wait(mine, 0.0)
        theirs.close()
        assert clock.wait(mine, LONG_S)


def test_a_wait_longer_than_poll_can_take_is_still_ended_by_its_flag() -> None:
    clock = SystemClock()
    flag = clock.flag()
    activity = clock.spawn("setter", flag.set)
    assert clock.wait(flag, 60 * 86_400.0)
    activity.join()


def test_many_may_wait_for_one_flag() -> None:
    clock, seen = SystemClock(), []
    flag = clock.flag()
    activities = [clock.spawn(f"a{n}", lambda: seen.append(clock.wait(flag, LONG_S))) for n in range(4)]
    flag.set()
    for activity in activities:
        activity.join()
    assert seen == [True] * 4


# -- activities ------------------------------------------------------------------------------------------------------


def test_joining_raises_what_ended_the_activity_once() -> None:
    clock = SystemClock()
    activity = clock.spawn("a", lambda: 1 // 0)  # type: ignore[arg-type,return-value]
    with pytest.raises(ZeroDivisionError):
        activity.join()
    assert activity.done()
    activity.join()


def test_joining_with_a_time_out_returns_while_the_activity_goes_on() -> None:
    clock = SystemClock()
    flag = clock.flag()
    activity = clock.spawn("a", lambda: clock.wait(flag, LONG_S) and None)
    activity.join(0.0)
    activity.join(TINY_S)
    assert not activity.done()
    flag.set()
    activity.join()
    assert activity.done()


def test_what_ended_an_activity_is_told_also_after_a_request_to_stop() -> None:
    clock = SystemClock()
    activity = clock.spawn("a", lambda: 1 // 0)  # type: ignore[arg-type,return-value]
    with pytest.raises(ZeroDivisionError):
        activity.join(LONG_S)
    clock.cancel("stop")
    activity.join()


# -- stopping --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", ["sleep", "wait", "join"])
def test_a_request_to_stop_ends_what_waits(call: str) -> None:
    clock = SystemClock()
    flag, inside = clock.flag(), clock.flag()
    other = clock.spawn("other", lambda: _shielded_wait(clock, flag))

    def body() -> None:
        inside.set()
        if call == "sleep":
            clock.sleep(LONG_S)
        elif call == "wait":
            clock.wait(flag, LONG_S)
        else:
            other.join()

    activity = clock.spawn("a", body)
    assert clock.wait(inside, LONG_S)
    clock.cancel("SIGTERM")
    clock.cancel("again")
    with clock.shielded(), pytest.raises(Cancelled, match="SIGTERM"):
        activity.join()
    assert clock.cancelled() == "SIGTERM"
    assert not other.done()
    flag.set()
    with clock.shielded():
        other.join()


def _shielded_wait(clock: SystemClock, flag: SystemFlag) -> None:
    with clock.shielded():
        assert clock.wait(flag, LONG_S)


def test_after_a_request_to_stop_nothing_new_is_begun_except_in_a_shield() -> None:
    clock = SystemClock()
    clock.cancel("stop")
    with pytest.raises(Cancelled):
        clock.sleep(0.0)
    with pipe() as (mine, _), pytest.raises(Cancelled), clock.io(Link(mine), 1.0):
        pytest.fail("an exchange began")
    with clock.shielded():
        with clock.shielded():
            clock.sleep(0.0)
        clock.sleep(0.0)
        assert not clock.wait(clock.flag(), 0.0)
    with pytest.raises(Cancelled):
        clock.wait(clock.flag(), 0.0)


def test_a_shield_covers_only_the_activity_that_holds_it() -> None:
    clock = SystemClock()
    clock.cancel("stop")
    with clock.shielded():
        activity = clock.spawn("a", lambda: clock.sleep(0.0))
        with pytest.raises(Cancelled):
            activity.join()


# -- the watchdog ----------------------------------------------------------------------------------------------------


def test_a_silent_link_is_aborted_after_its_time_out_by_this_clock() -> None:
    clock = SystemClock()
    with pipe() as (mine, _):
        link, before = Link(mine), time.monotonic_ns()
        with pytest.raises(LinkTimeout, match=r"no answer within 0.01 s"), clock.io(link, TINY_S):
            link.read()
        assert time.monotonic_ns() - before >= TINY_S * 1e9
        assert link.aborts >= 1


def test_a_link_that_is_there_only_after_its_time_is_over_is_aborted_then(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that was slow to come: the first abort found nothing to close."""
    monkeypatch.setattr("rig.clock.system._AGAIN_S", TINY_S)

    class Slow:
        link: Link | None = None
        aborts = 0

        def abort(self) -> None:
            self.aborts += 1
            if self.link is not None:
                self.link.abort()

    def exchange(slow: Slow, end: socket.socket) -> None:
        _until(lambda: slow.aborts > 0)
        slow.link = Link(end)
        slow.link.read()

    clock, slow = SystemClock(), Slow()
    with pipe() as (mine, _), pytest.raises(LinkTimeout), clock.io(slow, 0.0):
        exchange(slow, mine)


def test_an_exchange_in_time_is_left_alone() -> None:
    clock = SystemClock()
    with pipe() as (mine, theirs):
        link = Link(mine)
        theirs.send(b"answer")
        with clock.io(link, LONG_S):
            assert link.read() == b"answer"
        assert link.aborts == 0


def test_an_exchange_that_breaks_by_itself_raises_its_own_error() -> None:
    clock = SystemClock()
    with pipe() as (mine, theirs):
        theirs.close()
        with pytest.raises(ConnectionResetError), clock.io(Link(mine), LONG_S):
            Link(mine).read()


def test_a_later_exchange_with_an_earlier_time_out_is_not_forgotten() -> None:
    clock = SystemClock()
    with pipe() as (mine, _), pipe() as (other, _):
        patient, link = Link(other), Link(mine)
        with clock.io(patient, LONG_S), pytest.raises(LinkTimeout), clock.io(link, TINY_S):
            link.read()
        assert patient.aborts == 0
        assert link.aborts >= 1


def test_a_link_that_cannot_be_aborted_does_not_leave_others_unguarded() -> None:
    class Broken:
        def abort(self) -> None:
            raise RuntimeError("cannot")

    clock = SystemClock()
    with pipe() as (mine, _):
        link = Link(mine)
        with pytest.raises(LinkTimeout), clock.io(Broken(), 0.0), clock.io(link, TINY_S):
            link.read()
        assert link.aborts >= 1


def test_the_librarys_own_time_out_comes_after_the_watchdogs() -> None:
    assert SystemClock().real_timeout_s(2.0) > 2.0


def test_ten_thousand_exchanges_leave_no_memory_thread_or_descriptor_behind() -> None:
    clock = SystemClock()
    with pipe() as (mine, _):
        link = Link(mine)
        with clock.io(link, LONG_S):
            pass
        fds, threads = descriptors(), threading.active_count()
        for _ in range(10_000):
            with clock.io(link, LONG_S):
                pass
        assert clock._watchdog._guarded == []
        assert descriptors() <= fds
        assert threading.active_count() <= threads
        assert link.aborts == 0


def test_an_idle_watchdogs_thread_ends_and_the_next_exchange_starts_it_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rig.clock.system._IDLE_S", 0.0)
    clock, before = SystemClock(), watchdogs()
    with pipe() as (mine, _):
        link = Link(mine)
        for _ in range(3):
            with clock.io(link, LONG_S):
                pass
        with pytest.raises(LinkTimeout), clock.io(link, TINY_S):
            link.read()
    _until(lambda: watchdogs() <= before)


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        os.sched_yield()


# -- descriptors -----------------------------------------------------------------------------------------------------


def test_flags_give_their_descriptors_back() -> None:
    clock = SystemClock()
    before = descriptors()
    for _ in range(5_000):
        flag = clock.flag()
        flag.set()
        assert clock.wait(flag, 0.0)
    del flag
    assert descriptors() <= before


def test_activities_give_their_descriptors_back() -> None:
    clock = SystemClock()
    before = descriptors()
    for _ in range(200):
        clock.spawn("a", lambda: None).join()
    assert descriptors() <= before


def test_a_flag_that_is_replaced_and_dropped_while_another_waits_for_it_stays_open() -> None:
    """The watch makes a new flag each tick; who still waits for the old one must not poll a number that was reused."""
    clock = SystemClock()

    class Tick:
        flag = clock.flag()

    woken = []

    def waiter() -> None:
        woken.extend(clock.wait(Tick.flag, LONG_S) for _ in range(500))

    activity = clock.spawn("waiter", waiter)
    while not activity.done():
        old, Tick.flag = Tick.flag, clock.flag()
        old.set()
        del old
    activity.join()
    assert woken == [True] * 500


def test_when_no_descriptor_is_left_the_flag_says_so_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(*_: object) -> int:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(os, "eventfd", none_left)
    with pytest.raises(OSError, match="Too many open files"):
        SystemFlag()
    gc.collect()
