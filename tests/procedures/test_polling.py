"""Whole runs with an oscilloscope that is polled: what it proves, that it needs its control, and when it is lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import rig
from rig.records.run import RunRecord
from rig.twin import bench as twin_bench
from rig.twin.faces import OSCILLOSCOPES

SCOPES = tuple(OSCILLOSCOPES)


@pytest.fixture(autouse=True)
def polled_twin(monkeypatch: pytest.MonkeyPatch) -> None:
    template = twin_bench.template

    def polled(name: str) -> str:
        text = template(name).replace("max_s = 3600.0", "max_s = 300.0")
        return text.replace("\npre_s = 6.0\n", '\npre_s = 6.0\nmode = "poll"\n')

    monkeypatch.setattr(twin_bench, "template", polled)


def run(out: Path, firmware: str, *faults: str, scope: str = SCOPES[0]) -> RunRecord:
    return rig.run_activation(f"twin,oscilloscope={scope}", firmware, faults=faults, out=out)


def codes(record: RunRecord) -> set[str]:
    return {reason.code for reason in record.reasons}


@pytest.mark.parametrize("scope", SCOPES)
def test_a_cut_of_45_s_passes_and_the_control_heard_the_levels(scope: str, tmp_path: Path) -> None:
    record = run(tmp_path, "cut-45s", scope=scope)
    assert record.verdict == "PASS"
    longest = record.longest_outage
    assert longest.upper_s is not None
    assert 44.5 < longest.lower_s <= 45.0 <= longest.upper_s < 45.2
    assert "scope" in record.outages[0].sources
    heard = {row.kind: [s for s in row.sources if s.source == "scope"] for row in record.control.results}
    (cut,) = heard["meter-feed"]
    assert cut.right
    assert cut.lower_s is not None
    assert 3.0 < cut.lower_s <= 5.0
    assert cut.upper_s is None, "levels never prove up"


def test_a_cut_of_240_s_fails_and_its_raw_levels_are_kept(tmp_path: Path) -> None:
    record = run(tmp_path, "cut-240s")
    assert (record.verdict, codes(record)) == ("FAIL", {"limit_exceeded"})
    (events,) = tmp_path.glob("*/events.jsonl")
    levels = [event for line in events.read_text().splitlines() if (event := json.loads(line))["event"] == "level"]
    assert len(levels) > 500
    assert any(level["low_v"] < 1.0 for level in levels)
    assert any("polled" in row.value for row in record.assumptions)


@pytest.mark.parametrize("fault", ["scope-dead@20", "scope-silent@20", "scope-stale@1"])
def test_one_that_is_lost_on_the_way_is_told(fault: str, tmp_path: Path) -> None:
    record = run(tmp_path, "cut-240s", fault)
    assert (record.verdict, codes(record)) == ("FAIL", {"limit_exceeded", "instrument_lost"})


def test_one_that_stands_still_while_the_rail_is_away_is_lost_and_proves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says STOP for ever: its last level, 12 V, is never taken for a new one."""
    from rig.twin import faults

    def stands_still(twin: faults.Rack) -> None:
        twin.scope.stuck_state = "STOP"

    act: Callable[[faults.Rack], None] = stands_still
    monkeypatch.setitem(faults.KINDS, "scope-stale", faults.FaultKind("it stands still", act))
    record = run(tmp_path, "cut-240s", "scope-stale@1")
    assert (record.verdict, codes(record)) == ("FAIL", {"limit_exceeded", "instrument_lost"})
    assert "scope" not in record.outages[0].sources


def test_comparators_that_lie_together_are_contradicted_by_the_levels(tmp_path: Path) -> None:
    record = run(tmp_path, "cut-240s", "rail-up-stuck-high@1", "rail-down-stuck-low@1")
    assert record.verdict != "PASS"
    assert "sources_disagree" in codes(record)
