"""The whole of `rig doctor` from Python: a bench by name or file, or none, and a machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from rig.bench.config import load_bench
from rig.clock.virtual import VirtualClock
from rig.doctor import examine
from rig.errors import InputError
from rig.records import schema_text
from rig.records.doctor import Check, Desk, DoctorLabels, Examination
from rig.twin.bench import names
from tests.bench.files import GOOD
from tests.procedures.doctor.machines import bare, one, pi

VALIDATOR = Draft202012Validator(json.loads(schema_text("rig.doctor/1")))


def as_json(found: Examination) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(json.dumps(found.to_json(), allow_nan=False))
    VALIDATOR.validate(body)
    return body


@pytest.mark.parametrize("bench", [name for name in names() if name != "twin"])
def test_every_other_twin_is_well_too_and_its_meter_answers(bench: str, tmp_path: Path) -> None:
    found = examine(bench, out=tmp_path, machine=pi(tmp_path), system=VirtualClock())
    assert [check for check in found.checks if check.status != "ok"] == []
    assert one(found.checks, "meter: firmware").found == "1.0.0"


def test_the_twin_on_a_good_machine_is_well(tmp_path: Path) -> None:
    found = examine("twin", out=tmp_path, machine=pi(tmp_path), system=VirtualClock())
    assert [check for check in found.checks if check.status != "ok"] == []
    body = as_json(found)
    assert (body["bench"], body["status"], body["proposal"]) == ("twin", "ok", None)
    assert {check["area"] for check in body["checks"]} == {
        *("instruments", "meter", "lines", "clock", "computer", "access", "software")
    }


def test_a_fault_of_the_twin_is_seen(tmp_path: Path) -> None:
    found = examine(
        "twin", out=tmp_path, machine=pi(tmp_path), system=VirtualClock(), faults=["scope-silent", "supply-dead"]
    )
    assert as_json(found)["status"] == "failed"
    assert {check.what for check in found.checks if check.status == "failed"} == {"scope: identity", "psu: identity"}


def test_a_bench_file_of_a_machine_that_has_nothing_fails_where_the_bench_needs_it(tmp_path: Path) -> None:
    """Every port is refused, and there is no chip: everything else is looked at all the same."""
    file = tmp_path / "bench.toml"
    file.write_text(GOOD.replace("192.0.2.10", "127.0.0.1").replace("192.0.2.11", "127.0.0.2").replace("5555", "1")
                    .replace("192.0.2.12:502", "127.0.0.1:1"))  # fmt: skip

    def no_chip(path: str) -> Any:
        raise FileNotFoundError(2, "No such file or directory", path)

    found = examine(str(file), out=tmp_path, machine=bare(tmp_path, open_chip=no_chip), system=VirtualClock())
    assert {check.what for check in found.checks if check.status == "failed"} == {
        *("psu: identity", "scope: identity", "meter: identity", "GPIO chip", "relay library (extra pi)")
    }
    assert one(found.checks, "clock slew").applies
    assert as_json(found)["bench"] == "twin", "the name that the file gives"


# -- a first bench file ------------------------------------------------------------------------------------------------


def test_a_file_proposed_from_a_bench_that_answers_is_complete_and_loads(tmp_path: Path) -> None:
    file = tmp_path / "first.toml"
    found = examine("twin", out=tmp_path, machine=pi(tmp_path), system=VirtualClock(), propose=file)
    assert as_json(found)["proposal"] == {"file": str(file), "complete": True, "to_fill_in": []}
    config = load_bench(file)
    assert config.supply[0].serial == "DP8TWIN00000000"
    assert config.meter.profile == "synthetic-esme"
    assert config.sense[0].chip == "/dev/gpiochip0"


def test_a_dead_instrument_is_left_to_be_filled_in(tmp_path: Path) -> None:
    found = examine(
        "twin",
        out=tmp_path,
        machine=pi(tmp_path),
        system=VirtualClock(),
        propose=tmp_path / "b.toml",
        faults=["scope-dead"],
    )
    assert [gap["key"] for gap in as_json(found)["proposal"]["to_fill_in"]] == [
        "oscilloscope.driver",
        "oscilloscope.address",
    ]


def test_a_machine_with_nothing_gets_a_file_to_fill_in(tmp_path: Path) -> None:
    found = examine(None, out=tmp_path, machine=bare(tmp_path), system=VirtualClock(), propose=tmp_path / "b.toml")
    body = as_json(found)
    assert (body["bench"], body["status"], body["proposal"]["complete"]) == (None, "warning", False)
    assert len(body["proposal"]["to_fill_in"]) == 9


# -- bad input ---------------------------------------------------------------------------------------------------------


def nothing_is_asked(tmp_path: Path) -> Any:
    def run(words: tuple[str, ...], timeout_s: float) -> Any:
        raise AssertionError(f"{words} was run for bad input")

    return pi(tmp_path, run=run)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"bench": "none.toml"}, "none.toml: no such file"),
        ({"probes": ["host:x"]}, "--probe: not an address"),
        ({"faults": ["scope-ded"]}, "no fault 'scope-ded'; did you mean 'scope-dead'"),
        ({"faults": ["scope-dead@3"]}, "nothing is activated here"),
        ({"bench": None, "faults": ["scope-dead"]}, "faults are for the twin"),
        ({"propose": "none/b.toml"}, "no such folder"),
    ],
)
def test_bad_input_is_told_before_anything_is_looked_at(tmp_path: Path, asked: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError) as error:
        examine(**asked, out=tmp_path, machine=nothing_is_asked(tmp_path), system=VirtualClock())
    assert words in error.value.one_line().replace(" (", "; ").replace("?", "")


def test_a_bench_that_does_not_exist_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no bench 'twn'.*did you mean 'twin'"):
        examine("twn", out=tmp_path, machine=pi(tmp_path), system=VirtualClock())


def test_a_profile_that_does_not_exist_is_told_before_anything_is_looked_at(tmp_path: Path) -> None:
    file = tmp_path / "bench.toml"
    file.write_text(GOOD.replace("synthetic-esme", "synthetic-esm"))
    with pytest.raises(InputError, match="no meter profile"):
        examine(str(file), out=tmp_path, machine=nothing_is_asked(tmp_path))


# -- the record --------------------------------------------------------------------------------------------------------


def test_the_schema_is_a_sound_schema_of_draft_2020_12() -> None:
    Draft202012Validator.check_schema(VALIDATOR.schema)


def test_a_warning_or_failure_without_a_thing_to_do_is_not_made() -> None:
    with pytest.raises(ValueError, match="says what to do"):
        Check("lines", "x", "warning", "found")
    with pytest.raises(ValueError, match="says what to do"):
        Desk("lines").failed("x", "found", "")


def test_the_worst_check_is_the_status() -> None:
    desk, labels = Desk("lines"), DoctorLabels("h", "2026-11-22T00:00:00Z", 0.1)
    good, odd, bad = desk.ok("a", "f"), desk.warning("b", "f", "d"), desk.failed("c", "f", "d")
    assert Examination(None, (), None, labels).status == "ok"
    assert Examination(None, (good, odd), None, labels).status == "warning"
    assert Examination(None, (bad, good, odd), None, labels).status == "failed"


@pytest.mark.parametrize("status", ["warning", "failed"])
def test_the_schema_wants_something_to_do_for_whatever_is_not_well(status: str) -> None:
    labels = DoctorLabels("h", "2026-11-22T00:00:00Z", 0.1)
    body = as_json(Examination(None, (Desk("lines").warning("b", "f", "d"),), None, labels))
    check = body["checks"][0]
    check["status"] = status
    assert VALIDATOR.is_valid(body)
    for key, value in (("to_do", None), ("applies", False), ("surprise", 1), ("found", "")):
        assert not VALIDATOR.is_valid({**body, "checks": [{**check, key: value}]}), key
