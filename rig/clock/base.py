"""What the rest of the rig knows of time. Integer nanoseconds on one monotonic line; UTC is only a label.

`Clock` is implemented twice: `rig.clock.system.SystemClock` (a real bench) and `rig.clock.virtual.VirtualClock` (the
in-process twin, where exactly one activity runs at a time and time jumps when all wait).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Protocol, runtime_checkable

NS = 1_000_000_000
"""Nanoseconds in a second."""


def to_ns(seconds: float) -> int:
    """Seconds (setting of a person or a file) to the program's integer nanoseconds, to the nearest."""
    return round(seconds * NS)


def utc_label(at: datetime) -> str:
    """A moment for people and files, to the second: `2026-11-24T05:30:00Z`."""
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


class Cancelled(BaseException):  # not an Exception: no driver may swallow a request to stop
    """The run was asked to stop (Ctrl-C, SIGTERM). Every call of the clock that waits raises it, unless shielded."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Abortable(Protocol):
    """A link that can be closed from outside while somebody is blocked on it."""

    def abort(self) -> None:
        """Close the link at once, so that a blocked read ends with an error. Must not wait; may be called twice."""


class Readable(Protocol):
    """Anything with a file descriptor that becomes readable, such as a gpiod request or a socket."""

    def fileno(self) -> int: ...


class Flag(Protocol):
    """A flag that activities can wait for; once set it stays set."""

    def set(self) -> None: ...
    def is_set(self) -> bool: ...


class Activity(Protocol):
    """A thread started by `Clock.spawn`."""

    @property
    def name(self) -> str: ...

    def done(self) -> bool: ...

    def join(self, timeout_s: float | None = None) -> None:
        """Wait until it has ended; an exception that ended it is raised here, once."""


@runtime_checkable
class Clock(Protocol):
    """Time, waiting and activities."""

    def now(self) -> int:
        """Nanoseconds on CLOCK_MONOTONIC's line (the line of the kernel's edge stamps)."""

    def now_raw(self) -> int:
        """Nanoseconds on CLOCK_MONOTONIC_RAW: not slewed by NTP. Only rates are compared, never values."""

    def utc(self) -> datetime:
        """Wall-clock time, timezone-aware: a label for people, never part of a duration."""

    def sleep(self, seconds: float) -> None:
        """Wait. Raises `Cancelled` when the run is asked to stop."""

    def wait(self, ready: Readable | Flag, timeout_s: float) -> bool:
        """Wait until `ready` is readable or set (True), or until the time is over (False). Raises `Cancelled`."""

    def spawn(self, name: str, fn: Callable[[], None]) -> Activity:
        """Start an activity."""

    def flag(self) -> Flag:
        """A new flag."""

    def io(self, link: Abortable, timeout_s: float) -> AbstractContextManager[None]:
        """Around one exchange with a device.

        When the device stays silent for `timeout_s` by this clock, the link is aborted and `LinkTimeout` is raised in
        place of whatever the library raised. Real libraries time out on the wall clock; this does not. Nobody sleeps or
        waits on this clock inside; a virtual clock's `now` stands still there.
        """

    def digest(self, seconds: float) -> None:
        """Inside an exchange: leave a device alone for so long, which loses what comes sooner.

        The twin's devices need no such time: on a virtual clock this returns at once.
        """

    def real_timeout_s(self, timeout_s: float) -> float:
        """The time-out to give to a library whose own time-out must not fire before `io`'s: longer than `timeout_s`."""

    def cancel(self, reason: str) -> None:
        """Ask all activities to stop. Safe to call from a signal handler, any number of times."""

    def cancelled(self) -> str | None:
        """Why the run was asked to stop, or None."""

    def shielded(self) -> AbstractContextManager[None]:
        """Inside, the calling activity is not interrupted by `cancel`: for making safe and for closing a bundle."""
