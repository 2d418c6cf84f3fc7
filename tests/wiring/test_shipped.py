"""The benches that the project ships: each fits its harness, the schema, and what its README says of it."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from rig.bench.schema import SCHEMA_FILE
from rig.twin.bench import names
from tests.wiring.files import BENCHES, WIRING, Pair

IDS = [bench.stem for bench in BENCHES]


def test_every_kind_of_meter_has_a_bench() -> None:
    assert set(IDS) == {"single-phase", "twin-element", "polyphase", "gas-hot-shoe"}


@pytest.mark.parametrize("bench", BENCHES, ids=IDS)
def test_each_is_wired_as_its_harness_says(bench: Path) -> None:
    report = Pair(bench, WIRING / f"{bench.stem}.harness.yml").check()
    assert report.errors == ()
    assert report.notes == ()
    assert {signal.name for signal in report.signals} == {"watchdog", "stop"} | {
        table["name"] for key in ("relay", "sense") for table in tomllib.loads(bench.read_text())[key]
    }
    assert len(report.wires) > 40


@pytest.mark.parametrize("bench", BENCHES, ids=IDS)
def test_each_follows_the_published_schema_and_tells_an_editor_where_it_is(bench: Path) -> None:
    text = bench.read_text(encoding="utf-8")
    hint = re.match(r"#:schema (\S+)\n", text)
    assert hint is not None
    assert (bench.parent / hint[1]).resolve() == SCHEMA_FILE.resolve()
    Draft202012Validator(json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))).validate(tomllib.loads(text))


@pytest.mark.parametrize("bench", BENCHES, ids=IDS)
def test_addresses_are_placeholders_and_no_hub_is_commissioned(bench: Path) -> None:
    text = bench.read_text(encoding="utf-8")
    assert set(re.findall(r"\d+\.\d+\.\d+\.\d+", text.split("\n\n", 1)[1])) == {
        "192.0.2.10",
        "192.0.2.11",
        "192.0.2.12",
    }
    assert tomllib.loads(text)["hub"]["commissioned"] is False


@pytest.mark.parametrize("bench", BENCHES, ids=IDS)
def test_what_the_harness_writes_of_its_watchdog_is_what_its_components_give(bench: Path) -> None:
    """The notes of a drawing are read by people who have no program at hand."""
    report = Pair(bench, WIRING / f"{bench.stem}.harness.yml").check()
    text = (WIRING / f"{bench.stem}.harness.yml").read_text(encoding="utf-8")
    told = re.search(r"OUT falls ([\d.]+) to ([\d.]+) s after", text)
    assert told is not None
    assert report.watchdog_s is not None
    first, last = report.watchdog_s
    assert float(told[1]) <= first < last <= float(told[2])


def test_every_twin_has_a_harness_that_it_fits() -> None:
    from rig.bench.wiring import checked
    from rig.twin.rack import draft, harness_folder

    for name in names():
        config, text = draft(name)
        assert checked(config, text, name, harness_folder()).errors == ()
