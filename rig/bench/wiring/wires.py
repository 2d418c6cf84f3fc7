"""The wires of a harness: which pin each core joins to which. Knows WireViz' way of writing connections, not parts.

Understood: sets of `{NAME: [pins]}`, connectors and cables in turn, pins by number, name or label, ranges ('5-20').
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from rig.bench.wiring.harness import Cable, Connector, Harness, Pin
from rig.errors import InputError, Where
from rig.toml_file import Key, did_you_mean, dotted


@dataclass(frozen=True)
class PinRef:
    """One pin of one part."""

    part: str
    pin: Pin

    def __str__(self) -> str:
        return f"{self.part}:{self.pin}"


@dataclass(frozen=True)
class Wire:
    """One core of one cable between two pins; `label` is its signal. `key` is the connection set it stands in."""

    a: PinRef
    b: PinRef
    cable: str
    core: int
    colour: str
    gauge: str
    label: str
    key: Key


def wires(harness: Harness) -> tuple[Wire, ...]:
    """All wires, in the order of the file. Raises InputError for what is not understood, or joins nothing."""
    return tuple(_Reader(harness).all())


class _Reader:
    def __init__(self, harness: Harness) -> None:
        self._harness = harness
        self._connectors = harness.content.connectors
        self._cables = harness.content.cables
        self._used: dict[tuple[str, int], Key] = {}

    def all(self) -> Iterator[Wire]:
        for number, items in enumerate(self._harness.content.connections):
            yield from self._set(("connections", number), items)

    def _set(self, key: Key, items: list[object]) -> Iterator[Wire]:
        columns = [self._column((*key, index), item) for index, item in enumerate(items)]
        for (left, _), (right, _) in pairwise(columns):
            if (left in self._cables) == (right in self._cables):
                raise self._error(key, "connectors and cables do not take turns", f"{left}, {right}")
        lengths = {len(pins) for _, pins in columns}
        if len(lengths) > 1:
            counts = ", ".join(f"{name} {len(pins)}" for name, pins in columns)
            raise self._error(key, "a connection has as many pins of each part", counts, "equal numbers")
        for index, (name, cores) in enumerate(columns):
            if name not in self._cables:
                continue
            ends = columns[index - 1] if index else None, columns[index + 1] if index + 1 < len(columns) else None
            for row, core in enumerate(cores):
                self._use(key, name, int(core))
                if ends[0] is not None and ends[1] is not None:
                    a, b = (PinRef(end, pins[row]) for end, pins in ends if end)  # type: ignore[misc]
                    yield self._wire(a, b, name, int(core), key)

    def _wire(self, a: PinRef, b: PinRef, name: str, core: int, key: Key) -> Wire:
        cable = self._cables[name]
        gauge = "" if cable.gauge is None else f"{cable.gauge}"
        return Wire(a, b, name, core, cable.colour(core), gauge, cable.label(core), key)

    def _use(self, key: Key, cable: str, core: int) -> None:
        before = self._used.setdefault((cable, core), key)
        if before is not key:
            line = self._harness.line(before)
            raise self._error(
                key, "a core is used twice", f"core {core} of {cable}", f"a free one (line {line} has it)"
            )

    def _column(self, key: Key, item: object) -> tuple[str, list[Pin]]:
        if not isinstance(item, dict) or len(item) != 1:
            raise self._error(key, "not understood here", repr(item), "{NAME: [pins]}")
        ((name, value),) = item.items()
        known = [*self._connectors, *self._cables]
        if name not in known:
            raise self._error(key, f"no such part{did_you_mean(str(name), known)}", str(name), "a connector or a cable")
        pins = [pin for entry in (value if isinstance(value, list) else [value]) for pin in _expanded(entry)]
        part = self._connectors.get(name) or self._cables[name]
        return str(name), [self._pin((*key, name), str(name), part, pin) for pin in pins]

    def _pin(self, key: Key, name: str, part: Connector | Cable, pin: object) -> Pin:
        if isinstance(part, Cable):
            if isinstance(pin, int) and not isinstance(pin, bool) and 1 <= pin <= part.count():
                return pin
            raise self._error(key, f"{name} has no such core", repr(pin), f"1 to {part.count()}")
        if isinstance(pin, str | int) and pin in part.names():
            return pin
        labelled = [name for name, label in zip(part.names(), part.pinlabels, strict=False) if label == pin]
        if len(labelled) == 1:
            return labelled[0]
        expected = ", ".join(str(name) for name in part.names())
        words = "has several pins of this label" if labelled else "has no such pin"
        raise self._error(key, f"{name} {words}", repr(pin), expected)

    def _error(self, key: Key, message: str, found: str, expected: str | None = None) -> InputError:
        return InputError(message, Where(self._harness.file, dotted(key), self._harness.line(key), found, expected))


def _expanded(entry: object) -> Iterator[object]:
    """WireViz writes 5-20 (and 20-5) for a range."""
    match = re.fullmatch(r"([0-9]{1,3})-([0-9]{1,3})", entry) if isinstance(entry, str) else None
    if match is None:
        yield entry
        return
    first, last = int(match[1]), int(match[2])
    yield from range(first, last + 1) if first <= last else range(first, last - 1, -1)
