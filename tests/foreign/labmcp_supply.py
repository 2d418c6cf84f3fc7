"""labmcp's driver of a bench supply at work, at a host and port; prints JSON.

Sets channel 1 to 12.5 V and 0.75 A, switches it on, measures, asks for what the model cannot, and switches all off.
"""

import json
import sys

import labmcp_alone  # noqa: F401 - before labmcp
from labmcp.transports import open_transport
from labmcp_bench_psu.driver import open_power_supply

psu = open_power_supply(open_transport(f"tcp://127.0.0.1:{sys.argv[1]}", timeout=30))
found = {"id": psu.identify()["model"]}
psu.set_voltage(1, 12.5)
psu.set_current(1, 0.75)
found["set"] = psu.setpoints(1)
if psu.has_ovp:
    psu.set_ovp(1, 14.0, True)
    psu.set_ocp(1, 1.0, True)
    protection = psu.protection(1)
    found["protection"] = [protection.ovp_v, protection.ocp_a, protection.ovp_tripped, protection.ocp_tripped]
psu.set_output(1, True)
found["on"], found["measured"], found["mode"] = psu.output_state(1), psu.measure(1), psu.mode(1)
psu.write("NOSUCH 1")
found["complaints"] = psu.errors()
found["left_on"], found["off"], found["errors"] = psu.all_off(), psu.output_state(1), psu.errors()
print(json.dumps(found))
