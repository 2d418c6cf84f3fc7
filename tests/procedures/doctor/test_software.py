"""Python, the relay library and its quirks on a Raspberry Pi, and extras."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from rig.procedures.doctor.software import extras, gpio_library, system
from tests.procedures.doctor.machines import PI, bare, pi

PI_5 = {**PI, "/proc/device-tree/model": "Raspberry Pi 5 Model B Rev 1.0\0"}


def installed(versions: dict[str, str]) -> Callable[[str], str | None]:
    return versions.get


def test_the_system_is_told_for_a_report(tmp_path: Path) -> None:
    check = system(pi(tmp_path))
    assert check.found == "Python 3.11.2, Debian GNU/Linux 12 (bookworm) on a Raspberry Pi 4 Model B Rev 1.5"
    assert system(bare(tmp_path / "other")).found == "Python 3.11.2, an unknown system"


def test_the_drop_in_library_is_fine(tmp_path: Path) -> None:
    assert gpio_library(pi(tmp_path), needed=True).found == "rpi-lgpio 0.6"


def test_both_libraries_in_one_environment_overwrite_each_other(tmp_path: Path) -> None:
    machine = pi(tmp_path, version_of=installed({"RPi.GPIO": "0.7.1", "rpi-lgpio": "0.6"}))
    check = gpio_library(machine, needed=True)
    assert check.status == "failed"
    assert "pip uninstall RPi.GPIO rpi-lgpio" in (check.to_do or "")
    assert gpio_library(machine, needed=False).status == "warning"


def test_the_old_library_runs_on_a_pi_4_and_not_on_a_pi_5(tmp_path: Path) -> None:
    old = installed({"RPi.GPIO": "0.7.1"})
    assert gpio_library(pi(tmp_path, version_of=old), needed=True).status == "ok"
    check = gpio_library(pi(tmp_path, PI_5, version_of=old), needed=True)
    assert (check.status, check.found) == ("failed", "RPi.GPIO 0.7.1 does not run on a Raspberry Pi 5")


@pytest.mark.parametrize(
    ("python", "to_do"),
    [((3, 11, 2), "pip install lgpio"), ((3, 13, 5), "sudo apt install python3-lgpio")],
)
def test_lgpio_comes_from_debian_without_a_wheel(tmp_path: Path, python: tuple[int, int, int], to_do: str) -> None:
    check = gpio_library(pi(tmp_path, python=python, has_module=lambda _: False), needed=True)
    assert check.status == "failed"
    assert (check.to_do or "").startswith(to_do)


def test_a_new_python_on_a_bare_pi_is_told_the_whole_way(tmp_path: Path) -> None:
    machine = pi(tmp_path, python=(3, 13, 5), has_module=lambda _: False, version_of=lambda _: None)
    to_do = gpio_library(machine, needed=True).to_do or ""
    assert "python3-lgpio" in to_do
    assert "--system-site-packages" in to_do
    assert to_do.endswith("pip install 'ichis-rig[pi]'")


def test_without_a_pi_and_without_a_bench_that_needs_it_the_library_is_not_missed(tmp_path: Path) -> None:
    assert gpio_library(bare(tmp_path), needed=False).applies is False
    assert gpio_library(bare(tmp_path), needed=True).status == "failed"
    assert gpio_library(pi(tmp_path, version_of=lambda _: None), needed=False).status == "warning"


def test_extras_are_those_of_the_packages_own_metadata_without_the_developers(tmp_path: Path) -> None:
    (check,) = extras(pi(tmp_path))
    assert (check.what, check.status, check.found) == ("extra csv", "ok", "pyarrow 17.0.0")
    (check,) = extras(pi(tmp_path, version_of=lambda _: None))
    assert (check.status, check.applies) == ("ok", False)
    assert "pip install 'ichis-rig[csv]'" in check.found


def test_this_packages_own_metadata_is_read(tmp_path: Path) -> None:
    from rig.procedures.doctor.machine import Machine

    assert "extra csv" in {check.what for check in extras(Machine())}
