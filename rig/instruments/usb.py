"""A USB device is taken off its bus and put back, as if its plug had been pulled: the last resort for what hangs.

Knows sysfs (Documentation/usb/authorization.rst of the kernel: `authorized` 0 unbinds a device, 1 configures it anew).
Needs the right to write there. Knows no instrument.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from rig.clock.base import Clock
from rig.errors import BenchError

_OFF_S, _BACK_S, _LOOK_S = 1.0, 10.0, 0.2


class UsbBus(Protocol):
    """What resets a device by its name there."""

    def reset(self, device: str) -> str:
        """Reset it; who it says it is afterwards. Raises BenchError."""


@dataclass(frozen=True)
class SysfsUsb:
    """The bus of this machine. A device's name is its place, e.g. `1-1.4`."""

    clock: Clock
    root: Path = Path("/sys/bus/usb/devices")

    def reset(self, device: str) -> str:
        """See `UsbBus`."""
        switch = self.root / device / "authorized"
        try:
            switch.write_text("0")
            self.clock.sleep(_OFF_S)
            switch.write_text("1")
            self._await(device)
        except OSError as error:
            raise BenchError(f"USB device {device} cannot be reset: {error.strerror or error}") from error
        return self._product(device)

    def _await(self, device: str) -> None:
        deadline = self.clock.now() + round(_BACK_S * 1e9)
        while not (self.root / device / "bConfigurationValue").read_text().strip():
            if self.clock.now() >= deadline:
                raise BenchError(f"USB device {device} was reset and does not come back")
            self.clock.sleep(_LOOK_S)

    def _product(self, device: str) -> str:
        try:
            return (self.root / device / "product").read_text(encoding="utf-8", errors="replace").strip()
        except OSError:  # not every device tells
            return device
