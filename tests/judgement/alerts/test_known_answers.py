"""Answers worked out by hand from MP102A, region by region, and the words that go with them."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest

from rig.judgement.alerts import (
    Answer,
    Cut,
    History,
    NorthSettings,
    Range,
    SouthCentralSettings,
    predict_all,
    predict_north,
    predict_south_central,
)
from rig.rail import RailSettings, Source, Span, merge, outages

NS = 1_000_000_000

LATE_NOTICE = SouthCentralSettings(notify_s=Range.exactly(20))
EARLY_NOTICE = SouthCentralSettings(notify_s=Range.exactly(0))
CHAIN = History.of([(70.0 * i, 70.0 * i + 50.0) for i in range(5)])
TWO = History.of([(0.0, 100.0), (250.0, 350.0)])


def one(length_s: float) -> History:
    return History.of([(0.0, length_s)])


def known(p: float) -> tuple[float, float]:
    return pytest.approx((p, p), abs=1e-12)  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("length_s", "expected"), [(15, 0), (60, 0), (180, 0), (260, 0), (290, 0.25), (320, 0.5), (380, 1), (900, 1)]
)
def test_south_central_one_cut_notified_at_20_s_follows_the_ramp_from_260_to_380_s(
    length_s: float, expected: float
) -> None:
    assert predict_south_central(one(length_s), LATE_NOTICE).probability == known(expected)


@pytest.mark.parametrize(("length_s", "expected"), [(15, 0), (239, 0), (240, 0), (300, 0.5), (360, 1), (361, 1)])
def test_south_central_one_cut_notified_at_0_s_is_impossible_below_240_and_certain_from_360_s(
    length_s: float, expected: float
) -> None:
    assert predict_south_central(one(length_s), EARLY_NOTICE).probability == known(expected)


def test_south_central_defaults_span_both_ends_of_the_notification() -> None:
    assert predict_south_central(one(300)).probability == pytest.approx((1 / 3, 1 / 2))


def test_south_central_five_cuts_of_50_s_alert_in_58_to_75_percent() -> None:
    prediction = predict_south_central(CHAIN)
    assert prediction.probability == pytest.approx((70 / 120, 90 / 120))
    assert prediction.sent_at_s == pytest.approx((420, 440))
    assert prediction.story == (
        "Cut 1 (50 s): the hub shut down 20 s after the loss.",
        "Cuts 2 to 5 (50 s): the boot was restarted.",
        "The hub's longest absence, from notification to notification: 370 to 510 s.",
        "AD1 from 420 s on: chance 0.583 to 0.75.",
    )


def test_south_central_two_cuts_of_100_s_alert_in_6_to_23_percent() -> None:
    low, high = predict_south_central(TWO).probability
    assert low == pytest.approx(1 / 12 * 90 / 120)  # answers on hold-up until 270 s, notifies at 20 s
    assert high == pytest.approx(1 / 4 * 110 / 120)  # answers until 250 s only, notifies at 0 s


def test_south_central_re_basing_turns_two_cuts_of_100_s_into_no_alert() -> None:
    yes = replace(SouthCentralSettings(), second_shutdown_rebases=Answer.YES)
    unknown = replace(SouthCentralSettings(), second_shutdown_rebases=Answer.UNKNOWN)
    assert predict_south_central(TWO, yes).probability == (0.0, 0.0)
    assert predict_south_central(TWO, yes).sent_at_s is None
    assert predict_south_central(TWO, unknown).probability == pytest.approx((0.0, 1 / 4 * 110 / 120))


def test_south_central_re_basing_changes_nothing_while_the_hub_only_boots() -> None:
    yes = replace(SouthCentralSettings(), second_shutdown_rebases=Answer.YES)
    assert predict_south_central(CHAIN, yes).probability == pytest.approx((70 / 120, 90 / 120))


def test_south_central_a_one_minute_loss_alerts_only_with_a_reboot_of_more_than_240_s() -> None:
    def highest(reboot_s: float) -> float:
        return predict_south_central(one(60), SouthCentralSettings(reboot_s=Range.exactly(reboot_s))).probability[1]

    assert highest(240) == 0.0
    assert highest(252) == pytest.approx(0.1)


def test_south_central_dips_ridden_through_while_running_shut_nothing_down() -> None:
    dips = History.of([(30.0 * i, 30.0 * i + 19.0) for i in range(40)])
    prediction = predict_south_central(dips)
    assert prediction.probability == (0.0, 0.0)
    assert prediction.story == (
        "Cuts 1 to 40 (19 s): ridden through on the hold-up.",
        "The hub never shut down: no AD1.",
    )


def test_south_central_dips_that_come_before_the_hold_up_is_full_again_do_shut_the_hub_down() -> None:
    dips = History.of([(30.0 * i, 30.0 * i + 19.0) for i in range(40)])
    slow = SouthCentralSettings(recharge_s=Range.exactly(600))
    assert predict_south_central(dips, slow).probability[1] == 1.0


def test_south_central_a_short_cut_while_booting_is_open_between_riding_through_and_restarting() -> None:
    cuts = History.of([(0.0, 250.0), (260.0, 270.0)])
    rides = predict_south_central(cuts, replace(LATE_NOTICE, booting_rides_on_holdup=Answer.YES))
    restarts = predict_south_central(cuts, replace(LATE_NOTICE, booting_rides_on_holdup=Answer.NO))
    assert rides.probability == known(0.0)
    assert restarts.probability == known(10 / 120)
    assert predict_south_central(cuts, LATE_NOTICE).probability == pytest.approx((0.0, 10 / 120))


def test_south_central_power_that_never_returns_alerts_seven_minutes_after_the_notification() -> None:
    prediction = predict_south_central(History.of([(5.0, math.inf)]))
    assert prediction.probability == (1.0, 1.0)
    assert prediction.sent_at_s == pytest.approx((425.0, 445.0))


def test_south_central_an_unseen_end_leaves_everything_open() -> None:
    assert predict_south_central(History((Cut(0, 0.1, 100, math.inf),))).probability == (0.0, 1.0)


def test_south_central_two_long_cuts_far_apart_are_two_chances() -> None:
    cuts = History.of([(0.0, 320.0), (2000.0, 2320.0)])
    assert predict_south_central(cuts, LATE_NOTICE).probability == known(0.75)
    assert predict_south_central(cuts, LATE_NOTICE).sent_at_s == pytest.approx((440.0, 2440.0))


@pytest.mark.parametrize("rebases", [Answer.NO, Answer.YES])
def test_south_central_an_answer_that_falls_due_on_hold_up_waits_for_the_power_if_it_may_not_be_sent_there(
    rebases: Answer,
) -> None:
    cuts = History.of([(0.0, 300.0), (430.0, 442.0)])  # due between 360 and 480 s; the gap is full at 440 s
    settings = replace(LATE_NOTICE, second_shutdown_rebases=rebases)
    sends = predict_south_central(cuts, replace(settings, returns_on_holdup=Answer.YES))
    waits = predict_south_central(cuts, replace(settings, returns_on_holdup=Answer.NO))
    assert sends.probability == known(40 / 120)
    assert waits.probability == known(50 / 120)


def test_no_cut_is_no_alert_in_either_region() -> None:
    alerts = predict_all(History(()))
    assert alerts.north.probability == alerts.south_central.probability == (0.0, 0.0)
    assert alerts.north.sent_at_s is None
    assert alerts.south_central.sent_at_s is None


@pytest.mark.parametrize(
    ("length_s", "expected"),
    [(29.9, (0, 0)), (30, (0, 0.1)), (169, (0, 0.1)), (171, (0, 1)), (179.9, (0, 1)), (180, (1, 1)), (400, (1, 1))],
)
def test_north_one_cut_by_its_length(length_s: float, expected: tuple[float, float]) -> None:
    assert predict_north(one(length_s)).probability == pytest.approx(expected)


def test_north_a_pra_that_takes_5_s_is_late_after_178_s_and_in_time_after_174_s() -> None:
    settings = NorthSettings(pra_latency_s=Range.exactly(5), held_share=Range.exactly(1), pra_lost=Range.exactly(0.02))
    assert predict_north(one(178), settings).probability == (1.0, 1.0)
    assert predict_north(one(174), settings).probability == known(0.02)


def test_north_a_hub_without_the_30_s_mode_alerts_from_180_s_only() -> None:
    plain = NorthSettings(held_share=Range.exactly(0))
    assert predict_north(one(179.99), plain).probability == (0.0, 0.0)
    assert predict_north(one(180), plain).probability == (1.0, 1.0)


def test_north_the_share_of_hubs_with_the_30_s_mode_scales_the_chance_once_for_all_cuts() -> None:
    settings = NorthSettings(held_share=Range.exactly(0.5), pra_lost=Range.exactly(0.1), later_pra_discards=Answer.NO)
    assert predict_north(CHAIN, settings).probability == known(0.5 * (1 - 0.9**5))


def test_north_the_pra_of_a_later_cut_saves_an_earlier_held_alert() -> None:
    settings = NorthSettings(
        held_share=Range.exactly(1),
        pra_lost=Range.exactly(0.1),
        pra_latency_s=Range.exactly(0),
        later_pra_discards=Answer.YES,
    )
    cuts = History.of([(0.0, 40.0), (60.0, 100.0)])
    assert predict_north(cuts, settings).probability == known(0.1)
    too_far = History.of([(0.0, 40.0), (160.0, 200.0)])
    assert predict_north(too_far, settings).probability == known(1 - 0.9**2)


def test_north_alerts_are_sent_180_s_after_a_loss() -> None:
    assert predict_north(one(60)).sent_at_s == pytest.approx((180, 180))
    assert predict_north(History((Cut(0, 2, 300, 301),))).sent_at_s == pytest.approx((180, 182))


def test_north_a_supercapacitor_that_recharges_slowly_may_run_out_before_the_timer() -> None:
    cuts = History.of([(0.0, 170.0), (180.0, 350.0), (360.0, 530.0), (540.0, 725.0)])
    fast = NorthSettings(held_share=Range.exactly(0))
    slow = replace(fast, recharge_s=Range.exactly(1e6))
    assert predict_north(cuts, fast).probability == (1.0, 1.0)
    assert predict_north(cuts, slow).probability == (0.0, 0.0)


def test_bounds_of_an_outage_propagate_into_both_regions() -> None:
    blurred = History((Cut(0.0, 1.0, 179.0, 182.0),))
    assert predict_north(blurred).probability == (0.0, 1.0)
    blurred = History((Cut(0.0, 1.0, 300.0, 303.0),))
    assert predict_south_central(blurred, LATE_NOTICE).probability == pytest.approx((39 / 120, 43 / 120))


def test_cuts_that_may_be_one_are_judged_as_one_at_the_highest_end_only() -> None:
    unknown_middle = History((Cut(0, 0, 100, 200), Cut(100, 200, 300, 300)))
    assert predict_north(unknown_middle).probability == (0.0, 1.0)
    low, high = predict_south_central(unknown_middle).probability
    assert low < high == pytest.approx(0.5)


def test_north_cuts_that_may_be_one_may_be_one_held_alert_or_two() -> None:
    cuts = History((Cut(0, 0, 40, 60), Cut(40, 60, 100, 100)))
    own_only = NorthSettings(
        held_share=Range.exactly(1),
        pra_lost=Range.exactly(0.1),
        pra_latency_s=Range.exactly(0),
        later_pra_discards=Answer.NO,
    )
    assert predict_north(cuts, own_only).probability == pytest.approx((0.1, 1 - 0.9**2))


def rail(up: list[tuple[int, int]], down: list[tuple[int, int]], *, window_s: tuple[int, int]) -> History:
    """The rail's own outages from stretches in s, told with time zero at 10 s."""
    spans = [Span(a * NS, b * NS, "up") for a, b in up] + [Span(a * NS, b * NS, "down") for a, b in down]
    knowledge = merge([Source.of("probe", "hub", spans)])
    found = outages(knowledge, RailSettings(), window_s[0] * NS, window_s[1] * NS)
    return History.of_rail(found.outages, 10 * NS)


