"""PyMeasure's driver of the Aim-TTi PL303-P at the address given: sets, switches and measures its output."""

from __future__ import annotations

import json
import sys

from pymeasure.instruments.aimtti.aimttiPL import PL303P


def main(address: str) -> None:
    supply = PL303P(address, visa_library="@py", read_termination="\r\n", write_termination="\n")
    channel = supply.ch_1
    channel.voltage_setpoint, channel.current_limit = 12.5, 0.75
    channel.output_enabled = True
    on = {"volts": channel.voltage, "amps": channel.current, "on": channel.output_enabled}
    supply.all_outputs_enabled = False
    left = {"set": [channel.voltage_setpoint, channel.current_limit], "off": channel.voltage}
    supply.local()
    print(json.dumps({**on, **left}))


main(sys.argv[1])
