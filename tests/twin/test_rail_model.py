"""The rail's closed form against a brute-force integration, and crossings that are exact to the nanosecond."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rig.clock import NS, to_ns
from rig.clock.virtual import VirtualClock
from rig.twin.rail_model import RailConstants, RailModel

Feeds = dict[str, tuple[float, float] | None]
CONSTANTS = RailConstants()


@dataclass
class Brute:
    """The same circuit by Euler steps: diodes and the hub's switch are looked at in every step."""

    constants: RailConstants
    volts: float = 0.0
    hub_on: bool = False

    def step(self, feeds: Feeds, dt_s: float) -> None:
        c = self.constants
        if self.hub_on and self.volts <= c.hub_off_v:
            self.hub_on = False
        elif not self.hub_on and self.volts >= c.hub_on_v:
            self.hub_on = True
        amps = -self.volts / c.min_load_ohm - (self.volts / c.hub_ohm if self.hub_on else 0.0)
        for feed in feeds.values():
            if feed is not None and feed[0] > self.volts:
                amps += (feed[0] - self.volts) / feed[1]
        self.volts += amps * dt_s / c.capacitance_f


def rail(constants: RailConstants = CONSTANTS) -> tuple[VirtualClock, RailModel]:
    clock = VirtualClock()
    return clock, RailModel(clock, constants)


def volts_at(model: RailModel, at_ns: int) -> float:
    return float(model.volts(np.array([at_ns], dtype=np.int64))[0])


def after(clock: VirtualClock, seconds: float, fn: Callable[[], None]) -> None:
    clock.schedule(clock.now() + to_ns(seconds), fn)


# -- against brute force -------------------------------------------------------------------------------------------

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["meter", "supply"]),
        st.one_of(st.none(), st.sampled_from([4.0, 5.9, 6.1, 7.0, 8.5, 9.1, 11.0, 12.0, 13.0])),
        st.sampled_from([0.3, 1.0, 5.0, 40.0]),
        st.sampled_from([0.0005, 0.002, 0.01, 0.04]),
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_the_closed_form_agrees_with_a_brute_force_integration(
    steps: list[tuple[str, float | None, float, float]],
) -> None:
    """Diodes, brown-outs and a hub that switches itself: 20 us steps against closed form, within 60 mV."""
    clock, model = rail(RailConstants(capacitance_f=4.7e-3))
    brute, feeds, dt_s = Brute(model.constants), Feeds(), 20e-6
    for name, volts, ohms, hold_s in steps:
        feeds[name] = None if volts is None else (volts, ohms)
        model.set_feed(name, volts, ohms)
        for _ in range(round(hold_s / dt_s)):
            brute.step(feeds, dt_s)
        clock.sleep(hold_s)
        assert model.now_v() == pytest.approx(brute.volts, abs=0.06)


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_the_node_never_jumps_and_stays_between_ground_and_its_highest_source(
    steps: list[tuple[str, float | None, float, float]],
) -> None:
    clock, model = rail()
    start, highest = clock.now(), 0.0
    for name, volts, ohms, hold_s in steps:
        before = model.now_v()
        model.set_feed(name, volts, ohms)
        assert model.now_v() == pytest.approx(before, abs=1e-12)
        highest = max(highest, volts or 0.0)
        clock.sleep(hold_s)
    at = np.linspace(start, clock.now(), 2_001).astype(np.int64)
    course = model.volts(at)
    assert np.all(course >= 0.0)
    assert np.all(course <= highest + 1e-9)


# -- diodes --------------------------------------------------------------------------------------------------------


def test_a_source_never_pulls_the_node_down() -> None:
    """A browned-out meter at 7 V beside a supply of 12 V: the node is what the supply alone makes of it."""
    clock, model = rail()
    model.set_feed("meter", 7.0, 0.3)
    model.set_feed("supply", 12.0, 0.1)
    clock.sleep(1.0)
    load = 1 / (1 / CONSTANTS.hub_ohm + 1 / CONSTANTS.min_load_ohm)
    assert model.now_v() == pytest.approx(12.0 * load / (load + 0.1), abs=1e-9)
    assert model.current_from("meter") == 0.0
    assert model.current_from("supply") == pytest.approx(12.0 / (load + 0.1), abs=1e-6)
    assert model.current_from("nobody") == 0.0


