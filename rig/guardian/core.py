"""What the guardian decides: which relay may move when, and what is over. Owns the relays; waits for nothing itself.

Whoever runs it asks `due_ns` when it wants to be called again, and calls `tick` then; every request does so too. A
refused request changes nothing. After a trip everything is safe, and nothing is closed any more.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from rig.errors import BenchError, Refused

if TYPE_CHECKING:
    from rig.instruments.ports import Relay

MOVES_KEPT = 256
"""The last ones: a guardian may live for weeks."""
STOP_POLL_NS = 50_000_000
"""How often the emergency-stop line is looked at: the stop itself drops the feed without any software."""


@dataclass(frozen=True)
class Rules:
    """The interlocks of one bench. Roles name relays; times in ns.

    `forbidden`: pairs of roles that are never closed together, and `dead_ns` how long one of them must have been open
    before the other may close. `feeds`: the roles that feed the hub: closed only between `arm` and `stand_down`, and
    never longer than `energised_ns`. `dwell_ns`: how long a relay stays where it went before a request moves it again.
    `silent_ns`: how long no beat may come while armed; None where the guardian lives inside the controller.
    """

    forbidden: tuple[tuple[str, str], ...]
    feeds: tuple[str, ...]
    dead_ns: int
    energised_ns: int
    dwell_ns: Mapping[str, int]
    silent_ns: int | None = None


@dataclass(frozen=True)
class Move:
    """The rig moved a relay between these two instants (ns)."""

    before_ns: int
    after_ns: int
    role: str
    closed: bool


class Why(Enum):
    """What made the guardian act."""

    SILENT = "the controller is silent"
    ENERGISED = "energised too long"
    STOP = "the emergency stop acts"
    TOLD = "told to stop"


@dataclass(frozen=True)
class Trip:
    """The guardian acted: why, in words, and whether each relay (by name) reads safe."""

    why: Why
    text: str
    safe: Mapping[str, bool]


class Core:
    """See the module. `pressed` reads the emergency-stop line; a line that cannot be read counts as pressed.

    Where nobody knows since when a relay stands where it stands (at the start, after a safe state, after a move that
    failed), all its times begin anew.
    """

    def __init__(
        self,
        rules: Rules,
        relays: Mapping[str, Relay],
        now: Callable[[], int],
        pressed: Callable[[], bool] | None = None,
    ) -> None:
        self._rules = rules
        self._relays = dict(relays)
        self._now = now
        self._pressed = pressed
        self._moved_ns: dict[str, int] = dict.fromkeys(self._relays, now())
        self._closed_ns: dict[str, int] = {}  # feeds that may be closed, and since when
        self._heard_ns = now()
        self._looked_ns = now()
        self.armed = False
        self.tripped: Trip | None = None
        self.moves: deque[Move] = deque(maxlen=MOVES_KEPT)
        self.moved = 0
        """How often anything moved, ever."""

    # -- requests ------------------------------------------------------------------------------------------------

    def arm(self) -> None:
        """Feeds may be closed from now on, and beats are expected. Raises Refused when one of them is not open."""
        self.tick()
        if self.tripped is not None:
            raise Refused(f"the guardian does not arm: {self.tripped.text}")
        for role in self._rules.feeds:
            if self._relays[role].read():
                raise Refused(f"the guardian does not arm: relay {self.name(role)} is closed")
        self._heard_ns = self._now()
        self.armed = True

    def stand_down(self) -> None:
        """The safe state was proven: silence is no matter any more. Raises Refused while a feed is closed."""
        for role in self._rules.feeds:
            if self._relays[role].read():
                raise Refused(f"the guardian does not stand down: relay {self.name(role)} is closed")
        self.armed = False

    def set(self, role: str, closed: bool) -> Move:
        """Move one relay and read its line back. Raises Refused, naming the interlock that forbids it."""
        self.tick()
        relay = self._relay(role)
        if closed:
            self._allow(role)
        if relay.read() == closed:
            now = self._now()
            return Move(now, now, role, closed)
        self._allow_moving(role, closed)
        before = self._now()
        try:
            relay.set(closed)
        except BenchError:
            self._note(role, maybe_closed=True)
            raise
        self._note(role, maybe_closed=closed)
        move = Move(before, self._moved_ns[role], role, closed)
        self.moves.append(move)
        self.moved += 1
        return move

    def closed(self, role: str) -> bool:
        """The commanded position, read back from the line."""
        return self._relay(role).read()

    def name(self, role: str) -> str:
        """What the bench file calls the relay of this role."""
        return self._relay(role).name

    def make_safe(self) -> dict[str, bool]:
        """Every relay to its safe position; by name, whether its line says so. Goes on when one of them fails."""
        return self._all(lambda relay: relay.make_safe())

    def beat(self) -> None:
        """The controller is alive."""
        self._heard_ns = self._now()

    # -- time ------------------------------------------------------------------------------------------------------

    def due_ns(self) -> int | None:
        """When `tick` must be called again at the latest, if nothing is asked until then."""
        due = []
        if self.armed and self._rules.silent_ns is not None and not self._fell_silent():
            due.append(self._heard_ns + self._rules.silent_ns)
        if self.tripped is None:
            due += [since + self._rules.energised_ns for since in self._closed_ns.values()]
            if self._pressed is not None:
                due.append(self._looked_ns + STOP_POLL_NS)
        return min(due, default=None)

    def tick(self) -> None:
        """Look what is over, and act. A controller that falls silent is noticed after another trip, too."""
        now, silent_ns = self._now(), self._rules.silent_ns
        if self.armed and silent_ns is not None and now - self._heard_ns >= silent_ns and not self._fell_silent():
            self.trip(Why.SILENT, f"{Why.SILENT.value} for {silent_ns / 1e9:g} s")
        if self.tripped is not None:
            return
        if self._stopped(now):
            self.trip(Why.STOP, Why.STOP.value)
            return
        over = [role for role, since in self._closed_ns.items() if now - since >= self._rules.energised_ns]
        if over:
            limit_s = self._rules.energised_ns / 1e9
            self.trip(Why.ENERGISED, f"relay {self.name(over[0])} was {Why.ENERGISED.value}: {limit_s:g} s")

    def trip(self, why: Why, text: str) -> Trip:
        """Everything to its safe position, and nothing closes again. The emergency stop opens mains too."""
        safe = self._all(_opened) if why is Why.STOP else self.make_safe()
        self.tripped = Trip(why, text, safe)
        return self.tripped

    def close(self, kept: Collection[str] = ()) -> list[BenchError]:
        """Give back all lines but those of the roles `kept`, also when one of them fails; what failed."""
        failed = []
        for role, relay in self._relays.items():
            if role in kept:
                continue
            try:
                relay.close()
            except BenchError as error:
                failed.append(error)
        return failed

    # -- interlocks ------------------------------------------------------------------------------------------------

    def _allow(self, role: str) -> None:
        if self.tripped is not None:
            raise Refused(f"relay {self.name(role)} stays open: {self.tripped.text}")
        if role in self._rules.feeds and not self.armed:
            raise Refused(f"relay {self.name(role)} stays open: the bench is not armed, its interlocks did not agree")
        for pair in self._rules.forbidden:
            if role in pair:
                self._allow_beside(role, pair[1 - pair.index(role)])

    def _allow_beside(self, role: str, other: str) -> None:
        if self._relays[other].read():
            raise Refused(f"relay {self.name(role)} stays open: {self.name(other)} is closed, and both never are")
        if self._now() - self._moved_ns[other] < self._rules.dead_ns:
            raise Refused(f"relay {self.name(role)} stays open: {self.name(other)} opened less than the dead time ago")

    def _allow_moving(self, role: str, closed: bool) -> None:
        dwell_ns = self._rules.dwell_ns.get(role, 0)
        if self._now() - self._moved_ns[role] < dwell_ns:
            stays = "open" if closed else "closed"
            raise Refused(f"relay {self.name(role)} stays {stays}: it moved less than {dwell_ns / 1e9:g} s ago")

    # -- small things ----------------------------------------------------------------------------------------------

    def _relay(self, role: str) -> Relay:
        if role not in self._relays:
            raise Refused(f"no relay has the role {role!r}")
        return self._relays[role]

    def _all(self, act: Callable[[Relay], bool]) -> dict[str, bool]:
        found = {}
        for role, relay in self._relays.items():
            try:
                safe = act(relay)
            except BenchError:
                safe = False
            found[relay.name] = safe
            self._note(role, maybe_closed=not safe)
        return found

    def _note(self, role: str, *, maybe_closed: bool) -> None:
        """A relay moved, or was meant to; a feed that may be closed is counted as one."""
        self._moved_ns[role] = self._now()
        if not maybe_closed:
            self._closed_ns.pop(role, None)
        elif role in self._rules.feeds:
            self._closed_ns.setdefault(role, self._moved_ns[role])

    def _fell_silent(self) -> bool:
        return self.tripped is not None and self.tripped.why is Why.SILENT

    def _stopped(self, now: int) -> bool:
        if self._pressed is None:
            return False
        self._looked_ns = now
        try:
            return self._pressed()
        except BenchError:
            return True


def _opened(relay: Relay) -> bool:
    """Opened, whatever its own safe position is."""
    relay.set(False)
    return not relay.read()
