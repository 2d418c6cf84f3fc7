"""A night that will not fit does not start, and one that stops fitting ends in good order."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from rig.errors import InputError
from rig.procedures.soak.plan_file import DiskTable
from rig.procedures.soak.progress import CycleRow
from rig.procedures.soak.room import check_room
from tests.soak.nights import Night, Told
from tests.soak.plans import GOOD


class Disk:
    """As much is free as `free_mb` says."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.free_mb = 10_000.0
        monkeypatch.setattr(shutil, "disk_usage", self._usage)

    def _usage(self, _: Path) -> object:
        return shutil._ntuple_diskusage(10**12, 0, round(self.free_mb * 1e6))  # type: ignore[attr-defined]


def test_a_night_that_will_not_fit_is_one_line_and_touches_nothing(
    night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    stay = night.prepared().config.limits.free_disk_mb
    Disk(monkeypatch).free_mb = stay + 1
    with pytest.raises(InputError, match="the night will not fit") as caught:
        night.sit()
    line = caught.value.one_line()
    assert f"{stay + 1:.0f} MB are free, of which {stay:.0f} MB must stay so, expected room for 4 cycles" in line
    assert not night.out.exists()


def test_a_night_that_stops_fitting_ends_before_the_cycle_that_would_not(
    night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk, stay = Disk(monkeypatch), night.prepared().config.limits.free_disk_mb

    def fill(row: CycleRow) -> None:
        if row.number == 2:
            disk.free_mb = stay + 0.5

    outcome = night.sit(Told(after=fill))
    assert [row.number for row in night.told.rows] == [1, 2]
    assert outcome.ending.reason == "disk"
    assert "too little room for another cycle" in outcome.ending.text
    assert [end.reason for end in night.ends()] == ["disk"]


def test_a_plan_that_keeps_nothing_of_what_passed_needs_little(tmp_path: Path) -> None:
    config = Night(tmp_path).prepared().config
    whole = check_room(config, DiskTable(passed="full"), 60, tmp_path)
    less = check_room(config, DiskTable(passed="none"), 60, tmp_path)
    assert less.least_bytes < whole.least_bytes / 20
    assert less.most_bytes == whole.most_bytes
    assert check_room(config, DiskTable(), 60, tmp_path, measured_bytes=10**6).least_bytes == 60 * 10**6


def test_what_is_kept_of_a_cycle_is_what_the_plan_says(night: Night) -> None:
    night.text = GOOD.replace("cut-45s", "cut-181s").replace("cycles = 4", "cycles = 2") + (
        '[disk]\npassed = "none"\nothers = "full"\n'
    )
    night.sit()
    kept = {
        a.ended.verdict: len(list((night.out / a.begun.run_id).glob("*.h5")))
        for a in night.attempts()
        if a.ended is not None
    }
    assert kept["FAIL"] == 3
    assert kept["PASS"] == 0
