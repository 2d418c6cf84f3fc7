"""PyMeasure's drivers use the twin's supplies, as processes of their own."""

from __future__ import annotations

import json
import threading

from rig.clock.virtual import VirtualClock
from rig.twin.keysight_e36300 import TwinE36300
from rig.twin.wire import LineServer
from tests.foreign.programs import needs_foreign, told
from tests.twin.stages import Stage

pytestmark = needs_foreign


def test_the_e36312a_driver_sets_switches_and_measures() -> None:
    clock, stage = VirtualClock(), Stage(50.0)
    server = LineServer("supply", TwinE36300(clock, stage, "MY1").handle, clock, threading.RLock())
    try:
        found = json.loads(told("pymeasure_e36312a.py", server.address))
    finally:
        server.close()
    assert (found["volts"], found["amps"], found["on"]) == (12.5, 0.25, True)
    assert (found["set"], found["off"], found["errors"]) == ([12.5, 0.75], 0.0, [])
    assert found["id"].startswith("Keysight Technologies,E36313A,MY1,")
    assert not stage.on
