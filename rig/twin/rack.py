"""What every running twin is made of: one world, the faces of its instruments, and their wires on loopback.

Knows no clock: the model's time line, and the one that the instruments show outside, are given. Faults act on it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from string import Template

from rig.bench.config import BenchConfig, RelayRole, SenseRole, check_bench
from rig.clock import to_ns
from rig.errors import InputError, Where
from rig.firmware import Fixture
from rig.shipped import shipped
from rig.toml_file import did_you_mean
from rig.twin.choice import METER, chosen, split
from rig.twin.devices import Contact, Signal
from rig.twin.dlms.face import TwinDlms
from rig.twin.faces import OSCILLOSCOPES, SUPPLIES
from rig.twin.faults import Fault, Phase
from rig.twin.meter import KnownImage
from rig.twin.meters import NOWHERE, MeterWire, connect, with_meter
from rig.twin.ports import RailProbe, Timeline
from rig.twin.rail_model import RailModel
from rig.twin.supplies.korad import KoradServer
from rig.twin.wire import LineServer
from rig.twin.world import World

NOISE_V = 0.06
"""Peak noise at the twin's probe: inside what its bench file states."""

_OUTSIDE = "twin-outside"
_SUFFIXES = {"-rtu": "modbus-rtu", "-optical": "optical", "-dlms": "dlms"}
"""What a bench's name may end in, and the meter that it has then."""
_LONGEST_MODEL = 16
"""Characters of the register that tells the meter's model."""


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
        for fault in faults:
            fault.check(draft)
        self.config = draft
        self._times = times
        with times.lock:
            first = fixtures[0]
            self.world: World = World(draft, times.model, known_images(fixtures), first.version_from, first.hardware)
            self.supply = SUPPLIES[draft.supply[0].driver].make(self.world.supply, seed)
            probe = times.probe(self.world.rail)
            self.scope = OSCILLOSCOPES[draft.oscilloscope[0].driver].make(times.faces, probe, seed, NOISE_V)
            self._hooks()
        self.supply_wire: LineServer | KoradServer = SUPPLIES[draft.supply[0].driver].wire(
            self.supply, times.model, times.lock
        )
        self.scope_wire: LineServer = LineServer("oscilloscope", self.scope.handle, times.model, times.lock)
        meter = connect(draft, self.world.meter, times.model, times.lock, times.scale)
        self.meter_wire: MeterWire = meter.wire
        self.dlms: TwinDlms | None = meter.dlms
        """The face of a meter on DLMS."""
        self._credentials = meter.credentials
        self._meter_place = {meter.kind: meter.address}
        if meter.credentials is not None:
            self._meter_place["credentials"] = str(meter.credentials)
        self._faults = [f for f in faults if f.at_s is not None]
        self._phases: dict[Phase, list[Fault]] = {
            phase: [f for f in faults if f.phase == phase] for phase in ("transfer", "verification")
        }

    def _hooks(self) -> None:
        meter = self.world.meter
        meter.on_activate = self._activated
        meter.on_transfer = lambda: self._phase("transfer")
        meter.on_verify = lambda: self._phase("verification")

    @property
    def addresses(self) -> dict[str, str]:
        """Where its servers are, for the bench file; its meter as `modbus`, `serial`, `optical` or `dlms`."""
        return {
            "supply": self.supply_wire.address,
            "oscilloscope": self.scope_wire.address,
            **self._meter_place,
        }

    def close(self) -> None:
        for wire in (self.supply_wire, self.scope_wire, self.meter_wire):
            wire.close()
        if self._credentials is not None:
            self._credentials.unlink(missing_ok=True)

    # -- what faults use -----------------------------------------------------------------------------------------

    def act(self, faults: Sequence[Fault]) -> None:
        """What acts from the start acts now."""
        with self._times.lock:
            for fault in faults:
                if fault.at_s is None and fault.phase is None:
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

    def step_utc(self, seconds: float) -> None:
        """NTP steps the wall clock."""
        raise NotImplementedError

    def slew_clock(self, ppm: float) -> None:
        """From now on CLOCK_MONOTONIC runs that much faster than CLOCK_MONOTONIC_RAW."""
        raise NotImplementedError

    def _phase(self, phase: Phase) -> None:
        """Each fault of a phase acts once."""
        begin, self._phases[phase] = self._phases[phase], []
        for fault in begin:
            fault.act(self)

    def _activated(self) -> None:
        for fault in self._faults:
            self.after(fault.at_s or 0.0, lambda f=fault: f.act(self))  # type: ignore[misc]
        self._faults = []


