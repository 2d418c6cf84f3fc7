"""labmcp's drivers use the twin's supplies, and our drivers its simulators; each a process of its own."""

from __future__ import annotations

import json
import threading

import pytest

from rig.clock.system import SystemClock
from rig.clock.virtual import VirtualClock
from rig.instruments.catalogue import SupplyDriver, supply
from rig.instruments.guards import Guard
from rig.instruments.link import VisaLink
from rig.instruments.ports import SupplyLimits, SupplySettings
from rig.twin.faces import SUPPLIES
from tests.foreign.programs import needs_foreign, server, told
from tests.twin.stages import Stage

pytestmark = needs_foreign


@pytest.mark.parametrize(
    ("driver", "model", "protection", "complaint"),
    [
        ("rigol-dp800", "DP832", [14.0, 1.0, False, False], '-113,"Undefined header"'),
        ("siglent-spd3000x", "SPD3303X-E", None, '-113,"Undefined header"'),
        ("aim-tti", "PL303-P", [14.0, 1.0, False, False], "*ESR bit 5: command error (syntax not recognised)"),
    ],
)
def test_its_driver_sets_switches_measures_and_hears_complaints(
    driver: SupplyDriver, model: str, protection: list[float] | None, complaint: str
) -> None:
    clock, stage, kind = VirtualClock(), Stage(50.0), SUPPLIES[driver]
    wire = kind.wire(kind.make(stage, 1), clock, threading.RLock())
    try:
        found = json.loads(told("labmcp_supply.py", str(wire.port)))  # type: ignore[union-attr]
    finally:
        wire.close()
    assert (found["id"], found["set"], found.get("protection")) == (model, [12.5, 0.75], protection)
    assert (found["on"], found["measured"]) == (True, [12.5, 0.25])
    assert found["mode"] == (None if driver == "aim-tti" else "CV")
    assert found["complaints"] == [complaint]
    assert (found["left_on"], found["off"], found["errors"]) == ([], False, [])
    assert not stage.on


@pytest.mark.parametrize(
    ("dialect", "model", "driver", "guards"),
    [
        ("rigol", "DP832", "rigol-dp800", (13.2, 1.8)),
        ("siglent", "SPD3303X", "siglent-spd3000x", (Guard.NONE, Guard.NONE)),
    ],
)
def test_our_driver_sets_switches_reads_and_makes_its_simulator_safe(
    dialect: str, model: str, driver: SupplyDriver, guards: tuple[float | Guard, float | Guard]
) -> None:
    """That of the Aim-TTi has no lock of the interface to ask for, which the instrument has."""
    with server("labmcp_simulator.py", dialect, model) as port:
        link = VisaLink(f"TCPIP::127.0.0.1::{port}::SOCKET", SystemClock(), 30.0, "psu")
        psu = supply(driver).open("psu", link, 1, SupplyLimits(14.0, 2.5))
        assert psu.identify().model == model
        psu.apply(SupplySettings(12.0, 1.5, *guards))
        psu.output(True)
        reading = psu.read()
        assert (reading.output_on, reading.mode) == (True, "CV")
        assert reading.volts == pytest.approx(12.0, abs=0.05)
        assert not psu.make_safe().output_on
        psu.close()
