"""COSEM dates and times (Blue Book 4.1.6.1): bytes to seconds on the meter's own clock, and back. Pure.

Only differences between two times of one meter are used: its time zone and its daylight saving are left as they are.
"""

from __future__ import annotations

from datetime import datetime, timedelta

_ANY = 0xFF
_EPOCH = datetime(2000, 1, 1)  # noqa: DTZ001 - a meter's local time; only differences count


def seconds_of(data: bytes) -> float | None:
    """Seconds since 2000 on the meter's clock; None where a part is not specified or is no time."""
    at = _moment(data)
    return None if at is None else (at - _EPOCH).total_seconds()


def execution_time(now: bytes, after_s: float) -> tuple[bytes, bytes]:
    """Time (4 bytes) and date (5 bytes) of a single action schedule, at least `after_s` after `now` (12 bytes).

    Raises ValueError where `now` is no time.
    """
    start = _moment(now)
    if start is None:
        raise ValueError("the meter's clock shows no time")
    at = start + timedelta(seconds=after_s)
    if at.microsecond:
        at += timedelta(seconds=1)
    date = at.year.to_bytes(2, "big") + bytes([at.month, at.day, _ANY])
    return bytes([at.hour, at.minute, at.second, 0]), date


def _moment(data: bytes) -> datetime | None:
    if len(data) != 12:
        return None
    hundredths = 0 if data[8] == _ANY else data[8]
    try:
        return datetime(  # noqa: DTZ001 - as above
            int.from_bytes(data[:2], "big"), data[2], data[3], data[5], data[6], data[7], 10_000 * hundredths
        )
    except ValueError:
        return None
