"""Interlocks of the relays: both feeds are never closed together, break before make, and every move is remembered."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.bench.config import RelayRole
from rig.bench.relay_bank import FEEDS, RelayBank
from rig.clock import NS
from rig.clock.virtual import VirtualClock
from rig.errors import BenchError, Refused

DEAD_S = 0.1
ROLES: tuple[RelayRole, ...] = ("mains", "meter-feed", "supply-feed")


class Coil:
    """A relay that remembers; `fails` names the calls that raise, `stuck` ignores what it is told."""

    def __init__(self, name: str, *, safe: bool = True) -> None:
        self.name = name
        self.closed = False
        self.returned = False
        self.stuck = False
        self.fails: tuple[str, ...] = ()
        self.safe = safe

    def set(self, closed: bool) -> None:
        self._may_fail("set")
        if self.stuck:
            raise BenchError("does not follow")
        self.closed = closed

    def read(self) -> bool:
        self._may_fail("read")
        return self.closed

    def make_safe(self) -> bool:
        self._may_fail("safe")
        if self.safe and not self.stuck:
            self.closed = False
        return not self.closed or not self.safe

    def close(self) -> None:
        self.returned = True
        self._may_fail("close")

    def _may_fail(self, call: str) -> None:
        if call in self.fails:
            raise BenchError(f"{self.name}: {call}")


def bank(clock: VirtualClock) -> tuple[RelayBank, dict[RelayRole, Coil]]:
    coils = {role: Coil(name, safe=role != "mains") for role, name in zip(ROLES, ("K1", "K2", "K3"), strict=True)}
    relays = RelayBank(dict(coils), clock, DEAD_S)
    clock.sleep(DEAD_S)
    return relays, coils


def test_a_move_is_made_read_back_and_remembered() -> None:
    clock = VirtualClock()
    relays, coils = bank(clock)
    move = relays.set("meter-feed", True)
    assert coils["meter-feed"].closed
    assert relays.closed("meter-feed")
    assert (move.role, move.closed, move.before_ns, move.after_ns) == ("meter-feed", True, clock.now(), clock.now())
    assert relays.moves == [move]
    assert relays.name("meter-feed") == "K2"


def test_a_relay_that_is_there_already_is_not_moved() -> None:
    relays, _ = bank(VirtualClock())
    relays.set("mains", False)
    assert relays.moves == []


@pytest.mark.parametrize("feed", FEEDS)
def test_a_feed_is_never_closed_while_the_other_is(feed: RelayRole) -> None:
    relays, coils = bank(VirtualClock())
    other = FEEDS[1 - FEEDS.index(feed)]
    relays.set(other, True)
    with pytest.raises(Refused, match="both never are"):
        relays.set(feed, True)
    assert not coils[feed].closed
    assert coils[other].closed
    assert len(relays.moves) == 1


@pytest.mark.parametrize("feed", FEEDS)
def test_a_feed_is_closed_only_when_the_other_has_been_open_for_the_dead_time(feed: RelayRole) -> None:
    clock = VirtualClock()
    relays, coils = bank(clock)
    other = FEEDS[1 - FEEDS.index(feed)]
    relays.set(other, True)
    relays.set(other, False)
    clock.sleep(DEAD_S - 1e-9)
    with pytest.raises(Refused, match="less than the dead time ago"):
        relays.set(feed, True)
    assert not coils[feed].closed
    clock.sleep(1e-9)
    relays.set(feed, True)
    assert coils[feed].closed


def test_the_dead_time_begins_anew_where_nobody_knows_since_when_a_feed_is_open() -> None:
    clock = VirtualClock()
    relays = RelayBank({role: Coil(role) for role in ROLES}, clock, DEAD_S)
    with pytest.raises(Refused):
        relays.set("meter-feed", True)
    clock.sleep(DEAD_S)
    relays.set("meter-feed", True)
    relays.make_safe()
    with pytest.raises(Refused):
        relays.set("supply-feed", True)


def test_mains_has_no_interlock_with_the_feeds() -> None:
    relays, _ = bank(VirtualClock())
    relays.set("meter-feed", True)
    relays.set("mains", True)
    relays.set("mains", False)
    relays.set("mains", True)
    assert [move.closed for move in relays.moves] == [True, True, False, True]


def test_a_feed_whose_line_cannot_be_read_keeps_the_other_open() -> None:
    relays, coils = bank(VirtualClock())
    coils["supply-feed"].fails = ("read",)
    with pytest.raises(BenchError):
        relays.set("meter-feed", True)
    assert not coils["meter-feed"].closed


def test_a_feed_that_would_not_open_keeps_the_other_open() -> None:
    clock = VirtualClock()
    relays, coils = bank(clock)
    relays.set("supply-feed", True)
    coils["supply-feed"].stuck = True
    with pytest.raises(BenchError, match="does not follow"):
        relays.set("supply-feed", False)
    clock.sleep(1.0)
    with pytest.raises(Refused):
        relays.set("meter-feed", True)


@given(st.lists(st.tuples(st.sampled_from(ROLES), st.booleans(), st.sampled_from([0.0, 0.05, 0.1])), max_size=40))
def test_whatever_is_asked_the_feeds_are_never_closed_together_nor_within_the_dead_time(
    asked: list[tuple[RelayRole, bool, float]],
) -> None:
    clock = VirtualClock()
    relays, coils = bank(clock)
    for role, closed, pause in asked:
        before = {r: c.closed for r, c in coils.items()}
        try:
            relays.set(role, closed)
        except Refused:
            assert {r: c.closed for r, c in coils.items()} == before
        assert not (coils["meter-feed"].closed and coils["supply-feed"].closed)
        clock.sleep(pause)
    for earlier in relays.moves:
        for later in relays.moves:
            if {earlier.role, later.role} == set(FEEDS) and not earlier.closed and later.closed:
                between = later.before_ns - earlier.after_ns
                assert between < 0 or between >= DEAD_S * NS


def test_a_relay_that_was_moved_less_than_its_dwell_ago_is_not_moved_again() -> None:
    clock, coil = VirtualClock(), Coil("K1", safe=False)
    relays = RelayBank({"mains": coil}, clock, DEAD_S, {"mains": 0.5})
    with pytest.raises(Refused, match=r"relay K1 stays as it is: it was moved less than its dwell, 0\.5 s, ago"):
        relays.set("mains", True)  # nobody knows since when it is open
    clock.sleep(0.5)
    relays.set("mains", True)
    clock.sleep(0.5 - 1e-9)
    relays.set("mains", True)  # it is there already: nothing moves
    with pytest.raises(Refused):
        relays.set("mains", False)
    assert coil.closed
    clock.sleep(1e-9)
    relays.set("mains", False)
    assert len(relays.moves) == 2


def test_making_safe_waits_for_no_dwell_and_begins_a_new_one() -> None:
    clock, coil = VirtualClock(), Coil("K2")
    relays = RelayBank({"supply-feed": coil}, clock, 0.0, {"supply-feed": 0.5})
    coil.closed = True
    assert relays.make_safe() == {"K2": True}
    assert not coil.closed
    clock.sleep(0.4)
    coil.closed = True
    with pytest.raises(Refused, match="dwell"):
        relays.set("supply-feed", False)


def test_making_safe_goes_on_when_one_relay_fails_and_tells_which() -> None:
    relays, coils = bank(VirtualClock())
    coils["meter-feed"].closed = coils["mains"].closed = True
    coils["meter-feed"].fails = ("safe",)
    coils["supply-feed"].closed = True
    assert relays.make_safe() == {"K1": True, "K2": False, "K3": True}
    assert not coils["supply-feed"].closed
    assert coils["mains"].closed


def test_closing_gives_back_every_line_whatever_fails() -> None:
    relays, coils = bank(VirtualClock())
    coils["meter-feed"].fails = ("close",)
    with pytest.raises(BenchError, match="K2"):
        relays.close()
    assert all(coil.returned for coil in coils.values())
