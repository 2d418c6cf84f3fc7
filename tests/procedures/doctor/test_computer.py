"""Disk, processor speed and power: with good, bad and absent data."""

from __future__ import annotations

from pathlib import Path

import pytest

from rig.procedures.doctor.computer import disk, governor, power
from rig.procedures.doctor.machine import Ran
from tests.procedures.doctor.machines import PI, VCGENCMD, bare, commands, pi, put

MB = 1_000_000


@pytest.mark.parametrize(("free_mb", "status"), [(199.9, "failed"), (200, "warning"), (1999, "warning"), (2000, "ok")])
def test_less_disk_than_a_run_needs_fails_and_room_for_few_runs_is_a_warning(
    tmp_path: Path, free_mb: float, status: str
) -> None:
    check = disk(pi(tmp_path, free_bytes=lambda _: int(free_mb * MB)), tmp_path / "runs", 200.0)
    assert check.status == status
    assert "0.2 GB for a run" in check.found


def test_a_folder_that_is_not_there_yet_is_judged_by_its_nearest_parent_and_not_made(tmp_path: Path) -> None:
    asked: list[Path] = []
    machine = pi(tmp_path, free_bytes=lambda path: asked.append(path) or 10**12)
    out = tmp_path / "a" / "b"
    assert disk(machine, out, 200.0).status == "ok"
    assert asked == [tmp_path]
    assert not (tmp_path / "a").exists()


def test_a_place_that_cannot_be_written_fails(tmp_path: Path) -> None:
    assert disk(pi(tmp_path, access=lambda _: False), tmp_path, 200.0).status == "failed"
    (tmp_path / "file").write_text("")
    check = disk(pi(tmp_path), tmp_path / "file", 200.0)
    assert (check.status, check.found) == ("failed", f"{tmp_path / 'file'} is a file")


def test_a_processor_that_must_speed_up_first_is_a_warning(tmp_path: Path) -> None:
    assert governor(pi(tmp_path)).status == "ok"
    put(tmp_path, {"/sys/devices/system/cpu/cpu1/cpufreq/scaling_governor": "ondemand\n"})
    check = governor(pi(tmp_path, {}))
    assert (check.status, check.found) == ("warning", "ondemand, performance")
    assert "tee" in (check.to_do or "")


def test_a_processor_without_a_governor_is_no_fault(tmp_path: Path) -> None:
    check = governor(bare(tmp_path))
    assert (check.status, check.applies) == ("ok", False)


@pytest.mark.parametrize(
    ("word", "status", "found"),
    [
        ("0x0", "ok", "no under-voltage, not throttled, since boot"),
        ("0x50005", "failed", "under-voltage now; throttled now"),
        ("0x50000", "warning", "under-voltage since boot; throttled since boot"),
        ("0x80008", "warning", "soft temperature limit now"),
        ("0x20002", "warning", "processor frequency capped now"),
    ],
)
def test_the_firmwares_bits_are_told_as_now_and_since_boot(tmp_path: Path, word: str, status: str, found: str) -> None:
    machine = pi(tmp_path, run=commands({VCGENCMD: f"throttled={word}\n"}))
    check = power(machine, needed=True)
    assert (check.status, check.found) == (status, found)


def test_under_voltage_fails_only_where_a_bench_hangs_on_this_machine(tmp_path: Path) -> None:
    machine = pi(tmp_path, run=commands({VCGENCMD: "throttled=0x1"}))
    assert power(machine, needed=True).status == "failed"
    assert power(machine, needed=False).status == "warning"


def test_heat_is_not_answered_with_another_supply(tmp_path: Path) -> None:
    check = power(pi(tmp_path, run=commands({VCGENCMD: "throttled=0x80008"})), needed=True)
    assert "cool" in (check.to_do or "")


@pytest.mark.parametrize(("alarm", "status"), [("0", "ok"), ("1", "failed")])
def test_without_the_firmwares_tool_the_voltage_sensor_is_read(tmp_path: Path, alarm: str, status: str) -> None:
    sensor = {
        "/sys/class/hwmon/hwmon0/name": "cpu_thermal\n",
        "/sys/class/hwmon/hwmon1/name": "rpi_volt\n",
        "/sys/class/hwmon/hwmon1/in0_lcrit_alarm": f"{alarm}\n",
    }
    assert power(pi(tmp_path, {**PI, **sensor}, run=commands({})), needed=True).status == status


@pytest.mark.parametrize("said", [Ran("", "vcgencmd: Can't open device file: /dev/vcio"), "throttled=nonsense", ""])
def test_power_that_cannot_be_read_is_not_known(tmp_path: Path, said: str | Ran) -> None:
    check = power(pi(tmp_path, run=commands({VCGENCMD: said})), needed=True)
    assert check.status == "warning"
    assert check.found.startswith("not known: ")


def test_power_is_not_looked_at_on_another_machine(tmp_path: Path) -> None:
    check = power(bare(tmp_path), needed=False)
    assert (check.status, check.applies, check.found) == ("ok", False, "no Raspberry Pi")
