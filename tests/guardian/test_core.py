"""Interlocks of the relays: no sequence of requests closes both feeds, and whatever is over makes everything safe."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.errors import BenchError, Refused
from rig.guardian.core import STOP_POLL_NS, Why
from tests.guardian.coils import DEAD_NS, DWELL_NS, ENERGISED_NS, FEEDS, ROLES, RULES, SILENT_NS, Bank

each_feed = pytest.mark.parametrize("feed", FEEDS)


def other_of(feed: str) -> str:
    return FEEDS[1 - FEEDS.index(feed)]


# -- moves -----------------------------------------------------------------------------------------------------------


def test_a_move_is_made_read_back_and_remembered() -> None:
    bank = Bank()
    move = bank.core.set("meter-feed", True)
    assert bank.core.closed("meter-feed")
    assert (move.role, move.closed, move.before_ns, move.after_ns) == ("meter-feed", True, bank.now, bank.now)
    assert list(bank.core.moves) == [move]
    assert bank.core.name("meter-feed") == "K2"


def test_a_relay_that_is_there_already_is_not_moved() -> None:
    bank = Bank()
    bank.core.set("mains", False)
    assert list(bank.core.moves) == []


def test_a_role_that_no_relay_has_is_refused_by_name() -> None:
    with pytest.raises(Refused, match="'mian'"):
        Bank().core.set("mian", True)


# -- both feeds --------------------------------------------------------------------------------------------------------


@each_feed
def test_a_feed_is_never_closed_while_the_other_is(feed: str) -> None:
    bank = Bank()
    bank.core.set(other_of(feed), True)
    with pytest.raises(Refused, match="both never are"):
        bank.core.set(feed, True)
    assert not bank.coils[feed].closed
    assert bank.coils[other_of(feed)].closed


@each_feed
def test_a_feed_is_closed_only_when_the_other_has_been_open_for_the_dead_time(feed: str) -> None:
    bank = Bank()
    bank.core.set(other_of(feed), True)
    bank.core.set(other_of(feed), False)
    bank.now += DEAD_NS - 1
    with pytest.raises(Refused, match="less than the dead time ago"):
        bank.core.set(feed, True)
    assert not bank.coils[feed].closed
    bank.now += 1
    bank.core.set(feed, True)
    assert bank.coils[feed].closed


def test_the_dead_time_begins_anew_where_nobody_knows_since_when_a_feed_is_open() -> None:
    bank = Bank(armed=False)
    bank.core.arm()
    with pytest.raises(Refused, match="dead time"):
        bank.core.set("meter-feed", True)
    bank.now += DEAD_NS
    bank.core.set("meter-feed", True)
    bank.core.make_safe()
    with pytest.raises(Refused, match="dead time"):
        bank.core.set("supply-feed", True)


@each_feed
def test_a_feed_whose_line_cannot_be_read_keeps_the_other_open(feed: str) -> None:
    bank = Bank()
    bank.coils[feed].fails = ("read",)
    with pytest.raises(BenchError):
        bank.core.set(other_of(feed), True)
    assert not bank.coils[other_of(feed)].closed


def test_a_feed_that_would_not_open_keeps_the_other_open() -> None:
    bank = Bank()
    bank.core.set("supply-feed", True)
    bank.coils["supply-feed"].stuck = True
    with pytest.raises(BenchError, match="does not follow"):
        bank.core.set("supply-feed", False)
    bank.now += DEAD_NS
    with pytest.raises(Refused):
        bank.core.set("meter-feed", True)


def test_a_feed_that_failed_to_close_may_be_closed_and_keeps_the_other_open_for_the_dead_time() -> None:
    bank = Bank()
    bank.coils["supply-feed"].fails = ("set",)
    with pytest.raises(BenchError):
        bank.core.set("supply-feed", True)
    with pytest.raises(Refused, match="dead time"):
        bank.core.set("meter-feed", True)


# -- a relay's own time ------------------------------------------------------------------------------------------------


def test_a_relay_stays_where_it_went_for_its_dwell() -> None:
    bank = Bank()
    bank.core.set("mains", True)
    bank.now += DWELL_NS - 1
    with pytest.raises(Refused, match="K1 stays closed: it moved less than"):
        bank.core.set("mains", False)
    assert bank.coils["mains"].closed
    bank.now += 1
    bank.core.set("mains", False)
    with pytest.raises(Refused, match="K1 stays open"):
        bank.core.set("mains", True)


def test_no_dwell_holds_back_making_safe() -> None:
    bank = Bank(replace(RULES, dwell_ns=dict.fromkeys(ROLES, 10**9), energised_ns=10**12, silent_ns=None))
    bank.now += 10**9
    bank.core.set("meter-feed", True)
    with pytest.raises(Refused, match="stays closed"):
        bank.core.set("meter-feed", False)
    assert bank.core.make_safe()["K2"]
    assert bank.feeds() == (False, False)


def test_mains_has_no_interlock_with_the_feeds() -> None:
    bank = Bank()
    bank.core.set("meter-feed", True)
    for closed in (True, False, True):
        bank.core.set("mains", closed)
        bank.now += DWELL_NS
    assert [move.closed for move in bank.core.moves] == [True, True, False, True]


# -- armed -------------------------------------------------------------------------------------------------------------


@each_feed
def test_no_feed_closes_before_the_interlocks_agreed(feed: str) -> None:
    bank = Bank(armed=False)
    bank.now += DEAD_NS
    with pytest.raises(Refused, match="not armed"):
        bank.core.set(feed, True)
    bank.core.set("mains", True)
    bank.core.arm()
    bank.core.set(feed, True)
    bank.core.set(feed, False)
    bank.core.stand_down()
    with pytest.raises(Refused, match="not armed"):
        bank.core.set(feed, True)


@each_feed
def test_a_closed_feed_is_neither_armed_nor_stood_down_from(feed: str) -> None:
    bank = Bank(armed=False)
    bank.coils[feed].closed = True
    with pytest.raises(Refused, match=r"does not arm: relay K[23] is closed"):
        bank.core.arm()
    with pytest.raises(Refused, match="does not stand down"):
        bank.core.stand_down()


# -- what is over ------------------------------------------------------------------------------------------------------


@each_feed
def test_silence_makes_everything_safe_at_its_time_and_nothing_closes_any_more(feed: str) -> None:
    bank = Bank()
    bank.core.set(feed, True)
    bank.wait(SILENT_NS - 1)
    assert bank.coils[feed].closed
    bank.wait(1)
    assert bank.feeds() == (False, False)
    assert bank.core.tripped is not None
    assert bank.core.tripped.why is Why.SILENT
    bank.now += DEAD_NS
    with pytest.raises(Refused, match="the controller is silent"):
        bank.core.set(feed, True)
    with pytest.raises(Refused, match="does not arm"):
        bank.core.arm()


def test_a_request_that_comes_when_it_is_too_late_is_refused_even_if_nobody_ticked() -> None:
    bank = Bank()
    bank.core.set("meter-feed", True)
    bank.now += SILENT_NS
    with pytest.raises(Refused, match="silent"):
        bank.core.set("mains", True)
    assert bank.feeds() == (False, False)


def test_beats_keep_it_up_and_silence_is_no_matter_before_arming_and_after_standing_down() -> None:
    bank = Bank()
    bank.core.set("meter-feed", True)
    bank.wait(ENERGISED_NS - 1, beats=True)
    assert bank.coils["meter-feed"].closed
    bank.core.set("meter-feed", False)
    bank.core.stand_down()
    bank.wait(10 * SILENT_NS)
    assert bank.core.tripped is None


@each_feed
def test_a_feed_is_never_energised_for_longer_than_its_time(feed: str) -> None:
    bank = Bank()
    bank.core.set(feed, True)
    bank.wait(ENERGISED_NS, beats=True)
    assert bank.core.tripped is not None
    assert bank.core.tripped.why is Why.ENERGISED
    assert "was energised too long" in bank.core.tripped.text
    assert bank.feeds() == (False, False)


def test_a_feed_that_would_not_open_counts_as_closed() -> None:
    bank = Bank()
    bank.core.set("meter-feed", True)
    bank.coils["meter-feed"].stuck = True
    with pytest.raises(BenchError):
        bank.core.set("meter-feed", False)
    bank.wait(ENERGISED_NS, beats=True)
    assert bank.core.tripped is not None
    assert bank.core.tripped.why is Why.ENERGISED
    assert bank.core.tripped.safe["K2"] is False


def test_the_energised_time_begins_anew_when_the_feed_was_open() -> None:
    bank = Bank()
    for _ in range(3):
        bank.core.set("meter-feed", True)
        bank.wait(ENERGISED_NS - 1, beats=True)
        bank.core.set("meter-feed", False)
        bank.wait(DEAD_NS, beats=True)
    assert bank.core.tripped is None


def test_a_silence_after_another_trip_is_noticed_too() -> None:
    bank = Bank()
    bank.core.trip(Why.TOLD, "told to stop")
    bank.wait(SILENT_NS)
    assert bank.core.tripped is not None
    assert bank.core.tripped.why is Why.SILENT


@pytest.mark.parametrize("broken", [False, True], ids=["pressed", "cannot be read"])
def test_the_emergency_stop_opens_everything_mains_too(broken: bool) -> None:
    bank = Bank(replace(RULES, energised_ns=10**12, silent_ns=None))
    bank.core.set("mains", True)
    bank.core.set("meter-feed", True)
    bank.pressed, bank.stop_fails = not broken, broken
    bank.wait(STOP_POLL_NS)
    assert bank.core.tripped is not None
    assert bank.core.tripped.why is Why.STOP
    assert not any(coil.closed for coil in bank.coils.values())
    bank.pressed = bank.stop_fails = False
    bank.wait(10 * STOP_POLL_NS)
    with pytest.raises(Refused, match="the emergency stop acts"):
        bank.core.set("mains", True)


# -- making safe, closing ----------------------------------------------------------------------------------------------


def test_making_safe_goes_on_when_one_relay_fails_and_tells_which() -> None:
    bank = Bank()
    bank.coils["meter-feed"].closed = bank.coils["mains"].closed = bank.coils["supply-feed"].closed = True
    bank.coils["meter-feed"].fails = ("safe",)
    assert bank.core.make_safe() == {"K1": True, "K2": False, "K3": True}
    assert not bank.coils["supply-feed"].closed
    assert bank.coils["mains"].closed


def test_closing_gives_back_every_line_whatever_fails() -> None:
    bank = Bank()
    bank.coils["meter-feed"].fails = ("close",)
    assert [error.message for error in bank.core.close()] == ["K2: close"]
    assert all(coil.returned for coil in bank.coils.values())


# -- whatever is asked -------------------------------------------------------------------------------------------------

PAUSES = (0, 1, DWELL_NS, DEAD_NS - 1, DEAD_NS, SILENT_NS // 2)
Request = tuple[str, str, object]
moves = st.tuples(st.just("set"), st.sampled_from(FEEDS), st.booleans())
others = st.one_of(
    st.tuples(st.just("set"), st.just("mains"), st.booleans()),
    st.tuples(st.sampled_from(("arm", "stand_down", "make_safe")), st.just(""), st.none()),
)
failures = st.tuples(st.just("fail"), st.sampled_from(ROLES), st.sampled_from(((), ("set",), ("read",), ("safe",))))


def asked(*requests: st.SearchStrategy[Request]) -> st.SearchStrategy[list[tuple[Request, int]]]:
    """Requests and the pauses after them. Mostly moves of the feeds: the rest is where the interlocks are not tried."""
    one = st.one_of(moves, moves, moves, *requests)
    return st.lists(st.tuples(one, st.sampled_from(PAUSES)), min_size=10, max_size=60)


@given(asked(others, failures))
def test_whatever_is_asked_and_whatever_fails_the_feeds_never_close_together_nor_within_the_dead_time(
    asked: list[tuple[Request, int]],
) -> None:
    bank, opened = Bank(), dict.fromkeys(FEEDS, -DEAD_NS)

    def moved() -> None:
        assert bank.feeds() != (True, True)

    for coil in bank.coils.values():
        coil.on_move = moved
    for (do, role, how), pause in asked:
        before = dict(zip(FEEDS, bank.feeds(), strict=True))
        _try(bank, do, role, how)
        for feed in FEEDS:
            if before[feed] and not bank.coils[feed].closed:
                opened[feed] = bank.now
            if not before[feed] and bank.coils[feed].closed:
                assert bank.now - opened[other_of(feed)] >= DEAD_NS
        bank.wait(pause, beats=True)


@given(asked(others))
def test_whatever_is_asked_after_a_lapse_of_the_beat_everything_is_safe(asked: list[tuple[Request, int]]) -> None:
    bank = Bank()
    for (do, role, how), pause in asked:
        _try(bank, do, role, how)
        bank.wait(pause, beats=True)
    bank.wait(SILENT_NS)
    assert bank.feeds() == (False, False)


@given(asked(others))
def test_whatever_is_asked_no_feed_is_closed_for_longer_than_its_time(asked: list[tuple[Request, int]]) -> None:
    short = 3 * SILENT_NS // 2
    bank = Bank(replace(RULES, energised_ns=short))
    since: dict[str, int] = {}
    for (do, role, how), pause in asked:
        _try(bank, do, role, how)
        for feed in FEEDS:
            if bank.coils[feed].closed:
                since.setdefault(feed, bank.now)
            else:
                since.pop(feed, None)
        bank.wait(pause, beats=True)
        for feed in FEEDS:
            assert not bank.coils[feed].closed or bank.now - since[feed] < short


def _try(bank: Bank, do: str, role: str, how: object) -> None:
    """One request; a refusal moves nothing, unless the guardian tripped. 'fail' is about the next request only."""
    if do == "fail":
        assert isinstance(how, tuple)
        bank.coils[role].fails = how
        return
    before = {name: coil.closed for name, coil in bank.coils.items()}
    tripped = bank.core.tripped
    try:
        if do == "set":
            bank.core.set(role, bool(how))
        else:
            getattr(bank.core, do)()
    except Refused:
        if bank.core.tripped is tripped:
            assert {name: coil.closed for name, coil in bank.coils.items()} == before
    except BenchError:
        assert any(coil.fails for coil in bank.coils.values())
    for coil in bank.coils.values():
        coil.fails = ()
