"""PyMeasure's driver of an oscilloscope at work: `keysight` or `siglent`, and the VISA address; prints JSON.

Sets channel 1 to 2 V a division around 6 V and 1 ms a division, stops, and downloads what it saw.
"""

import json
import sys

from pymeasure.instruments.keysight import KeysightDSOX1102G
from pymeasure.instruments.lecroy import LeCroyT3DSO1204

LINES = {"read_termination": "\n", "write_termination": "\n"}


def keysight(address):
    scope = KeysightDSOX1102G(address, visa_library="@py", **LINES)
    scope.ch1.probe_attenuation = 10
    scope.ch1.scale = 2
    scope.ch1.offset = 6
    scope.timebase_scale = 1e-3
    found = {"id": scope.id, "scale": scope.ch1.scale, "offset": scope.ch1.offset, "time": scope.timebase_range}
    scope.digitize("channel1")
    data, preamble = scope.download_data("channel1", points=1000)
    return {**found, "points": len(data), "low": min(data), "high": max(data), "interval": preamble["xincrement"]}


def siglent(address):
    scope = LeCroyT3DSO1204(address, visa_library="@py", **LINES)
    scope.ch_1.probe_attenuation = 10
    scope.ch_1.scale = 2
    scope.ch_1.offset = -6
    scope.timebase_scale = 1e-3
    found = {"id": scope.id, "scale": scope.ch_1.scale, "offset": scope.ch_1.offset, "time": scope.timebase_scale}
    scope.stop()
    data, times, _ = scope.download_waveform("C1", requested_points=1000)
    return {**found, "points": len(data), "low": min(data), "high": max(data), "interval": times[1] - times[0]}


if __name__ == "__main__":
    print(json.dumps({"keysight": keysight, "siglent": siglent}[sys.argv[1]](sys.argv[2]), default=float))
