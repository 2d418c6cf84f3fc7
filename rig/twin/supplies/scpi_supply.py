"""What the SCPI faces of the twin's supplies share: channels with settings and protections, one of them wired.

Knows no command and no physics: volts and amperes at the terminals come from the `SupplyHardware`. The protections are
looked at whenever the face is spoken to, and not in between.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from rig.twin.ports import SupplyHardware
from rig.twin.scpi import ScpiError, ScpiFace


@dataclass
class Channel:
    """What a channel is set to, and how far that reaches. `ocp_a` None: it trips when the current limit acts."""

    highest_v: float
    highest_a: float
    highest_ovp_v: float
    ovp_v: float
    highest_ocp_a: float | None = None
    ocp_a: float | None = None
    volts: float = 0.0
    amps: float = 0.0
    on: bool = False
    ovp_on: bool = False
    ocp_on: bool = False
    ovp_tripped: bool = False
    ocp_tripped: bool = False


class ScpiSupply(ScpiFace):
    """A supply whose channel `wired` drives `hardware`; the others stand idle. Subclasses add their commands."""

    def __init__(
        self, identity: tuple[str, str, str, str], channels: Mapping[int, Channel], hardware: SupplyHardware, wired: int
    ) -> None:
        super().__init__(*identity)
        self._hardware = hardware
        self._wired = wired
        self._defaults = {number: replace(channel) for number, channel in channels.items()}
        self._channels = {number: replace(channel) for number, channel in channels.items()}

    def reset(self) -> None:
        """`*RST`: all outputs off, everything at its default."""
        self._channels = {number: replace(channel) for number, channel in self._defaults.items()}
        self._drive(self._wired)

    def _channel(self, number: int) -> Channel:
        """As it is now: a protection that must have acted has."""
        self._protect()
        return self._channels[number]

    def _switch(self, number: int, on: bool) -> None:
        channel = self._channel(number)
        if on and (channel.ovp_tripped or channel.ocp_tripped):
            raise ScpiError(-221, "Settings conflict")
        channel.on = on
        self._drive(number)

    def _drive(self, number: int) -> None:
        """What the power stage is told after a change of this channel."""
        if number == self._wired:
            channel = self._channels[number]
            self._hardware.program(channel.volts, channel.amps)
            self._hardware.switch(channel.on)
            self._protect()

    def _protect(self) -> None:
        channel = self._channels[self._wired]
        if not channel.on:
            return
        volts, amps = self._hardware.terminals()
        too_much = self._hardware.constant_current() if channel.ocp_a is None else amps > channel.ocp_a
        channel.ovp_tripped |= channel.ovp_on and volts > channel.ovp_v
        channel.ocp_tripped |= channel.ocp_on and too_much
        if channel.ovp_tripped or channel.ocp_tripped:
            channel.on = False
            self._hardware.switch(False)

    def _measured(self, number: int) -> tuple[float, float]:
        """Volts and amperes at its terminals."""
        self._protect()
        if number == self._wired:
            return self._hardware.terminals()
        channel = self._channels[number]
        return (channel.volts, 0.0) if channel.on else (0.0, 0.0)

    def _limited(self, number: int) -> bool:
        """Whether its current limit acts now."""
        return self._channel(number).on and number == self._wired and self._hardware.constant_current()
