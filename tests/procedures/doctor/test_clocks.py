"""Whether the wall clock is synchronised, and how fast the monotonic clock is slewed."""

from __future__ import annotations

from pathlib import Path

import pytest

from rig.clock.virtual import VirtualClock
from rig.procedures.doctor.clocks import Slew, synchronisation
from rig.procedures.doctor.machine import Ran
from tests.procedures.doctor.machines import CHRONYC, SYNCED, TIMEDATECTL, UNSYNCED, commands, pi, put

NO_BUS = Ran("", "timedatectl: Failed to connect to bus: Host is down")
SYSTEMD = "Timezone=Europe/London\nLocalRTC=no\nCanNTP=yes\nNTP={ntp}\nNTPSynchronized={synced}\n"


def test_a_synchronised_chrony_tells_its_server_stratum_and_offset(tmp_path: Path) -> None:
    check = synchronisation(pi(tmp_path))
    assert check.status == "ok"
    assert check.found == "chrony: time.example.org, stratum 3, -0.000012 s off, frequency -12.345 ppm"


@pytest.mark.parametrize("said", [UNSYNCED, SYNCED.replace("A29FC87B,time.example.org", "7F7F0101,")])
def test_a_chrony_without_a_server_is_a_warning(tmp_path: Path, said: str) -> None:
    assert synchronisation(pi(tmp_path, run=commands({CHRONYC: said}))).status == "warning"


@pytest.mark.parametrize("said", ["", "506 Cannot talk to daemon", SYNCED.replace("-12.345", "x"), SYNCED + ",1"])
def test_what_chrony_never_says_is_not_known_and_no_crash(tmp_path: Path, said: str) -> None:
    check = synchronisation(pi(tmp_path, run=commands({CHRONYC: said})))
    assert check.status == "warning"
    assert check.found.startswith("not known: chronyc said")


@pytest.mark.parametrize(
    ("ntp", "synced", "status"), [("yes", "yes", "ok"), ("yes", "no", "warning"), ("no", "no", "warning")]
)
def test_where_chrony_does_not_run_systemd_is_asked(tmp_path: Path, ntp: str, synced: str, status: str) -> None:
    said = {CHRONYC: Ran("", "chronyc: 506 Cannot talk to daemon"), TIMEDATECTL: SYSTEMD.format(ntp=ntp, synced=synced)}
    assert synchronisation(pi(tmp_path, run=commands(said))).status == status


def test_a_service_that_is_switched_off_is_told_how_to_switch_it_on(tmp_path: Path) -> None:
    said = {TIMEDATECTL: SYSTEMD.format(ntp="no", synced="no")}
    assert "set-ntp true" in (synchronisation(pi(tmp_path, run=commands(said))).to_do or "")


def test_timesyncds_own_file_counts_where_its_tool_does_not_answer(tmp_path: Path) -> None:
    machine = pi(tmp_path, run=commands({TIMEDATECTL: NO_BUS}))
    assert synchronisation(machine).status == "warning"
    put(tmp_path, {"/run/systemd/timesync/synchronized": ""})
    assert synchronisation(machine).status == "ok"


def test_where_nothing_is_installed_it_is_not_known(tmp_path: Path) -> None:
    check = synchronisation(pi(tmp_path, run=commands({})))
    assert check.status == "warning"
    assert check.found == "not known: chronyc is not here; timedatectl is not here"


@pytest.mark.parametrize(("ppm", "status"), [(0.0, "ok"), (199.0, "ok"), (-250.0, "failed"), (1000.0, "failed")])
def test_a_slewed_clock_is_measured_over_a_second(ppm: float, status: str) -> None:
    clock = VirtualClock()
    clock.set_slew(ppm)
    start = clock.now()
    check = Slew(clock, 1.0).check("clock slew", 200.0, needed=True)
    assert check.status == status
    assert clock.now() == start + 1_000_000_000
    assert float(check.found.split()[0]) == pytest.approx(ppm, abs=1.0)


def test_a_reading_that_was_interrupted_does_not_count() -> None:
    """One of the tries takes 10 ms between its two readings: 10,000 ppm, if it were taken."""

    class Interrupted(VirtualClock):
        calls = 0

        def now_raw(self) -> int:
            self.calls += 1
            if self.calls == 3:
                self.sleep(0.01)
            return super().now_raw()

    check = Slew(Interrupted(), 1.0).check("clock slew", 200.0, needed=True)
    assert check.status == "ok"
    assert check.found.startswith("+0.0 ppm ± 0.0 over 1.0")
