"""What must hold for every history: order, isolation of ranges, monotony where the mechanism is monotone."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rig.errors import InputError
from rig.judgement.alerts import (
    Answer,
    Cut,
    History,
    NorthSettings,
    Prediction,
    Range,
    SouthCentralSettings,
    predict_north,
    predict_south_central,
)
from tests.judgement.alerts.simulation import Rng
from tests.judgement.alerts.test_against_simulation import (
    blurred,
    north_settings,
    pick,
    picked,
    picked_cuts,
    some_cuts,
    south_central_settings,
)

TINY = 1e-9
Model = tuple[Callable[..., Prediction], Callable[..., Any]]
SOUTH_CENTRAL: Model = (predict_south_central, south_central_settings)
NORTH: Model = (predict_north, north_settings)
both = pytest.mark.parametrize("model", [SOUTH_CENTRAL, NORTH], ids=["south_central", "north"])

seeds = st.integers(0, 2**32 - 1).map(np.random.default_rng)
lengths = st.lists(st.tuples(st.floats(1, 300), st.floats(1, 400)), min_size=1, max_size=8)


def cuts_of(rows: list[tuple[float, float]]) -> list[tuple[float, float]]:
    at, out = 0.0, []
    for up, down in rows:
        out.append((at + up, at + up + down))
        at += up + down
    return out


def exact_pick(settings: Any, rng: Rng) -> Any:
    values: dict[str, Any] = {}
    for item in fields(settings):
        value = getattr(settings, item.name)
        if isinstance(value, Range):
            values[item.name] = Range.exactly(pick(value.lo, value.hi, rng))
        else:
            values[item.name] = Answer.YES if picked(value, rng) else Answer.NO
    return type(settings)(**values)


def widened(settings: Any, rng: Rng) -> Any:
    values: dict[str, Any] = {}
    for item in fields(settings):
        value = getattr(settings, item.name)
        if isinstance(value, Range):
            top = 1.0 if item.metadata["unit"] == "chance" else math.inf
            low, high = value.lo * rng.uniform(0.7, 1), min(top, value.hi * rng.uniform(1, 1.4))
            values[item.name] = Range(low, high)
        else:
            values[item.name] = value if rng.random() < 0.5 else Answer.UNKNOWN
    return type(settings)(**values)


@both
@settings(deadline=None)
@given(rng=seeds)
def test_a_prediction_is_an_ordered_pair_of_chances_and_says_when_if_it_may_happen(model: Model, rng: Rng) -> None:
    predict, some_settings = model
    prediction = predict(blurred(some_cuts(rng), rng), some_settings(rng, exact=False))
    low, high = prediction.probability
    assert 0.0 <= low <= high <= 1.0
    assert (prediction.sent_at_s is None) == (high == 0.0)
    if prediction.sent_at_s is not None:
        first, last = prediction.sent_at_s
        assert -math.inf < first <= last < math.inf


@both
@settings(deadline=None)
@given(rng=seeds)
def test_every_hub_and_every_rail_within_the_ranges_lies_within_the_prediction(model: Model, rng: Rng) -> None:
    predict, some_settings = model
    history, settings = blurred(some_cuts(rng), rng), some_settings(rng, exact=False)
    outer = predict(history, settings)
    for _ in range(10):
        inner = predict(History.of(picked_cuts(history, rng)), exact_pick(settings, rng))
        assert outer.probability[0] - TINY <= inner.probability[0]
        assert inner.probability[1] <= outer.probability[1] + TINY
        if inner.sent_at_s is not None and inner.probability[1] > TINY:
            assert outer.sent_at_s is not None
            assert outer.sent_at_s[0] - TINY <= inner.sent_at_s[0]
            assert inner.sent_at_s[1] <= outer.sent_at_s[1] + TINY


@both
@settings(deadline=None)
@given(rng=seeds)
def test_widening_what_is_not_known_never_narrows_the_prediction(model: Model, rng: Rng) -> None:
    predict, some_settings = model
    history, settings = blurred(some_cuts(rng), rng), some_settings(rng, exact=False)
    by = float(rng.uniform(0, 5))
    wider = History(
        tuple(Cut(c.start_lo_s - by, c.start_hi_s + by, c.end_lo_s - by, c.end_hi_s + by) for c in history.cuts)
    )
    low, high = predict(history, settings).probability
    for loose in (predict(wider, settings), predict(history, widened(settings, rng))):
        assert loose.probability[0] <= low + TINY
        assert loose.probability[1] >= high - TINY


@settings(deadline=None)
@given(rows=lengths, rng=seeds)
def test_less_power_never_lowers_the_chance_where_the_first_notification_counts(
    rows: list[tuple[float, float]], rng: Rng
) -> None:
    cuts = cuts_of(rows)
    number = int(rng.integers(len(cuts)))
    start, end = cuts[number]
    shorter = cuts.copy()
    shorter[number] = (start + (end - start) * rng.uniform(0, 0.5), end - (end - start) * rng.uniform(0, 0.49))
    settings = replace(south_central_settings(rng, exact=False), second_shutdown_rebases=Answer.NO)
    more, less = (predict_south_central(History.of(c), settings).probability for c in (cuts, shorter))
    assert less[0] <= more[0] + TINY
    assert less[1] <= more[1] + TINY


@settings(deadline=None)
@given(rows=lengths, rng=seeds)
def test_both_ends_in_south_central_are_reached_by_one_hub_each(rows: list[tuple[float, float]], rng: Rng) -> None:
    history = History.of(cuts_of(rows))
    s = replace(south_central_settings(rng, exact=False), second_shutdown_rebases=Answer.NO)

    def hub(low: str, high: str, rides: Answer, returns: Answer) -> float:
        ends = {"notify_s": low, "holdup_s": low, "gap_s": low, "recharge_s": high, "reboot_s": high, "wait_s": high}
        times = {name: Range.exactly(getattr(getattr(s, name), end)) for name, end in ends.items()}
        one = replace(s, booting_rides_on_holdup=rides, returns_on_holdup=returns, **times)
        return predict_south_central(history, one).probability[0]

    def end(answer: Answer, if_unknown: Answer) -> Answer:
        return if_unknown if answer is Answer.UNKNOWN else answer

    rides, returns = s.booting_rides_on_holdup, s.returns_on_holdup
    expected = predict_south_central(history, s).probability
    assert hub("lo", "hi", end(rides, Answer.NO), end(returns, Answer.NO)) == pytest.approx(expected[1], abs=TINY)
    assert hub("hi", "lo", end(rides, Answer.YES), end(returns, Answer.YES)) == pytest.approx(expected[0], abs=TINY)


@settings(deadline=None)
@given(rows=lengths, rng=seeds)
def test_both_ends_in_north_are_reached_by_one_hub_each(rows: list[tuple[float, float]], rng: Rng) -> None:
    history = History.of(cuts_of(rows))
    s = replace(north_settings(rng, exact=False), holdup_s=Range.exactly(600), recharge_s=Range.exactly(0))

    def hub(low: str, high: str, later: Answer) -> float:
        ends = {"timer_s": low, "held_from_s": low, "hold_s": low, "held_share": high, "pra_lost": high}
        values = {name: Range.exactly(getattr(getattr(s, name), end)) for name, end in ends.items()}
        values["pra_latency_s"] = Range.exactly(getattr(s.pra_latency_s, high))
        later = later if s.later_pra_discards is Answer.UNKNOWN else s.later_pra_discards
        return predict_north(history, replace(s, later_pra_discards=later, **values)).probability[0]

    expected = predict_north(history, s).probability
    assert hub("lo", "hi", Answer.NO) == pytest.approx(expected[1], abs=TINY)
    assert hub("hi", "lo", Answer.YES) == pytest.approx(expected[0], abs=TINY)


@settings(deadline=None)
@given(rows=lengths, shift=st.floats(-1e5, 1e5))
def test_only_the_time_of_sending_depends_on_time_zero(rows: list[tuple[float, float]], shift: float) -> None:
    cuts = [
        (round(start), round(start) + max(1, round(end - start)))
        for start, end in cuts_of([(u + 2, d) for u, d in rows])
    ]
    moved = [(start + round(shift), end + round(shift)) for start, end in cuts]
    for predict in (predict_north, predict_south_central):
        here, there = predict(History.of(cuts)), predict(History.of(moved))
        assert here.probability == pytest.approx(there.probability, abs=TINY)
        if here.sent_at_s and there.sent_at_s:
            assert there.sent_at_s == pytest.approx([t + round(shift) for t in here.sent_at_s], abs=1e-6)


@pytest.mark.parametrize("cuts", [[(5.0, 5.0)], [(5.0, 4.0)], [(0.0, 5.0), (5.0, 9.0)], [(0.0, 5.0), (3.0, 9.0)]])
def test_cuts_that_are_empty_or_not_apart_are_refused(cuts: list[tuple[float, float]]) -> None:
    with pytest.raises(InputError):
        History.of(cuts)


@pytest.mark.parametrize(
    "bounds",
    [(1, 0, 5, 6), (0, 1, 6, 5), (0, 1, -2, 6), (-math.inf, -math.inf, 5, 6), (0, math.nan, 5, 6), (0, 3, 1, 2)],
)
def test_bounds_that_are_not_an_outage_are_refused(bounds: tuple[float, float, float, float]) -> None:
    with pytest.raises(InputError):
        Cut(*bounds)


def test_outages_out_of_order_or_surely_one_are_refused() -> None:
    for rows in ((Cut(10, 10, 20, 20), Cut(0, 0, 5, 5)), (Cut(0, 0, 20, 20), Cut(10, 10, 30, 30))):
        with pytest.raises(InputError):
            History(rows)


@pytest.mark.parametrize(("low", "high"), [(2, 1), (-1, 1), (math.nan, 1), (0, math.nan)])
def test_a_range_that_is_not_ordered_is_refused(low: float, high: float) -> None:
    with pytest.raises(InputError):
        Range(low, high)


def test_a_chance_above_one_and_an_endless_time_are_refused_and_name_their_key() -> None:
    with pytest.raises(InputError, match="out of range") as chance:
        NorthSettings(pra_lost=Range(0, 1.1))
    assert chance.value.where.key == "north.pra_lost"
    with pytest.raises(InputError) as endless:
        SouthCentralSettings(reboot_s=Range(60, math.inf))
    assert endless.value.where.key == "south_central.reboot_s"


def test_a_hold_up_that_never_recharges_is_allowed() -> None:
    never = SouthCentralSettings(recharge_s=Range.exactly(math.inf))
    cuts = History.of([(0.0, 15.0), (1000.0, 1015.0)])
    assert "shut down" in " ".join(predict_south_central(cuts, never).story)


def test_a_setting_that_was_given_says_so_and_names_its_default() -> None:
    rows = {row.key: row for row in SouthCentralSettings(reboot_s=Range(60, 240)).rows()}
    assert rows["alerts.south_central.reboot_s"].value == "60 to 240 s"
    assert rows["alerts.south_central.reboot_s"].source == "given; the default is 60 s"
    assert "MP102A" in rows["alerts.south_central.holdup_s"].source
    assert rows["alerts.south_central.recharge_s"].source.startswith("assumption")
