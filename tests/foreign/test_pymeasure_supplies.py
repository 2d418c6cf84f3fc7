"""PyMeasure's drivers use the twin's supplies, as processes of their own."""

from __future__ import annotations

import json
import threading
from typing import Any

from rig.clock.virtual import VirtualClock
from rig.instruments.catalogue import SupplyDriver
from rig.twin.faces import SUPPLIES
from tests.foreign.programs import needs_foreign, told
from tests.twin.stages import Stage

pytestmark = needs_foreign


def used(driver: SupplyDriver, program: str) -> tuple[dict[str, Any], Stage]:
    """What the program told of the twin's supply, and the power stage that it left."""
    clock, stage, kind = VirtualClock(), Stage(50.0), SUPPLIES[driver]
    server = kind.wire(kind.make(stage, 1), clock, threading.RLock())
    try:
        return json.loads(told(program, server.address)), stage
    finally:
        server.close()


def test_the_e36312a_driver_sets_switches_and_measures() -> None:
    found, stage = used("keysight-e36300", "pymeasure_e36312a.py")
    assert (found["volts"], found["amps"], found["on"]) == (12.5, 0.25, True)
    assert (found["set"], found["off"], found["errors"]) == ([12.5, 0.75], 0.0, [])
    assert found["id"].startswith("Keysight Technologies,E36313A,")
    assert not stage.on


def test_the_hmp4040_driver_sets_switches_and_measures() -> None:
    found, stage = used("rohde-hmp", "pymeasure_hmp.py")
    assert (found["before"], found["volts"], found["amps"]) == (0.0, 12.5, 0.25)
    assert (found["set"], found["off"], found["errors"]) == ([12.5, 0.75], 0.0, [])
    assert found["id"].startswith("ROHDE&SCHWARZ,HMP2020,")
    assert not stage.on


def test_the_pl303p_driver_sets_switches_and_measures() -> None:
    found, stage = used("aim-tti", "pymeasure_pl303p.py")
    assert (found["volts"], found["amps"], found["on"]) == (12.5, 0.25, True)
    assert (found["set"], found["off"]) == ([12.5, 0.75], 0.0)
    assert not stage.on
