"""What the checks look at: the bench file's model and its harness side by side, parts found by what they do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

from rig.bench.config import BenchConfig, GpiodSenseTable, GpioRelayTable
from rig.bench.wiring.harness import (
    EmergencyStop,
    Header,
    IchisPart,
    LivePart,
    LoadPart,
    Polarised,
    Probe,
    RelayPart,
    WatchdogPart,
)
from rig.bench.wiring.network import Network, State
from rig.bench.wiring.pins import COMMON_PINS, FEED_PINS, GPIO_AT, HEADER
from rig.bench.wiring.trace import driven
from rig.bench.wiring.wires import PinRef
from rig.toml_file import Key

HARNESS: Key = ("wiring", "harness")
"""Where the bench file names its harness: the bench's side of what is wrong in the harness alone."""

FED_BY = {"meter-feed": "the meter", "supply-feed": "the supply"}
"""What the relay of this role brings to the hub."""

P = TypeVar("P")


@dataclass(frozen=True)
class Contradiction:
    """One thing that does not fit: the keys in both files, what is wrong, what was found and what was expected."""

    bench: Key
    harness: Key
    message: str
    found: str
    expected: str


def part_key(name: str, *more: str | int) -> Key:
    """Where the harness says what a part does."""
    return ("rig", "parts", name, *more)


@dataclass(frozen=True)
class Subject:
    """One bench and its harness."""

    config: BenchConfig
    network: Network

    def relays(self) -> list[tuple[int, GpioRelayTable]]:
        """The relays on the header's lines, with their place in the bench file. Others' drive is not in the harness."""
        return [(i, r) for i, r in enumerate(self.config.relay) if isinstance(r, GpioRelayTable)]

    def lines(self) -> list[tuple[int, GpiodSenseTable]]:
        """The sense lines on the header, with their place in the bench file."""
        return [(i, s) for i, s in enumerate(self.config.sense) if isinstance(s, GpiodSenseTable)]

    def all_of(self, kind: type[P]) -> list[tuple[str, P]]:
        return [(name, part) for name, part in self.network.parts.items() if isinstance(part, kind)]

    def poles(self, kind: str) -> tuple[str, Polarised]:
        return next((n, p) for n, p in self.all_of(Polarised) if p.kind == kind)

    def live(self, kind: str) -> tuple[str, LivePart] | None:
        return next(((n, p) for n, p in self.all_of(LivePart) if p.kind == kind), None)

    def ichis(self, side: str) -> str | None:
        return next((n for n, p in self.all_of(IchisPart) if p.side == side), None)

    def header(self) -> str:
        return self.all_of(Header)[0][0]

    def gpio(self, number: int) -> PinRef | None:
        """The header pin of a GPIO; None where the header has none."""
        pin = HEADER.get(number)
        return None if pin is None else PinRef(self.all_of(Header)[0][0], pin)

    @property
    def hub(self) -> str:
        return next(n for n, p in self.all_of(IchisPart) if p.side == "hub")

    @property
    def node(self) -> PinRef:
        """The hub's 12 V."""
        return PinRef(self.hub, FEED_PINS[0])

    @property
    def common(self) -> PinRef:
        """ICHIS common at the hub."""
        return PinRef(self.hub, COMMON_PINS[0])

    def feeds(self) -> dict[str, PinRef]:
        """What may feed the rail, by the words of a message."""
        name, supply = self.poles("supply")
        found = {"the supply": PinRef(name, supply.plus)}
        meter = self.ichis("meter")
        if meter is not None:
            found["the meter"] = PinRef(meter, FEED_PINS[0])
        return found

    def watchdog_relays(self) -> frozenset[str]:
        """The relays that the watchdog keeps energised."""
        name, part = self.all_of(WatchdogPart)[0]
        ends = driven(self.network, PinRef(name, part.output))
        return frozenset(end.pin.part for end in ends if end.kind == "relay")

    def watchdog_gpio(self) -> int | None:
        """The one GPIO that feeds the watchdog."""
        name, part = self.all_of(WatchdogPart)[0]
        header = self.all_of(Header)[0][0]
        pins = [p.pin for p in self.network.net(PinRef(name, part.feed)) if p.part == header]
        return GPIO_AT.get(int(pins[0])) if len(pins) == 1 else None

    def wire_key(self, pin: PinRef | None) -> Key:
        """The connection set in which a pin stands first, or the part when no wire is on it."""
        if pin is None:
            return ("rig", "parts")
        return next((w.key for w in self.network.wires if pin in (w.a, w.b)), ("connectors", pin.part))

    def part_of(self, name: str) -> RelayPart | None:
        """The relay of this name."""
        part = self.network.parts.get(name)
        return part if isinstance(part, RelayPart) else None

    def state(self, *energised: str, pressed: bool = False, fed: bool = True) -> State:
        """These relays energised, and the watchdog's too while it is `fed`."""
        return State(frozenset(energised) | (self.watchdog_relays() if fed else frozenset()), pressed)


def missing(subject: Subject) -> Iterator[Contradiction]:
    """Parts that every bench of this topology has, and the harness has not, or has twice."""
    wanted: dict[str, int] = {
        "header": len(subject.all_of(Header)),
        "ichis with side hub": sum(p.side == "hub" for _, p in subject.all_of(IchisPart)),
        "supply": sum(p.kind == "supply" for _, p in subject.all_of(Polarised)),
        "coil-supply": sum(p.kind == "coil-supply" for _, p in subject.all_of(Polarised)),
        "emergency-stop": len(subject.all_of(EmergencyStop)),
        "watchdog": len(subject.all_of(WatchdogPart)),
        "load": len(subject.all_of(LoadPart)),
        "probe": len(subject.all_of(Probe)),
    }
    if subject.config.topology.kind == "ichis":
        wanted["ichis with side meter"] = sum(p.side == "meter" for _, p in subject.all_of(IchisPart))
    if any(relay.role == "mains" for relay in subject.config.relay):
        for kind in ("mains", "meter"):
            wanted[kind] = sum(p.kind == kind for _, p in subject.all_of(LivePart))
    for kind, count in wanted.items():
        if count != 1:
            yield Contradiction(
                HARNESS, ("rig", "parts"), f"the harness has one part of the kind {kind}", str(count), "1"
            )
