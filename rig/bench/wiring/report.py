"""The whole check of one bench: every contradiction, and the table to wire from when there is none (`rig.wiring/1`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from rig.bench.circuit import discharge_s
from rig.bench.config import BenchConfig
from rig.bench.wiring import check_circuit, check_coils, check_feeds, check_guardian, check_pins, check_signals
from rig.bench.wiring.harness import Comparators, CurrentSensor, Harness, WatchdogPart, load_harness
from rig.bench.wiring.network import Network
from rig.bench.wiring.pins import GPIO_AT, HEADER
from rig.bench.wiring.subject import HARNESS, Contradiction, Subject, missing
from rig.bench.wiring.trace import driven, sources
from rig.bench.wiring.values import Band, current_band, rail_band, watchdog_band
from rig.bench.wiring.wires import PinRef
from rig.errors import InputError, Where
from rig.toml_file import dotted, line_of

_FIRST = (check_pins.parts, missing)
"""What the other checks rely on."""

_CHECKS: tuple[Callable[[Subject], Iterator[Contradiction]], ...] = (
    check_pins.labels,
    check_pins.shorts,
    check_circuit.node,
    check_signals.relays,
    check_signals.lines,
    check_feeds.feeds,
    check_feeds.current,
    check_feeds.mains,
    check_coils.coils,
    check_coils.watchdog,
    check_guardian.watchdog,
    check_guardian.stop,
    check_circuit.isolation,
    check_circuit.load,
    check_circuit.probe,
)


@dataclass(frozen=True)
class Signal:
    """One GPIO: what it is for, and the way from the header through the parts. `gpio` is the BCM number."""

    name: str
    role: str
    gpio: int
    pin: int
    direction: str
    active: str
    way: tuple[str, ...]


@dataclass(frozen=True)
class BandRow:
    """A comparator's band: what the components give at their worst, and what the bench file states."""

    name: str
    unit: str
    worst: tuple[float, float]
    stated: tuple[float, float]


@dataclass(frozen=True)
class WireRow:
    """One core to wire: `signal` is its label, `node` what the net is at the hub."""

    signal: str
    start: str
    via: str
    colour: str
    gauge: str
    end: str
    node: str


