"""A clock on which time jumps: the twin's night takes a minute, and the same seed gives the same run to the byte.

Exactly one activity holds the **baton** and runs; it passes on only in `sleep`, `wait` and `join`. The next is the
least (due time, spawn order, sequence). I/O keeps the baton: it takes no virtual time unless the twin defers a reply.
The twin schedules its physics as events in the same queue; an event runs before any activity that is due with it.
See docs/decisions/0001-one-clock.md.
"""

from __future__ import annotations

import heapq
import select
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from rig.clock.base import NS, Abortable, Cancelled, Flag, Readable, to_ns
from rig.errors import HarnessError, LinkTimeout

_EVENT_ORDER = -1
_REAL_LIMIT_S = 60.0
"""Real time after which an exchange that the twin neither answered nor meant to leave unanswered is a harness error."""


@dataclass(order=True)
class _Entry:
    due: int
    order: int
    seq: int
    run: Callable[[], bool] = field(compare=False)
    dead: bool = field(default=False, compare=False)


class Handle:
    """A scheduled event; `cancel` may be called at any time, also after it ran."""

    def __init__(self, entry: _Entry) -> None:
        self._entry = entry

    def cancel(self) -> None:
        self._entry.dead = True


class VirtualActivity:
    """One activity: a thread that runs only while it holds the baton."""

    def __init__(self, clock: VirtualClock, name: str, order: int) -> None:
        self.name = name
        self.order = order
        self._clock = clock
        self._turn = threading.Semaphore(0)
        self._done = False
        self._error: BaseException | None = None
        self._joiners: list[_Wait] = []
        self.shields = 0

    def done(self) -> bool:
        return self._done

    def join(self, timeout_s: float | None = None) -> None:
        if not self._done:
            self._clock.wait_for_end(self, timeout_s)
        error, self._error = self._error, None
        if error is not None:
            raise error


@dataclass
class _Wait:
    activity: VirtualActivity
    ready: Readable | VirtualFlag | VirtualActivity | None
    timer: _Entry | None = None
    satisfied: bool = False


