"""The published JSON Schema of the bench file: as committed, sound, and in agreement with the model."""

from __future__ import annotations

import json
import tomllib

import pytest
from jsonschema import Draft202012Validator

from rig.bench.schema import SCHEMA_FILE, schema_text
from tests.bench.files import GOOD, spoilt

VALIDATOR = Draft202012Validator(json.loads(schema_text()))


def test_the_committed_schema_is_the_one_that_the_model_gives() -> None:
    assert SCHEMA_FILE.read_text(encoding="utf-8") == schema_text(), "run python -m rig.bench.schema"


def test_the_schema_is_a_sound_schema_of_draft_2020_12() -> None:
    schema = json.loads(schema_text())
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["title"] == "rig.bench/1"
    Draft202012Validator.check_schema(schema)


def test_a_good_file_fits_it() -> None:
    VALIDATOR.validate(tomllib.loads(GOOD))


@pytest.mark.parametrize(
    ("table", "old", "new"),
    [
        ("limits", "limit_s =", "limits_s ="),
        ("limits", "180.0", '"180"'),
        ("limits", '"ge"', '"gte"'),
        ("supply", "channel = 1", "channel = 5"),
        ("supply", "::SOCKET", "::SOCKETS"),
        ("meter", ":502", ""),
        ("hub", "commissioned = false", ""),
        ("limits", "clock_rate_ppm = 200.0", 'calibration_overdue = "ok"'),
        ("oscilloscope", "channel = 1", "channel = 1\nserial = 7"),
        ("relay", "17", "28"),
        ("sense", "[10.2, 10.8]", "[10.2]"),
        ("sense", "/dev/gpiochip0", "gpiochip0"),
    ],
)
def test_what_the_model_refuses_of_a_single_key_does_not_fit_it(table: str, old: str, new: str) -> None:
    assert not VALIDATOR.is_valid(tomllib.loads(spoilt(table, old, new)[0]))


def test_what_an_instrument_may_say_of_itself_fits_it() -> None:
    more = 'channel = 1\nmodel = "DP832"\nserial = "DP8"\nfirmware = "1"\ncalibration_due = "2027-03-31"'
    VALIDATOR.validate(tomllib.loads(spoilt("supply", "channel = 1", more)[0]))


def test_every_table_is_closed() -> None:
    schema = json.loads(schema_text())
    tables = [schema, *schema["$defs"].values()]
    assert all(table["additionalProperties"] is False for table in tables)
