"""A GPIO chip of the kernel's `gpio-sim` (6.1 and later), from its other side: levels of outputs, pulls of inputs.

Documentation/admin-guide/gpio/gpio-sim.rst: each line of a bank has a folder `sim_gpioN` in sysfs, in which `value` is
the line's level now, and `pull` is what an input (or a line that nobody has requested) reads. A change of `value` is
told to nobody: who wants to know of it has to look. Knows no relays.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from rig.errors import BenchError, InputError, Where

_PULLS = {True: b"pull-up", False: b"pull-down"}


class SimChip:
    """The lines `lines` of the chip `device` (`/dev/gpiochipN`). Raises InputError where that is no such chip."""

    def __init__(self, device: str, lines: Iterable[int], sysfs: Path = Path("/sys")) -> None:
        self.device = device
        name = device.rpartition("/")[2]
        self._folder = (sysfs / "bus" / "gpio" / "devices" / name).resolve()
        if not (self._folder / "sim_gpio0").is_dir():
            where = Where(key="--chip", found=device, expected="a chip of the kernel's gpio-sim")
            raise InputError("this is no simulated GPIO chip", where)
        self._values: dict[int, int] = {}
        try:
            for line in lines:
                self._values[line] = os.open(self._folder / f"sim_gpio{line}" / "value", os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            self.close()
            where = Where(key="--chip", found=f"line {line} of {device}", expected="a line of this chip")
            raise InputError(f"the simulated chip has no such line: {error.strerror}", where) from error

    def level(self, line: int) -> bool:
        """The level now, whoever drives it. Raises BenchError when the chip is gone."""
        try:
            return os.pread(self._values[line], 2, 0)[:1] == b"1"
        except OSError as error:
            raise BenchError(f"{self.device} line {line}: {error.strerror}") from error

    def pull(self, line: int, high: bool) -> None:
        """What drives this input from outside now. Raises BenchError when the chip is gone."""
        try:
            fd = os.open(self._folder / f"sim_gpio{line}" / "pull", os.O_WRONLY | os.O_CLOEXEC)
            try:
                os.write(fd, _PULLS[high])
            finally:
                os.close(fd)
        except OSError as error:
            raise BenchError(f"{self.device} line {line}: {error.strerror}") from error

    def close(self) -> None:
        for fd in self._values.values():
            os.close(fd)
        self._values.clear()
