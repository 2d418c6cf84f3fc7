"""The SCPI face of a Siglent SPD3303X-E supply in the twin: one channel is wired to the model's power stage.

Knows the commands that a bench uses (`rig.instruments.supplies.siglent_spd3000x`). It has no protections; the status is
one word; the error queue answers without a comma while it is empty.
"""

from __future__ import annotations

from rig.twin.ports import SupplyHardware
from rig.twin.scpi import Call, ScpiError
from rig.twin.supplies.scpi_supply import Channel, ScpiSupply

_INDEPENDENT = 0b100


class TwinSPD3000X(ScpiSupply):
    """An SPD3303X-E: two channels of 32 V and 3.2 A. Give `handle` to a `LineServer`."""

    def __init__(self, hardware: SupplyHardware, serial: str, channel: int = 1) -> None:
        identity = ("Siglent Technologies", "SPD3303X-E", serial, "1.01.01.02.05,V3.0")
        channels = {n: Channel(32.0, 3.2, highest_ovp_v=0.0, ovp_v=0.0, amps=3.2) for n in (1, 2)}
        super().__init__(identity, channels, hardware, channel)
        self.no_error = "0  No Error"
        self.on(":CH<n>:VOLTage", set=self._set_volts, get=lambda call: f"{self._of(call).volts:.3f}")
        self.on(":CH<n>:CURRent", set=self._set_amps, get=lambda call: f"{self._of(call).amps:.3f}")
        self.on(":MEASure:VOLTage", get=lambda call: f"{self._measured(self._named(call))[0]:.3f}")
        self.on(":MEASure:CURRent", get=lambda call: f"{self._measured(self._named(call))[1]:.3f}")
        self.on(":OUTPut", set=self._set_output)
        self.on(":SYSTem:STATus", get=lambda _: self._status())

    def _set_output(self, call: Call) -> None:
        """Channel 3 has a fixed voltage: it can be switched, and its state is told nowhere."""
        on = call.boolean(1)
        if call.word(0) != "CH3":
            self._switch(self._named(call), on)

    def _of(self, call: Call) -> Channel:
        number = call.suffixes[0]
        if number not in self._channels:
            raise ScpiError(-114, "Header suffix out of range")
        return self._channel(number)

    def _named(self, call: Call) -> int:
        word = call.word(0)
        if word not in ("CH1", "CH2"):
            raise ScpiError(-224, "Illegal parameter value")
        return int(word[2:])

    def _set_volts(self, call: Call) -> None:
        channel = self._of(call)
        channel.volts = round(call.number(0, 0.0, channel.highest_v), 2)
        self._drive(call.suffixes[0])

    def _set_amps(self, call: Call) -> None:
        channel = self._of(call)
        channel.amps = round(call.number(0, 0.0, channel.highest_a), 2)
        self._drive(call.suffixes[0])

    def _status(self) -> str:
        word = _INDEPENDENT
        for number in self._channels:
            word |= self._limited(number) << (number - 1) | self._channel(number).on << (3 + number)
        return f"0x{word:x}"
