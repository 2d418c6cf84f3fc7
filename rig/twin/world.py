"""The twin's world: one physical model of a single-phase ICHIS bench, wired as its bench file says. No sockets.

mains -> K1 -> meter -> K2 -> hub's rail <- K3 <- supply; two comparators, a mains detector and the signals of hub and
meter drive the sense lines; relay lines move the contacts.
"""

from __future__ import annotations

from collections.abc import Mapping

from rig.bench.config import BenchConfig, GpiodSenseTable, GpioRelayTable, SenseTable
from rig.clock import to_ns
from rig.twin.devices import Comparator, Contact, Signal
from rig.twin.gpio import TwinChip, TwinRPiGPIO
from rig.twin.meter import KnownImage, TwinMeter
from rig.twin.ports import Timeline
from rig.twin.rail_model import RailModel

_COMPARATOR_DELAY_S = 0.0002
_MAINS_DETECTOR_S = 0.02
_LOSS_V = 0.05
"""How far inside its stated band a comparator really switches."""


class SupplyStage:
    """The bench supply's output stage. Implements `rig.twin.ports.SupplyHardware`."""

    OHMS = 0.1

    def __init__(self, world: World) -> None:
        self._world = world
        self.volts = 0.0
        self.amps = 0.0
        self.on = False

    def program(self, volts: float, amps: float) -> None:
        self.volts, self.amps = volts, amps
        self._world.feed()

    def switch(self, on: bool) -> None:
        self.on = on
        self._world.feed()

    def terminals(self) -> tuple[float, float]:
        if not self.on:
            return 0.0, 0.0
        amps = self._world.rail.current_from("supply")
        return self.volts - amps * self.OHMS, amps

    def constant_current(self) -> bool:
        return self.on and self._world.rail.current_from("supply") >= self.amps


class World:
    """All physics of one bench."""

    def __init__(self, config: BenchConfig, timeline: Timeline, images: Mapping[str, KnownImage], version: str) -> None:
        self._timeline = timeline
        self.rail = RailModel(timeline)
        self.supply = SupplyStage(self)
        self._meter_v: float | None = None
        self._mains_supply = True
        self.meter = TwinMeter(timeline, self._meter_feed, images, version)
        self.contacts = {r.role: Contact(timeline, self._moved) for r in config.relay}
        self._pins = {r.pin: (r.role, r.active == "high") for r in config.relay if isinstance(r, GpioRelayTable)}
        self.mains_present = Signal(False)
        self.lines = {s.role: self._signal(s) for s in config.sense}
        self.gpio = TwinRPiGPIO(self._drive)
        for pin in self._pins:
            self._drive(pin, False)  # before software runs: an active-low relay is energised
        self.wires = {s.line: _electrical(self.lines[s.role], s) for s in config.sense}
        chip = next((s.chip for s in config.sense if isinstance(s, GpiodSenseTable)), "")
        self.chip = TwinChip(chip, timeline, self.wires)

    # -- what faults do ------------------------------------------------------------------------------------------

    def mains_supply(self, present: bool) -> None:
        """The mains in front of K1 comes or goes."""
        self._mains_supply = present
        self._mains()

    # -- wiring --------------------------------------------------------------------------------------------------

    def feed(self) -> None:
        """What feeds the hub's rail now."""
        meter = self._meter_v if self.contacts["meter-feed"].closed else None
        self.rail.set_feed("meter", meter, 0.3)
        supply = self.supply.volts if self.supply.on and self.contacts["supply-feed"].closed else None
        self.rail.set_feed("supply", supply, SupplyStage.OHMS)

    def _meter_feed(self, volts: float | None) -> None:
        self._meter_v = volts
        self.feed()

    def _moved(self, _: bool) -> None:
        self._mains()
        self.feed()

    def _mains(self) -> None:
        present = self._mains_supply and self.contacts["mains"].closed
        self.meter.mains(present)
        later = self._timeline.now() + to_ns(_MAINS_DETECTOR_S)
        self._timeline.schedule(later, lambda: self.mains_present.set(self._present()))

    def _present(self) -> bool:
        return self._mains_supply and self.contacts["mains"].closed

    def _drive(self, pin: int, level: bool) -> None:
        role, active_high = self._pins[pin]
        self.contacts[role].coil(level == active_high)

    def _signal(self, line: SenseTable) -> Signal:
        if line.role in ("rail_up", "rail_down"):
            low, high = line.band_v or [0.0, 0.0]
            above = line.role == "rail_up"
            fall, rise = low + _LOSS_V, high - _LOSS_V
            return Comparator(self._timeline, self.rail, fall, rise, above, _COMPARATOR_DELAY_S).signal
        return {
            "mains": self.mains_present,
            "ac_lo": self.meter.ac_lost,
            "mt_pr": self.meter.present,
            "ch_pr": Signal(True),
        }[line.role]


def _electrical(signal: Signal, line: SenseTable) -> Signal:
    """The level on the wire: an active-low line is the other way round."""
    if line.active == "high":
        return signal
    wire = Signal(not signal.level)
    signal.listen(lambda level: wire.set(not level))
    return wire
