"""A power stage into a resistor, for the faces of the twin's supplies."""

from __future__ import annotations


class Stage:
    """Implements `rig.twin.ports.SupplyHardware`. `surge_v`: what somebody else puts on its terminals."""

    def __init__(self, ohms: float) -> None:
        self.ohms = ohms
        self.volts = self.amps = 0.0
        self.on = False
        self.surge_v = 0.0

    def program(self, volts: float, amps: float) -> None:
        self.volts, self.amps = volts, amps

    def switch(self, on: bool) -> None:
        self.on = on

    def terminals(self) -> tuple[float, float]:
        if not self.on:
            return 0.0, 0.0
        volts = min(self.volts, self.amps * self.ohms) + self.surge_v
        return volts, volts / self.ohms

    def constant_current(self) -> bool:
        return self.on and self.volts > self.amps * self.ohms
