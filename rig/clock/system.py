"""The clock of a real bench: CLOCK_MONOTONIC, real threads, and a watchdog that closes a link that stays silent.

The libraries under the drivers (pyvisa-py, pymodbus) time out on the wall clock, which an NTP step moves; the watchdog
here is monotonic and ends the exchange by closing its link.
"""

from __future__ import annotations

import math
import os
import select
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from rig.clock.base import NS, Abortable, Cancelled, Flag, Readable, to_ns
from rig.errors import LinkTimeout

_LIBRARY_MARGIN_S = 1.0
_LONGEST_POLL_MS = 3_600_000
"""`poll` takes a C int of milliseconds: 24 days. A longer wait is made of several."""
_AGAIN_S = 0.25
"""An exchange that goes on after its abort is aborted again: it may have been connecting, with no link yet."""
_IDLE_S = 10.0
"""The watchdog's thread ends when nothing was guarded for this long; the next exchange starts it again."""


class SystemFlag:
    """A flag with a file descriptor, so that one `poll` waits for it and for a request to stop.

    The descriptor lives as long as the flag, and who waits holds the flag: it is never closed under a waiter.
    """

    _fd = -1

    def __init__(self) -> None:
        self._set = False
        self._fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def set(self) -> None:
        self._set = True
        os.eventfd_write(self._fd, 1)

    def is_set(self) -> bool:
        return self._set

    def fileno(self) -> int:
        return self._fd

    def __del__(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)


class SystemActivity:
    """A real thread; its exception is raised in `join`."""

    def __init__(self, clock: SystemClock, name: str, fn: Callable[[], None]) -> None:
        self.name = name
        self._clock = clock
        self._ended = SystemFlag()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._body, args=(fn,), name=f"activity {name}", daemon=True)
        self._thread.start()

    def _body(self, fn: Callable[[], None]) -> None:
        try:
            fn()
        except BaseException as error:  # noqa: BLE001 - it is raised again in join
            self._error = error
        self._ended.set()

    def done(self) -> bool:
        return self._ended.is_set()

    def join(self, timeout_s: float | None = None) -> None:
        if not self.done():
            self._clock.wait(self._ended, math.inf if timeout_s is None else timeout_s)
        if self.done():
            self._thread.join()  # it has nothing more to do than to end
        error, self._error = self._error, None
        if error is not None:
            raise error


@dataclass(eq=False)
class _Guarded:
    deadline: int
    link: Abortable
    expired: bool = False


class _Watchdog:
    """One thread that aborts the links of exchanges whose time is over. It lives while there is something to guard."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._guarded: list[_Guarded] = []
        self._wakes_at = 0
        self._thread: threading.Thread | None = None

    def guard(self, link: Abortable, timeout_s: float) -> _Guarded:
        entry = _Guarded(time.monotonic_ns() + to_ns(timeout_s), link)
        with self._condition:
            self._guarded.append(entry)
            if self._thread is None:
                self._thread = threading.Thread(target=self._body, name="link watchdog", daemon=True)
                self._thread.start()
            elif entry.deadline < self._wakes_at:
                self._condition.notify()
        return entry

    def release(self, entry: _Guarded) -> None:
        with self._condition:
            self._guarded.remove(entry)

    def _body(self) -> None:
        with self._condition:
            while True:
                now = time.monotonic_ns()
                for entry in [e for e in self._guarded if e.deadline <= now]:
                    entry.expired = True
                    entry.deadline = now + to_ns(_AGAIN_S)
                    _abort(entry.link)
                idle = not self._guarded
                self._wakes_at = now + to_ns(_IDLE_S) if idle else min(e.deadline for e in self._guarded)
                woken = self._condition.wait((self._wakes_at - now) / NS)
                if idle and not woken and not self._guarded:
                    self._thread = None
                    return


def _abort(link: Abortable) -> None:
    try:
        link.abort()
    except Exception:  # noqa: BLE001 - one link that cannot be closed must not leave the others unguarded
        return


class SystemClock:
    """See the module."""

    def __init__(self) -> None:
        self._stop = SystemFlag()
        self._reason: str | None = None
        self._local = threading.local()
        self._watchdog = _Watchdog()

    def now(self) -> int:
        return time.monotonic_ns()

    def now_raw(self) -> int:
        return time.clock_gettime_ns(time.CLOCK_MONOTONIC_RAW)

    def utc(self) -> datetime:
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        self._poll(None, seconds)

    def wait(self, ready: Readable | Flag, timeout_s: float) -> bool:
        return self._poll(ready, timeout_s)

    def spawn(self, name: str, fn: Callable[[], None]) -> SystemActivity:
        return SystemActivity(self, name, fn)

    def flag(self) -> SystemFlag:
        return SystemFlag()

    @contextmanager
    def io(self, link: Abortable, timeout_s: float) -> Iterator[None]:
        self._check_cancelled()
        entry = self._watchdog.guard(link, timeout_s)
        try:
            yield
        except Exception as error:
            if entry.expired:
                raise LinkTimeout(f"no answer within {timeout_s:g} s") from error
            raise
        finally:
            self._watchdog.release(entry)
        if entry.expired:
            raise LinkTimeout(f"no answer within {timeout_s:g} s")

    def digest(self, seconds: float) -> None:
        time.sleep(seconds)

    def real_timeout_s(self, timeout_s: float) -> float:
        return timeout_s + _LIBRARY_MARGIN_S

    def cancel(self, reason: str) -> None:
        if self._reason is None:
            self._reason = reason
        self._stop.set()

    def cancelled(self) -> str | None:
        return self._reason

    @contextmanager
    def shielded(self) -> Iterator[None]:
        self._local.shields = self._shields() + 1
        try:
            yield
        finally:
            self._local.shields -= 1

    def _shields(self) -> int:
        return getattr(self._local, "shields", 0)

    def _check_cancelled(self) -> None:
        if self._reason is not None and self._shields() == 0:
            raise Cancelled(self._reason)

    def _poll(self, ready: Readable | Flag | None, timeout_s: float) -> bool:
        self._check_cancelled()
        poll, fd = select.poll(), -1
        if ready is not None:
            fd = ready.fileno()  # type: ignore[union-attr]
            poll.register(fd, select.POLLIN)
        if self._shields() == 0:
            poll.register(self._stop, select.POLLIN)
        deadline = None if math.isinf(timeout_s) else time.monotonic_ns() + to_ns(timeout_s)
        while True:
            left_ms = float(_LONGEST_POLL_MS)
            if deadline is not None:
                left_ms = min(left_ms, max(0, math.ceil((deadline - time.monotonic_ns()) / 1e6)))
            found = {number for number, _ in poll.poll(left_ms)}
            self._check_cancelled()
            if fd in found:
                return True
            if deadline is not None and time.monotonic_ns() >= deadline:
                return False
