"""Machines for tests: a Raspberry Pi 4 on which all is well, and how to change a part of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from gpiod import ChipInfo

from rig.instruments.chips import Chip
from rig.procedures.doctor.access import LIST
from rig.procedures.doctor.machine import Machine, Ran, User
from rig.records.doctor import Check

CHRONYC = ("chronyc", "-c", "tracking")
TIMEDATECTL = ("timedatectl", "show")
VCGENCMD = ("vcgencmd", "get_throttled")
SYNCED = "A29FC87B,time.example.org,3,1700000000.123456789,-0.000012345,0.000001234,0.000045678,-12.345,0.001,0.012,0.012345678,0.001234567,1024.5,Normal"  # noqa: E501
UNSYNCED = "00000000,,0,0.000000000,0.000000000,0.000000000,0.000000000,0.000,0.000,0.000,1.000000000,1.000000000,0.0,Not synchronised"  # noqa: E501

PI = {
    "/proc/device-tree/model": "Raspberry Pi 4 Model B Rev 1.5\0",
    "/etc/os-release": 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\n',
    "/etc/group": "root:x:0:\ndialout:x:20:pi\ngpio:x:997:pi\n",
    "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "performance\n",
    "/sys/devices/system/cpu/cpu1/cpufreq/scaling_governor": "performance\n",
    "/dev/gpiochip0": "",
}
REQUIRES = ["numpy>=1.26", "pyarrow>=17; extra == 'csv'", 'ruff>=0.9; extra == "dev"', "rpi-lgpio>=0.6; extra == 'pi'"]


class FakeChip:
    """The header's chip, as gpiod shows it."""

    def __init__(self, label: str) -> None:
        self.label = label

    def get_info(self) -> ChipInfo:
        return ChipInfo("gpiochip0", self.label, 58)

    def get_line_info(self, line: int | str) -> Any:
        raise AssertionError(f"nobody asks this machine's own chip for line {line}")

    def close(self) -> None: ...


def chips(label: str = "pinctrl-bcm2711") -> Callable[[str], Chip]:
    return lambda path: FakeChip(label)


def commands(said: Mapping[tuple[str, ...], str | Ran]) -> Callable[[tuple[str, ...], float], Ran]:
    """These commands say this; all others are not here."""

    def run(words: tuple[str, ...], timeout_s: float) -> Ran:
        assert timeout_s > 0, "every command has a time-out"
        answer = said.get(words, Ran("", f"{words[0]} is not here", here=False))
        return answer if isinstance(answer, Ran) else Ran(answer)

    return run


def put(root: Path, files: Mapping[str, str]) -> None:
    for path, text in files.items():
        place = root / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")


def pi(root: Path, files: Mapping[str, str] = PI, /, **changes: Any) -> Machine:
    """A good Raspberry Pi below `root`; `changes` replace parts of the machine."""
    put(root, files)
    good = Machine(
        root=root,
        run=commands({CHRONYC: SYNCED, VCGENCMD: "throttled=0x0\n", LIST: "", (*LIST, "--lan"): ""}),
        serial_ports=list,
        user=lambda: User("pi", 1000, frozenset({1000, 20, 997})),
        version_of={"rpi-lgpio": "0.6", "pyarrow": "17.0.0"}.get,
        own_requirements=lambda: REQUIRES,
        has_module=lambda name: name == "lgpio",
        python=(3, 11, 2),
        access=lambda path: True,
        free_bytes=lambda path: 50_000_000_000,
        open_chip=chips(),
    )
    return replace(good, **changes)


def bare(root: Path, **changes: Any) -> Machine:
    """A machine with nothing: no Pi, no tools, no devices."""
    nothing = {"run": commands({}), "version_of": lambda name: None, "has_module": lambda name: False}
    return pi(root, {}, **{**nothing, **changes})


def one(checks: list[Check] | tuple[Check, ...], what: str) -> Check:
    (check,) = [check for check in checks if check.what == what]
    return check