def test_a_blocked_source_takes_over_when_the_node_has_fallen_to_it() -> None:
    clock, model = rail()
    model.set_feed("meter", 12.0, 0.3)
    clock.sleep(1.0)
    model.set_feed("meter", 8.0, 0.3)
    assert model.current_from("meter") == 0.0
    clock.sleep(5.0)
    assert 7.9 < model.now_v() < 8.0
    assert model.current_from("meter") > 0.05


# -- the hub ---------------------------------------------------------------------------------------------------------


def test_the_hub_switches_itself_off_when_starved_and_on_again_when_fed() -> None:
    """Without the hub's load the last volts drain slowly: six volts and less are held, not supplied."""
    clock, model = rail()
    model.set_feed("meter", 12.0)
    clock.sleep(1.0)
    model.set_feed("meter", None)
    crossings: list[int] = []
    start = clock.now()
    for level in (CONSTANTS.hub_off_v, 3.0):
        model.watch(level, True, crossings.append)
    clock.sleep(5.0)
    both_ohm = 1 / (1 / CONSTANTS.hub_ohm + 1 / CONSTANTS.min_load_ohm)
    loaded = both_ohm * CONSTANTS.capacitance_f * np.log(volts_at(model, start) / 6.0)
    alone = CONSTANTS.min_load_ohm * CONSTANTS.capacitance_f * np.log(6.0 / 3.0)
    assert crossings[0] - start == pytest.approx(loaded * NS, abs=2)
    assert crossings[1] - crossings[0] == pytest.approx(alone * NS, abs=10)


def test_between_its_two_thresholds_the_hub_stays_as_it_is() -> None:
    clock, model = rail()
    model.set_feed("meter", 8.0)
    clock.sleep(1.0)
    off = model.current_from("meter")
    model.set_feed("meter", 12.0)
    clock.sleep(1.0)
    model.set_feed("meter", 8.0)
    clock.sleep(1.0)
    assert off == pytest.approx(8.0 / (CONSTANTS.min_load_ohm + 0.3), rel=1e-6)
    assert model.current_from("meter") > 4 * off


# -- crossings -----------------------------------------------------------------------------------------------------


@settings(max_examples=200, deadline=None)
@given(level=st.floats(0.05, 11.9), falling=st.booleans(), hold_s=st.floats(0.001, 0.5))
def test_a_crossing_is_told_at_the_first_nanosecond_at_or_beyond_its_level(
    level: float, falling: bool, hold_s: float
) -> None:
    clock, model = rail()
    model.set_feed("meter", 12.0)
    if falling:
        clock.sleep(hold_s)
        model.set_feed("meter", None)
    told: list[tuple[int, int]] = []
    model.watch(level, falling, lambda at: told.append((at, clock.now())))
    crosses = not falling or model.now_v() > level
    clock.sleep(30.0)
    assert len(told) == crosses
    for at, when in told:
        assert when == at
        sign = -1 if falling else 1
        assert sign * (volts_at(model, at) - level) >= -1e-12
        assert sign * (volts_at(model, at - 1) - level) <= 1e-12


def test_a_watch_tells_once() -> None:
    clock, model = rail()
    told: list[int] = []
    model.watch(10.0, False, told.append)
    for _ in range(3):
        model.set_feed("meter", 12.0)
        clock.sleep(1.0)
        model.set_feed("meter", None)
        clock.sleep(1.0)
    assert len(told) == 1


def test_a_cancelled_watch_tells_nothing() -> None:
    clock, model = rail()
    told: list[int] = []
    model.set_feed("meter", 12.0)
    watcher = model.watch(10.0, False, told.append)
    watcher.cancel()
    clock.sleep(1.0)
    assert told == []


