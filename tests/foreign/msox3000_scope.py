"""msox3000's driver of a Keysight oscilloscope at work, at a VISA address; prints JSON.

Sets channel 1 to 2 V a division around 6 V, hides channel 2, measures, and downloads the screen into the file.
"""

import json
import sys

from msox3000 import MSOX3000

scope = MSOX3000(sys.argv[1])
scope._read_termination = scope._write_termination = "\n"  # over a socket: it is made for VXI-11
scope.open()
for command in ("CHAN1:PROB 10", "CHAN1:SCAL 2", "CHAN1:OFFS 6", "TIM:SCAL 1e-3"):
    scope._instWrite(command)
scope.outputOff("2")
found = {
    "id": scope.idn(),
    "shown": [scope.isOutputOn("1"), scope.isOutputOn("2")],
    "measured": [
        measure("1", wait=0) for measure in (scope.measureVoltMin, scope.measureVoltAverage, scope.measureVoltMax)
    ],
    "points": scope.waveform(sys.argv[2], "1", 1000),
}
print(json.dumps(found))
