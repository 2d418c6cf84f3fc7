"""Whole runs with each oscilloscope that the twin can have: the verdict is right, the bounds are tight, faults tell."""

from __future__ import annotations

from pathlib import Path

import pytest

import rig
from rig.records.run import RunRecord
from rig.twin.faces import OSCILLOSCOPES
from rig.twin.faults import KINDS
from tests.twin.test_faults import LONG, SHORT, TABLE, UNPROVEN

pytestmark = pytest.mark.usefixtures("short_twin")

SCOPES = tuple(OSCILLOSCOPES)
FAULTS = [faults for faults in TABLE if any(fault.startswith("scope-") for fault in faults)]


def run(scope: str, firmware: str, faults: tuple[str, ...], out: Path) -> RunRecord:
    return rig.run_activation(f"twin,oscilloscope={scope}", firmware, faults=faults, out=out)


@pytest.mark.parametrize("scope", SCOPES)
def test_a_cut_of_45_s_passes_and_its_bounds_are_tight(scope: str, tmp_path: Path) -> None:
    record = run(scope, SHORT, (), tmp_path)
    assert record.verdict == "PASS"
    longest = record.longest_outage
    assert longest.upper_s is not None
    assert 44.8 < longest.lower_s <= 45.0 <= longest.upper_s < 45.1
    (outage,) = record.outages
    assert "scope" in outage.sources


@pytest.mark.parametrize("scope", SCOPES)
def test_a_cut_of_240_s_fails_and_its_bounds_are_tight(scope: str, tmp_path: Path) -> None:
    record = run(scope, LONG, (), tmp_path)
    assert record.verdict == "FAIL"
    longest = record.longest_outage
    assert longest.upper_s is not None
    assert 239.7 < longest.lower_s <= 240.0 <= longest.upper_s < 240.2


@pytest.mark.parametrize("scope", SCOPES[1:])
@pytest.mark.parametrize("faults", FAULTS, ids="+".join)
def test_a_fault_of_the_oscilloscope_tells_the_same_with_each_of_them(
    scope: str, faults: tuple[str, ...], tmp_path: Path
) -> None:
    verdict, codes = TABLE[faults][1]
    record = run(scope, LONG, faults, tmp_path)
    assert (record.verdict, {reason.code for reason in record.reasons}) == (verdict, codes)
    unproven = {check.what for check in record.safe_state.checks if not check.proven}
    assert unproven == set().union(*(UNPROVEN.get(fault.split("@")[0], set()) for fault in faults))


def test_every_fault_of_an_oscilloscope_is_among_them() -> None:
    assert {f.split("@")[0] for faults in FAULTS for f in faults} == {name for name in KINDS if "scope" in name}
