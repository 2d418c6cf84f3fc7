"""What must agree before anything feeds the hub's rail, and stay so while something does. All of it read back.

Each answer is a `Check`, or a `Refused` that names the interlock. Nothing is fed by these: the output is off, the feeds
are open. Calibration that is overdue warns or refuses, as the bench file says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

from rig.bench.config import OscilloscopeTable, SupplyTable
from rig.bench.guarding import feeds
from rig.bench.identities import check_identity
from rig.bench.opening import Bench
from rig.errors import BenchError, Refused
from rig.guardian.port import Check
from rig.instruments.ports import Identity


@dataclass(frozen=True)
class Interlocks:
    """`free_bytes` tells how much room the evidence has. `rail_is_down` waits until the rail is proven below `safe_v`.

    `identified` is told which instrument answered.
    """

    bench: Bench
    free_bytes: Callable[[], int]
    rail_is_down: Callable[[float], bool]
    identified: Callable[[str, Identity], None]

    def agree(self) -> tuple[Check, ...]:
        """Bring the bench to where it may be fed, read all of it back; raises Refused at the first that does not agree.

        An overdue calibration that only warns is a `Check` that is not proven.
        """
        return tuple(self._agreed())

    def _agreed(self) -> Iterator[Check]:
        bench, topology = self.bench, self.bench.config.topology
        yield self._room()
        yield from self._calibration()
        for kind, part, table in (
            ("supply", bench.supply, bench.config.supply[0]),
            ("oscilloscope", bench.oscilloscope, bench.config.oscilloscope[0]),
        ):
            who = part.identify()
            self.identified(kind, who)
            check_identity(table, who)
        if bench.config.oscilloscope[0].mode == "capture":
            bench.oscilloscope.plan(bench.whole_capture())  # refused now, not when the meter waits to be activated
        bench.supply.output(False)
        bench.supply.apply(bench.supply_settings())
        yield Check(f"supply {bench.supply.name}", True, "off; limits and protections set and read back")
        for role in feeds(bench.config):
            bench.relays.set(role, False)
        yield Check("feeds", True, "open")
        bench.clock.sleep(max(topology.least_off_s, *(relay.least_dwell_s for relay in bench.config.relay)))
        if not self.rail_is_down(topology.discharge_s):
            raise Refused("the supply is off and the feeds are open, but the rail is not proven down: what feeds it?")
        yield Check("rail", True, f"below {topology.safe_v:g} V")

    def hold(self) -> None:
        """While something feeds the rail: is there still room, and the guardian there? Raises Refused, BenchError."""
        self._room()
        if self.bench.relays.tripped is not None:
            raise BenchError(self.bench.relays.tripped)

    def envelope(self) -> None:
        """While the supply feeds: is it on, regulating, below its protections? Raises Refused.

        Its current limit may act (a hub that charges its supercapacitor): that is inside the envelope.
        """
        table, found = self.bench.config.supply[0], self.bench.supply.read()
        highest_v, highest_a = table.highest
        inside = found.volts < highest_v and found.amps < highest_a
        if not found.output_on or found.mode not in ("CV", "CC") or found.tripped or not inside:
            state = "a protection tripped" if found.tripped else f"mode {found.mode}"
            raise Refused(
                f"supply {table.name} is outside its envelope: {found.volts:.3f} V, {found.amps:.3f} A, {state}"
            )

    def _room(self) -> Check:
        free, need = self.free_bytes() / 1e6, self.bench.config.limits.free_disk_mb
        if free < need:
            raise Refused(f"too little room for the evidence: {free:.0f} MB are free, {need:g} MB are needed")
        return Check("disk", True, f"at least {need:g} MB free")

    def _calibration(self) -> Iterator[Check]:
        today, config = self.bench.clock.utc().date(), self.bench.config
        tables: tuple[SupplyTable | OscilloscopeTable, ...] = (*config.supply, *config.oscilloscope)
        for table in tables:
            due: date | None = table.calibration_due
            if due is None or today < due:
                continue
            text = f"is overdue since {due.isoformat()}"
            if config.limits.calibration_overdue == "failed":
                raise Refused(f"the calibration of {table.name} {text}")
            yield Check(f"calibration of {table.name}", False, text)