def test_an_outage_of_the_rail_keeps_its_bounds() -> None:
    history = rail([(0, 20), (330, 900)], [(21, 328)], window_s=(0, 900))
    assert history == History((Cut(10.0, 11.0, 318.0, 320.0),))


def test_an_unseen_middle_of_an_outage_may_have_been_power() -> None:
    history = rail([(0, 10), (310, 900)], [(10, 110), (210, 310)], window_s=(0, 900))
    assert history == History((Cut(0.0, 0.0, 100.0, 200.0), Cut(100.0, 200.0, 300.0, 300.0)))


def test_an_unseen_stretch_may_have_been_an_outage() -> None:
    history = rail([(0, 10), (410, 900)], [], window_s=(0, 900))
    assert predict_north(history).probability == (0.0, 1.0)
    assert predict_south_central(history).probability == (0.0, 1.0)


def test_a_proven_outage_at_the_end_of_the_window_may_never_have_ended_and_an_unproven_one_ends_with_it() -> None:
    proven = rail([(0, 10)], [(10, 200)], window_s=(0, 200))
    assert proven.cuts[0].end_hi_s == math.inf
    unproven = rail([(0, 195)], [], window_s=(0, 200))
    assert unproven == History((Cut(185.0, 190.0, 185.0, 190.0),))


