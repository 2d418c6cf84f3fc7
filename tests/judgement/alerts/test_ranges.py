"""How wide a prediction is: never wider for knowing more, exact where shown, wide enough for what was not seen."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

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
from tests.judgement.alerts.simulation import Cuts, Rng
from tests.judgement.alerts.test_against_simulation import blurred, pick, some_cuts
from tests.judgement.alerts.test_properties import NORTH, SOUTH_CENTRAL, TINY, Model, both, exact_pick, seeds

OWN = NorthSettings(
    held_share=Range.exactly(1),
    pra_lost=Range.exactly(0.1),
    pra_latency_s=Range.exactly(0),
    later_pra_discards=Answer.NO,
)
LATER = replace(OWN, later_pra_discards=Answer.YES)
NEVER_ONE = History((Cut(0, 0, 100, 100.6), Cut(100.4, 101, 215, 215.5)))
"""Two cuts whose bounds overlap; as one they would last 215 s, and alert."""


def narrowed(history: History, rng: Rng) -> History:
    """The same cuts with some of their bounds closer."""
    rows = []
    for cut in history.cuts:
        start, end = (cut.start_lo_s, cut.start_hi_s), (cut.end_lo_s, cut.end_hi_s)
        if rng.random() < 0.5:
            start = closer(*start, rng)
        if rng.random() < 0.5 and math.isfinite(cut.end_hi_s):
            end = closer(*end, rng)
        rows.append(Cut(*start, max(end[0], start[0]), max(end[1], start[1])))
    for one, two in pairwise(rows):
        ordered = one.start_lo_s <= two.start_lo_s and one.start_hi_s <= two.start_hi_s
        if not (ordered and one.end_lo_s <= min(two.end_lo_s, two.start_hi_s) and one.end_hi_s <= two.end_hi_s):
            return history
    return History(tuple(rows))


def closer(low: float, high: float, rng: Rng) -> tuple[float, float]:
    one, two = pick(low, high, rng), pick(low, high, rng)
    return min(one, two), max(one, two)


@pytest.mark.parametrize(("model", "seed"), [(NORTH, 13958), (NORTH, 2690), (NORTH, 4048), (SOUTH_CENTRAL, 4178)])
def test_known_counterexamples_to_knowing_more_narrows_no_longer_hold(model: Model, seed: int) -> None:
    rng = np.random.default_rng(seed)
    assert_narrowing_narrows(model, rng)


@both
@settings(deadline=None, max_examples=300)
@given(rng=seeds)
def test_knowing_more_never_widens_the_prediction(model: Model, rng: Rng) -> None:
    assert_narrowing_narrows(model, rng)


def assert_narrowing_narrows(model: Model, rng: Rng) -> None:
    predict, some_settings = model
    history, unclear = blurred(some_cuts(rng), rng), some_settings(rng, exact=False)
    outer = predict(history, unclear).probability
    for inner in (predict(narrowed(history, rng), unclear), predict(history, exact_pick(unclear, rng))):
        assert outer[0] - TINY <= inner.probability[0]
        assert inner.probability[1] <= outer[1] + TINY


def test_north_cuts_too_long_to_be_one_without_an_alert_are_two_held_alerts_at_the_lowest_end() -> None:
    two = pytest.approx(1 - 0.9**2)
    for later in Answer:
        low, high = predict_north(NEVER_ONE, replace(OWN, later_pra_discards=later)).probability
        assert (low, high) == (two, 1.0)


def test_north_a_later_pra_serves_cuts_that_may_be_one_as_if_they_were() -> None:
    maybe_one = History((Cut(0, 0, 40, 60), Cut(40, 60, 100, 100)))
    assert predict_north(maybe_one, LATER).probability == pytest.approx((0.1, 0.1))


def test_north_an_unseen_stretch_may_hide_as_many_held_alerts_as_fit() -> None:
    assert predict_north(History((Cut(0, 100, 0, 100),)), OWN).probability == pytest.approx((0.0, 1 - 0.9**3))
    assert predict_north(History((Cut(0, 40, 80, 120),)), OWN).probability == pytest.approx((0.1, 1 - 0.9**3))


SLOT_S = 10.0
BREAK_S = 1e-6
slots = st.lists(st.sampled_from(["up", "down", "unseen"]), min_size=1, max_size=9).filter(
    lambda row: row.count("unseen") <= 4 and "down" in row
)


def rails(row: list[str]) -> list[Cuts]:
    """Every rail that is up or down for whole slots where it is not known, or breaks for an instant at their ends."""
    choices = {"up": [None], "down": [(0, 0)], "unseen": [None, (0, 0), (1, 0), (0, 1), (1, 1)]}
    return [cuts_of(states) for states in product(*(choices[slot] for slot in row))]


def cuts_of(states: tuple[tuple[int, int] | None, ...]) -> Cuts:
    """None: up; else down, less an instant of power where a slot begins, where it ends."""
    cuts: Cuts = []
    for index, state in enumerate(states):
        if state is None:
            continue
        start, end = index * SLOT_S + BREAK_S * state[0], (index + 1) * SLOT_S - BREAK_S * state[1]
        if cuts and cuts[-1][1] == start:
            cuts[-1] = (cuts[-1][0], end)
        else:
            cuts.append((start, end))
    return cuts


def history_of(row: list[str]) -> History:
    """The same knowledge as bounds: one cut for each stretch that is surely down."""
    edges = [0, *(i for i in range(1, len(row)) if row[i] != row[i - 1]), len(row)]
    spans = [(row[a], a * SLOT_S, b * SLOT_S) for a, b in pairwise(edges)]
    rows = []
    for index, (kind, start, end) in enumerate(spans):
        before = spans[index - 1] if index else ("up", 0.0, 0.0)
        after = spans[index + 1] if index + 1 < len(spans) else ("up", 0.0, 0.0)
        if kind == "down":
            first = before[1] if before[0] == "unseen" else start
            rows.append(Cut(first, start, end, after[2] if after[0] == "unseen" else end))
        elif kind == "unseen" and "down" not in (before[0], after[0]):
            rows.append(Cut(start, end, start, end))
    return History(tuple(rows))


@settings(deadline=None, max_examples=80)
@given(row=slots)
@example(row=["unseen", "down", "unseen", "unseen", "down", "unseen"])
@example(row=["down", "down", "down", "unseen", "down", "down", "down", "unseen", "down"])
def test_north_bounds_are_the_extremes_of_all_rails_where_only_its_own_pra_discards(row: list[str]) -> None:
    s = replace(OWN, held_from_s=Range.exactly(19.9), hold_s=Range.exactly(45), timer_s=Range.exactly(72))
    chances = [predict_north(History.of(cuts), s).probability for cuts in rails(row)]
    low, high = predict_north(history_of(row), s).probability
    assert low == pytest.approx(min(chance[0] for chance in chances), abs=1e-12)
    assert high == pytest.approx(max(chance[1] for chance in chances), abs=1e-12)


@settings(deadline=None, max_examples=60)
@given(row=slots, rng=seeds, stretch=st.floats(1, 12))
def test_bounds_hold_for_several_cuts_in_what_was_not_seen(row: list[str], rng: Rng, stretch: float) -> None:
    def longer(at: float) -> float:
        return at * stretch

    known = history_of(row)
    history = History(
        tuple(Cut(*map(longer, (c.start_lo_s, c.start_hi_s, c.end_lo_s, c.end_hi_s))) for c in known.cuts)
    )
    possible = rails(row)
    models = [(predict_north, replace(NORTH[1](rng, exact=False), later_pra_discards=answer)) for answer in Answer] + [
        (predict_south_central, replace(SOUTH_CENTRAL[1](rng, exact=False), second_shutdown_rebases=answer))
        for answer in Answer
    ]
    for predict, unclear in models:
        outer = predict(history, unclear)
        for index in rng.integers(len(possible), size=12):
            cuts = [(longer(a), longer(b)) for a, b in possible[index]]
            assert_within(predict(History.of(cuts), exact_pick(unclear, rng)), outer)


def assert_within(inner: Prediction, outer: Prediction) -> None:
    assert outer.probability[0] - TINY <= inner.probability[0]
    assert inner.probability[1] <= outer.probability[1] + TINY
    if inner.sent_at_s is not None and inner.probability[1] > TINY:
        assert outer.sent_at_s is not None
        assert outer.sent_at_s[0] - TINY <= inner.sent_at_s[0]
        assert inner.sent_at_s[1] <= outer.sent_at_s[1] + TINY


@both
@settings(deadline=None, max_examples=200)
@given(row=slots, rng=seeds, stretch=st.floats(0.1, 12))
def test_seeing_less_of_the_rail_never_narrows_the_prediction(
    model: Model, row: list[str], rng: Rng, stretch: float
) -> None:
    predict, some_settings = model
    less = ["unseen" if rng.random() < 0.3 else slot for slot in row]
    unclear = some_settings(rng, exact=False)
    more_seen, less_seen = (predict(stretched(history_of(r), stretch), unclear).probability for r in (row, less))
    assert less_seen[0] <= more_seen[0] + TINY
    assert less_seen[1] >= more_seen[1] - TINY


def stretched(history: History, by: float) -> History:
    return History(
        tuple(Cut(c.start_lo_s * by, c.start_hi_s * by, c.end_lo_s * by, c.end_hi_s * by) for c in history.cuts)
    )


def test_north_an_unseen_stretch_may_hide_losses_whose_pras_discard_what_was_held_before_it() -> None:
    assert predict_north(History((Cut(0, 0, 100, 120),)), LATER).probability[0] == 0.0
    assert predict_north(History((Cut(0, 0, 100, 100.5),)), LATER).probability[0] == pytest.approx(0.1)
    assert predict_north(History((Cut(0, 0, 100, 120),)), OWN).probability[0] == pytest.approx(0.1)
    before_the_next = History((Cut(0, 0, 100, 100), Cut(110, 140, 150, 150)))
    assert predict_north(before_the_next, LATER).probability[0] == 0.0


def test_north_an_unseen_stretch_before_a_cut_may_have_drained_the_supercapacitor() -> None:
    small = replace(OWN, holdup_s=Range.exactly(50), recharge_s=Range.exactly(math.inf), pra_lost=Range.exactly(0))
    cut = [(60.0, 200.0)]
    assert predict_north(History.of(cut), small).probability == (1.0, 1.0)
    assert predict_north(History((Cut(0, 60, 200, 200),)), small).probability == (0.0, 1.0)


@pytest.mark.parametrize("rebases", Answer)
def test_south_central_an_unseen_end_may_hide_a_later_loss_that_sends_an_ad1_later(rebases: Answer) -> None:
    unclear = SouthCentralSettings(second_shutdown_rebases=rebases)
    hidden = predict_south_central(History.of([(0.0, 100.0), (400.0, 1000.0)]), unclear)
    assert_within(hidden, predict_south_central(History((Cut(0, 0, 100, 1000),)), unclear))
    assert hidden.sent_at_s == pytest.approx((820.0, 840.0))


def test_south_central_what_was_ridden_through_may_be_followed_by_a_hidden_loss_that_was_not() -> None:
    slow = SouthCentralSettings(
        recharge_s=Range.exactly(1000), gap_s=Range.exactly(150), second_shutdown_rebases=Answer.UNKNOWN
    )
    hidden = predict_south_central(History.of([(0.0, 10.0), (30.0, 60.0)]), slow)
    assert hidden.probability[0] > 0.0
    assert_within(hidden, predict_south_central(History((Cut(0, 0, 10, 60),)), slow))


def test_south_central_where_a_second_shutdown_may_re_base_the_last_ad1_may_leave_later() -> None:
    cuts = History.of([(0.0, 31.0), (45.0, 344.0)])
    either = SouthCentralSettings(
        reboot_s=Range.exactly(32), booting_rides_on_holdup=Answer.YES, second_shutdown_rebases=Answer.UNKNOWN
    )
    rebased = predict_south_central(cuts, replace(either, second_shutdown_rebases=Answer.YES))
    assert_within(rebased, predict_south_central(cuts, either))
    assert rebased.sent_at_s == pytest.approx((465.0, 485.0))


def test_south_central_a_long_outage_is_certain_even_where_too_many_paths_lead_to_it() -> None:
    wide = SouthCentralSettings(
        holdup_s=Range(5, 30), recharge_s=Range(0, 300), reboot_s=Range(60, 240), second_shutdown_rebases=Answer.YES
    )
    unclear = [(40.0 * i, 40.0 * i + 25.0) for i in range(60)]
    assert predict_south_central(History.of(unclear), wide).probability == (0.0, 1.0)
    assert predict_south_central(History.of([*unclear, (4000.0, math.inf)]), wide).probability == (1.0, 1.0)


ZERO = Range.exactly(0)
NOTHING = [{name: ZERO} for name in ("notify_s", "holdup_s", "recharge_s", "reboot_s", "wait_s", "gap_s")] + [
    {"holdup_s": ZERO, "recharge_s": Range(0, math.inf), "reboot_s": ZERO, "wait_s": ZERO, "gap_s": Range(0, 600)}
]
NOTHING_NORTH = [
    {name: ZERO}
    for name in ("timer_s", "held_from_s", "hold_s", "held_share", "pra_lost", "pra_latency_s", "holdup_s", "reboot_s")
] + [{"held_from_s": ZERO, "holdup_s": ZERO, "recharge_s": Range(0, math.inf), "pra_lost": Range(0, 1)}]
STRANGE = [
    History(()),
    History((Cut(0, 0, 0, 0),)),
    History((Cut(0, 5, 3, math.inf),)),
    History((Cut(0, 0, 100, 200), Cut(100, 200, 300, 300))),
    History((Cut(0, 0, math.inf, math.inf),)),
    History((Cut(0, 1000, 0, 1000), Cut(0, 1000, 0, 1000))),
]


@pytest.mark.parametrize("history", STRANGE, ids=range(len(STRANGE)))
def test_extremes_of_settings_and_of_what_is_known_give_an_ordered_pair(history: History) -> None:
    for values, answer in product(NOTHING, Answer):
        strange = replace(SouthCentralSettings(second_shutdown_rebases=answer), **values)
        assert_sound(predict_south_central(history, strange))
    for values, answer in product(NOTHING_NORTH, Answer):
        assert_sound(predict_north(history, replace(NorthSettings(later_pra_discards=answer), **values)))


def assert_sound(prediction: Prediction) -> None:
    (low, high), sent = prediction.probability, prediction.sent_at_s
    assert 0.0 <= low <= high <= 1.0
    assert (sent is None) == (high == 0.0)
    if sent is not None:
        assert math.isfinite(sent[0])
        assert sent[0] <= sent[1] < math.inf


def test_an_outage_without_a_seen_end_leaves_the_highest_chance_at_one_in_both_regions() -> None:
    history = History((Cut(0, 0.1, 100, math.inf),))
    for rebases in Answer:
        s = SouthCentralSettings(second_shutdown_rebases=rebases)
        assert predict_south_central(history, s).probability == (0.0, 1.0)
    assert predict_north(history).probability == (0.0, 1.0)


def test_wide_ranges_over_a_hundred_cuts_are_bounded_without_following_every_path() -> None:
    wide = SouthCentralSettings(
        reboot_s=Range(60, 240),
        holdup_s=Range(5, 30),
        recharge_s=Range(0, 300),
        wait_s=Range(60, 180),
        second_shutdown_rebases=Answer.YES,
    )
    cuts = [(40.0 * i, 40.0 * i + 25.0) for i in range(100)]
    assert predict_south_central(History.of(cuts), wide).probability == (0.0, 1.0)
