"""What is joined to what: by wires alone (nets), and through contacts in a given state (reach). Pure.

A net is all pins that wires and terminal blocks join. Contacts join nets: which do depends on the relays that are
energised and on the emergency stop. A load, a coil and a comparator's input join nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from rig.bench.wiring.harness import (
    CurrentSensor,
    EmergencyStop,
    Harness,
    Pin,
    Protection,
    RelayPart,
    Terminal,
)
from rig.bench.wiring.wires import PinRef, wires


@dataclass(frozen=True)
class State:
    """Which relays are energised; whether the emergency stop is pressed. `every`: all contacts at once conduct."""

    energised: frozenset[str] = frozenset()
    pressed: bool = False
    every: bool = False


class Network:
    """The harness as a graph."""

    def __init__(self, harness: Harness) -> None:
        self.harness = harness
        self.parts = harness.content.rig.parts
        self.wires = wires(harness)
        self._neighbours: dict[PinRef, list[PinRef]] = {}
        for wire in self.wires:
            self._join(wire.a, wire.b)
        for name, connector in harness.content.connectors.items():
            for a, b in connector.loops:
                self._join(PinRef(name, a), PinRef(name, b))
            if isinstance(self.parts.get(name), Terminal):
                for a, b in combinations(connector.names(), 2):
                    self._join(PinRef(name, a), PinRef(name, b))

    def net(self, pin: PinRef) -> frozenset[PinRef]:
        """All pins that are joined to this one without a contact between."""
        return frozenset(self._spread([pin], None))

    def reach(self, pin: PinRef, state: State) -> frozenset[PinRef]:
        """All pins that are joined to this one in this state."""
        return frozenset(self._spread([pin], state))

    def way(self, starts: list[PinRef], goals: frozenset[PinRef], state: State) -> tuple[PinRef, ...]:
        """The shortest way from one of `starts` to one of `goals` in this state; empty when there is none."""
        before = self._spread(starts, state)
        goal = next((pin for pin in before if pin in goals), None)
        way: list[PinRef] = []
        while goal is not None:
            way.insert(0, goal)
            goal = before[goal]
        return tuple(way)

    def label(self, pin: PinRef) -> str:
        """What stands at this pin, or nothing."""
        return self.harness.content.connectors[pin.part].label(pin.pin)

    def _join(self, a: PinRef, b: PinRef) -> None:
        self._neighbours.setdefault(a, []).append(b)
        self._neighbours.setdefault(b, []).append(a)

    def _spread(self, starts: list[PinRef], state: State | None) -> dict[PinRef, PinRef | None]:
        """Every pin that is reached, nearest first, with the pin before it."""
        contacts = self._contacts(state) if state is not None else {}
        before: dict[PinRef, PinRef | None] = dict.fromkeys(starts)
        queue = deque(starts)
        while queue:
            pin = queue.popleft()
            for neighbour in [*self._neighbours.get(pin, []), *contacts.get(pin, [])]:
                if neighbour not in before:
                    before[neighbour] = pin
                    queue.append(neighbour)
        return before

    def _contacts(self, state: State) -> dict[PinRef, list[PinRef]]:
        joined: dict[PinRef, list[PinRef]] = {}
        for name, (a, b) in self._closed(state):
            joined.setdefault(PinRef(name, a), []).append(PinRef(name, b))
            joined.setdefault(PinRef(name, b), []).append(PinRef(name, a))
        return joined

    def _closed(self, state: State) -> Iterator[tuple[str, list[Pin]]]:
        for name, part in self.parts.items():
            pairs: list[list[Pin]] = []
            if isinstance(part, RelayPart):
                on = name in state.energised
                pairs = (part.makes if on or state.every else []) + (part.breaks if not on or state.every else [])
            elif isinstance(part, EmergencyStop):
                pairs = part.breaks if not state.pressed or state.every else []
            elif isinstance(part, Protection):
                pairs = part.poles
            elif isinstance(part, CurrentSensor):
                pairs = [part.through]
            for pair in pairs:
                yield name, pair
