"""`soak.json`: its published schema, what it refuses to say, and that it is made from journal and bundles alone."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from rig.errors import InputError
from rig.records import schema_text
from rig.records.journal import EventKind, Journal
from rig.records.run import Assumption
from rig.records.soak import SoakRecord
from rig.records.soak_making import read_soak, soak_record
from rig.records.soak_words import not_passed, soak_sentence, summary_lines
from tests.records.soak_samples import (
    SOAK_ID,
    SOAKS,
    Told,
    body,
    cycles,
    event,
    growing,
    lengths,
    nothing,
    quiet_night,
    record,
    rough_night,
    soak,
)

SCHEMA = json.loads(schema_text("rig.soak/1"))
VALIDATOR = Draft202012Validator(SCHEMA)


def as_json(of: SoakRecord) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(json.dumps(of.to_json(), allow_nan=False))
    return made


def test_the_schema_is_a_sound_schema_of_draft_2020_12() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("name", SOAKS)
def test_every_kind_of_soak_fits_the_schema(name: str) -> None:
    VALIDATOR.validate(as_json(SOAKS[name]()))


def _objects(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    items: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value[:1]))
    here = [path] if isinstance(value, dict) else []
    return here + [found for key, inner in items for found in _objects(inner, (*path, key))]


def _at(value: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        value = value[step]
    return value


def _short(value: Any) -> Any:
    """One entry of each list: the schema speaks of each by itself."""
    if isinstance(value, dict):
        return {key: _short(inner) for key, inner in value.items()}
    return [_short(inner) for inner in value[:1]] if isinstance(value, list) else value


ROUGH = _short(as_json(rough_night()))


@pytest.mark.parametrize(
    "path", [p for p in _objects(ROUGH) if p[:2] not in (("setup", "meter"), ("setup", "instruments"))], ids=str
)
def test_a_missing_or_unknown_key_does_not_fit(path: tuple[str | int, ...]) -> None:
    whole = copy.deepcopy(ROUGH)
    _at(whole, path)["surprise"] = 1
    assert not VALIDATOR.is_valid(whole)
    for key in _at(ROUGH, path):
        without = copy.deepcopy(ROUGH)
        del _at(without, path)[key]
        assert not VALIDATOR.is_valid(without), key


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("verdict",), "GOOD"),
        (("attempts", 0, "verdict"), "pass"),
        (("attempts", 0, "lower_s"), -1),
        (("events", 0, "kind"), "storm"),
        (("statistics", "violation", "kept", "upper_limit"), 1.01),
        (("statistics", "trends", 0, "finding"), "perhaps"),
        (("setup", "limit_s"), 0),
        (("plan", "sha256"), "abc"),
    ],
    ids=str,
)
def test_a_wrong_value_does_not_fit(path: tuple[str | int, ...], value: Any) -> None:
    wrong = copy.deepcopy(ROUGH)
    _at(wrong, path[:-1])[path[-1]] = value
    assert not VALIDATOR.is_valid(wrong)


def test_a_pass_with_a_fail_among_its_attempts_does_not_fit() -> None:
    wrong = as_json(rough_night())
    wrong["verdict"] = "PASS"
    assert not VALIDATOR.is_valid(wrong)


def test_a_record_never_says_pass_where_a_cycle_did_not_pass() -> None:
    with pytest.raises(ValueError, match="cannot say PASS"):
        replace(rough_night(), verdict="PASS")
    with pytest.raises(ValueError, match="cannot say PASS"):
        replace(nothing(), verdict="PASS")


@pytest.mark.parametrize(
    ("told", "verdict"),
    [
        ([], "INCONCLUSIVE"),
        ([Told("PASS", 44.0, 45.0)], "PASS"),
        ([Told("PASS", 44.0, 45.0), Told("INCONCLUSIVE", 44.0, None)], "INCONCLUSIVE"),
        ([Told("INCONCLUSIVE", 44.0, None), Told("ERROR", 0.0, 0.0)], "ERROR"),
        ([Told("ERROR", 0.0, 0.0), Told("FAIL", 190.0, 191.0)], "FAIL"),
        ([Told("ERROR", 0.0, 0.0), Told("PASS", 44.0, 45.0, attempt=2)], "PASS"),
        ([Told("FAIL", 190.0, 191.0), Told("PASS", 44.0, 45.0, attempt=2)], "FAIL"),
        ([Told("PASS", 44.0, 45.0), Told(None, None, None)], "INCONCLUSIVE"),
    ],
)
def test_the_verdict_of_the_night_is_its_worst_and_a_fail_is_never_tried_away(told: list[Told], verdict: str) -> None:
    assert record(told).verdict == verdict


def test_only_the_labels_tell_one_night_from_another() -> None:
    one = as_json(quiet_night())
    other = soak_record(
        replace(soak(), soak_id="soak-20270101T000000Z-0000", utc="2027-01-01T00:00:00Z"),
        cycles(list(lengths(60))),
        (),
        (),
        [body()] * 60,
    )
    two = as_json(other)
    for made in (one, two):
        del made["labels"], made["events"], made["ending"]
    assert one == two


# -- what the statistics take ------------------------------------------------------------------------------------------


def test_what_never_began_and_what_is_lost_is_in_no_distribution() -> None:
    outage = record(
        [
            Told("PASS", 44.0, 45.0),
            Told("INCONCLUSIVE", 0.0, 0.0, ("activation_not_started",)),
            Told(None, None, None),
            Told("INCONCLUSIVE", 300.0, 301.0, ("cause_not_meter",)),
        ]
    ).statistics.outage
    assert (outage.cycles, outage.without, outage.void) == (1, 2, 1)


def test_a_watch_that_was_cut_short_bounds_nothing_upwards() -> None:
    outage = record([Told("INCONCLUSIVE", 10.0, 10.1, ("interrupted",))]).statistics.outage
    assert outage.largest is not None
    assert (outage.largest.lower_s, outage.largest.upper_s) == (10.0, None)


def test_sources_that_contradict_each_other_bound_nothing() -> None:
    outage = record([Told("INCONCLUSIVE", 10.0, 10.1, ("sources_disagree",))]).statistics.outage
    assert outage.largest is not None
    assert (outage.largest.lower_s, outage.largest.upper_s) == (0.0, None)


def test_a_fail_beside_another_cause_is_not_void() -> None:
    told = record([Told("FAIL", 200.0, 201.0, ("limit_exceeded", "cause_not_meter"))])
    assert told.statistics.outage.cycles == 1
    assert told.statistics.violation.kept.violations == 1


def test_a_soak_that_a_verdict_stopped_says_that_its_number_of_cycles_was_not_fixed() -> None:
    stopped = rough_night()
    assert not stopped.ending.fixed_n
    assert any("not fixed" in ground.text for ground in stopped.grounds)
    assert any("not exact" in line for line in summary_lines(stopped))
    assert quiet_night().ending.fixed_n


def test_there_and_back_are_told_apart_by_the_plan_or_by_where_it_began() -> None:
    assert {row.fixture: row.way for row in quiet_night().attempts} == {"cut-45s": "there", "cut-45s-back": "back"}
    rows = cycles(list(lengths(4)))
    for plan in ('[[firmware]]\nfixture = "elsewhere/renamed"\n', "no plan at all ["):
        found = soak_record(soak(plan), rows, (), (), ())
        assert [row.way for row in found.attempts] == ["there", "back", "there", "back"]


def test_a_soak_that_was_killed_after_its_last_resume_has_no_ending() -> None:
    resumed = (event(EventKind.RESUMED, "goes on with cycle 3", 2),)
    assert record(list(lengths(4)), resumed, end=None).ending.reason is None
    assert record(list(lengths(4)), resumed).ending.reason == "cycles"
    assert record(list(lengths(4)), resumed).ending.sittings == 2


# -- what all cycles have in common ------------------------------------------------------------------------------------


def test_the_setup_names_meter_limit_and_what_counts_as_an_outage() -> None:
    setup = quiet_night().setup
    assert setup is not None
    assert setup.meter == {"maker": "Example", "model": "E100", "serial": "0001"}
    assert (setup.limit_s, setup.comparison, setup.differences) == (180.0, "ge", ())


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"limit_s": 170.0}, "limit_s"),
        ({"comparison": "gt"}, "comparison"),
        ({"identities": {"meter": {"maker": "Example", "model": "E100", "serial": "0002"}}}, "meter"),
        ({"identities": {"scope": {"maker": "RIGOL", "model": "DS1054Z", "serial": "other"}}}, "scope"),
        ({"assumptions": [{"key": "up_above_v", "value": "11 V", "source": "bench file"}]}, "definition"),
    ],
)
def test_what_changed_within_a_soak_is_named(changes: dict[str, Any], named: str) -> None:
    rows = cycles(list(lengths(3)))
    whole = [body(), body(**changes), body()]
    found = soak_record(soak(), rows, (), (), whole)
    assert found.setup is not None
    assert found.setup.differences == (named,)
    assert any(f"NOT ALL ALIKE: {named}" in line for line in summary_lines(found))


def test_a_meter_that_did_not_answer_in_the_first_cycle_is_known_from_the_next() -> None:
    rows = cycles(list(lengths(2)))
    found = soak_record(soak(), rows, (), (), [body(identities={}), body()])
    assert found.setup is not None
    assert found.setup.meter["serial"] == "0001"
    assert found.setup.differences == ()


def test_the_definition_is_what_says_when_the_rail_is_away() -> None:
    rows = cycles(list(lengths(1)))
    wanted = [
        {"key": key, "value": "1", "source": "x"}
        for key in ("up_above_v", "down_below_v", "ride_through_s", "restore_min_s")
    ]
    more = [*wanted, {"key": "noise_v", "value": "0.1 V", "source": "x"}]
    found = soak_record(soak(), rows, (), (), [body(assumptions=more)])
    assert found.setup is not None
    assert found.setup.definition == tuple(Assumption(**row) for row in wanted)


# -- from the disk -----------------------------------------------------------------------------------------------------


def keep(out: Path, told: list[Told]) -> None:
    rows = cycles(told)
    with Journal.open(out) as journal:
        journal.add(soak())
        for row in rows:
            journal.add(row.begun)
            journal.add(*(fact for fact in (row.ended, row.lost) if fact is not None))
            if row.ended is not None:
                folder = out / row.begun.run_id
                folder.mkdir()
                (folder / "run.json").write_text(json.dumps(body()))


def test_the_record_is_made_again_from_the_journal_and_the_bundles(tmp_path: Path) -> None:
    told = [*lengths(6), Told(None, None, None)]
    keep(tmp_path, told)
    with Journal.open(tmp_path) as journal:
        assert read_soak(journal, tmp_path, SOAK_ID) == record(told, end=None)
        with pytest.raises(InputError, match="no such soak"):
            read_soak(journal, tmp_path, "soak-x")


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"assumptions": 3, "identities": {}}'])
def test_a_damaged_bundle_is_named(tmp_path: Path, content: str) -> None:
    keep(tmp_path, list(lengths(2)))
    broken = sorted(tmp_path.glob("*/run.json"))[1]
    broken.write_text(content)
    with Journal.open(tmp_path) as journal, pytest.raises(InputError):
        read_soak(journal, tmp_path, SOAK_ID)


# -- words -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SOAKS)
def test_the_summary_is_plain_lines(name: str) -> None:
    lines = list(summary_lines(SOAKS[name]()))
    assert lines[0].startswith(SOAKS[name]().verdict)
    assert all(line.isprintable() and "None" not in line and "nan" not in line for line in lines)
    assert len(lines) < 60


def test_the_sentence_says_the_worst_and_the_limit() -> None:
    assert "53 of 59 activations passed, 1 broke the limit, 5 did not answer" in soak_sentence(rough_night())
    assert "at least 190.020 s; the limit is 180 s" in soak_sentence(rough_night())
    assert "60 of 60 activations passed; the longest outage was at most 45.110 s" in soak_sentence(quiet_night())


def test_every_attempt_that_did_not_pass_is_listed_with_its_bundle() -> None:
    night = rough_night()
    text = "\n".join(summary_lines(night))
    for row in not_passed(night):
        assert night.labels.attempts[row.number - 1].run_id in text
    assert len(not_passed(night)) == 6


def test_a_growing_outage_is_said_aloud() -> None:
    assert any("GROWS with the cycles" in line for line in summary_lines(growing()))
