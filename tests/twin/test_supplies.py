"""What every supply of the twin does behind its wire, with its own driver: one story, told to all six."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from rig.bench.config import SupplyTable
from rig.bench.guarding import supply_spec
from rig.bench.opening import link_to, supply_on
from rig.clock.virtual import VirtualClock
from rig.errors import LinkError, LinkTimeout
from rig.guardian.plain_supply import reach, switch_off
from rig.instruments.catalogue import SupplyDriver
from rig.instruments.guards import Guard
from rig.instruments.ports import Supply, SupplySettings
from rig.twin.faces import SUPPLIES, AnySupply
from rig.twin.rack import draft
from tests.twin.stages import Stage


@dataclass
class Bench:
    stage: Stage
    face: AnySupply
    table: SupplyTable
    supply: Supply

    @property
    def settings(self) -> SupplySettings:
        """What the twin's bench file says of it."""
        volts, amps = self.table.over_voltage_v, self.table.over_current_a
        return SupplySettings(
            self.table.volts,
            self.table.amps,
            Guard(volts) if isinstance(volts, str) else volts,
            Guard(amps) if isinstance(amps, str) else amps,
        )


@pytest.fixture(params=list(SUPPLIES))
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    driver: SupplyDriver = request.param
    clock, stage, kind = VirtualClock(), Stage(80.0), SUPPLIES[driver]
    face = kind.make(stage, 1)
    wire = kind.wire(face, clock, threading.RLock())
    config, _ = draft(f"twin,supply={driver}")
    table = config.supply[0].model_copy(update={"address": wire.address, "timeout_s": 1.0})
    supply = supply_on(link_to(table, clock), table)
    yield Bench(stage, face, table, supply)
    supply.close()
    wire.close()


def test_it_is_set_switched_read_and_made_safe(bench: Bench) -> None:
    assert bench.supply.identify().model
    bench.supply.apply(bench.settings)
    assert bench.supply.read().mode == "off"
    assert not bench.stage.on
    bench.supply.output(True)
    found = bench.supply.read()
    assert (found.mode, found.output_on, found.tripped) == ("CV", True, False)
    assert (found.volts, found.amps) == (12.0, 0.15)
    bench.supply.output(False)
    assert not bench.stage.on
    bench.supply.output(True)
    assert not bench.supply.make_safe().output_on
    assert not bench.stage.on


def test_too_much_current_is_limited_and_trips_what_trips_at_the_limit(bench: Bench) -> None:
    bench.supply.apply(bench.settings)
    bench.supply.output(True)
    bench.stage.ohms = 4.0
    found = bench.supply.read()
    if bench.settings.over_current_a is Guard.AT_LIMIT:
        assert (found.tripped, found.output_on, bench.stage.on) == (True, False, False)
    else:
        assert (found.mode, found.tripped, found.volts) == ("CC", False, 6.0)


def test_a_surge_trips_what_has_a_level_and_is_cleared(bench: Bench) -> None:
    bench.supply.apply(bench.settings)
    bench.supply.output(True)
    bench.stage.surge_v = 2.0
    found = bench.supply.read()
    if bench.settings.over_voltage_v is Guard.NONE:
        assert (found.tripped, found.volts) == (False, 14.0), "nothing but the envelope sees it"
        return
    assert (found.tripped, bench.stage.on) == (True, False)
    with pytest.raises(LinkError):
        bench.supply.output(True)
    bench.stage.surge_v = 0.0
    assert not bench.supply.clear().tripped
    assert not bench.stage.on, "cleared is not on"
    bench.supply.output(True)
    assert bench.supply.read().volts == 12.0


def test_silence_is_a_timeout_and_it_is_made_safe_afterwards(bench: Bench) -> None:
    bench.supply.apply(bench.settings)
    bench.supply.output(True)
    bench.face.silent = True
    with pytest.raises(LinkTimeout):
        bench.supply.read()
    bench.face.silent = False
    assert not bench.supply.make_safe().output_on


def test_the_guardian_reaches_it_and_switches_it_off_without_a_driver(bench: Bench) -> None:
    bench.supply.apply(bench.settings)
    bench.supply.output(True)
    bench.supply.close()
    spec = supply_spec(bench.table)
    reach(spec)
    assert bench.stage.on
    switch_off(spec)
    assert not bench.stage.on
