"""A bench file becomes an open bench: drivers behind their ports, the relays behind their guardian.

Opening puts the hub's feeds to their safe position and moves nothing else. Knows which driver a bench file names; knows
nothing of what is done with them.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial

from rig.bench.config import BenchConfig, GpiodSenseTable, OscilloscopeTable, SenseTable, SupplyTable
from rig.bench.guarding import beside, inside
from rig.bench.identities import check_identity
from rig.bench.meter_opening import open_meter
from rig.bench.recovering import Recoveries, RecoveringOscilloscope, RecoveringSupply
from rig.bench.wear import WearBook, wear_file
from rig.clock import Clock
from rig.errors import BenchError
from rig.guardian.lease import Lease
from rig.guardian.port import Guardian
from rig.instruments import catalogue
from rig.instruments.chips import OpenChip
from rig.instruments.guards import Guard
from rig.instruments.line_client import ServedSenseLines
from rig.instruments.link import VisaLink
from rig.instruments.ports import CaptureSettings, Oscilloscope, SenseLines, Supply, SupplyLimits, SupplySettings
from rig.instruments.relays import RPiGPIO
from rig.instruments.scpi import ScpiLink
from rig.instruments.sense import (
    GpiodSenseLines,
    LinesRefusedError,
    RequestLines,
    SenseLine,
    load_request_lines,
)
from rig.meters.port import Meter
from rig.recording import Taps


@dataclass(frozen=True)
class CallSets:
    """The GPIO call sets that the drivers use; None = those of this machine. `taps` hear what is said on the links."""

    gpio: RPiGPIO | None = None
    request_lines: RequestLines | None = None
    open_chip: OpenChip | None = None
    taps: Taps | None = None


@dataclass(frozen=True)
class Bench:
    """An open bench. `lease` is None on the in-process twin, which is nobody else's."""

    config: BenchConfig
    clock: Clock
    supply: Supply
    oscilloscope: Oscilloscope
    relays: Guardian
    sense: SenseLines
    meter: Meter
    wear: WearBook
    recoveries: Recoveries
    lease: Lease | None = None

    def supply_settings(self) -> SupplySettings:
        table = self.config.supply[0]
        level_v, level_a = table.over_voltage_v, table.over_current_a
        return SupplySettings(
            table.volts,
            table.amps,
            Guard(level_v) if isinstance(level_v, str) else level_v,
            Guard(level_a) if isinstance(level_a, str) else level_a,
        )

    def capture_settings(self, window_s: float, pre_s: float, depth: int) -> CaptureSettings:
        """A capture of the judged rail: the whole swing in range, triggered by the fall through `up_above_v`."""
        rail, peak = self.config.rail, self.config.oscilloscope[0].peak_detect
        return CaptureSettings(window_s, pre_s, depth, 1.125 * rail.nominal_v, -0.5, rail.up_above_v, peak)

    def whole_capture(self) -> CaptureSettings:
        """The capture of an activation, as the bench file says."""
        table = self.config.oscilloscope[0]
        return self.capture_settings(table.window_s, table.pre_s, table.depth)

    def close(self) -> None:
        """Give back links and lines, all of them whatever fails on the way. Not a safe state: see `rig.bench.safe`."""
        with ExitStack() as stack:
            for part in (self.relays, self.sense, self.supply, self.oscilloscope, self.meter):  # the last is first
                stack.callback(part.close)


def open_bench(
    config: BenchConfig, clock: Clock, call_sets: CallSets, lease: Lease | None = None, terminal: int | None = None
) -> Bench:
    """Open everything that the bench file names. Raises InputError (unknown profile) or BenchError.

    With a `lease` the bench is real, and its guardian a process of its own, which comes first: it proves that it can
    reach the supply before anybody else talks to it. Without, the guardian lives inside (the in-process twin), and the
    operations of the relays are not kept. `terminal`: the descriptor of a terminal at which a person sits.
    """
    wear = WearBook(config, None if lease is None else wear_file(config, lease.folder))
    psu, scope = config.supply[0], config.oscilloscope[0]
    with ExitStack() as stack:  # what was opened before something failed is given back
        meter = open_meter(config, clock, call_sets.request_lines, terminal, call_sets.taps)
        stack.callback(meter.close)
        relays: Guardian = (
            beside(config, clock, lease, wear.closing) if lease else inside(config, clock, call_sets.gpio, wear.closing)
        )
        stack.callback(relays.close)
        sense = open_sense(config, clock, call_sets)
        stack.callback(sense.close)
        supply_link, scope_link, recoveries = (
            link_to(psu, clock, call_sets.taps),
            link_to(scope, clock, call_sets.taps),
            Recoveries(clock),
        )
        bench = Bench(
            config=config,
            clock=clock,
            supply=RecoveringSupply(supply_on(supply_link, psu), supply_link, recoveries, partial(check_identity, psu)),
            oscilloscope=RecoveringOscilloscope(
                oscilloscope_on(scope_link, scope, clock), scope_link, recoveries, partial(check_identity, scope)
            ),
            recoveries=recoveries,
            relays=relays,
            wear=wear,
            sense=sense,
            meter=meter,
            lease=lease,
        )
        stack.pop_all()
    return bench


def link_to(
    table: SupplyTable | OscilloscopeTable, clock: Clock, taps: Taps | None = None, *, clears: bool = True
) -> ScpiLink:
    """The link to an instrument of the bench file, not yet open; `taps` hear it. `clears`: see `VisaLink`."""
    tap = None if taps is None else taps.tap(table.name, clock.now)
    if isinstance(table, SupplyTable) and catalogue.SUPPLIES[table.driver].unended:
        from rig.instruments.supplies import korad

        return korad.link_to(table.address, clock, table.timeout_s, table.name, table.line(), tap)
    return VisaLink(table.address, clock, table.timeout_s, table.name, clears=clears, line=table.line(), tap=tap)


def supply_on(link: ScpiLink, table: SupplyTable) -> Supply:
    """The driver that the bench file names for its supply, on `link`. Sends nothing."""
    limits = SupplyLimits(table.max_volts, table.max_amps)
    return catalogue.supply(table.driver).open(table.name, link, table.channel, limits)


def oscilloscope_on(link: ScpiLink, table: OscilloscopeTable, clock: Clock) -> Oscilloscope:
    """The driver that the bench file names for its oscilloscope, on `link`. Sends nothing."""
    return catalogue.oscilloscope(table.driver).open(table.name, link, table.channel, table.probe, clock)


def open_sense(config: BenchConfig, clock: Clock, call_sets: CallSets) -> SenseLines:
    """The sense lines alone: they are inputs, and reading them moves nothing. Raises BenchError."""
    return open_lines(config.sense, clock, call_sets)


def open_lines(tables: Sequence[SenseTable], clock: Clock, call_sets: CallSets) -> SenseLines:
    """These lines, which are all of one chip, or of one server. Raises BenchError."""
    lines = tuple(SenseLine(s.name, s.line, s.active == "high") for s in tables)
    first = tables[0]
    if isinstance(first, GpiodSenseTable):
        try:
            request_lines = call_sets.request_lines or load_request_lines()
            return GpiodSenseLines(first.chip, lines, request_lines, call_sets.open_chip)
        except LinesRefusedError as error:
            index = next((i for i, s in enumerate(tables) if s.line == error.line), None)
            error.where = replace(error.where, key="sense[0].chip" if index is None else f"sense[{index}].line")
            raise
    try:
        return ServedSenseLines(first.address, lines, clock)
    except BenchError as error:
        error.where = replace(error.where, key="sense[0].address")
        raise
