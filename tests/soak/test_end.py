"""When a soak ends: cycles, lengths, and times of day on the nights when the clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.errors import InputError, Where
from rig.procedures.soak.end import End, end_of, next_time, zone

LONDON = ZoneInfo("Europe/London")
KEY = Where("plan.toml", "end.until")


def naive(text: str) -> datetime:
    """As TOML gives a local date with a time."""
    return datetime.fromisoformat(text)


def hours_until(clock: str, now: str) -> float:
    at = datetime.fromisoformat(now).replace(tzinfo=UTC)
    return (next_time(clock, at, LONDON) - at) / timedelta(hours=1)


@pytest.mark.parametrize(
    ("clock", "now_utc", "hours"),
    [
        ("08:00", "2026-11-24T18:00", 14.0),
        ("08:00", "2026-11-24T08:00", 24.0),  # shown now: the next one
        ("08:00", "2026-07-01T18:00", 13.0),
        ("08:00", "2026-03-28T18:00", 13.0),  # the night that has an hour less
        ("08:00", "2026-10-24T17:00", 15.0),  # from 18:00 BST, the night that has an hour more
        ("01:30", "2026-10-24T17:00", 7.5),  # shown twice: the first
        ("01:30", "2026-10-25T00:45", 0.75),  # the first is over: the second
        ("01:30", "2026-10-25T01:45", 23.75),
        ("01:30", "2026-03-28T18:00", 7.5),  # skipped: when an unchanged clock would show it
    ],
)
def test_the_next_such_local_time_is_right_also_when_the_clocks_change(clock: str, now_utc: str, hours: float) -> None:
    assert hours_until(clock, now_utc) == hours


@given(st.datetimes(naive("2020-01-01"), naive("2035-01-01")), st.times())
def test_the_end_is_always_ahead_and_within_a_day_and_an_hour(now: datetime, clock) -> None:
    left = next_time(f"{clock:%H:%M}", now.replace(tzinfo=UTC), LONDON) - now.replace(tzinfo=UTC)
    assert timedelta() < left <= timedelta(hours=25)


def test_the_first_end_that_comes_counts() -> None:
    now = datetime(2026, 11, 24, 18, tzinfo=UTC)
    assert end_of(7, 2.0, "08:00", LONDON, now, KEY) == End(7, 2 * 3600 * 10**9)
    assert end_of(None, 20.0, "08:00", LONDON, now, KEY) == End(None, 14 * 3600 * 10**9)
    assert End(7, 10).over(7, 0) == "cycles"
    assert End(7, 10).over(6, 10) == "time"
    assert End(7, 10).over(6, 9) is None


def test_a_date_with_a_time_is_local_unless_it_says_otherwise() -> None:
    now = datetime(2026, 7, 1, 6, tzinfo=UTC)
    assert end_of(None, None, naive("2026-07-01T08:00"), LONDON, now, KEY) == End(None, 3600 * 10**9)
    assert end_of(None, None, datetime(2026, 7, 1, 8, tzinfo=UTC), LONDON, now, KEY) == End(None, 2 * 3600 * 10**9)


@pytest.mark.parametrize(
    ("until", "told"),
    [
        (naive("2026-07-01T06:59"), "plan.toml: end.until: the end lies in the past (found 2026-07-01T06:59:00,"),
        (None, "plan.toml: this plan never ends"),
    ],
)
def test_an_end_in_the_past_and_no_end_at_all_are_one_line(until, told: str) -> None:
    with pytest.raises(InputError) as caught:
        end_of(None, None, until, LONDON, datetime(2026, 7, 1, 6, tzinfo=UTC), KEY)
    assert caught.value.one_line().startswith(told)


def test_an_unknown_time_zone_is_one_line() -> None:
    with pytest.raises(InputError, match="no such time zone"):
        zone("Europe/Lundun", KEY)
