"""The published schema of `run.json` and what the record refuses to say."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from rig.errors import InputError
from rig.records import schema_text
from rig.records.run import LongestOutage, RunRecord, SafeState
from tests.records.samples import PICTURES, passed

SCHEMA = json.loads(schema_text())
VALIDATOR = Draft202012Validator(SCHEMA)
KEYS = (
    *("schema", "verdict", "rail_verdict", "reasons", "limit_s", "comparison", "longest_outage", "outages"),
    *("coverage", "uncertainty", "activation", "control", "identities", "firmware", "clock", "assumptions"),
    *("safe_state", "alerts", "bench", "labels"),
)


def as_json(record: RunRecord) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(json.dumps(record.to_json(), allow_nan=False))
    return body


def test_the_schema_is_a_sound_schema_of_draft_2020_12() -> None:
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("name", PICTURES)
def test_every_kind_of_record_fits_the_schema(name: str) -> None:
    VALIDATOR.validate(as_json(PICTURES[name][0]()))


@pytest.mark.parametrize("key", KEYS)
def test_a_record_without_any_one_key_does_not_fit(key: str) -> None:
    body = as_json(passed())
    del body[key]
    assert not VALIDATOR.is_valid(body)


def test_the_record_has_exactly_the_published_keys() -> None:
    assert set(as_json(passed())) == set(KEYS) == set(SCHEMA["properties"])


def _objects(body: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    found = []
    if isinstance(body, dict):
        found.append(path)
        for key, value in body.items():
            found += _objects(value, (*path, key))
    elif isinstance(body, list):
        for index, value in enumerate(body):
            found += _objects(value, (*path, index))
    return found


def _at(body: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        body = body[step]
    return body


FREE = ("identities", "firmware", "clock", "bench", "alerts")


@pytest.mark.parametrize("path", [p for p in _objects(as_json(passed())) if not p or p[0] not in FREE], ids=str)
def test_where_the_shape_is_fixed_a_missing_or_unknown_key_does_not_fit(path: tuple[str | int, ...]) -> None:
    whole = as_json(passed())
    _at(whole, path)["surprise"] = 1
    assert not VALIDATOR.is_valid(whole)
    for key in _at(as_json(passed()), path):
        body = as_json(passed())
        del _at(body, path)[key]
        assert not VALIDATOR.is_valid(body), key


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("schema",), "rig.run/2"),
        (("verdict",), "pass"),
        (("rail_verdict",), "ERROR"),
        (("comparison",), ">="),
        (("limit_s",), 0),
        (("limit_s",), "180"),
        (("outages", 0, "open"), "no"),
        (("outages", 0, "cause"), "weather"),
        (("outages", 0, "lower_s"), -0.1),
        (("alerts", "north"), [0.1]),
        (("alerts", "north"), [0, 1.1]),
        (("alerts", "north"), [0, 0.5, 1]),
        (("alerts",), {"north": [0, 1]}),
        (("identities", "meter", "serial"), 1),
        (("rail_verdict",), "INCONCLUSIVE"),
        (("safe_state", "proven"), False),
        (("control",), None),
        (("control", "valid"), False),
        (("control", "results"), None),
        (("longest_outage", "upper_s"), None),
    ],
    ids=str,
)
def test_a_wrong_value_does_not_fit(path: tuple[str | int, ...], value: Any) -> None:
    body = copy.deepcopy(as_json(passed()))
    _at(body, path[:-1])[path[-1]] = value
    assert not VALIDATOR.is_valid(body)


def test_an_unknown_reason_does_not_fit() -> None:
    body = as_json(PICTURES["failed"][0]())
    body["reasons"][0]["code"] = "bad_luck"
    assert not VALIDATOR.is_valid(body)


def test_no_alert_forecast_is_null() -> None:
    VALIDATOR.validate(as_json(replace(passed(), alerts=None)))


def test_an_unknown_schema_is_refused_with_the_known_names() -> None:
    with pytest.raises(InputError) as told:
        schema_text("../run")
    assert "rig.run/1" in told.value.one_line()


def _longest(upper_s: float | None) -> RunRecord:
    return replace(passed(), longest_outage=LongestOutage(0.0, None, upper_s, None))


@pytest.mark.parametrize("upper_s", [None, 180.0, 181.0, float("nan")])
def test_a_record_never_says_pass_for_an_upper_bound_that_is_not_below_the_limit(upper_s: float | None) -> None:
    with pytest.raises(ValueError, match="cannot say PASS"):
        _longest(upper_s)


def test_exactly_the_limit_may_pass_only_where_the_comparison_allows_it() -> None:
    assert _longest(179.999).verdict == "PASS"
    assert replace(passed(), comparison="gt", longest_outage=LongestOutage(0.0, None, 180.0, None)).verdict == "PASS"


def test_a_record_never_says_pass_without_control_safe_state_and_rail() -> None:
    record = passed()
    for change in (
        {"control": replace(record.control, valid=False)},
        {"safe_state": SafeState(False, ())},
        {"rail_verdict": "INCONCLUSIVE"},
    ):
        with pytest.raises(ValueError, match="cannot say PASS"):
            replace(record, **change)
