"""The published JSON Schema of a fixture's manifest: as committed, sound, and in agreement with the model."""

from __future__ import annotations

import json
import tomllib

import pytest
from jsonschema import Draft202012Validator

from rig.firmware import names
from rig.firmware.fixture import packaged
from rig.firmware.schema import SCHEMA_FILE, schema_text

VALIDATOR = Draft202012Validator(json.loads(schema_text()))


def test_the_committed_schema_is_the_one_that_the_model_gives() -> None:
    assert SCHEMA_FILE.read_text(encoding="utf-8") == schema_text(), "run python -m rig.firmware.schema"


def test_the_schema_is_a_sound_schema_of_draft_2020_12() -> None:
    schema = json.loads(schema_text())
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["title"] == "rig.fixture/1"
    Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("name", names())
def test_every_packaged_manifest_fits_it(name: str) -> None:
    VALIDATOR.validate(tomllib.loads((packaged() / name / "manifest.toml").read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('schema = "rig.fixture/1"', 'schema = "rig.fixture/2"'),
        ("hardware_version = 1", "hardware_version = 65536"),
        ('maker = "', 'makers = "'),
        ('version_to = "1.1.0"', ""),
        ('sha256 = "', 'sha256 = "F'),
        ('verdict = "PASS"', 'verdict = "pass"'),
        ("accepts_image = true", 'accepts_image = "yes"'),
    ],
)
def test_what_the_model_refuses_of_a_single_key_does_not_fit_it(old: str, new: str) -> None:
    text = (packaged() / "cut-45s" / "manifest.toml").read_text(encoding="utf-8")
    assert text.count(old) == 1
    assert not VALIDATOR.is_valid(tomllib.loads(text.replace(old, new)))


def test_every_table_is_closed() -> None:
    schema = json.loads(schema_text())
    tables = [schema, *schema["$defs"].values()]
    assert all(table["additionalProperties"] is False for table in tables)