def names() -> list[str]:
    """The twin benches that the package carries; `-rtu`, `-optical` and `-dlms` are the same with another meter."""
    stems = [path.stem for path in _folder().glob("*.toml")]
    return sorted([*stems, *(stem + end for stem in stems if stem != _OUTSIDE for end in _SUFFIXES)])


def template(asked: str) -> str:
    """The bench file of a twin, its addresses still open. `asked`: its name, and options (`rig.twin.choice`).

    Raises InputError for an unknown name or option.
    """
    name, options = split(asked)
    if name not in names():
        hint = did_you_mean(name, names())
        raise InputError(f"no bench '{name}'{hint}; known: {', '.join(names())}, or the path of a bench file (.toml)")
    end = next((end for end in _SUFFIXES if name.endswith(end)), "")
    stem = name.removesuffix(end)
    text = (_folder() / f"{stem}.toml").read_text(encoding="utf-8")
    if end and METER in options:
        where = Where(key="--bench", found=repr(asked), expected=f"{stem} with {METER}=..., or {name} without")
        raise InputError("the meter is said twice", where)
    if end:
        text = with_meter(text, _SUFFIXES[end]).replace(f'name = "{stem}"', f'name = "{name}"', 1)
    return chosen(text, options)


def _folder() -> Path:
    return Path(str(resources.files("rig.twin"))) / "benches"


def filled(text: str, name: str, addresses: Mapping[str, str] | None = None) -> BenchConfig:
    """The template `text` of the twin `name` with these addresses, checked. Without: before its servers are up."""
    if addresses is None:
        tables = tomllib.loads(text)
        supply, scope = tables["supply"][0]["driver"], tables["oscilloscope"][0]["driver"]
        nowhere = {"supply": SUPPLIES[supply].nowhere, "oscilloscope": OSCILLOSCOPES[scope].nowhere}
        addresses = nowhere
    whole = Template(text).substitute({**NOWHERE, **addresses})
    return check_bench(tomllib.loads(whole), whole, f"bench '{name}'")


def known_images(fixtures: Sequence[Fixture]) -> dict[str, KnownImage]:
    """What the twin's meter knows of these images, by their hash. It starts at the version that the first replaces."""
    known = {}
    for fixture in fixtures:
        if fixture.behaviour is None:
            raise InputError(
                f"fixture '{fixture.name}' has no [synthetic] behaviour: the twin cannot know what this meter does"
            )
        if len(fixture.hardware) > _LONGEST_MODEL or not fixture.hardware.isascii():
            expected = f"at most {_LONGEST_MODEL} ASCII characters"
            where = Where(found=repr(fixture.hardware), expected=expected)
            raise InputError(
                f"fixture '{fixture.name}': the twin's meter cannot say that it is of this hardware", where
            )
        known[fixture.sha256] = KnownImage(fixture.version_to, fixture.behaviour)
    return known


def draft(name: str) -> tuple[BenchConfig, str]:
    """The bench file of a twin before it is started, checked, and its text. Raises InputError for an unknown name."""
    text = template(name)
    return filled(text, name), text


def harness_folder() -> Path:
    """Where the harness files are that the twins share with real benches."""
    return shipped("wiring")
