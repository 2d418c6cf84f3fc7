"""A GPIO chip of the kernel, made for one test: what its lines are is read here, and never asked of the rig's code."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

CONFIG = Path("/sys/kernel/config/gpio-sim")
LINES = 54
LABEL = "pinctrl-bcm2711"
"""A Raspberry Pi 4's."""
PINS = {"mains": 17, "meter-feed": 27, "supply-feed": 22}
"""The relay lines of the twin's bench file; all are active high."""


def lacking() -> str | None:
    """Why there can be no simulated chip here; None: there can."""
    if not CONFIG.is_dir():
        return "this kernel has no gpio-sim (modprobe gpio-sim, or: make kernel-test)"
    if not os.access(CONFIG, os.W_OK):
        return f"{CONFIG} is for root"
    return None


class Chip:
    """A live chip. `device` is what programs open."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._config = CONFIG / name
        bank = self._config / "bank0"
        bank.mkdir(parents=True)
        (bank / "num_lines").write_text(str(LINES))
        (bank / "label").write_text(LABEL)
        (self._config / "live").write_text("1")
        chip = (bank / "chip_name").read_text().strip()
        self.device = f"/dev/{chip}"
        self.number = int(chip.removeprefix("gpiochip"))
        self._lines = Path("/sys/devices/platform") / (self._config / "dev_name").read_text().strip() / chip

    def level(self, line: int) -> int:
        return int((self._lines / f"sim_gpio{line}" / "value").read_text())

    def pull(self, line: int, level: int) -> None:
        (self._lines / f"sim_gpio{line}" / "pull").write_text("pull-up" if level else "pull-down")

    def relays(self) -> dict[str, int]:
        return {role: self.level(pin) for role, pin in PINS.items()}

    def feeds(self) -> tuple[int, int]:
        """K2 and K3: both 0 where nothing feeds the hub through them."""
        return self.level(PINS["meter-feed"]), self.level(PINS["supply-feed"])

    def vanish(self) -> None:
        """It is gone, whoever uses it."""
        (self._config / "live").write_text("0")

    def remove(self) -> None:
        with suppress(OSError):
            self.vanish()
        for folder in (*self._config.glob("bank*"), self._config):
            folder.rmdir()


@contextmanager
def made(name: str) -> Iterator[Chip]:
    chip = Chip(name)
    try:
        yield chip
    finally:
        chip.remove()
