"""Relays and a time of their own for the guardian's core: what moved, and what refuses to."""

from __future__ import annotations

from collections.abc import Callable

from rig.errors import BenchError
from rig.guardian.core import Core, Rules

ROLES = ("mains", "meter-feed", "supply-feed")
NAMES = dict(zip(ROLES, ("K1", "K2", "K3"), strict=True))
FEEDS = ("meter-feed", "supply-feed")
DEAD_NS, ENERGISED_NS, SILENT_NS, DWELL_NS = 100, 5_000, 1_000, 40
RULES = Rules(
    forbidden=(FEEDS,),
    feeds=FEEDS,
    dead_ns=DEAD_NS,
    energised_ns=ENERGISED_NS,
    dwell_ns={"mains": DWELL_NS},
    silent_ns=SILENT_NS,
)


class Coil:
    """A relay that remembers; `fails` names the calls that raise, `stuck` ignores what it is told."""

    def __init__(self, name: str, *, stays: bool) -> None:
        self.name = name
        self.closed = False
        self.returned = False
        self.stuck = False
        self.fails: tuple[str, ...] = ()
        self.stays = stays
        self.on_move: Callable[[], None] = lambda: None

    def set(self, closed: bool) -> None:
        self._may_fail("set")
        if self.stuck:
            raise BenchError(f"{self.name} does not follow")
        self.closed = closed
        self.on_move()

    def read(self) -> bool:
        self._may_fail("read")
        return self.closed

    def make_safe(self) -> bool:
        self._may_fail("safe")
        if not self.stays and not self.stuck:
            self.closed = False
            self.on_move()
        return self.stays or not self.closed

    def close(self) -> None:
        self.returned = True
        self._may_fail("close")

    def _may_fail(self, call: str) -> None:
        if call in self.fails:
            raise BenchError(f"{self.name}: {call}")


class Bank:
    """A core over three coils, with its own time and its emergency stop. `wait` lets time pass as its process does."""

    def __init__(self, rules: Rules = RULES, *, armed: bool = True) -> None:
        self.now = 1_000_000
        self.pressed = False
        self.coils = {role: Coil(NAMES[role], stays=role == "mains") for role in ROLES}
        self.core = Core(rules, self.coils, lambda: self.now, self._read_stop)
        self.stop_fails = False
        if armed:
            self.wait(DEAD_NS)
            self.core.arm()

    def wait(self, ns: int, *, beats: bool = False) -> None:
        """Let `ns` pass; the core is ticked when it wants to be, and hears beats or not."""
        end = self.now + ns
        while self.now < end:
            due = self.core.due_ns()
            if beats:
                self.core.beat()
                due = min(due or end, self.now + SILENT_NS // 2)
            self.now = end if due is None else max(self.now, min(due, end))
            self.core.tick()
            if due is not None and due <= self.now and self.core.due_ns() == due and self.now < end:
                self.now += 1

    def feeds(self) -> tuple[bool, bool]:
        return self.coils["meter-feed"].closed, self.coils["supply-feed"].closed

    def _read_stop(self) -> bool:
        if self.stop_fails:
            raise BenchError("the line cannot be read")
        return self.pressed
