"""The twin's world: one physical model of a bench, wired as its bench file says. No sockets.

mains -> K1 -> meter -> K2 -> hub's rail <- K3 <- supply; two comparators, a mains detector at each live terminal and
the signals of hub and meter drive the sense lines; relay lines move the contacts. A hot-shoe bench has no K2, and its
gas meter, on its battery, feeds nothing. A meter with several live terminals runs while one of them has mains.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from rig.bench.config import BenchConfig, GpiodSenseTable, GpioRelayTable, RelayRole, SenseRole, SenseTable
from rig.bench.meter_table import OutsideTable
from rig.bench.roles import mains_roles
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

    def __init__(
        self,
        config: BenchConfig,
        timeline: Timeline,
        images: Mapping[str, KnownImage],
        version: str,
        model: str = TwinMeter.MODEL,
    ) -> None:
        """`version` and `model`: what the meter runs and is."""
        self._timeline = timeline
        self.rail = RailModel(timeline)
        self.supply = SupplyStage(self)
        self._meter_v: float | None = None
        self._gas = config.meter.variant == "gas"
        self._supplied: dict[SenseRole, bool] = dict.fromkeys(mains_roles(config), True)
        self.meter = TwinMeter(timeline, self._meter_feed, images, version, model)
        self.contacts = {r.role: Contact(timeline, self._moved) for r in config.relay}
        self._pins = {r.pin: (r.role, r.active == "high") for r in config.relay if isinstance(r, GpioRelayTable)}
        self.mains_present = {role: Signal(False) for role in self._supplied}
        self.lines = {s.role: self._signal(s) for s in config.sense}
        self.gpio = TwinRPiGPIO(self._drive)
        for pin in self._pins:
            self._drive(pin, False)  # before software runs: an active-low relay is energised
        self.wires = {s.line: _electrical(self.lines[s.role], s) for s in config.sense}
        chip = next((s.chip for s in config.sense if isinstance(s, GpiodSenseTable)), "")
        self.han = Han(self, config.meter, images) if isinstance(config.meter, OutsideTable) else None
        others = {} if self.han is None else self.han.wires
        self.chip = TwinChip(chip, timeline, {**self.wires, **others})
        self.meter.mains(self._gas)

    # -- what faults do ------------------------------------------------------------------------------------------

    def mains_supply(self, present: bool, role: SenseRole | None = None) -> None:
        """The mains in front of K1 comes or goes: all of it, or that of one live terminal."""
        for each in self._supplied if role is None else (role,):
            self._supplied[each] = present
        self._mains()

    # -- wiring --------------------------------------------------------------------------------------------------

    def after(self, seconds: float, fn: Callable[[], None]) -> None:
        self._timeline.schedule(self._timeline.now() + to_ns(seconds), fn)

    def feed(self) -> None:
        """What feeds the hub's rail now."""
        meter = self._meter_v if self._closed("meter-feed") else None
        self.rail.set_feed("meter", meter, 0.3)
        supply = self.supply.volts if self.supply.on and self._closed("supply-feed") else None
        self.rail.set_feed("supply", supply, SupplyStage.OHMS)

    def _meter_feed(self, volts: float | None) -> None:
        self._meter_v = volts
        self.feed()

    def _moved(self, _: bool) -> None:
        self._mains()
        self.feed()

    def _closed(self, role: RelayRole) -> bool:
        return role in self.contacts and self.contacts[role].closed

    def _mains(self) -> None:
        self.meter.mains(self._gas or any(self._present(role) for role in self._supplied))
        later = self._timeline.now() + to_ns(_MAINS_DETECTOR_S)
        for role, signal in self.mains_present.items():
            self._timeline.schedule(later, lambda r=role, s=signal: s.set(self._present(r)))  # type: ignore[misc]
        if self.han is not None:
            self.han.mains(self.meter.fed)

    def _present(self, role: SenseRole) -> bool:
        return self._supplied[role] and self._closed("mains")

    def _drive(self, pin: int, level: bool) -> None:
        role, active_high = self._pins[pin]
        self.contacts[role].coil(level == active_high)

    def _signal(self, line: SenseTable) -> Signal:
        if line.role in ("rail_up", "rail_down"):
            low, high = line.band_v or [0.0, 0.0]
            above = line.role == "rail_up"
            fall, rise = low + _LOSS_V, high - _LOSS_V
            return Comparator(self._timeline, self.rail, fall, rise, above, _COMPARATOR_DELAY_S).signal
        if line.role in self.mains_present:
            return self.mains_present[line.role]
        return {
            "ac_lo": self.meter.ac_lost,
            "mt_pr": self.meter.present,
            "ch_pr": Signal(True),
        }[line.role]


class Han:
    """What is outside of the rig: it starts the activation of the image that the meter holds, and closes a contact.

    That happens once, `AFTER_S` after the meter first has mains.
    """

    AFTER_S = 150.0

    def __init__(self, world: World, table: OutsideTable, images: Mapping[str, KnownImage]) -> None:
        self._world = world
        self._hash = bytes.fromhex(next(iter(images)))
        self._begun = False
        self.contact = Signal(False)
        active_low = table.contact is not None and table.contact.active == "low"
        wire = _inverted(self.contact) if active_low else self.contact
        self.wires = {} if table.contact is None else {table.contact.line: wire}
        world.meter.hold(self._hash)

    def mains(self, fed: bool) -> None:
        """The meter has mains, or has not."""
        if fed and not self._begun:
            self._begun = True
            self._world.after(self.AFTER_S, self._start)

    def _start(self) -> None:
        self.contact.set(True)
        self._world.meter.activate(self._hash)


def _electrical(signal: Signal, line: SenseTable) -> Signal:
    """The level on the wire: an active-low line is the other way round."""
    return signal if line.active == "high" else _inverted(signal)


def _inverted(signal: Signal) -> Signal:
    wire = Signal(not signal.level)
    signal.listen(lambda level: wire.set(not level))
    return wire
