"""PyMeasure's driver of the Keysight E36312A at the address given: sets, switches and measures channel 2."""

from __future__ import annotations

import json
import sys

from pymeasure.instruments.keysight import KeysightE36312A


def main(address: str) -> None:
    supply = KeysightE36312A(address, visa_library="@py", read_termination="\n", write_termination="\n")
    channel = supply.ch_2
    channel.voltage_setpoint, channel.current_limit = 12.5, 0.75
    channel.output_enabled = True
    on = {"volts": channel.voltage, "amps": channel.current, "on": channel.output_enabled, "id": supply.id}
    channel.output_enabled = False
    told = {
        "set": [channel.voltage_setpoint, channel.current_limit],
        "off": channel.voltage,
        "errors": supply.check_errors(),
    }
    print(json.dumps({**on, **told}))


main(sys.argv[1])
