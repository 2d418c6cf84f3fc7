"""When a soak ends: by cycles, by a length of time, by a time of day. What is a length comes from the monotonic clock.

A time of day is made into a moment once, when the soak begins, and into a length from there: the summer-time change
between is counted in, and an NTP step afterwards moves a label and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from rig.clock import to_ns
from rig.errors import InputError, Where


@dataclass(frozen=True)
class End:
    """`cycles`: so many are done, and no more; `after_ns`: none begins later than so long after the soak began."""

    cycles: int | None
    after_ns: int | None

    def over(self, done: int, elapsed_ns: int) -> str | None:
        """Why no cycle begins any more, or None."""
        if self.cycles is not None and done >= self.cycles:
            return "cycles"
        if self.after_ns is not None and elapsed_ns >= self.after_ns:
            return "time"
        return None


def zone(name: str | None, where: Where) -> tzinfo | None:
    """The time zone of that name; None = the machine's own. Raises InputError."""
    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InputError("no such time zone on this machine", where) from None


def next_time(clock: str, now: datetime, place: tzinfo | None) -> datetime:
    """The first moment after `now` at which a clock on the wall there shows `clock` ("HH:MM"), in UTC.

    A time that is shown twice (the change to winter time) is the first of both that is still to come; one that is
    skipped (to summer time) is the moment at which an unchanged clock would show it.
    """
    at = time.fromisoformat(clock)
    today = now.astimezone(place).date()
    wall = [datetime.combine(today + timedelta(days=day), at) for day in (0, 1, 2)]
    first = [moment(local, place) for local in wall]
    second = [m for local in wall if _shows(m := moment(local.replace(fold=1), place), local, place)]
    return min(m for m in (*first, *second) if m > now)


def _shows(at: datetime, local: datetime, place: tzinfo | None) -> bool:
    return at.astimezone(place).replace(tzinfo=None, fold=0) == local


def moment(local: datetime, place: tzinfo | None) -> datetime:
    """A local time (or one with its own offset) in UTC; `place` None = the machine's zone."""
    if local.tzinfo is not None:
        return local.astimezone(UTC)
    return (local if place is None else local.replace(tzinfo=place)).astimezone(UTC)


def end_of(
    cycles: int | None,
    duration_h: float | None,
    until: str | datetime | None,
    place: tzinfo | None,
    now: datetime,
    where: Where,
) -> End:
    """Cycles, and the earliest of both times, as lengths from `now`. Raises InputError for no end, or one in the past.

    `where` is the key of `until`.
    """
    lengths = [] if duration_h is None else [timedelta(hours=duration_h)]
    if isinstance(until, str):
        lengths.append(next_time(until, now, place) - now)
    elif until is not None:
        left = moment(until, place) - now
        if left <= timedelta():
            late = now.astimezone(UTC).isoformat(timespec="seconds")
            found = Where(where.file, where.key, where.line, until.isoformat(), f"later than {late}")
            raise InputError("the end lies in the past", found)
        lengths.append(left)
    if cycles is None and not lengths:
        expected = "cycles, duration_h or until under [end]; or --cycles, --until"
        raise InputError("this plan never ends", Where(where.file, expected=expected))
    return End(cycles, to_ns(min(lengths).total_seconds()) if lengths else None)
