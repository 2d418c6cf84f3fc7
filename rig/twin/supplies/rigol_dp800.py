"""The SCPI face of a Rigol DP832 supply in the twin: one channel is wired to the model's power stage, two stand idle.

Knows the commands of the DP800 Programming Guide that a bench uses, and the ranges of its table 2-1 (page 2-8). Has no
physics: volts and amperes at the terminals come from the `SupplyHardware`. The protections are looked at whenever the
face is spoken to, and not in between.
"""

from __future__ import annotations

from rig.twin.ports import SupplyHardware
from rig.twin.scpi import Call, ScpiError
from rig.twin.supplies.scpi_supply import Channel, ScpiSupply


def _channels() -> dict[int, Channel]:
    """Table 2-1's ranges; the protections reach 10 % over the rating."""

    def wide() -> Channel:
        return Channel(32.0, 3.2, ovp_v=33.0, ocp_a=3.3, highest_ovp_v=33.0, highest_ocp_a=3.3, amps=3.0)

    small = Channel(5.3, 3.2, ovp_v=5.5, ocp_a=3.3, highest_ovp_v=5.5, highest_ocp_a=3.3, amps=3.0)
    return {1: wide(), 2: wide(), 3: small}


class TwinDP800(ScpiSupply):
    """A DP832 whose channel `channel` drives `hardware`. Give `handle` to a `LineServer`."""

    def __init__(self, hardware: SupplyHardware, serial: str, channel: int = 1) -> None:
        super().__init__(("RIGOL TECHNOLOGIES", "DP832", serial, "00.01.16"), _channels(), hardware, channel)
        self._selected = channel
        self._beeper = True
        self._otp = True
        self._add_source()
        self._add_output()
        self._add_system()
        self.on(":MEASure:ALL[:DC]", get=self._measure_all)
        self.on(":MEASure[:SCALar][:VOLTage][:DC]", get=lambda call: f"{self._measured(self._named(call))[0]:.4f}")
        self.on(":MEASure[:SCALar]:CURRent[:DC]", get=lambda call: f"{self._measured(self._named(call))[1]:.4f}")

    def reset(self) -> None:
        """`*RST`."""
        self._selected = self._wired
        super().reset()

    def _add_source(self) -> None:
        self.on(
            "[:SOURce<n>]:VOLTage[:LEVel][:IMMediate][:AMPLitude]",
            set=self._set_volts,
            get=lambda call: f"{self._source(call).volts:.3f}",
        )
        self.on(
            "[:SOURce<n>]:CURRent[:LEVel][:IMMediate][:AMPLitude]",
            set=self._set_amps,
            get=lambda call: f"{self._source(call).amps:.4f}",
        )

        self.on(":APPLy", set=self._apply, get=self._applied)

    def _add_output(self) -> None:
        self.on(":OUTPut[:STATe]", set=self._set_output, get=lambda call: _on_off(self._of(call).on))
        self.on(":OUTPut:CVCC", get=self._mode)
        self.on(":OUTPut:MODE", get=self._mode)
        self.on(":OUTPut:OVP[:STATe]", set=self._ovp_state, get=lambda call: _on_off(self._of(call).ovp_on))
        self.on(":OUTPut:OVP:VALue", set=self._ovp_value, get=lambda call: f"{self._of(call).ovp_v:.3f}")
        self.on(":OUTPut:OVP:QUES", get=lambda call: _yes_no(self._of(call).ovp_tripped))
        self.on(":OUTPut:OVP:CLEAR", set=self._ovp_clear)
        self.on(":OUTPut:OCP[:STATe]", set=self._ocp_state, get=lambda call: _on_off(self._of(call).ocp_on))
        self.on(":OUTPut:OCP:VALue", set=self._ocp_value, get=lambda call: f"{self._of(call).ocp_a:.4f}")
        self.on(":OUTPut:OCP:QUES", get=lambda call: _yes_no(self._of(call).ocp_tripped))
        self.on(":OUTPut:OCP:CLEAR", set=self._ocp_clear)

    def _add_system(self) -> None:
        """What other makers' programs ask for on their way."""
        self.on(":SYSTem:LOCal", set=lambda _: None)
        self.on(":SYSTem:REMote", set=lambda _: None)
        self.on(":SYSTem:BEEPer[:STATe]", set=self._set_beeper, get=lambda _: _on_off(self._beeper))
        self.on(":SYSTem:OTP", set=self._set_otp, get=lambda _: _on_off(self._otp))
        self.on(":INSTrument[:SELect]", set=self._select, get=lambda _: f"CH{self._selected}")
        self.on(":INSTrument:NSELect", set=self._select_number, get=lambda _: str(self._selected))

    # -- which channel --------------------------------------------------------------------------------------------

    def _source(self, call: Call) -> Channel:
        if call.suffixes[0] not in self._channels:
            raise ScpiError(-114, "Header suffix out of range")
        return self._channels[call.suffixes[0]]

    def _named(self, call: Call) -> int:
        """`CH1` as the first argument; the selected channel without one."""
        if not call.args or not call.args[0].upper().startswith("CH"):
            return self._selected
        number = call.args[0][2:]
        if not number.isdigit() or int(number) not in self._channels:
            raise ScpiError(-224, "Illegal parameter value")
        return int(number)

    def _of(self, call: Call) -> Channel:
        return self._channel(self._named(call))

    @staticmethod
    def _value(call: Call) -> int:
        """Where the value stands: behind the channel, when one is named."""
        return 1 if call.args and call.args[0].upper().startswith("CH") else 0

    def _select(self, call: Call) -> None:
        self._selected = self._named(call)

    def _select_number(self, call: Call) -> None:
        self._selected = int(call.number(0, 1, len(self._channels)))

    def _set_beeper(self, call: Call) -> None:
        self._beeper = call.boolean(0)

    def _set_otp(self, call: Call) -> None:
        self._otp = call.boolean(0)

    # -- sets -----------------------------------------------------------------------------------------------------

    def _set_volts(self, call: Call) -> None:
        channel = self._source(call)
        channel.volts = round(call.number(0, 0.0, channel.highest_v), 3)
        self._drive(call.suffixes[0])

    def _set_amps(self, call: Call) -> None:
        channel = self._source(call)
        channel.amps = round(call.number(0, 0.0, channel.highest_a), 4)
        self._drive(call.suffixes[0])

    def _apply(self, call: Call) -> None:
        """`:APPL CH1,5,1`: both or neither."""
        number, values = self._named(call), call.args[self._value(call) :]
        channel, told = self._channel(number), Call((number,), values)
        volts = told.number(0, 0.0, channel.highest_v)
        amps = told.number(1, 0.0, channel.highest_a) if len(values) > 1 else channel.amps
        channel.volts, channel.amps = round(volts, 3), round(amps, 4)
        self._drive(number)

    def _applied(self, call: Call) -> str:
        number = self._named(call)
        channel = self._channel(number)
        rating = {1: "30V/3A", 2: "30V/3A", 3: "5V/3A"}[number]
        return f"CH{number}:{rating},{channel.volts:.3f},{channel.amps:.4f}"

    def _set_output(self, call: Call) -> None:
        self._switch(self._named(call), call.boolean(self._value(call)))

    def _ovp_state(self, call: Call) -> None:
        self._of(call).ovp_on = call.boolean(self._value(call))

    def _ocp_state(self, call: Call) -> None:
        self._of(call).ocp_on = call.boolean(self._value(call))

    def _ovp_value(self, call: Call) -> None:
        channel = self._of(call)
        channel.ovp_v = round(call.number(self._value(call), 0.001, channel.highest_ovp_v), 3)

    def _ocp_value(self, call: Call) -> None:
        channel = self._of(call)
        channel.ocp_a = round(call.number(self._value(call), 0.001, channel.highest_ocp_a or 0.0), 4)

    def _ovp_clear(self, call: Call) -> None:
        self._of(call).ovp_tripped = False

    def _ocp_clear(self, call: Call) -> None:
        self._of(call).ocp_tripped = False

    def _measure_all(self, call: Call) -> str:
        volts, amps = self._measured(self._named(call))
        return f"{volts:.4f},{amps:.4f},{volts * amps:.3f}"

    def _mode(self, call: Call) -> str:
        return "CC" if self._limited(self._named(call)) else "CV"


def _on_off(value: bool) -> str:
    return "ON" if value else "OFF"


def _yes_no(value: bool) -> str:
    return "YES" if value else "NO"
