"""Whole runs on a twin with each of its supplies: the right verdicts, the same to the byte, and never a false PASS."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import rig
from rig.records.run import RunRecord
from rig.twin.faces import SUPPLIES

pytestmark = pytest.mark.usefixtures("short_twin")

ALL = tuple(SUPPLIES)
OTHERS = ("keysight-e36300", "korad-ka3005p")
WORDS = {
    "keysight-e36300": "trips when its limit of 1.5 A acts",
    "korad-ka3005p": "its own regulation alone holds 12 V",
    "rohde-hmp": "trips when its limit of 1.5 A acts",
    "siglent-spd3000x": "its limit of 1.5 A alone bounds the current",
}


def run(bench: str, supply: str, out: Path, firmware: str, *faults: str) -> RunRecord:
    return rig.run_activation(f"{bench},supply={supply}", firmware, faults=faults, out=out)


@pytest.mark.parametrize("supply", ALL)
def test_a_short_cut_passes_and_a_long_one_fails_and_the_record_says_what_the_supply_has_not(
    supply: str, tmp_path: Path
) -> None:
    passed = run("twin", supply, tmp_path, "cut-45s")
    assert passed.verdict == "PASS"
    assert passed.safe_state.proven
    told = [f"{row.key} {row.value}" for row in passed.assumptions if row.key.startswith("psu.over_")]
    assert any(WORDS[supply] in row for row in told) if supply in WORDS else told == []
    assert run("twin", supply, tmp_path, "cut-240s").verdict == "FAIL"


@pytest.mark.parametrize("supply", OTHERS)
def test_a_supply_that_feeds_the_hub_all_the_time_does_so_too(supply: str, tmp_path: Path) -> None:
    assert run("twin-hot-shoe", supply, tmp_path, "cut-45s").verdict == "PASS"


@pytest.mark.parametrize("fault", ["supply-silent", "supply-dead"])
@pytest.mark.parametrize("supply", OTHERS)
def test_a_supply_that_is_lost_is_never_a_pass_nor_called_safe(supply: str, fault: str, tmp_path: Path) -> None:
    record = run("twin", supply, tmp_path, "cut-45s", f"{fault}@20")
    assert record.verdict == "ERROR"
    assert not record.safe_state.proven


def test_a_supply_on_a_serial_port_gives_the_same_run_to_the_byte(tmp_path: Path) -> None:
    def whole(fault: str) -> str:
        record = run("twin", "korad-ka3005p", tmp_path, "cut-45s", fault)
        folder = tmp_path / record.labels.run_id
        body = json.loads((folder / "run.json").read_text())
        del body["labels"]
        return json.dumps(body) + (folder / "events.jsonl").read_text()

    for fault in ("meter-late", "supply-dead@20"):
        assert whole(fault) == whole(fault)
