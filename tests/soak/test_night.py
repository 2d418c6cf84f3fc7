"""Nights on the twin: there and back, each cycle kept, what is done about what goes wrong, and the same every time."""

from __future__ import annotations

import json

from rig.records.journal import State
from tests.soak.nights import Night
from tests.soak.plans import GOOD


def test_a_night_goes_there_and_back_and_every_cycle_is_a_record_of_its_own(night: Night) -> None:
    outcome = night.sit()
    assert [(r.number, r.fixture, r.verdict) for r in night.told.rows] == [
        (1, "cut-45s", "PASS"),
        (2, "back-45s", "PASS"),
        (3, "double-reboot", "PASS"),
        (4, "back-45s", "PASS"),
    ]
    assert outcome.ending.reason == "cycles"
    attempts = night.attempts()
    assert [a.state for a in attempts] == [State.ENDED] * 4
    assert night.bundles() == {a.begun.run_id for a in attempts}
    assert [e.reason for e in night.ends()] == ["cycles"]


def test_controls_come_first_and_again_when_the_plan_says_so_and_stand_between(night: Night) -> None:
    night.text = GOOD + "[controls]\nevery_cycles = 2\n"
    night.sit()
    made = []
    for attempt in night.attempts():
        record = json.loads((night.out / attempt.begun.run_id / "run.json").read_text())
        assert record["control"]["valid"]
        made.append([row["kind"] for row in record["control"]["results"] if row["made_utc"] is None])
    assert [len(kinds) for kinds in made] == [4, 0, 4, 0]


def test_a_pause_and_a_power_cycle_come_between_two_cycles_and_not_before_the_first(night: Night) -> None:
    night.text = GOOD + "[between]\npause_s = 600.0\npower_cycle_every = 2\noff_s = 20.0\n"
    night.sit()
    marks = [step for step in night.told.steps if step in ("pause", "power-cycle", "preflight")]
    assert marks == [
        "preflight", "pause", "preflight", "pause", "power-cycle", "preflight", "pause", "preflight",
    ]  # fmt: skip


def test_a_soak_that_ends_by_time_begins_no_cycle_after_it(night: Night) -> None:
    night.text = GOOD.replace("cycles = 4", "duration_h = 0.3")
    outcome = night.sit()
    assert outcome.ending.reason == "time"
    assert len(night.told.rows) == 2  # of about 12 minutes each: the third would begin after 18


def test_the_same_plan_and_seed_give_the_same_night(night: Night) -> None:
    night.text = GOOD.replace("in-turn", "weighted")
    nights = []
    for _ in range(2):
        night.sit(seed=7)
        records = []
        for attempt in night.attempts()[-4:]:
            body = json.loads((night.out / attempt.begun.run_id / "run.json").read_text())
            del body["labels"]
            for row in body["control"]["results"]:
                del row["made_utc"]
            records.append(body)
        nights.append(records)
    assert nights[0] == nights[1]


# -- verdicts ----------------------------------------------------------------------------------------------------------


def test_without_a_word_in_the_plan_a_fail_goes_on(night: Night) -> None:
    night.text = GOOD.replace("cut-45s", "cut-181s")
    outcome = night.sit()
    assert [r.verdict for r in night.told.rows] == ["FAIL", "PASS", "PASS", "PASS"]
    assert outcome.ending.reason == "cycles"


def test_a_fail_stops_where_the_plan_says_so_once_it_came_so_often(night: Night) -> None:
    night.text = GOOD.replace("cut-45s", "cut-181s").replace("cycles = 4", "cycles = 9") + (
        '[on.fail]\nthen = "stop"\nin_all = 2\n'
    )
    outcome = night.sit()
    assert [r.verdict for r in night.told.rows] == ["FAIL", "PASS", "PASS", "PASS", "FAIL"]
    assert (outcome.ending.reason, outcome.ending.failed) == ("policy", False)
    assert "FAIL (1 in a row, 2 in all)" in outcome.ending.text


def test_a_quarantine_ends_the_soak_and_is_in_the_journal(night: Night) -> None:
    night.text = GOOD.replace("cut-45s", "cut-181s") + '[on.fail]\nthen = "quarantine"\n'
    assert night.sit().ending.reason == "quarantine"
    assert [e.kind for e in night.events()] == ["quarantine"]
    assert night.told.events == [("stop", "quarantined after FAIL (1 in a row, 1 in all)")], "and is told once"
