"""The SCPI face of a Keysight E36313A supply in the twin: one channel is wired to the model's power stage.

Knows the commands that a bench uses (see `rig.instruments.supplies.keysight_e36300` for where they come from), with a
channel list, or for the channel that `INSTrument` selected. Its over-current protection trips when the current limit
acts; the delay before that is kept, and not modelled.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from rig.twin.ports import SupplyHardware
from rig.twin.scpi import Call, ScpiError
from rig.twin.supplies.scpi_supply import Channel, ScpiSupply

_CC, _CV = 1, 2


def _channels() -> dict[int, Channel]:
    def rated(volts: float, amps: float) -> Channel:
        return Channel(1.03 * volts, 1.03 * amps, 1.1 * volts, ovp_v=1.1 * volts, amps=amps, ovp_on=True)

    return {1: rated(6.0, 10.0), 2: rated(25.0, 2.0), 3: rated(25.0, 2.0)}


class TwinE36300(ScpiSupply):
    """An E36313A. Give `handle` to a `LineServer`."""

    def __init__(self, hardware: SupplyHardware, serial: str, channel: int = 2) -> None:
        identity = ("Keysight Technologies", "E36313A", serial, "2.1.0-1.0.4-1.12")
        super().__init__(identity, _channels(), hardware, channel)
        self.no_error = '+0,"No error"'
        self._selected = 1
        self._delays = dict.fromkeys(self._channels, 0.05)
        self._add_source()
        self._add_protection()
        self._add_output()

    def reset(self) -> None:
        """`*RST`."""
        self._selected = 1
        self._delays = dict.fromkeys(self._channels, 0.05)
        super().reset()

    def _add_source(self) -> None:
        self._value(
            "[:SOURce]:VOLTage[:LEVel][:IMMediate][:AMPLitude]",
            lambda c: c.volts,
            lambda c, call: setattr(c, "volts", round(call.number(0, 0.0, c.highest_v), 4)),
        )
        self._value(
            "[:SOURce]:CURRent[:LEVel][:IMMediate][:AMPLitude]",
            lambda c: c.amps,
            lambda c, call: setattr(c, "amps", round(call.number(0, 0.001, c.highest_a), 4)),
        )
        self.on(":MEASure[:SCALar]:VOLTage[:DC]", get=lambda call: self._all(call, lambda n: self._measured(n)[0]))
        self.on(":MEASure[:SCALar]:CURRent[:DC]", get=lambda call: self._all(call, lambda n: self._measured(n)[1]))

    def _add_protection(self) -> None:
        self._value(
            "[:SOURce]:VOLTage:PROTection[:LEVel]",
            lambda c: c.ovp_v,
            lambda c, call: setattr(c, "ovp_v", round(call.number(0, 0.01 * c.highest_v, c.highest_ovp_v), 3)),
        )
        self.on("[:SOURce]:CURRent:PROTection:STATe", set=self._set_ocp, get=self._flags(lambda c: c.ocp_on))
        self.on("[:SOURce]:CURRent:PROTection:DELay[:TIME]", set=self._set_delay, get=self._delay)
        self.on("[:SOURce]:VOLTage:PROTection:TRIPped", get=self._flags(lambda c: c.ovp_tripped))
        self.on("[:SOURce]:CURRent:PROTection:TRIPped", get=self._flags(lambda c: c.ocp_tripped))
        self.on(":OUTPut:PROTection:CLEar", set=self._clear)

    def _add_output(self) -> None:
        self.on(":OUTPut[:STATe]", set=self._set_output, get=self._flags(lambda c: c.on))
        self.on(":STATus:QUEStionable:INSTrument:ISUMmary<n>:CONDition", get=self._condition)
        self.on(":INSTrument[:SELect]", set=self._select, get=lambda _: f"CH{self._selected}")
        self.on(":INSTrument:NSELect", set=self._select, get=lambda _: str(self._selected))
        self.on(":SYSTem:REMote", set=lambda _: None)
        self.on(":SYSTem:LOCal", set=lambda _: None)

    # -- which channels ---------------------------------------------------------------------------------------------

    def _numbers(self, call: Call) -> list[int]:
        """The channel list behind the other arguments, `(@2)` or `(@1,3)`; the selected channel without one."""
        match = re.search(r"\(@\s*([0-9]+(?:\s*,\s*[0-9]+)*)\s*\)$", ",".join(call.args))
        if match is None:
            if any("(" in arg for arg in call.args):
                raise ScpiError(-104, "Data type error")
            return [self._selected]
        numbers = [int(number) for number in match[1].split(",")]
        if not set(numbers) <= set(self._channels):
            raise ScpiError(-222, "Data out of range")
        return numbers

    def _all(self, call: Call, of: Callable[[int], float]) -> str:
        return ",".join(f"{of(number):+.8E}" for number in self._numbers(call))

    def _flags(self, of: Callable[[Channel], bool]) -> Callable[[Call], str]:
        return lambda call: ",".join(str(int(of(self._channel(number)))) for number in self._numbers(call))

    def _value(self, header: str, of: Callable[[Channel], float], put: Callable[[Channel, Call], None]) -> None:
        def set_it(call: Call) -> None:
            for number in self._numbers(call):
                put(self._channels[number], call)
                self._drive(number)

        self.on(header, set=set_it, get=lambda call: self._all(call, lambda n: of(self._channels[n])))

    # -- sets and states --------------------------------------------------------------------------------------------

    def _set_output(self, call: Call) -> None:
        on = call.boolean(0)
        for number in self._numbers(call):
            self._switch(number, on)

    def _set_ocp(self, call: Call) -> None:
        on = call.boolean(0)
        for number in self._numbers(call):
            self._channels[number].ocp_on = on
            self._drive(number)

    def _set_delay(self, call: Call) -> None:
        for number in self._numbers(call):
            self._delays[number] = call.number(0, 0.0, 0.255)

    def _delay(self, call: Call) -> str:
        return self._all(call, lambda number: self._delays[number])

    def _clear(self, call: Call) -> None:
        for number in self._numbers(call):
            channel = self._channels[number]
            channel.ovp_tripped = channel.ocp_tripped = False

    def _condition(self, call: Call) -> str:
        number = call.suffixes[0]
        if number not in self._channels:
            raise ScpiError(-114, "Header suffix out of range")
        channel = self._channel(number)
        regulated = (_CC if self._limited(number) else _CV) if channel.on else 0
        return f"+{regulated + 512 * channel.ovp_tripped + 1024 * channel.ocp_tripped}"

    def _select(self, call: Call) -> None:
        number = re.sub(r"^(CH|OUTP(UT)?|P)", "", call.word(0))
        if not number.isdigit() or int(number) not in self._channels:
            raise ScpiError(-224, "Illegal parameter value")
        self._selected = int(number)
