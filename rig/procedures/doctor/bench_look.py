"""All checks of one bench, beside each other, on its own clock (the twin's is virtual). Requests no relay line."""

from __future__ import annotations

from dataclasses import dataclass, replace

from rig.bench.config import BenchConfig, OscilloscopeTable, SupplyTable
from rig.bench.meter_table import ModbusTcpTable
from rig.bench.opening import CallSets
from rig.clock import Clock
from rig.instruments.asking import driver_of
from rig.procedures.doctor import clocks
from rig.procedures.doctor.discovery import Candidate
from rig.procedures.doctor.instruments import InstrumentLook, calibration, driver, link
from rig.procedures.doctor.jobs import LIMIT_S, Job
from rig.procedures.doctor.lines import LinesLook, chip_of
from rig.procedures.doctor.machine import Machine
from rig.procedures.doctor.meter import MeterLook
from rig.procedures.doctor.proposal import Findings, MeterSeen
from rig.procedures.doctor.relays import BoardLook, boards, wear
from rig.records.doctor import Check

_SLEW_S = 1.0


@dataclass(frozen=True)
class Wires:
    """A bench that can be asked: nothing of it is opened yet. `real` is False for a twin."""

    config: BenchConfig
    clock: Clock
    call_sets: CallSets
    real: bool


class BenchLook:
    """Starts to ask a bench's devices. Raises InputError for a profile that there is not, before anything is asked."""

    def __init__(self, wires: Wires, machine: Machine) -> None:
        self._wires = wires
        config, clock = wires.config, wires.clock
        self._tables: list[SupplyTable | OscilloscopeTable] = [*config.supply, *config.oscilloscope]
        self._looks = [InstrumentLook(table, clock, wires.call_sets.taps) for table in self._tables]
        self._meter = MeterLook(config, clock, wires.call_sets.taps)
        self._lines = LinesLook(config, clock, wires.call_sets, machine)
        self._instruments = [
            Job(clock, "instruments", table.name, look.run, _limit_s(table.timeout_s))
            for table, look in zip(self._tables, self._looks, strict=True)
        ]
        self._others = [
            Job(clock, "meter", "meter", self._meter.run, _limit_s(self._meter.timeout_s)),
            Job(clock, "lines", "lines", self._lines.run),
            *(
                Job(clock, "lines", "relay board", BoardLook(relays, clock).run, _limit_s(relays[0].timeout_s))
                for relays in boards(config)
            ),
            Job(clock, "clock", "slew", lambda: [self._slew()]),
        ]

    def checks(self) -> list[Check]:
        """Wait for all answers."""
        config, today, real = self._wires.config, self._wires.clock.utc().date(), self._wires.real
        rows: list[Check] = []
        for table, job in zip(self._tables, self._instruments, strict=True):
            rows += [
                *job.checks(),
                *([driver(table), link(table)] if real else []),
                calibration(table, config.limits, today, real),
            ]
        for job in self._others:
            rows += job.checks()
        rows += self._meter.unanswered(self._lines.levels.get("mains"))
        return [*rows, *(wear(config) if real else [])]  # a twin's relays do not wear

    def findings(self, others: Findings) -> Findings:
        """`others`, and before them who answered at the addresses of the bench file. After `checks`."""
        config = self._wires.config
        candidates = [
            Candidate(table.address, look.identity, driver_of(look.identity))
            for table, look in zip(self._tables, self._looks, strict=True)
            if look.identity is not None
        ]
        meter = None
        if self._meter.seen is not None and isinstance(config.meter, ModbusTcpTable):
            meter = MeterSeen(config.meter.address, config.meter.profile, self._meter.seen)
        return replace(
            others,
            instruments=(*candidates, *others.instruments),
            meter=meter,
            bench_chip=chip_of(config) if self._lines.levels else None,
        )

    def _slew(self) -> Check:
        limit = self._wires.config.limits.clock_rate_ppm
        what = "clock slew" if self._wires.real else "twin's clock slew"
        return clocks.Slew(self._wires.clock, _SLEW_S).check(what, limit, needed=True)


def _limit_s(timeout_s: float) -> float:
    """When a look at a device is left: it asks several questions, and the first that is not answered is its last."""
    return LIMIT_S + 2 * timeout_s
