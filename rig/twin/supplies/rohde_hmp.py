"""The SCPI face of a Rohde & Schwarz HMP2020 supply in the twin: one channel is wired to the model's power stage.

Knows the commands that a bench uses (`rig.instruments.supplies.rohde_hmp`): a channel is chosen, then spoken to; it is
on while it is activated and the general switch is on. Its fuse trips when the current limit acts; the delay before that
is kept, and not modelled. A tripped channel is not activated any more.
"""

from __future__ import annotations

from rig.twin.ports import SupplyHardware
from rig.twin.scpi import Call, ScpiError
from rig.twin.supplies.scpi_supply import Channel, ScpiSupply

_CC, _CV = 1, 2


def _channels() -> dict[int, Channel]:
    def rated(amps: float) -> Channel:
        return Channel(32.05, amps, highest_ovp_v=32.5, ovp_v=32.5, amps=0.1, ovp_on=True)

    return {1: rated(10.01), 2: rated(5.01)}


class TwinHMP(ScpiSupply):
    """An HMP2020. Give `handle` to a `LineServer`."""

    def __init__(self, hardware: SupplyHardware, serial: str, channel: int = 1) -> None:
        super().__init__(("ROHDE&SCHWARZ", "HMP2020", serial, "HW50020001/SW2.62"), _channels(), hardware, channel)
        self._selected = 1
        self._active: set[int] = set()
        self._general = False
        self._delays_ms = dict.fromkeys(self._channels, 0.0)
        self.on(":INSTrument:NSELect", set=self._select, get=lambda _: str(self._selected))
        self.on(":INSTrument[:SELect]", set=self._select, get=lambda _: f"OUTP{self._selected}")
        self.on("[:SOURce]:VOLTage[:LEVel][:IMMediate][:AMPLitude]", set=self._set_volts, get=self._volts)
        self.on("[:SOURce]:CURRent[:LEVel][:IMMediate][:AMPLitude]", set=self._set_amps, get=self._amps)
        self.on(":MEASure[:SCALar][:VOLTage][:DC]", get=lambda _: f"{self._measured(self._selected)[0]:.3f}")
        self.on(":MEASure[:SCALar]:CURRent[:DC]", get=lambda _: f"{self._measured(self._selected)[1]:.4f}")
        self._add_protection()
        self._add_output()

    def reset(self) -> None:
        """`*RST`."""
        self._active, self._general, self._selected = set(), False, 1
        super().reset()

    def _add_protection(self) -> None:
        self.on("[:SOURce]:VOLTage:PROTection[:LEVel]", set=self._set_ovp, get=lambda _: f"{self._here().ovp_v:.3f}")
        self.on("[:SOURce]:VOLTage:PROTection:TRIPped", get=lambda _: str(int(self._here().ovp_tripped)))
        self.on("[:SOURce]:VOLTage:PROTection:CLEar", set=lambda _: setattr(self._here(), "ovp_tripped", False))
        self.on(":FUSE[:STATe]", set=self._set_fuse, get=lambda _: str(int(self._here().ocp_on)))
        self.on(":FUSE:DELay", set=self._set_delay, get=lambda _: f"{self._delays_ms[self._selected]:g}")
        self.on(":FUSE:TRIPed", get=lambda _: str(int(self._here().ocp_tripped)))

    def _add_output(self) -> None:
        self.on(":OUTPut:SELect", set=self._activate, get=lambda _: str(int(self._is_active(self._selected))))
        self.on(":OUTPut:GENeral", set=self._set_general, get=lambda _: str(int(self._general)))
        self.on(":OUTPut[:STATe]", set=self._set_output, get=lambda _: str(int(self._here().on)))
        self.on(":STATus:QUEStionable:INSTrument:ISUMmary<n>:CONDition", get=self._condition)
        self.on(":SYSTem:REMote", set=lambda _: None)
        self.on(":SYSTem:LOCal", set=lambda _: None)
        self.on(":SYSTem:MIX", set=lambda _: None)

    def _here(self) -> Channel:
        return self._channel(self._selected)

    def _select(self, call: Call) -> None:
        number = call.word(0).removeprefix("OUTPUT").removeprefix("OUTP").removeprefix("OUT")
        if not number.isdigit() or int(number) not in self._channels:
            raise ScpiError(-222, "Data out of range")
        self._selected = int(number)

    # -- sets -----------------------------------------------------------------------------------------------------

    def _volts(self, _: Call) -> str:
        return f"{self._here().volts:.3f}"

    def _set_volts(self, call: Call) -> None:
        channel = self._here()
        channel.volts = round(call.number(0, 0.0, channel.highest_v), 3)
        self._drive(self._selected)

    def _amps(self, _: Call) -> str:
        return f"{self._here().amps:.4f}"

    def _set_amps(self, call: Call) -> None:
        channel = self._here()
        channel.amps = round(call.number(0, 0.0, channel.highest_a), 4)
        self._drive(self._selected)

    def _set_ovp(self, call: Call) -> None:
        channel = self._here()
        channel.ovp_v = round(call.number(0, 0.0, channel.highest_ovp_v), 3)

    def _set_fuse(self, call: Call) -> None:
        channel = self._here()
        channel.ocp_on = call.boolean(0)
        channel.ocp_tripped &= channel.ocp_on

    def _set_delay(self, call: Call) -> None:
        self._delays_ms[self._selected] = call.number(0, 0.0, 250.0)

    # -- the two switches -----------------------------------------------------------------------------------------

    def _is_active(self, number: int) -> bool:
        self._protect()
        channel = self._channels[number]
        return number in self._active and not (channel.ovp_tripped or channel.ocp_tripped)

    def _activate(self, call: Call) -> None:
        (self._active.add if call.boolean(0) else self._active.discard)(self._selected)
        self._switches()

    def _set_general(self, call: Call) -> None:
        self._general = call.boolean(0)
        self._switches()

    def _set_output(self, call: Call) -> None:
        """On puts the general switch on as well; off is this channel alone."""
        on = call.boolean(0)
        (self._active.add if on else self._active.discard)(self._selected)
        self._general |= on
        self._switches()

    def _switches(self) -> None:
        for number in self._channels:
            self._switch(number, self._general and self._is_active(number))

    def _condition(self, call: Call) -> str:
        number = call.suffixes[0]
        if number not in self._channels:
            raise ScpiError(-114, "Header suffix out of range")
        channel = self._channel(number)
        regulated = (_CC if self._limited(number) else _CV) if channel.on else 0
        return str(regulated + 512 * channel.ovp_tripped + 1024 * channel.ocp_tripped)
