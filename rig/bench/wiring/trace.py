"""Follows a signal through drivers, isolators and level inputs: from a header pin to what it drives, or what drives it.

Pure. An end is a coil, the watchdog's feed, a comparator, a sensor, a detector, an ICHIS pin or the emergency stop.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rig.bench.wiring.harness import (
    ChannelPart,
    Comparators,
    CurrentSensor,
    EmergencyStop,
    IchisPart,
    MainsDetector,
    RelayPart,
    WatchdogPart,
)
from rig.bench.wiring.network import Network
from rig.bench.wiring.wires import PinRef


@dataclass(frozen=True)
class End:
    """Where a signal ends: the pin there, the way to it, and whether it is inverted on the way."""

    kind: str
    pin: PinRef
    inverted: bool
    way: tuple[PinRef, ...]

    def __str__(self) -> str:
        return f"{self.kind} {self.pin}"


def driven(network: Network, pin: PinRef) -> list[End]:
    """What a level at this pin drives: relays' coils and the watchdog's feed."""
    return sorted(set(_driven(network, pin, False, ())), key=lambda end: end.pin.part)


def sources(network: Network, pin: PinRef) -> list[End]:
    """What drives the level at this pin."""
    return sorted(set(_sources(network, pin, False, ())), key=lambda end: str(end.pin))


def _driven(network: Network, pin: PinRef, inverted: bool, way: tuple[PinRef, ...]) -> Iterator[End]:
    for other in sorted(network.net(pin), key=str):
        part = network.parts.get(other.part)
        if isinstance(part, ChannelPart) and other.pin in part.channels and other not in way:
            out = PinRef(other.part, part.channels[other.pin])
            yield from _driven(network, out, inverted ^ part.inverting, (*way, other, out))
        elif isinstance(part, RelayPart) and other.pin in part.coil:
            yield End("relay", other, inverted, (*way, other))
        elif isinstance(part, WatchdogPart) and other.pin == part.feed:
            yield End("watchdog", other, inverted, (*way, other))


def _sources(network: Network, pin: PinRef, inverted: bool, way: tuple[PinRef, ...]) -> Iterator[End]:
    for other in sorted(network.net(pin), key=str):
        part = network.parts.get(other.part)
        if isinstance(part, ChannelPart) and other not in way:
            for source, out in part.channels.items():
                if out == other.pin:
                    start = PinRef(other.part, source)
                    yield from _sources(network, start, inverted ^ part.inverting, (*way, other, start))
            continue
        kind = _source_kind(network, other)
        if kind is not None:
            yield End(kind, other, inverted, (*way, other))


def _source_kind(network: Network, pin: PinRef) -> str | None:
    part = network.parts.get(pin.part)
    if isinstance(part, Comparators) and pin.pin in part.outputs:
        return "comparator"
    if isinstance(part, CurrentSensor | MainsDetector) and pin.pin == part.output:
        return "current sensor" if isinstance(part, CurrentSensor) else "mains detector"
    if isinstance(part, IchisPart):
        return "ICHIS"
    if isinstance(part, EmergencyStop) and any(pin.pin in pair for pair in part.breaks):
        return "emergency stop"
    return None
