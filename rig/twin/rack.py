"""What every running twin is made of: one world, the faces of its instruments, and their wires on loopback.

Knows no clock: the model's time line, and the one that the instruments show outside, are given. Faults act on it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from string import Template

from rig.bench.config import BenchConfig, RelayRole, SenseRole, check_bench
from rig.clock import to_ns
from rig.errors import InputError, Where
from rig.firmware import Fixture
from rig.toml_file import did_you_mean
from rig.twin.devices import Contact, Signal
from rig.twin.faults import Fault
from rig.twin.meter import KnownImage
from rig.twin.modbus import TwinModbus
from rig.twin.modbus_server import ModbusServer
from rig.twin.ports import RailProbe, Timeline
from rig.twin.rail_model import RailModel
from rig.twin.rigol_dp800 import TwinDP800
from rig.twin.rigol_ds1000z import TwinDS1000Z
from rig.twin.wire import LineServer
from rig.twin.world import World

NOISE_V = 0.06
"""Peak noise at the twin's probe: inside what its bench file states."""

NOWHERE = {
    "supply": "TCPIP::127.0.0.1::1::SOCKET",
    "oscilloscope": "TCPIP::127.0.0.1::2::SOCKET",
    "modbus": "127.0.0.1:3",
}
"""Addresses for a bench file whose servers are not up yet."""


@dataclass(frozen=True)
class Times:
    """Whose time is it: the model's line, the line that faces show, the rail as they see it, and who may touch it.

    `scale`: how long a second of the model takes outside.
    """

    model: Timeline
    faces: Timeline
    probe: Callable[[RailModel], RailProbe]
    lock: AbstractContextManager[object]
    scale: float = 1.0


class Rack:
    """One running twin. Close it when the run is over."""

    def __init__(
        self, draft: BenchConfig, fixtures: Sequence[Fixture], seed: int, faults: Sequence[Fault], times: Times
    ) -> None:
        """`draft` is the bench file before the servers' addresses are known."""
        self.config = draft
        self._times = times
        with times.lock:
            self.world = World(draft, times.model, known_images(fixtures), fixtures[0].version_from)
            self.supply = TwinDP800(times.model, self.world.supply, f"DP8TWIN{seed:08d}")
            probe = times.probe(self.world.rail)
            self.scope = TwinDS1000Z(times.faces, probe, seed, NOISE_V, f"DS1TWIN{seed:08d}")
            self.world.meter.on_activate = self._activated
        face = TwinModbus(self.world.meter, scale=times.scale)
        self.supply_wire: LineServer = LineServer("supply", self.supply.handle, times.model, times.lock)
        self.scope_wire: LineServer = LineServer("oscilloscope", self.scope.handle, times.model, times.lock)
        self.meter_wire: ModbusServer = ModbusServer(face, times.model, times.lock)
        self._faults = [f for f in faults if f.at_s is not None]

    @property
    def addresses(self) -> dict[str, str]:
        """Where its servers are, for the bench file."""
        return {
            "supply": self.supply_wire.address,
            "oscilloscope": self.scope_wire.address,
            "modbus": self.meter_wire.endpoint,
        }

    def close(self) -> None:
        for wire in (self.supply_wire, self.scope_wire, self.meter_wire):
            wire.close()

    # -- what faults use -----------------------------------------------------------------------------------------

    def act(self, faults: Sequence[Fault]) -> None:
        """What acts from the start acts now."""
        with self._times.lock:
            for fault in faults:
                if fault.at_s is None:
                    fault.act(self)

    def after(self, seconds: float, fn: Callable[[], None]) -> None:
        self._times.model.schedule(self._times.model.now() + to_ns(seconds), fn)

    def line(self, role: SenseRole) -> Signal:
        return self.world.lines[role]

    def contact(self, role: RelayRole) -> Contact:
        return self.world.contacts[role]

    def stick_line(self, role: RelayRole, level: int) -> None:
        """What drives this relay stays at this level, whatever is written."""
        raise NotImplementedError

    def lose_edge(self, line: int) -> None:
        """The next edge of this line is lost."""
        raise NotImplementedError

    def slew_clock(self, ppm: float) -> None:
        """From now on CLOCK_MONOTONIC runs that much faster than CLOCK_MONOTONIC_RAW."""
        raise NotImplementedError

    def _activated(self) -> None:
        for fault in self._faults:
            self.after(fault.at_s or 0.0, lambda f=fault: f.act(self))  # type: ignore[misc]
        self._faults = []


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


def filled(text: str, addresses: dict[str, str], name: str) -> BenchConfig:
    """The template `text` with these addresses, checked."""
    whole = Template(text).substitute(addresses)
    return check_bench(tomllib.loads(whole), whole, f"bench '{name}'")


def known_images(fixtures: Sequence[Fixture]) -> dict[str, KnownImage]:
    """What the twin's meter knows of these images, by their hash. All must start from one version of the meter."""
    known = {}
    for fixture in fixtures:
        if fixture.behaviour is None:
            raise InputError(
                f"fixture '{fixture.name}' has no [synthetic] behaviour: the twin cannot know what this meter does"
            )
        if fixture.version_from != fixtures[0].version_from:
            raise InputError(
                f"fixtures '{fixtures[0].name}' and '{fixture.name}' start from different versions of the meter",
                Where(key="--firmware", found=fixture.version_from, expected=fixtures[0].version_from),
            )
        known[fixture.sha256] = KnownImage(fixture.version_to, fixture.behaviour)
    return known


def draft(name: str) -> tuple[BenchConfig, str]:
    """The bench file of a twin before it is started, checked, and its text. Raises InputError for an unknown name."""
    text = template(name)
    return filled(text, NOWHERE, name), text


def harness_folder() -> Path:
    """Where the harness files are that the twins share with real benches."""
    package = Path(str(resources.files("rig")))
    return package / "wiring" if (package / "wiring").is_dir() else package.parent / "wiring"