def test_what_was_crossed_before_somebody_watched_is_past() -> None:
    """An oscilloscope that is armed while the rail already falls below its level must wait for the next fall."""
    clock, model = rail()
    model.set_feed("meter", 12.0)
    clock.sleep(1.0)
    model.set_feed("meter", None)
    clock.sleep(0.05)
    assert 2.0 < model.now_v() < 10.0
    told: list[int] = []
    model.on_fall(10.0, told.append)
    clock.sleep(0.001)
    assert told == []
    model.set_feed("meter", 12.0)
    clock.sleep(1.0)
    second = clock.now()
    model.set_feed("meter", None)
    clock.sleep(1.0)
    assert len(told) == 1
    assert told[0] > second


@pytest.mark.parametrize("level", [CONSTANTS.hub_off_v, 8.5, 10.0])
def test_a_crossing_at_the_very_moment_of_another_change_is_not_missed(level: float) -> None:
    """The hub switches off at 6 V: whoever watches 6 V must be told, although the node's course is planned anew."""
    clock, model = rail()
    model.set_feed("meter", 12.0)
    clock.sleep(1.0)
    told: list[tuple[str, int]] = []

    def first(at: int) -> None:
        told.append(("first", at))
        model.set_feed("supply", 3.0, 1.0)  # a change of course in the same nanosecond

    model.watch(level, True, first)
    model.watch(level, True, lambda at: told.append(("second", at)))
    model.set_feed("meter", None)
    clock.sleep(10.0)
    assert [who for who, _ in told] == ["first", "second"]
    assert told[0][1] == told[1][1]


def test_two_levels_are_crossed_in_their_order() -> None:
    clock, model = rail()
    told: list[str] = []
    model.set_feed("meter", 12.0)
    clock.sleep(1.0)
    for level in (4.0, 10.0, 7.0):
        model.watch(level, True, lambda _, v=level: told.append(f"{v:g}"))  # type: ignore[misc]
    model.set_feed("meter", None)
    clock.sleep(10.0)
    assert told == ["10", "7", "4"]


# -- history -------------------------------------------------------------------------------------------------------


def test_the_history_is_what_the_node_was() -> None:
    clock, model = rail()
    seen: list[tuple[int, float]] = []
    for volts in (12.0, None, 8.5, 12.0, None):
        model.set_feed("meter", volts)
        for _ in range(20):
            clock.sleep(0.003)
            seen.append((clock.now(), model.now_v()))
    at = np.array([t for t, _ in seen], dtype=np.int64)
    assert np.allclose(model.volts(at), [v for _, v in seen], atol=1e-9)


def test_before_its_history_nothing_is_known() -> None:
    clock, model = rail()
    start = clock.now()
    clock.sleep(1.0)
    course = model.volts(np.array([start - 1, start, start + 1], dtype=np.int64))
    assert np.isnan(course[0])
    assert course[1:].tolist() == [0.0, 0.0]
    assert len(model.volts(np.array([], dtype=np.int64))) == 0


def test_a_long_life_does_not_grow_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rig.twin.rail_model._KEEP_SEGMENTS", 100)
    clock, model = rail()
    for number in range(2_000):
        model.set_feed("meter", 12.0 if number % 2 else None)
        clock.sleep(60.0)
    assert len(model._segments) <= 800
    assert len(model._segments) == len(model._starts)
    recent = np.arange(clock.now() - 7200 * NS, clock.now(), NS)
    assert not np.any(np.isnan(model.volts(recent)))
    assert np.isnan(volts_at(model, clock.now() - 10 * 3600 * NS))


def test_a_short_life_of_many_pulses_does_not_grow_without_end_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rig.twin.rail_model._KEEP_SEGMENTS", 100)
    monkeypatch.setattr("rig.twin.rail_model._MOST_SEGMENTS", 200)
    clock, model = rail()
    for number in range(2_000):
        model.set_feed("meter", 12.0 if number % 2 else None)
        clock.sleep(0.01)
    assert len(model._segments) <= 201
    recent = np.arange(clock.now() - NS // 10, clock.now(), 1_000_000)
    assert not np.any(np.isnan(model.volts(recent)))
