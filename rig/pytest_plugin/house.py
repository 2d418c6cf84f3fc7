"""What a test session has: its benches, its firmware, where the evidence goes."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from rig.errors import InputError, Where
from rig.pytest_plugin.at_test import Choices
from rig.pytest_plugin.held import HeldBench

if TYPE_CHECKING:
    import pytest


@dataclass
class House:
    """`names` are those of the benches, in the order in which they were asked for."""

    names: list[str]
    choices: Choices
    firmware: str | None
    shared: bool
    _held: dict[str, HeldBench] = field(default_factory=dict)

    @staticmethod
    def of(config: pytest.Config) -> House:
        """From options and ini. Raises InputError for a bench that does not exist or whose file is wrong."""
        names = config.getoption("--rig-bench") or config.getini("rig_bench") or ["twin"]
        if len(set(names)) != len(names):
            raise InputError("a bench is named twice", Where(key="--rig-bench", found=", ".join(names)))
        firmware = config.getoption("--rig-firmware") or config.getini("rig_firmware") or None
        if firmware is not None and not Path(firmware).is_dir():
            raise InputError(
                "no such folder", Where(key="--rig-firmware", found=firmware, expected="a folder of fixtures")
            )
        controls = config.getoption("--rig-controls") or config.getini("rig_controls") or "auto"
        if controls not in ("auto", "always", "never"):
            found = Where(key="rig_controls", found=controls, expected="auto, always or never")
            raise InputError("not a way to make controls", found)
        out = Path(config.getoption("--rig-out") or config.getini("rig_out") or "runs")
        choices = Choices(out, controls, tuple(_fixtures(firmware)))
        house = House(list(names), choices, firmware, shared=hasattr(config, "workerinput"))
        for name in names:
            house.held(name)
        return house

    def held(self, name: str) -> HeldBench:
        """One of those that were asked for, or another that a project's own tests name. Raises InputError."""
        if name not in self._held:
            self._held[name] = HeldBench.choose(name, self.choices.out, shared=self.shared)
        return self._held[name]

    def fixtures(self) -> list[str]:
        """Names of the packaged fixtures, or folders of the team's own; each is checked. Raises InputError."""
        from rig.firmware import load

        for row in self.choices.fixtures:
            load(row)
        return list(self.choices.fixtures)

    def close(self) -> None:
        """Give back what is open."""
        for held in self._held.values():
            held.close()


def _fixtures(folder: str | None) -> list[str]:
    if folder is None:
        from rig.firmware import names

        return names()
    path = Path(folder)
    if (path / "manifest.toml").is_file():
        return [str(path)]
    found = sorted(str(entry.parent) for entry in path.glob("*/manifest.toml"))
    if not found:
        where = Where(key="--rig-firmware", found=folder, expected="folders with a manifest.toml")
        raise InputError("no firmware fixture in this folder", where)
    return found
