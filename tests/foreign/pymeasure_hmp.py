"""PyMeasure's driver of the Rohde & Schwarz HMP4040 at the address given: sets, switches and measures channel 1."""

from __future__ import annotations

import json
import sys

from pymeasure.instruments.rohdeschwarz.hmp import HMP4040


def main(address: str) -> None:
    supply = HMP4040(address, visa_library="@py", read_termination="\n", write_termination="\n")
    supply.selected_channel = 1
    supply.voltage, supply.current = 12.5, 0.75
    supply.set_channel_state(1, True)
    before = supply.measured_voltage
    supply.output_enabled = True
    on = {"before": before, "volts": supply.measured_voltage, "amps": supply.measured_current}
    supply.output_enabled = False
    left = {"set": [supply.voltage, supply.current], "off": supply.measured_voltage, "id": supply.id}
    print(json.dumps({**on, **left, "errors": supply.check_errors()}))


main(sys.argv[1])
