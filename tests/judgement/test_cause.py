"""Who cut the rail: what the bench itself knows decides, and what it does not know is unknown."""

from __future__ import annotations

import pytest

from rig.judgement import Cause, Surroundings, cause_of
from rig.judgement.cause import SLACK_NS
from rig.rail import Intervals, Outage, RailSettings, Source, merge, outages

S = 10**9
ALL = Intervals.of([(0, 1000 * S)])
NOTHING = Intervals.empty()
CUT = (400 * S, 500 * S)


def outage(first: int = CUT[0], last: int = CUT[1], begin: int = 10 * S, end: int = 900 * S) -> Outage:
    """A cut that two lines saw from `first` to `last`, in the window from `begin` to `end`."""
    up = Intervals.of([(0, first), (last, 1000 * S)])
    source = Source("lines", "rail", up, Intervals.of([(first, last)]), ALL)
    (found,) = outages(merge([source]), RailSettings(rate_ppm=0.0), begin, end).outages
    return found


def without(start: int, end: int) -> Intervals:
    return ALL.minus(Intervals.of([(start, end)]))


def around(present: Intervals = ALL, absent: Intervals = NOTHING, path: Intervals = ALL) -> Surroundings:
    return Surroundings(present, absent, path)


def mains_lost(start: int, end: int) -> Surroundings:
    return around(without(start, end), Intervals.of([(start, end)]))


def test_with_mains_there_and_nothing_moved_it_was_the_meter() -> None:
    assert cause_of(outage(), around()) is Cause.METER


@pytest.mark.parametrize(
    ("start", "end", "cause"),
    [
        (390 * S, 391 * S, "meter"),
        (CUT[0] - SLACK_NS // 2, CUT[0] - SLACK_NS // 4, "mains"),
        (CUT[0] - SLACK_NS - S, CUT[0] - SLACK_NS + 1, "mains"),
        (CUT[0], CUT[1], "mains"),
        (450 * S, 451 * S, "mains"),
        (499 * S, 600 * S, "mains"),
        (CUT[1] + 1, 600 * S, "meter"),
    ],
)
def test_mains_lost_before_within_and_after(start: int, end: int, cause: str) -> None:
    assert cause_of(outage(), mains_lost(start, end)) is Cause(cause)


@pytest.mark.parametrize("hole", [(CUT[0] - SLACK_NS, CUT[0] - SLACK_NS + 2), (450 * S, 450 * S + 2), (0, 1000 * S)])
def test_mains_that_nobody_watched_leave_the_cause_unknown(hole: tuple[int, int]) -> None:
    assert cause_of(outage(), around(present=without(*hole))) is Cause.UNKNOWN


@pytest.mark.parametrize("hole", [(CUT[0] - SLACK_NS, CUT[0] - SLACK_NS + 2), (450 * S, 450 * S + 2), (0, 1000 * S)])
def test_where_the_rig_moved_something_it_was_the_rig(hole: tuple[int, int]) -> None:
    assert cause_of(outage(), around(path=without(*hole))) is Cause.RIG


def test_what_the_rig_did_long_before_or_after_is_no_cause() -> None:
    path = without(0, CUT[0] - SLACK_NS).minus(Intervals.of([(CUT[1], 1000 * S)]))
    assert cause_of(outage(), around(path=path)) is Cause.METER


def test_an_outage_that_was_there_when_the_window_began_has_an_unknown_cause() -> None:
    begun = outage(begin=450 * S)
    assert begun.open == "start"
    assert cause_of(begun, around()) is Cause.UNKNOWN
    both = outage(begin=450 * S, end=460 * S)
    assert both.open == "both"
    assert cause_of(both, around()) is Cause.UNKNOWN


def test_an_outage_that_has_not_ended_can_be_the_meters() -> None:
    lasting = outage(end=450 * S)
    assert lasting.open == "end"
    assert cause_of(lasting, around()) is Cause.METER


def test_where_no_meter_feeds_the_hub_no_meter_cut_it() -> None:
    """Not even with mains away from it, which a gas meter does not need."""
    for absent in (NOTHING, ALL):
        assert cause_of(outage(), Surroundings(ALL, absent, ALL, meter_feeds=False)) == "supply"
    hole = Surroundings(ALL, NOTHING, without(*CUT), meter_feeds=False)
    assert cause_of(outage(), hole) == "rig", "what the rig did itself comes first"