def test_a_proven_outage_at_the_start_of_the_window_may_have_begun_at_any_time_and_an_unproven_one_begins_with_it() -> (
    None
):
    proven = rail([(100, 900)], [(0, 100)], window_s=(0, 900))
    assert proven == History((Cut(-math.inf, -10.0, 90.0, 90.0),))
    for region in (predict_north(proven), predict_south_central(proven)):
        assert region.probability == (0.0, 1.0)
        assert region.sent_at_s is not None
        assert region.sent_at_s[0] == -math.inf
    unproven = rail([(5, 900)], [], window_s=(0, 900))
    assert unproven == History((Cut(-10.0, -5.0, -10.0, -5.0),))


@pytest.mark.parametrize("rebases", Answer)
def test_an_outage_that_was_long_enough_is_certain_whenever_it_began(rebases: Answer) -> None:
    open_start = History((Cut(-math.inf, 0.0, 400.0, 400.0), Cut(900.0, 900.0, 960.0, 960.0)))
    settings = SouthCentralSettings(second_shutdown_rebases=rebases)
    assert predict_south_central(open_start, settings).probability == (1.0, 1.0)
    assert predict_north(open_start).probability == (1.0, 1.0)


def test_before_anything_was_seen_is_null_in_json() -> None:
    body = predict_all(History((Cut(-math.inf, 0.0, 100.0, 100.0),))).to_json()
    assert json.loads(json.dumps(body, allow_nan=False))["sent_at_s"] == {
        "north": [None, 180.0],
        "south_central": [None, 280.0],
    }


