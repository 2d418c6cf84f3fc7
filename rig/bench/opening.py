"""A bench file becomes an open bench: drivers behind their ports, interlocks around the relays.

Opening puts the hub's feeds to their safe position and moves nothing else. Knows which driver a bench file names; knows
nothing of what is done with them.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from rig.bench.config import (
    BenchConfig,
    CoilRelayTable,
    GpiodSenseTable,
    GpioRelayTable,
    RelayRole,
    RelayTable,
)
from rig.bench.meter_opening import open_meter
from rig.bench.relay_bank import RelayBank
from rig.bench.wear import WearBook
from rig.clock import Clock
from rig.instruments.line_client import ServedSenseLines
from rig.instruments.link import VisaLink
from rig.instruments.modbus_coil import CoilRelay, ModbusLink
from rig.instruments.modbus_link import SerialModbusLink, TcpModbusLink
from rig.instruments.ports import Oscilloscope, Relay, SenseLines, Supply, SupplySettings
from rig.instruments.relays import GpioRelay, RPiGPIO, load_gpio
from rig.instruments.rigol_dp800 import RigolDP800, SupplyLimits
from rig.instruments.rigol_ds1000z import RigolDS1000Z
from rig.instruments.sense import GpiodSenseLines, RequestLines, SenseLine, load_request_lines
from rig.meters.port import Meter


@dataclass(frozen=True)
class CallSets:
    """The GPIO call sets that the drivers use; None = those of this machine."""

    gpio: RPiGPIO | None = None
    request_lines: RequestLines | None = None


@dataclass(frozen=True)
class Bench:
    """An open bench."""

    config: BenchConfig
    clock: Clock
    supply: Supply
    oscilloscope: Oscilloscope
    relays: RelayBank
    sense: SenseLines
    meter: Meter

    def supply_settings(self) -> SupplySettings:
        table = self.config.supply[0]
        return SupplySettings(table.volts, table.amps, table.over_voltage_v, table.over_current_a)

    def close(self) -> None:
        """Give back links and lines, all of them whatever fails on the way. Not a safe state: see `rig.bench.safe`."""
        with ExitStack() as stack:
            for part in (self.relays, self.sense, self.supply, self.oscilloscope, self.meter):  # the last is first
                stack.callback(part.close)


def open_bench(
    config: BenchConfig,
    clock: Clock,
    call_sets: CallSets,
    wear_file: Path | None = None,
    terminal: int | None = None,
) -> Bench:
    """Open everything that the bench file names. Raises InputError (unknown profile) or BenchError.

    `wear_file`: where the operations of its relays are counted over runs; None = nowhere. `terminal`: the descriptor of
    a terminal at which a person sits, where there is one.
    """
    wear = WearBook(config, wear_file)
    psu, scope = config.supply[0], config.oscilloscope[0]
    with ExitStack() as stack:  # what was opened before something failed is given back
        meter = open_meter(config, clock, call_sets.request_lines, terminal)
        stack.callback(meter.close)
        sense = _sense(config, clock, call_sets)
        stack.callback(sense.close)
        relays: dict[RelayRole, Relay] = {}
        drivers = RelayDrivers(clock, call_sets.gpio)
        for table in config.relay:
            relays[table.role] = relay = drivers.open(table)
            stack.callback(relay.close)
        supply_link = VisaLink(psu.address, clock, psu.timeout_s, psu.name)
        scope_link = VisaLink(scope.address, clock, scope.timeout_s, scope.name)
        bench = Bench(
            config=config,
            clock=clock,
            supply=RigolDP800(psu.name, supply_link, psu.channel, SupplyLimits(psu.max_volts, psu.max_amps)),
            oscilloscope=RigolDS1000Z(scope.name, scope_link, scope.channel, scope.probe, clock),
            relays=RelayBank(
                relays, clock, config.topology.dead_time_s, {r.role: r.least_dwell_s for r in config.relay}, wear
            ),
            sense=sense,
            meter=meter,
        )
        stack.pop_all()
    return bench


def _sense(config: BenchConfig, clock: Clock, call_sets: CallSets) -> SenseLines:
    lines = tuple(SenseLine(s.name, s.line, s.active == "high") for s in config.sense)
    first = config.sense[0]  # all are of one chip, or of one server
    if isinstance(first, GpiodSenseTable):
        return GpiodSenseLines(first.chip, lines, call_sets.request_lines or load_request_lines())
    return ServedSenseLines(first.address, lines, clock)


class RelayDrivers:
    """Opens relays by their tables. Relays of one board share its link; GPIO is loaded for the first that needs it."""

    def __init__(self, clock: Clock, gpio: RPiGPIO | None = None) -> None:
        self._clock = clock
        self._gpio = gpio
        self._links: dict[str, ModbusLink] = {}

    def open(self, table: RelayTable) -> Relay:
        """Raises BenchError (no GPIO here, a line that is taken) or LinkError (a board that does not answer)."""
        safe_closed = None if table.safe == "as-is" else False
        if isinstance(table, GpioRelayTable):
            self._gpio = gpio = self._gpio or load_gpio()
            return GpioRelay(table.name, gpio, table.pin, active_high=table.active == "high", safe_closed=safe_closed)
        place = table.address or table.port or ""
        if place not in self._links:
            self._links[place] = self._link(table)
        return CoilRelay(table.name, self._links[place], table.unit, table.coil, safe_closed=safe_closed)

    def _link(self, table: CoilRelayTable) -> ModbusLink:
        if table.address is not None:
            host, _, port = table.address.rpartition(":")
            host = host.removeprefix("[").removesuffix("]")  # an IPv6 address stands in brackets
            return TcpModbusLink(host, int(port), self._clock, table.timeout_s)
        return SerialModbusLink(table.port or "", table.baud, table.parity, self._clock, table.timeout_s)
