"""The harness against the world: pins that exist, labels that are where the header and ICHIS have them, no shorts."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel

from rig.bench.wiring.harness import Header, IchisPart, Pin
from rig.bench.wiring.pins import HEADER, ICHIS, POWER, header_label, plain
from rig.bench.wiring.subject import HARNESS, Contradiction, Subject, part_key
from rig.bench.wiring.wires import PinRef
from rig.toml_file import Key

_PIN_FIELDS = {
    "coil",
    "makes",
    "breaks",
    "poles",
    "through",
    "between",
    "live",
    "neutral",
    "feed",
    "output",
    "plus",
    "minus",
    "rail",
    "common",
}


def parts(subject: Subject) -> Iterator[Contradiction]:
    """Parts and pins that `rig` names and the drawing does not have."""
    connectors = subject.network.harness.content.connectors
    for name, part in subject.network.parts.items():
        if name not in connectors:
            yield Contradiction(HARNESS, part_key(name), "no connector has this name", name, "one of connectors")
            continue
        names = connectors[name].names()
        for key, pin in _pins(part):
            if pin not in names:
                expected = ", ".join(str(n) for n in names)
                yield Contradiction(HARNESS, part_key(name, *key), f"{name} has no such pin", repr(pin), expected)


def _pins(part: BaseModel) -> Iterator[tuple[Key, Pin]]:
    for field in type(part).model_fields:
        value = getattr(part, field)
        if field == "channels":
            for source, out in value.items():
                yield (field, source), source
                yield (field, source), out
        elif field == "outputs":
            for pin in value:
                yield (field, pin), pin
        elif field in _PIN_FIELDS:
            yield from (((field,), pin) for pin in _flat(value))


def _flat(value: object) -> Iterator[Pin]:
    if isinstance(value, list):
        for item in value:
            yield from _flat(item)
    elif isinstance(value, str | int):
        yield value


def labels(subject: Subject) -> Iterator[Contradiction]:
    """A label that stands at another pin than on the real connector."""
    for name, _ in subject.all_of(Header):
        yield from _labels(subject, name, {pin: header_label(pin) for pin in (*POWER, *HEADER.values())})
    for name, _ in subject.all_of(IchisPart):
        yield from _labels(subject, name, ICHIS)


def _labels(subject: Subject, name: str, real: dict[int, str]) -> Iterator[Contradiction]:
    connector = subject.network.harness.content.connectors[name]
    for pin, expected in sorted(real.items()):
        if pin not in connector.names():
            key: Key = ("connectors", name)
            yield Contradiction(
                HARNESS, key, f"{name} has no pin {pin}", ", ".join(map(str, connector.names())), str(pin)
            )
            return
        found = connector.label(pin)
        if found and plain(found) != plain(expected):
            key = ("connectors", name, "pinlabels", connector.names().index(pin))
            yield Contradiction(HARNESS, key, f"pin {pin} of {name} is another signal", found, expected)


def shorts(subject: Subject) -> Iterator[Contradiction]:
    """Pins of the header that wires join, though they are not of one kind."""
    header = subject.all_of(Header)[0][0]
    seen: set[frozenset[PinRef]] = set()
    for pin in sorted({*POWER, *HEADER.values()}):
        net = subject.network.net(PinRef(header, pin))
        if net in seen:
            continue
        seen.add(net)
        here = sorted(int(p.pin) for p in net if p.part == header)
        kinds = list(dict.fromkeys(header_label(p) for p in here))
        if len(kinds) > 1:
            wire = next(w for w in subject.network.wires if w.a in net)
            found = ", ".join(f"pin {p} ({header_label(p)})" for p in here)
            yield Contradiction(HARNESS, wire.key, "wires join pins of the header", found, "one signal on one net")
