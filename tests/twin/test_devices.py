"""Relay contacts that bounce, comparators with hysteresis, and signals that stick."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rig.clock import to_ns
from rig.clock.virtual import VirtualClock
from rig.twin.devices import Comparator, Contact, Signal
from rig.twin.rail_model import RailModel


def contact() -> tuple[VirtualClock, Contact, list[tuple[int, bool]]]:
    clock, moves = VirtualClock(), []
    start = clock.now()
    device = Contact(clock, lambda closed: moves.append((clock.now() - start, closed)))
    return clock, device, moves


def test_a_contact_closes_after_its_operate_time_and_bounces() -> None:
    clock, device, moves = contact()
    device.coil(True)
    assert not device.closed
    clock.sleep(1.0)
    expected, at = [(to_ns(Contact.OPERATE_S), True)], to_ns(Contact.OPERATE_S)
    for gap in Contact.BOUNCES_S:
        expected += [(at + to_ns(gap), False), (at + to_ns(2 * gap), True)]
        at += to_ns(2 * gap)
    assert moves == expected
    assert device.closed


def test_a_contact_opens_after_its_release_time_without_bounce() -> None:
    clock, device, moves = contact()
    device.coil(True)
    clock.sleep(1.0)
    del moves[:]
    device.coil(False)
    clock.sleep(1.0)
    assert moves == [(to_ns(1.0) + to_ns(Contact.RELEASE_S), False)]


def test_a_coil_that_is_let_go_before_the_contact_moved_moves_nothing() -> None:
    clock, device, moves = contact()
    device.coil(True)
    clock.sleep(Contact.OPERATE_S / 2)
    device.coil(False)
    clock.sleep(1.0)
    assert moves == []


@pytest.mark.parametrize("stuck", [True, False])
def test_a_stuck_contact_ignores_its_coil_until_it_is_mended(stuck: bool) -> None:
    clock, device, _ = contact()
    device.stick(stuck)
    assert device.closed == stuck
    device.coil(not stuck)
    device.coil(stuck)
    device.coil(not stuck)
    clock.sleep(1.0)
    assert device.closed == stuck
    device.stick(None)
    assert device.closed != stuck


@settings(deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.sampled_from([0.0, 0.001, 0.0085, 0.02])), max_size=20))
def test_whatever_the_coil_does_the_contact_ends_where_the_coil_is(drives: list[tuple[bool, float]]) -> None:
    clock, device, _ = contact()
    for on, pause in drives:
        device.coil(on)
        clock.sleep(pause)
    clock.sleep(1.0)
    assert device.closed == (drives[-1][0] if drives else False)


# -- signals -------------------------------------------------------------------------------------------------------


def test_a_signal_tells_changes_only() -> None:
    signal, told = Signal(), []
    signal.listen(told.append)
    for level in (False, True, True, False):
        signal.set(level)
    assert told == [True, False]


def test_a_forced_signal_hides_what_is_under_it() -> None:
    signal, told = Signal(), []
    signal.listen(told.append)
    signal.force(True)
    signal.set(True)
    signal.set(False)
    assert (signal.level, told) == (True, [True])
    signal.force(None)
    assert (signal.level, told) == (False, [True, False])


# -- comparators ---------------------------------------------------------------------------------------------------

FALL_V, RISE_V, DELAY_S = 10.25, 10.75, 0.0002


@pytest.mark.parametrize("above", [True, False])
def test_a_comparator_switches_at_its_two_levels_after_its_delay(above: bool) -> None:
    clock = VirtualClock()
    model = RailModel(clock)
    comparator = Comparator(clock, model, FALL_V, RISE_V, above, DELAY_S)
    edges: list[tuple[int, bool]] = []
    crossings: list[int] = []
    comparator.signal.listen(lambda level: edges.append((clock.now(), level)))
    assert comparator.signal.level is not above
    model.watch(RISE_V, False, crossings.append)
    model.set_feed("meter", 12.0)
    clock.sleep(1.0)
    model.watch(FALL_V, True, crossings.append)
    model.set_feed("meter", None)
    clock.sleep(1.0)
    delay = to_ns(DELAY_S)
    assert edges == [(crossings[0] + delay, above), (crossings[1] + delay, not above)]


def test_between_its_levels_a_comparator_stays_as_it_is() -> None:
    clock = VirtualClock()
    model = RailModel(clock)
    comparator = Comparator(clock, model, FALL_V, RISE_V, True, DELAY_S)
    for volts, active in ((10.6, False), (12.0, True), (10.6, True), (9.0, False), (10.6, False)):
        model.set_feed("meter", volts, 0.01)
        clock.sleep(1.0)
        assert comparator.signal.level is active


def test_a_comparator_on_a_rail_that_is_up_already_begins_active() -> None:
    clock = VirtualClock()
    model = RailModel(clock)
    model.set_feed("meter", 12.0)
    clock.sleep(1.0)
    comparator = Comparator(clock, model, FALL_V, RISE_V, True, DELAY_S)
    assert comparator.signal.level
    model.set_feed("meter", None)
    clock.sleep(1.0)
    assert not comparator.signal.level
