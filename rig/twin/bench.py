"""The twin bench as a face starts it: a virtual clock, the world, its servers on loopback, and the bench file for them.

What it hands out is what a real bench has: a bench file with addresses, and the two GPIO call sets. Nothing below the
faces knows that it is a twin.
"""

from __future__ import annotations

import threading
import tomllib
from collections.abc import Callable, Sequence
from importlib import resources
from pathlib import Path
from string import Template

from rig.bench.config import BenchConfig, RelayRole, SenseRole, check_bench
from rig.bench.opening import CallSets
from rig.clock import to_ns
from rig.clock.virtual import VirtualClock
from rig.errors import InputError
from rig.firmware import Fixture
from rig.toml_file import did_you_mean
from rig.twin.devices import Contact, Signal
from rig.twin.faults import Fault
from rig.twin.meter import KnownImage
from rig.twin.modbus import TwinModbus
from rig.twin.modbus_server import ModbusServer
from rig.twin.rigol_dp800 import TwinDP800
from rig.twin.rigol_ds1000z import TwinDS1000Z
from rig.twin.wire import LineServer
from rig.twin.world import World

NOISE_V = 0.06
"""Peak noise at the twin's probe: inside what its bench file states."""

_NOWHERE = {
    "supply": "TCPIP::127.0.0.1::1::SOCKET",
    "oscilloscope": "TCPIP::127.0.0.1::2::SOCKET",
    "modbus": "127.0.0.1:3",
}
"""Addresses for a bench file whose servers are not up yet."""


def names() -> list[str]:
    """The twin benches that the package carries."""
    folder = Path(str(resources.files("rig.twin"))) / "benches"
    return sorted(p.stem for p in folder.glob("*.toml"))


def template(name: str) -> str:
    """The bench file of a twin, its addresses still open. Raises InputError for an unknown name."""
    if name not in names():
        hint = did_you_mean(name, names())
        raise InputError(f"no bench '{name}'{hint}; known: {', '.join(names())}, or the path of a bench file (.toml)")
    return (Path(str(resources.files("rig.twin"))) / "benches" / f"{name}.toml").read_text(encoding="utf-8")


def draft(name: str) -> tuple[BenchConfig, str]:
    """The bench file of a twin before it is started, checked, and its text. Raises InputError for an unknown name."""
    text = template(name)
    return _checked(text, _NOWHERE, name), text


def harness_folder() -> Path:
    """Where the harness files are that the twins share with real benches."""
    packaged = Path(str(resources.files("rig"))) / "wiring"
    return packaged if packaged.is_dir() else Path(str(resources.files("rig"))).parent / "wiring"


class Twin:
    """One running twin. Close it when the run is over."""

    def __init__(
        self,
        fixtures: Sequence[Fixture],
        name: str = "twin",
        seed: int = 0,
        faults: Sequence[Fault] = (),
        depth: int | None = None,
    ) -> None:
        """`depth` makes the oscilloscope's captures smaller than the bench file says (tests)."""
        text = template(name)
        if depth is not None:
            text = text.replace("depth = 12_000_000", f"depth = {depth}")
        unwired = _checked(text, _NOWHERE, name)
        self.clock: VirtualClock = VirtualClock()
        self._lock = threading.RLock()
        self.world = World(unwired, self.clock, _images(fixtures), fixtures[0].version_from)
        self.supply = TwinDP800(self.clock, self.world.supply, f"DP8TWIN{seed:08d}")
        self.scope = TwinDS1000Z(self.clock, self.world.rail, seed, NOISE_V, f"DS1TWIN{seed:08d}")
        self.supply_wire: LineServer = LineServer("supply", self.supply.handle, self.clock, self._lock)
        self.scope_wire: LineServer = LineServer("oscilloscope", self.scope.handle, self.clock, self._lock)
        self.meter_wire: ModbusServer = ModbusServer(TwinModbus(self.world.meter), self.clock, self._lock)
        addresses = {
            "supply": self.supply_wire.address,
            "oscilloscope": self.scope_wire.address,
            "modbus": self.meter_wire.endpoint,
        }
        self.config = _checked(text, addresses, name)
        self.call_sets = CallSets(self.world.gpio, self.world.chip.request_lines)  # type: ignore[arg-type]
        self._faults = [f for f in faults if f.at_s is not None]
        self.world.meter.on_activate = self._activated
        for fault in faults:
            if fault.at_s is None:
                fault.act(self)

    def close(self) -> None:
        for wire in (self.supply_wire, self.scope_wire, self.meter_wire):
            wire.close()

    # -- what faults use -----------------------------------------------------------------------------------------

    def after(self, seconds: float, fn: Callable[[], None]) -> None:
        self.clock.schedule(self.clock.now() + to_ns(seconds), fn)

    def line(self, role: SenseRole) -> Signal:
        return self.world.lines[role]

    def contact(self, role: RelayRole) -> Contact:
        return self.world.contacts[role]

    def stick_line(self, role: RelayRole, level: int) -> None:
        self.world.gpio.stuck[self.config.relay_of(role).pin] = level

    def _activated(self) -> None:
        for fault in self._faults:
            self.after(fault.at_s or 0.0, lambda f=fault: f.act(self))  # type: ignore[misc]
        self._faults = []


def _checked(text: str, addresses: dict[str, str], name: str) -> BenchConfig:
    filled = Template(text).substitute(addresses)
    return check_bench(tomllib.loads(filled), filled, f"bench '{name}'")


def _images(fixtures: Sequence[Fixture]) -> dict[str, KnownImage]:
    known = {}
    for fixture in fixtures:
        if fixture.behaviour is None:
            raise InputError(
                f"fixture '{fixture.name}' has no [synthetic] behaviour: the twin cannot know what this meter does"
            )
        known[fixture.sha256] = KnownImage(fixture.version_to, fixture.behaviour)
    return known
