"""labmcp's driver of a Rigol oscilloscope at work, at a host and port; prints JSON.

Sets channel 1 to 2 V a division around 6 V and 1 ms a division, reads the screen, stops, and reads the memory.
"""

import json
import sys

import labmcp_alone  # noqa: F401 - before labmcp
from labmcp.transports import open_transport
from labmcp_rigol_scope.driver import RigolScope

scope = RigolScope(open_transport(f"tcp://127.0.0.1:{sys.argv[1]}", timeout=30))
found = {
    "id": scope.identify()["model"],
    "channel": scope.set_channel(1, True, 2.0, -6.0, "DC", 10),
    "time": scope.set_timebase(1e-3, 0.0),
    "trigger": scope.set_edge_trigger(1, 8.0, "falling", "auto"),
    "acquisition": scope.acquisition(),
    "measured": scope.measure(1, ["vmax", "vmin"]),
}
for mode in ("screen", "memory"):
    if mode == "memory":
        scope.stop()
    record = scope.read_capture(1, scope.prepare_capture(1, mode), mode)
    found[mode] = [len(record.volts), min(record.volts), max(record.volts)]
print(json.dumps(found))
