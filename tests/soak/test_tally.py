"""How a soak stands, from what the journal keeps; and the schedule that follows from it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from rig.procedures.soak.end import End
from rig.procedures.soak.plan import Plan, load_plan
from rig.procedures.soak.schedule import ScheduleRow, schedule
from rig.procedures.soak.tally import Tally
from rig.records.journal import RUN, Attempt, Begun, Cycle, Ended
from rig.twin.rack import draft
from tests.soak.plans import GOOD, written

BENCH = draft("twin")[0]


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    return load_plan(written(tmp_path_factory.mktemp("plan")))


def attempt(number: int, fixture: str, verdict: str | None, attempt_: int = 1) -> Attempt:
    begun = Begun(
        f"run-{number}-{attempt_}", RUN, "", "twin", fixture, "1", "2", None, Cycle("s", number, attempt_), None
    )
    ended = Ended(
        begun.run_id, verdict or "", "PASS", (), 44.0, 45.0, 46.0, 180.0, "ge", "1", "2", True, None, "", 1.0, 1.0
    )
    return Attempt(begun, ended if verdict else None, None)


def test_an_error_is_tried_again_and_a_lost_cycle_is_not(plan: Plan) -> None:
    tally = Tally.of(plan, [attempt(1, "cut-45s", "PASS"), attempt(2, "back-45s", "ERROR")])
    assert (tally.next(), tally.done) == ((2, 2), 1)
    tally = Tally.of(plan, [attempt(1, "cut-45s", "PASS"), attempt(2, "back-45s", None)])
    assert (tally.next(), tally.done) == ((3, 1), 2)
    tally = Tally.of(plan, [attempt(1, "cut-45s", "ERROR"), attempt(1, "cut-45s", "ERROR", 2)])
    assert (tally.next(), tally.done) == ((2, 1), 1), "twice, and no more"


def test_the_same_firmware_is_drawn_for_the_same_cycle_again(plan: Plan) -> None:
    first = Tally.of(plan, [attempt(1, "cut-45s", "PASS"), attempt(2, "back-45s", "PASS")])
    again = Tally.of(
        plan, [attempt(1, "cut-45s", "PASS"), attempt(2, "back-45s", "PASS"), attempt(3, "double-reboot", "ERROR")]
    )
    assert first.theres == again.theres == 1
    again.settle("back-45s")  # the meter was there after all
    assert again.next() == (4, 1)


def test_a_cycle_that_goes_on_is_not_done(plan: Plan) -> None:
    tally = Tally.of(plan, [attempt(1, "cut-45s", "PASS")])
    tally.begin(Cycle("s", 2), "back-45s", None)
    assert tally.done == 1


def test_an_outage_without_an_upper_bound_is_counted_and_is_not_the_longest(plan: Plan) -> None:
    open_one = attempt(2, "back-45s", "INCONCLUSIVE")
    assert open_one.ended is not None
    open_one = replace(open_one, ended=replace(open_one.ended, upper_s=None))
    tally = Tally.of(plan, [attempt(1, "cut-45s", "PASS"), open_one])
    assert (tally.longest_s, tally.unbounded) == (46.0, 1)


# -- the schedule ------------------------------------------------------------------------------------------------------


def rows(plan: Plan, end: End, tally: Tally | None = None) -> list[ScheduleRow]:
    return list(schedule(plan, BENCH, 0, end, tally or Tally(2)))


def test_a_schedule_has_the_cycles_of_the_plan_and_goes_on_where_a_soak_stands(plan: Plan) -> None:
    found = rows(plan, End(4, None))
    assert [(r.number, r.fixture, r.controls) for r in found] == [
        (1, "cut-45s", True), (2, "back-45s", False), (3, "double-reboot", False), (4, "back-45s", False),
    ]  # fmt: skip
    assert [r.starts_s for r in found[1:]] == [r.starts_s + r.expected_s for r in found[:-1]]
    later = rows(plan, End(4, None), Tally.of(plan, [attempt(1, "cut-45s", "PASS")]))
    assert [(r.number, r.way) for r in later] == [(2, "back"), (3, "there"), (4, "back")]


def test_a_schedule_that_ends_by_time_begins_nothing_after_it(plan: Plan) -> None:
    found = rows(plan, End(None, 3600 * 10**9))
    assert found[-1].starts_s < 3600 <= found[-1].starts_s + found[-1].expected_s


def test_pauses_and_power_cycles_are_in_the_schedule(tmp_path: Path) -> None:
    text = GOOD + "[between]\npause_s = 100.0\npower_cycle_every = 2\noff_s = 50.0\n"
    slow = rows(load_plan(written(tmp_path, text)), End(4, None))
    plain = rows(load_plan(written(tmp_path)), End(4, None))
    assert [r.power_cycle for r in slow] == [False, False, True, False]
    assert slow[-1].starts_s - plain[-1].starts_s == pytest.approx(3 * 100 + 50)


def test_expected_times_are_what_the_twin_really_takes(plan: Plan) -> None:
    """12 minutes of settling and of a window that fills: what was measured is in README's first run (711.8 s)."""
    first, second = rows(plan, End(2, None))
    assert first.expected_s == pytest.approx(712, abs=20)
    assert second.expected_s == pytest.approx(671, abs=10)
