"""A clock on which time jumps: the twin's night takes a minute, and the same seed gives the same run to the byte.

Exactly one activity holds the **baton** and runs; it passes on only in `sleep`, `wait` and `join`. The next is the
least (due time, spawn order, sequence). I/O keeps the baton: it takes no virtual time unless the twin defers a reply.
The twin schedules its physics as events in the same queue; an event runs before any activity that is due with it.
What goes wrong in the clock itself or in an event is told to every activity, never to the thread that met it alone.
See docs/decisions/0001-one-clock.md.
"""

from __future__ import annotations

import math
import select
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from rig.clock.base import NS, Abortable, Cancelled, Flag, Readable, to_ns
from rig.clock.event_queue import Entry, EventQueue
from rig.clock.virtual_activity import Awaited, Exchange, VirtualActivity, VirtualFlag, Wait
from rig.errors import HarnessError, LinkTimeout

_EVENT_ORDER = -1
_REAL_LIMIT_S = 60.0
"""Real time after which an exchange that the twin neither answered nor meant to leave unanswered is a harness error."""


class VirtualClock:
    """See the module. The thread that makes the clock is its first activity, and holds the baton."""

    def __init__(self, start_ns: int = 1_000 * NS, utc_start: datetime | None = None) -> None:
        self._lock = threading.RLock()
        self._start = start_ns
        self._now = start_ns
        self._raw_ppm = 0.0
        self._raw_base = (start_ns, start_ns)
        self._utc_start = utc_start or datetime.now(UTC)
        self._queue = EventQueue()
        self._spawned = 0
        self._waits: list[Wait] = []
        self._pending: list[Exchange] = []
        self._cancelled: str | None = None
        self._broken: tuple[str, Exception | None] | None = None
        self._local = threading.local()
        self._holder = self._local.activity = VirtualActivity(self, "main", 0)

    # -- what activities use ------------------------------------------------------------------------------------

    def now(self) -> int:
        """Inside an exchange, for its own activity, the instant at which the exchange began.

        While its reply is deferred others run and time goes on; when it would be read would depend on the machine.
        """
        me: VirtualActivity | None = getattr(self._local, "activity", None)
        return me.exchanges[-1].start_ns if me is not None and me.exchanges else self._now

    def now_raw(self) -> int:
        at, raw = self._raw_base
        return raw + round((self._now - at) * (1 - self._raw_ppm * 1e-6))

    def utc(self) -> datetime:
        return self._utc_start + timedelta(microseconds=(self._now - self._start) / 1000)

    def sleep(self, seconds: float) -> None:
        self._block(None, seconds)

    def wait(self, ready: Readable | Flag, timeout_s: float) -> bool:
        if ready.is_set() if isinstance(ready, VirtualFlag) else _readable(ready):  # type: ignore[arg-type]
            self._check()
            return True
        return self._block(ready, timeout_s)  # type: ignore[arg-type]

    def wait_for_end(self, activity: VirtualActivity, timeout_s: float | None) -> None:
        self._block(activity, timeout_s)

    def flag(self) -> VirtualFlag:
        return VirtualFlag(self)

    def spawn(self, name: str, fn: Callable[[], None]) -> VirtualActivity:
        with self._lock:
            self._spawned += 1
            activity = VirtualActivity(self, name, self._spawned)

        def body() -> None:
            self._local.activity = activity
            activity.turn.acquire()
            error: BaseException | None = None
            try:
                self._check_sound()
                fn()
            except BaseException as problem:  # noqa: BLE001 - it is raised again in join
                error = problem
            with self._lock:
                activity.end(error)
                self.release(activity)
            self._dispatch()

        threading.Thread(target=body, name=f"activity {name}", daemon=True).start()
        with self._lock:
            self._queue_turn(self._await(activity))
        return activity

    @contextmanager
    def io(self, link: Abortable, timeout_s: float) -> Iterator[None]:
        self._check()
        me, real_start = self._me(), time.monotonic()
        exchange = Exchange(me, link, self._now, self._now + to_ns(timeout_s))
        me.exchanges.append(exchange)
        try:
            yield
        except Exception as error:
            if exchange.expired:
                raise LinkTimeout(f"no answer within {timeout_s:g} s") from error
            self._check_sound()
            if time.monotonic() - real_start >= _REAL_LIMIT_S:
                self._fail("the twin neither answered nor meant to be silent", error)
                self._check_sound()
            raise
        finally:
            me.exchanges.remove(exchange)
            self._regain(exchange)
        if exchange.expired:
            raise LinkTimeout(f"no answer within {timeout_s:g} s")

    def digest(self, seconds: float) -> None:
        """See `Clock.digest`."""

    def real_timeout_s(self, timeout_s: float) -> float:
        return max(_REAL_LIMIT_S, timeout_s)

    def cancel(self, reason: str) -> None:
        if self._cancelled is None:  # the next dispatch wakes who sleeps: nothing else is safe in a signal handler
            self._cancelled = reason

    def cancelled(self) -> str | None:
        return self._cancelled

    @contextmanager
    def shielded(self) -> Iterator[None]:
        me = self._me()
        me.shields += 1
        try:
            yield
        finally:
            me.shields -= 1

    # -- what the twin uses -------------------------------------------------------------------------------------

    def schedule(self, at_ns: int, fn: Callable[[], None]) -> Entry:
        """Run `fn` at `at_ns` (or at once when that is past), before any activity due then. From any thread."""

        def run() -> bool:
            fn()
            return False

        with self._lock:
            return self._queue.push(max(at_ns, self._now), _EVENT_ORDER, run)

    def defer(self, delay_s: float | None, reply: Callable[[], None]) -> None:
        """From a server thread that holds a request: answer it `delay_s` later by this clock, or never (None).

        The exchange of the activity that holds the baton waits meanwhile, and others run (with exchanges of their own).
        When its own time-out comes first, its link is aborted. A client that is no activity gets its late answer as
        soon as time comes to it.
        """
        with self._lock:
            exchanges = self._holder.exchanges
            if not exchanges:
                if delay_s is not None:
                    self.schedule(self._now + to_ns(delay_s), reply)
                return
            exchange = exchanges[-1]
            if exchange.expired or exchange.ends:
                return
            ends = []
            if delay_s is not None:
                due = self._now + to_ns(delay_s)
                ends.append(self._queue.push(due, _EVENT_ORDER, lambda: self._end_wait(exchange, False, reply)))
            due = max(exchange.deadline, self._now)
            ends.append(
                self._queue.push(due, _EVENT_ORDER, lambda: self._end_wait(exchange, True, exchange.link.abort))
            )
            exchange.ends = tuple(ends)
            self._pending.append(exchange)
        self._dispatch()

    def step_utc(self, seconds: float) -> None:
        """The wall clock jumps, as NTP may set it; nothing else does."""
        self._utc_start += timedelta(seconds=seconds)

    def set_slew(self, ppm: float) -> None:
        """From now on CLOCK_MONOTONIC runs `ppm` faster than CLOCK_MONOTONIC_RAW."""
        self._raw_base = (self._now, self.now_raw())
        self._raw_ppm = ppm

    # -- the baton ----------------------------------------------------------------------------------------------

    def release(self, ready: VirtualFlag | VirtualActivity) -> None:
        """Let the activities that wait for `ready` run next."""
        with self._lock:
            for wait in self._waits:
                if wait.ready is ready:
                    self._satisfy(wait)

    def _me(self) -> VirtualActivity:
        activity: VirtualActivity | None = getattr(self._local, "activity", None)
        if activity is None:
            raise HarnessError("a thread that the clock did not start called the clock")
        return activity

    def _check(self) -> None:
        self._check_sound()
        if self._cancelled is not None and self._me().shields == 0:
            raise Cancelled(self._cancelled)

    def _check_sound(self) -> None:
        if self._broken is not None:
            text, cause = self._broken
            raise HarnessError(text) from cause

    def _await(self, activity: VirtualActivity, ready: Awaited = None) -> Wait:
        wait = Wait(activity, ready)
        self._waits.append(wait)
        return wait

    def _queue_turn(self, wait: Wait) -> None:
        """It runs next, whatever it waits for."""
        if wait.queued:
            return
        wait.queued = True
        if wait.timer is not None:
            wait.timer.dead = True
        self._queue.push(self._now, wait.activity.order, lambda: self._give_baton(wait))

    def _satisfy(self, wait: Wait) -> None:
        if not wait.queued:
            wait.satisfied = True
            self._queue_turn(wait)

    def _block(self, ready: Awaited, timeout_s: float | None) -> bool:
        self._check()
        me = self._me()
        if me.exchanges:
            raise HarnessError(f"activity {me.name} waits inside an exchange: its time stands still there")
        with self._lock:
            wait = self._await(me, ready)
            if timeout_s is not None and not math.isinf(timeout_s):
                due = self._now + max(0, to_ns(timeout_s))
                wait.timer = self._queue.push(due, me.order, lambda: self._give_baton(wait))
        self._dispatch()
        self._acquire(me)
        self._check()
        return wait.satisfied

    def _acquire(self, me: VirtualActivity) -> None:
        """Wait for the baton. An interrupt of the thread (Ctrl-C without a handler) goes up only with the baton."""
        try:
            me.turn.acquire()
        except BaseException:
            me.turn.acquire()
            raise

    def _give_baton(self, wait: Wait) -> bool:
        with self._lock:
            if self._broken is None:
                self._waits.remove(wait)
                self._holder = wait.activity
                wait.activity.turn.release()
        return True

    def _end_wait(self, exchange: Exchange, expired: bool, act: Callable[[], None]) -> bool:
        with self._lock:
            if self._broken is not None:
                return True
            self._forget(exchange)
            exchange.expired = expired
            self._holder = exchange.activity
        act()  # from here on the blocked activity may run: nothing of the clock is touched any more
        return True

    def _forget(self, exchange: Exchange) -> None:
        for entry in exchange.ends:
            entry.dead = True
        exchange.ends = ()
        self._pending.remove(exchange)

    def _regain(self, exchange: Exchange) -> None:
        """An exchange that ended while its reply was deferred (its library gave up) has no baton: take turns again."""
        with self._lock:
            if not exchange.ends or self._broken is not None:
                return
            self._forget(exchange)
            self._queue_turn(self._await(exchange.activity))
        self._acquire(exchange.activity)

    def _dispatch(self) -> None:
        """Run events until one of them, or an activity's turn, hands the baton to a thread."""
        while True:
            with self._lock:
                if self._broken is not None:
                    return
                self._wake()
                entry = self._queue.pop()
                if entry is None:
                    self._fail("every activity waits and nothing is due: the virtual clock cannot go on", None)
                    return
                self._now = max(self._now, entry.due)
            try:
                if entry.run():
                    return
            except Exception as error:  # noqa: BLE001 - this thread is a chance one: all activities are told
                self._fail(f"the twin failed: {type(error).__name__}: {error}", error)
                return

    def _wake(self) -> None:
        """Who waits for something readable, and, when the run is cancelled, who may be interrupted."""
        for wait in self._waits:
            if wait.queued:
                continue
            if self._cancelled is not None and wait.activity.shields == 0:
                self._queue_turn(wait)
            elif isinstance(wait.ready, VirtualFlag | VirtualActivity | None):
                continue  # these come by themselves
            elif _readable(wait.ready):
                self._satisfy(wait)

    def _fail(self, text: str, cause: Exception | None) -> None:
        """The clock cannot go on: wake all who wait, so that each of them raises `HarnessError`."""
        with self._lock:
            self._broken = (text, cause)
            waits, self._waits = self._waits, []
            pending, self._pending = self._pending, []
            for wait in waits:
                wait.activity.turn.release()
        for exchange in pending:
            exchange.link.abort()


def _readable(ready: Readable) -> bool:
    """Whether its descriptor is readable; a closed one counts: who waits for it will find out."""
    poll = select.poll()
    try:
        poll.register(ready.fileno(), select.POLLIN)
    except (OSError, ValueError):
        return True
    return bool(poll.poll(0))