class VirtualFlag:
    """A flag whose waiters run next, in the order of their spawning."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._set = False
        self.waits: list[_Wait] = []

    def set(self) -> None:
        self._set = True
        waits, self.waits = self.waits, []
        self._clock.satisfy(waits)

    def is_set(self) -> bool:
        return self._set


@dataclass
class _Exchange:
    activity: VirtualActivity
    link: Abortable
    deadline: int
    real_start: float
    over: bool = False
    expired: bool = False


class VirtualClock:
    """See the module. The thread that makes the clock is its first activity, and holds the baton."""

    def __init__(self, start_ns: int = 1_000 * NS, utc_start: datetime | None = None) -> None:
        self._lock = threading.RLock()
        self._start = start_ns
        self._now = start_ns
        self._raw_ppm = 0.0
        self._raw_base = (start_ns, start_ns)
        self._utc_start = utc_start or datetime.now(UTC)
        self._queue: list[_Entry] = []
        self._seq = 0
        self._spawned = 0
        self._fd_waits: list[_Wait] = []
        self._exchange: _Exchange | None = None
        self._cancelled: str | None = None
        self._local = threading.local()
        self._local.activity = VirtualActivity(self, "main", 0)

    # -- what activities use ------------------------------------------------------------------------------------

    def now(self) -> int:
        return self._now

    def now_raw(self) -> int:
        at, raw = self._raw_base
        return raw + round((self._now - at) * (1 - self._raw_ppm * 1e-6))

    def utc(self) -> datetime:
        return self._utc_start + timedelta(microseconds=(self._now - self._start) / 1000)

    def sleep(self, seconds: float) -> None:
        self._block(None, seconds)

    def wait(self, ready: Readable | Flag, timeout_s: float) -> bool:
        if isinstance(ready, VirtualFlag):
            if ready.is_set():
                self._check_cancelled()
                return True
        elif _readable(ready):
            self._check_cancelled()
            return True
        return self._block(ready, timeout_s)  # type: ignore[arg-type]

    def wait_for_end(self, activity: VirtualActivity, timeout_s: float | None) -> bool:
        return self._block(activity, timeout_s)

    def flag(self) -> VirtualFlag:
        return VirtualFlag(self)

    def spawn(self, name: str, fn: Callable[[], None]) -> VirtualActivity:
        with self._lock:
            self._spawned += 1
            activity = VirtualActivity(self, name, self._spawned)
            self._push(self._now, activity.order, lambda: self._give_baton(activity))

        def body() -> None:
            self._local.activity = activity
            activity._turn.acquire()
            try:
                fn()
            except BaseException as error:  # noqa: BLE001 - it is raised again in join
                activity._error = error
            with self._lock:
                activity._done = True
                joiners, activity._joiners = activity._joiners, []
                self.satisfy(joiners)
            self._dispatch()

        threading.Thread(target=body, name=f"activity {name}", daemon=True).start()
        return activity

    @contextmanager
    def io(self, link: Abortable, timeout_s: float) -> Iterator[None]:
        self._check_cancelled()
        exchange = _Exchange(self._me(), link, self._now + to_ns(timeout_s), time.monotonic())
        self._exchange = exchange
        try:
            yield
        except Exception as error:
            if exchange.expired:
                raise LinkTimeout(f"no answer within {timeout_s:g} s") from error
            if time.monotonic() - exchange.real_start >= _REAL_LIMIT_S:
                raise HarnessError("the twin neither answered nor meant to be silent") from error
            raise
        finally:
            self._exchange = None
        if exchange.expired:
            raise LinkTimeout(f"no answer within {timeout_s:g} s")

    def real_timeout_s(self, timeout_s: float) -> float:
        return max(_REAL_LIMIT_S, timeout_s)

    def cancel(self, reason: str) -> None:
        if self._cancelled is None:
            self._cancelled = reason

    def cancelled(self) -> str | None:
        return self._cancelled

    @contextmanager
    def _shield(self) -> Iterator[None]:
        me = self._me()
        me.shields += 1
        try:
            yield
        finally:
            me.shields -= 1

    def shielded(self) -> AbstractContextManager[None]:
        return self._shield()

    # -- what the twin uses -------------------------------------------------------------------------------------

    def schedule(self, at_ns: int, fn: Callable[[], None]) -> Handle:
        """Run `fn` at `at_ns` (or at once when that is past), before any activity due then. From any thread."""

        def run() -> bool:
            fn()
            return False

        with self._lock:
            return Handle(self._push(max(at_ns, self._now), _EVENT_ORDER, run))

    def defer(self, delay_s: float | None, reply: Callable[[], None]) -> None:
        """From a server thread that holds a request: answer it `delay_s` later by this clock, or never (None).

        The exchange of the activity that holds the baton waits meanwhile, and others run (with exchanges of their own).
        When its own time-out comes first, its link is aborted.
        """
        with self._lock:
            exchange, self._exchange = self._exchange, None
            if exchange is None or exchange.over:
                return
            if delay_s is not None:
                self._push(self._now + to_ns(delay_s), _EVENT_ORDER, lambda: self._end_exchange(exchange, False, reply))
            self._push(
                max(exchange.deadline, self._now),
                _EVENT_ORDER,
                lambda: self._end_exchange(exchange, True, exchange.link.abort),
            )
        self._dispatch()

    def set_slew(self, ppm: float) -> None:
        """From now on CLOCK_MONOTONIC runs `ppm` faster than CLOCK_MONOTONIC_RAW."""
        self._raw_base = (self._now, self.now_raw())
        self._raw_ppm = ppm

    # -- the baton ----------------------------------------------------------------------------------------------

    def satisfy(self, waits: list[_Wait]) -> None:
        """Let these waiting activities run next."""
        with self._lock:
            for wait in waits:
                if wait.satisfied or (wait.timer is not None and wait.timer.dead):
                    continue
                wait.satisfied = True
                if wait.timer is not None:
                    wait.timer.dead = True
                activity = wait.activity
                self._push(self._now, activity.order, lambda a=activity: self._give_baton(a))  # type: ignore[misc]

    def _me(self) -> VirtualActivity:
        activity: VirtualActivity | None = getattr(self._local, "activity", None)
        if activity is None:
            raise HarnessError("a thread that the clock did not start called the clock")
        return activity

    def _check_cancelled(self) -> None:
        if self._cancelled is not None and self._me().shields == 0:
            raise Cancelled(self._cancelled)

    def _push(self, due: int, order: int, run: Callable[[], bool]) -> _Entry:
        self._seq += 1
        entry = _Entry(due, order, self._seq, run)
        heapq.heappush(self._queue, entry)
        return entry

    def _block(self, ready: Readable | VirtualFlag | VirtualActivity | None, timeout_s: float | None) -> bool:
        self._check_cancelled()
        me = self._me()
        wait = _Wait(me, ready)
        with self._lock:
            if timeout_s is not None:
                due = self._now + max(0, to_ns(timeout_s))
                wait.timer = self._push(due, me.order, lambda: self._give_baton(me))
            if isinstance(ready, VirtualFlag):
                ready.waits.append(wait)
            elif isinstance(ready, VirtualActivity):
                ready._joiners.append(wait)
            elif ready is not None:
                self._fd_waits.append(wait)
        self._dispatch()
        me._turn.acquire()
        with self._lock:
            if wait.timer is not None:
                wait.timer.dead = True
            if wait in self._fd_waits:
                self._fd_waits.remove(wait)
        self._check_cancelled()
        return wait.satisfied

    def _give_baton(self, activity: VirtualActivity) -> bool:
        activity._turn.release()
        return True

    def _end_exchange(self, exchange: _Exchange, expired: bool, act: Callable[[], None]) -> bool:
        if exchange.over:
            return False
        exchange.over = True
        exchange.expired = expired
        self._exchange = exchange
        act()  # from here on the blocked activity may run: nothing of the clock is touched any more
        return True

    def _dispatch(self) -> None:
        """Run events until one of them, or an activity's turn, hands the baton to a thread."""
        while True:
            with self._lock:
                while self._queue and self._queue[0].dead:
                    heapq.heappop(self._queue)
                if not self._queue:
                    raise HarnessError("every activity waits and nothing is due: the virtual clock cannot go on")
                entry = heapq.heappop(self._queue)
                self._now = max(self._now, entry.due)
            if entry.run():
                return
            if self._fd_waits:
                self._wake_readable()

    def _wake_readable(self) -> None:
        with self._lock:
            woken = [w for w in self._fd_waits if _readable(w.ready)]
            self._fd_waits = [w for w in self._fd_waits if w not in woken]
            self.satisfy(woken)


def _readable(ready: Any) -> bool:
    return bool(select.select([ready.fileno()], [], [], 0)[0])