def test_a_clock_that_may_be_wrong_widens_every_time_as_it_widens_the_outage() -> None:
    def north(length_s: float) -> tuple[float, float]:
        settings = NorthSettings(held_share=Range.exactly(0))
        return predict_north(replace(one(length_s), rate_ppm=200.0), settings).probability

    assert north(179.96) == (0.0, 0.0)  # at most 179.96 / 0.9998 = 179.996 s
    assert north(179.97) == (0.0, 1.0)
    assert north(180.03) == (0.0, 1.0)  # at least 180.03 * 0.9998 = 179.994 s
    assert north(180.04) == (1.0, 1.0)
    low, high = predict_south_central(replace(one(320), rate_ppm=200.0), LATE_NOTICE).probability
    assert low < 0.5 < high < low + 0.002
    assert "20 s after the loss" in predict_south_central(replace(one(320), rate_ppm=200.0), LATE_NOTICE).story[0]


def test_a_story_of_many_rows_is_told_by_fate() -> None:
    cuts = History.of([(300.0 * i, 300.0 * i + (50 if i % 2 else 10)) for i in range(60)])
    assert predict_south_central(cuts).story[:2] == (
        "30 of the cuts 1 to 59 (10 s): ridden through on the hold-up.",
        "30 of the cuts 2 to 60 (50 s): the hub shut down 20 s after the loss.",
    )


def test_everything_goes_into_json_with_a_row_for_every_setting() -> None:
    alerts = predict_all(CHAIN)
    body = json.loads(json.dumps(alerts.to_json(), allow_nan=False))
    assert body["south_central"] == pytest.approx([70 / 120, 90 / 120])
    assert body["sent_at_s"]["south_central"] == pytest.approx([420, 440])
    assert body["story"]["north"][0].startswith("Cuts 1 to 5 (50 s): in the 30 s mode AD1 is held")
    keys = [row.key for row in alerts.assumptions]
    assert len(keys) == len(set(keys)) == 19
    assert all(row.value and row.source for row in alerts.assumptions)