@dataclass(frozen=True)
class Report:
    """What `rig wiring` says of one bench. Without errors, the rows are there."""

    bench: str
    file: str
    harness: str
    errors: tuple[InputError, ...]
    signals: tuple[Signal, ...] = ()
    bands: tuple[BandRow, ...] = ()
    watchdog_s: tuple[float, float] | None = None
    discharge_s: float | None = None
    wires: tuple[WireRow, ...] = ()
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The object `rig.wiring/1`."""
        body = asdict(self)
        del body["errors"]
        return {"schema": "rig.wiring/1", **body}


def checked(config: BenchConfig, text: str, file: str, folder: Path) -> Report:
    """The bench file (`config`, written as `text` in `file`) against the harness that it names below `folder`.

    Raises InputError when there is no harness, or one that cannot be read.
    """
    if config.wiring is None:
        where = Where(file, dotted(HARNESS), None, "nothing", 'harness = "my-bench.harness.yml"')
        raise InputError("the bench file names no harness", where)
    path = folder / config.wiring.harness
    if not path.exists():
        where = Where(file, dotted(HARNESS), line_of(text, HARNESS), str(path), "a WireViz file")
        raise InputError("no such harness", where)
    harness = load_harness(path)
    subject = Subject(config, Network(harness))
    found = list(chain.from_iterable(check(subject) for check in _FIRST))
    if not found:
        found = list(chain.from_iterable(check(subject) for check in _CHECKS))
    if found:
        errors = tuple(_error(c, text, file, harness) for c in found)
        return Report(config.bench.name, file, harness.file, errors)
    return _told(subject, file)


def _error(found: Contradiction, text: str, file: str, harness: Harness) -> InputError:
    """One line that names both files; the first is the one in which the wrong thing stands."""
    key = found.bench
    while key and line_of(text, key) is None:
        key = key[:-1]
    bench, other = (file, line_of(text, key)), (harness.file, harness.line(found.harness))
    if found.bench == HARNESS:
        where, also, name = other, bench, dotted(found.harness)
    else:
        where, also, name = bench, other, dotted(found.bench)
    see = f"{also[0]}:{also[1]}" if also[1] else also[0]
    return InputError(f"{found.message}; see {see}", Where(where[0], name, where[1], found.found, found.expected))


# -- the table -----------------------------------------------------------------------------------------------------


def _told(subject: Subject, file: str) -> Report:
    ((_, part),) = subject.all_of(WatchdogPart)
    lets_go = watchdog_band(part)
    return Report(
        bench=subject.config.bench.name,
        file=file,
        harness=subject.network.harness.file,
        errors=(),
        signals=tuple(_signals(subject)),
        bands=tuple(_bands(subject)),
        watchdog_s=(lets_go.low, lets_go.high),
        discharge_s=discharge_s(subject.config),
        wires=tuple(_wires(subject)),
        notes=tuple(_notes(subject)),
    )


def _signals(subject: Subject) -> Iterator[Signal]:
    for _, relay in subject.relays():
        pin = PinRef(subject.header(), HEADER[relay.pin])
        (end,) = driven(subject.network, pin)
        yield Signal(relay.name, relay.role, relay.pin, HEADER[relay.pin], "out", relay.active, _way(end.way))
    gpio = subject.watchdog_gpio()
    if gpio is not None:
        pin = PinRef(subject.header(), HEADER[gpio])
        (fed,) = driven(subject.network, pin)
        ((name, part),) = subject.all_of(WatchdogPart)
        kept = driven(subject.network, PinRef(name, part.output))[0]
        way = (*fed.way, PinRef(name, part.output), *kept.way)
        yield Signal("watchdog", "watchdog", gpio, HEADER[gpio], "out", "edges", _way(way))
    stop = subject.config.guardian.estop_pin
    if stop is not None:
        way = sources(subject.network, PinRef(subject.header(), HEADER[stop]))[0].way
        pressed = subject.config.guardian.estop_pressed or "high"
        yield Signal("stop", "guardian's emergency stop", stop, HEADER[stop], "in", pressed, _way(way))
    for _, line in subject.lines():
        pin = PinRef(subject.header(), HEADER[line.line])
        end = sources(subject.network, pin)[0]
        yield Signal(line.name, line.role, line.line, HEADER[line.line], "in", line.active, _way(end.way))


def _way(way: tuple[PinRef, ...]) -> tuple[str, ...]:
    return tuple(str(pin) for pin in way)


def _bands(subject: Subject) -> Iterator[BandRow]:
    for _, line in subject.lines():
        end = sources(subject.network, PinRef(subject.header(), HEADER[line.line]))[0]
        part = subject.network.parts.get(end.pin.part)
        if isinstance(part, Comparators) and line.band_v is not None:
            yield _row(line.name, "V", rail_band(part, part.outputs[end.pin.pin]), line.band_v)
        elif isinstance(part, CurrentSensor) and line.band_a is not None:
            yield _row(line.name, "A", current_band(part), line.band_a)


def _row(name: str, unit: str, worst: Band, stated: list[float]) -> BandRow:
    return BandRow(name, unit, (worst.low, worst.high), (stated[0], stated[1]))


def _wires(subject: Subject) -> Iterator[WireRow]:
    network = subject.network
    nets = {network.net(subject.node): subject.config.rail.node, network.net(subject.common): "common"}
    for words, pin in subject.feeds().items():
        nets.setdefault(network.net(pin), words.removeprefix("the "))
    for wire in network.wires:
        ends = [f"{pin} {network.label(pin)}".rstrip() for pin in (wire.a, wire.b)]
        node = nets.get(network.net(wire.a), "")
        yield WireRow(wire.label, ends[0], f"{wire.cable}.{wire.core}", wire.colour, wire.gauge, ends[1], node)


def _notes(subject: Subject) -> Iterator[str]:
    """What is wired and this bench file does not use; what the harness does not show."""
    guardian = subject.config.guardian
    used = [*(r.pin for _, r in subject.relays()), *(s.line for _, s in subject.lines())]
    used += [n for n in (subject.watchdog_gpio(), guardian.estop_pin) if n is not None]
    if guardian.watchdog_pin is None:
        gpio = subject.watchdog_gpio()
        yield f"without pulses on GPIO {gpio} the feeds stay open, and this bench file's guardian gives none"
    header = subject.header()
    for pin, line in sorted(GPIO_AT.items()):
        net = subject.network.net(PinRef(header, pin))
        if line not in used and len(net) > 1:
            yield f"GPIO {line} (pin {pin}) is wired, and this bench file does not use it"
    others = [r.name for r in subject.config.relay if r not in [mine for _, mine in subject.relays()]]
    if others:
        yield f"not on the header, so their drive is not checked: {', '.join(others)}"
