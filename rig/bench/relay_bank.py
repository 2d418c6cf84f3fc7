"""The bench's relays with their interlocks: forbidden pairs, break before make, least dwell, every move remembered.

Knows roles, not wires. A refused move changes nothing, and is never put off. The dead time of a feed begins anew where
nobody knows since when it is open: at the start, and after a safe state; so does every relay's dwell.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass

from rig.bench.config import RelayRole
from rig.bench.wear import Wear, WearBook
from rig.clock import Clock, to_ns
from rig.errors import BenchError, Refused
from rig.instruments.ports import Relay

FEEDS: tuple[RelayRole, ...] = ("meter-feed", "supply-feed")
"""The two feeds of the hub: never closed together, for then nobody could say who fed it."""


@dataclass(frozen=True)
class Move:
    """The rig moved a relay between these two instants (ns)."""

    before_ns: int
    after_ns: int
    role: RelayRole
    closed: bool


class RelayBank:
    """All relays of one bench, by role. `dwell_s`: least time between two moves of one relay (default 0)."""

    def __init__(
        self,
        relays: Mapping[RelayRole, Relay],
        clock: Clock,
        dead_time_s: float,
        dwell_s: Mapping[RelayRole, float] | None = None,
        wear: WearBook | None = None,
    ) -> None:
        self._relays = dict(relays)
        self._clock = clock
        self._dead_ns = to_ns(dead_time_s)
        self._dwell_ns = {role: to_ns((dwell_s or {}).get(role, 0.0)) for role in self._relays}
        self._wear = wear
        self._moved_ns: dict[RelayRole, int] = {role: clock.now() for role in self._relays}
        self._opened_ns: dict[RelayRole, int] = {role: clock.now() for role in self._relays}
        self.moves: list[Move] = []

    def set(self, role: RelayRole, closed: bool) -> Move:
        """Move one relay and read its line back. Raises Refused when an interlock forbids it."""
        relay = self._relays[role]
        if closed:
            self._check(role)
        if relay.read() == closed:
            now = self._clock.now()
            return Move(now, now, role, closed)
        self._check_dwell(role)
        if closed and self._wear is not None:
            self._wear.closing(relay.name)
        before = self._clock.now()
        self._moved_ns[role] = before
        relay.set(closed)
        move = Move(before, self._clock.now(), role, closed)
        self._moved_ns[role] = move.after_ns
        if not closed:
            self._opened_ns[role] = move.after_ns
        self.moves.append(move)
        return move

    def closed(self, role: RelayRole) -> bool:
        """The commanded position, read back from the line."""
        return self._relays[role].read()

    def name(self, role: RelayRole) -> str:
        return self._relays[role].name

    def make_safe(self) -> dict[str, bool]:
        """Every relay to its safe position; by name, whether its line says so. Goes on when one of them fails."""
        found = {}
        for role, relay in self._relays.items():
            try:
                found[relay.name] = relay.make_safe()
            except BenchError:
                found[relay.name] = False
            self._opened_ns[role] = self._moved_ns[role] = self._clock.now()
        return found

    def wear(self) -> tuple[Wear, ...]:
        """The operations of each relay that has a rated life."""
        return self._wear.rows() if self._wear is not None else ()

    def close(self) -> None:
        """Give back all lines, also when one of them fails; its BenchError is raised in the end."""
        with ExitStack() as stack:
            for relay in self._relays.values():
                stack.callback(relay.close)

    def _check_dwell(self, role: RelayRole) -> None:
        if self._clock.now() - self._moved_ns[role] < self._dwell_ns[role]:
            dwell_s = self._dwell_ns[role] / 1e9
            raise Refused(
                f"relay {self.name(role)} stays as it is: it was moved less than its dwell, {dwell_s:g} s, ago"
            )

    def _check(self, role: RelayRole) -> None:
        if role not in FEEDS:
            return
        other = next(r for r in FEEDS if r != role)
        if self._relays[other].read():
            raise Refused(f"relay {self.name(role)} stays open: {self.name(other)} is closed, and both never are")
        opened = self._opened_ns.get(other)
        if opened is not None and self._clock.now() - opened < self._dead_ns:
            raise Refused(f"relay {self.name(role)} stays open: {self.name(other)} opened less than the dead time ago")
