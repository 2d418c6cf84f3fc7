"""The twin bench as a face starts it: a virtual clock, the world, its servers on loopback, and the bench file for them.

What it hands out is what a real bench has: a bench file with addresses, and the two GPIO call sets. Nothing below the
faces knows that it is a twin.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import datetime

from rig.bench.config import GpioRelayTable, RelayRole
from rig.bench.opening import CallSets
from rig.clock.virtual import VirtualClock
from rig.firmware import Fixture
from rig.twin.faults import Fault
from rig.twin.meter import BOOT_S
from rig.twin.rack import NOISE_V, Rack, Times, filled, names, template

__all__ = ["NOISE_V", "Twin", "names", "template"]


class Twin(Rack):
    """One running twin on a virtual clock. Close it when the run is over."""

    def __init__(
        self,
        fixtures: Sequence[Fixture],
        name: str = "twin",
        seed: int = 0,
        faults: Sequence[Fault] = (),
        depth: int | None = None,
        utc: datetime | None = None,
    ) -> None:
        """`depth` makes the oscilloscope's captures smaller than the bench file says (tests). `utc`: when it begins."""
        text = template(name)
        if depth is not None:
            text = text.replace("depth = 12_000_000", f"depth = {depth}")
        self.clock: VirtualClock = VirtualClock(utc_start=utc)
        times = Times(self.clock, self.clock, lambda rail: rail, threading.RLock())
        super().__init__(filled(text, name), fixtures, seed, faults, times)
        self.config = filled(text, name, self.addresses)
        chip = self.world.chip
        self.call_sets = CallSets(self.world.gpio, chip.request_lines, chip.open)  # type: ignore[arg-type]
        self.act(faults)

    def stand_ready(self) -> None:
        """The bench as a run leaves it: K1's line is driven, so the meter has mains (or it needs none). For who moves
        nothing himself."""
        gpio = self.world.gpio
        for relay in self.config.relay:
            if relay.role == "mains" and isinstance(relay, GpioRelayTable):
                gpio.setmode(gpio.BCM)
                gpio.setup(relay.pin, gpio.OUT, initial=int(relay.active == "high"))
        self.clock.sleep(BOOT_S + 1.0)

    def stick_line(self, role: RelayRole, level: int) -> None:
        relay = self.config.relay_of(role)
        if isinstance(relay, GpioRelayTable):
            self.world.gpio.stuck[relay.pin] = level

    def lose_edge(self, line: int) -> None:
        self.world.chip.drop_next[line] = 1

    def step_utc(self, seconds: float) -> None:
        self.clock.step_utc(seconds)

    def slew_clock(self, ppm: float) -> None:
        self.clock.set_slew(ppm)
