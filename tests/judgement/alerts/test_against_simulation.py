"""The exact integrals against the separately written Monte Carlo: fixed seeds, 1,000 random histories a region."""

from __future__ import annotations

import math
from dataclasses import fields

import numpy as np
import pytest

from rig.judgement.alerts import (
    Answer,
    Cut,
    History,
    NorthSettings,
    Range,
    SouthCentralSettings,
    predict_north,
    predict_south_central,
)
from tests.judgement.alerts.simulation import Cuts, Hub, NorthHub, Rng, north, south_central

TRIALS = 3000
HISTORIES = 500
"""Of each kind: exact ones and ones with ranges."""


def sigmas(chance: float, seen: float) -> float:
    """How many standard deviations `seen` is from `chance`; a chance near 0 or 1 counts as one event in the trials."""
    variance = max(chance * (1.0 - chance), 1.0 / TRIALS) / TRIALS
    return abs(seen - chance) / math.sqrt(variance)


def some_cuts(rng: Rng) -> Cuts:
    """One to seven cuts: dips, minutes, and now and then one without an end."""
    at, cuts = 0.0, []
    for _ in range(int(rng.integers(1, 8))):
        length = float(
            rng.choice([rng.uniform(1, 25), rng.uniform(15, 60), rng.uniform(40, 190), rng.uniform(150, 420)])
        )
        cuts.append((at, at + length))
        at += length + float(rng.choice([rng.uniform(1, 30), rng.uniform(20, 100), rng.uniform(60, 260)]))
    if rng.random() < 0.03:
        cuts[-1] = (cuts[-1][0], math.inf)
    return cuts


def blurred(cuts: Cuts, rng: Rng) -> History:
    """Bounds around exact cuts; sometimes so wide that two may be one, or that one may not have been."""
    width = float(rng.choice([0.0, 0.5, 5.0, 40.0]))
    rows: list[Cut] = []
    for start, end in cuts:
        mid = min(start + 1e4, (start + end) / 2)
        start_hi = start + rng.uniform(0, width)
        end_lo = max(start, end - rng.uniform(0, width))
        if rng.random() < 0.7:
            start_hi, end_lo = min(start_hi, mid), max(end_lo, mid)
        start_hi = min(start_hi, end)
        start_lo, end_hi = start - rng.uniform(0, width), end + rng.uniform(0, width)
        if rows:
            start_lo = max(start_lo, rows[-1].start_lo_s)
            start_hi = max(start_hi, rows[-1].start_hi_s, rows[-1].end_lo_s)
            end_lo, end_hi = max(end_lo, rows[-1].end_lo_s), max(end_hi, rows[-1].end_hi_s)
        rows.append(Cut(start_lo, start_hi, max(end_lo, start_lo), max(end_hi, start_hi)))
    return History(tuple(rows))


def picked_cuts(history: History, rng: Rng) -> Cuts:
    """One rail that the bounds allow: ends often at a bound; cuts that meet are one, empty ones are none."""
    cuts: Cuts = []
    for cut in history.cuts:
        start = pick(cut.start_lo_s, cut.start_hi_s, rng)
        high = cut.end_hi_s if math.isfinite(cut.end_hi_s) else float(rng.choice([cut.end_lo_s + 900.0, math.inf]))
        end = high if math.isinf(high) else pick(min(cut.end_lo_s, high), high, rng)
        if end <= start:
            continue
        if cuts and start <= cuts[-1][1]:
            cuts[-1] = (cuts[-1][0], max(cuts[-1][1], end))
        else:
            cuts.append((start, end))
    return cuts


def pick(low: float, high: float, rng: Rng) -> float:
    return float(rng.choice([low, high, rng.uniform(low, high)]))


def some_range(low: float, high: float, rng: Rng, *, exact: bool) -> Range:
    one = float(rng.uniform(low, high))
    if exact or rng.random() < 0.5:
        return Range.exactly(one)
    return Range(*sorted((one, float(rng.uniform(low, high)))))


def some_answer(rng: Rng, *, exact: bool) -> Answer:
    choices = [Answer.YES, Answer.NO] if exact else list(Answer)
    return choices[int(rng.integers(len(choices)))]


def south_central_settings(rng: Rng, *, exact: bool) -> SouthCentralSettings:
    recharge = some_range(0, 400, rng, exact=exact) if rng.random() < 0.5 else Range.exactly(0)
    return SouthCentralSettings(
        notify_s=some_range(0, 20, rng, exact=exact),
        holdup_s=some_range(10, 30, rng, exact=exact),
        recharge_s=recharge,
        reboot_s=some_range(30, 120, rng, exact=exact),
        wait_s=some_range(60, 180, rng, exact=exact),
        gap_s=some_range(300, 440, rng, exact=exact),
        booting_rides_on_holdup=some_answer(rng, exact=exact),
        returns_on_holdup=some_answer(rng, exact=exact),
        second_shutdown_rebases=some_answer(rng, exact=exact),
    )


def picked_hub(s: SouthCentralSettings, rng: Rng) -> Hub:
    times = {name: getattr(s, f"{name}_s") for name in ("notify", "holdup", "recharge", "reboot", "wait", "gap")}
    return Hub(
        **{name: pick(value.lo, value.hi, rng) for name, value in times.items()},
        booting_rides=picked(s.booting_rides_on_holdup, rng),
        returns_on_holdup=picked(s.returns_on_holdup, rng),
        rebases=picked(s.second_shutdown_rebases, rng),
    )


def north_settings(rng: Rng, *, exact: bool) -> NorthSettings:
    plenty = rng.random() < 0.5
    return NorthSettings(
        timer_s=some_range(150, 200, rng, exact=exact),
        held_from_s=some_range(20, 40, rng, exact=exact),
        hold_s=some_range(110, 170, rng, exact=exact),
        held_share=some_range(0, 1, rng, exact=exact),
        pra_lost=some_range(0, 0.6, rng, exact=exact),
        pra_latency_s=some_range(0, 60, rng, exact=exact),
        later_pra_discards=some_answer(rng, exact=exact),
        holdup_s=Range.exactly(600) if plenty else some_range(100, 300, rng, exact=exact),
        recharge_s=Range.exactly(0) if plenty else some_range(0, 2000, rng, exact=exact),
        reboot_s=some_range(30, 90, rng, exact=exact),
    )


def picked_north(s: NorthSettings, rng: Rng) -> NorthHub:
    values = {item.name: getattr(s, item.name) for item in fields(s)}
    later = picked(values.pop("later_pra_discards"), rng)
    numbers = {name.removesuffix("_s").removeprefix("pra_"): v for name, v in values.items()}
    numbers["pra_lost"] = numbers.pop("lost")
    return NorthHub(**{name: pick(v.lo, v.hi, rng) for name, v in numbers.items()}, later_discards=later)


def picked(answer: Answer, rng: Rng) -> bool:
    return bool(rng.random() < 0.5) if answer is Answer.UNKNOWN else answer is Answer.YES


def test_south_central_agrees_with_the_simulation_where_all_is_exact() -> None:
    rng = np.random.default_rng(1)
    undecided = 0
    for _ in range(HISTORIES):
        cuts, settings = some_cuts(rng), south_central_settings(rng, exact=True)
        low, high = predict_south_central(History.of(cuts), settings).probability
        seen = south_central(cuts, picked_hub(settings, rng), TRIALS, rng)
        assert high - low < 1e-9
        assert sigmas(low, seen) < 4, (cuts, settings, low, seen)
        undecided += 0.01 < low < 0.99
    assert undecided > HISTORIES / 8


def test_south_central_bounds_hold_for_every_pick_within_the_ranges() -> None:
    rng = np.random.default_rng(2)
    for _ in range(HISTORIES):
        history, settings = blurred(some_cuts(rng), rng), south_central_settings(rng, exact=False)
        low, high = predict_south_central(history, settings).probability
        cuts = picked_cuts(history, rng)
        seen = south_central(cuts, picked_hub(settings, rng), TRIALS, rng)
        assert seen > low or sigmas(low, seen) < 4, (history, cuts, settings, low, seen)
        assert seen < high or sigmas(high, seen) < 4, (history, cuts, settings, high, seen)


def test_north_agrees_with_the_simulation_where_all_is_exact() -> None:
    rng = np.random.default_rng(3)
    undecided = 0
    for _ in range(HISTORIES):
        cuts, settings = some_cuts(rng), north_settings(rng, exact=True)
        low, high = predict_north(History.of(cuts), settings).probability
        seen = north(cuts, picked_north(settings, rng), TRIALS, rng)
        assert high - low < 1e-9
        assert sigmas(low, seen) < 4, (cuts, settings, low, seen)
        undecided += 0.01 < low < 0.99
    assert undecided > HISTORIES / 8


def test_north_bounds_hold_for_every_pick_within_the_ranges() -> None:
    rng = np.random.default_rng(4)
    for _ in range(HISTORIES):
        history, settings = blurred(some_cuts(rng), rng), north_settings(rng, exact=False)
        low, high = predict_north(history, settings).probability
        cuts = picked_cuts(history, rng)
        seen = north(cuts, picked_north(settings, rng), TRIALS, rng)
        assert seen > low or sigmas(low, seen) < 4, (history, cuts, settings, low, seen)
        assert seen < high or sigmas(high, seen) < 4, (history, cuts, settings, high, seen)


@pytest.mark.parametrize("seed", [5, 6])
def test_the_simulation_finds_the_known_share_for_one_cut_of_320_seconds(seed: int) -> None:
    seen = south_central([(0.0, 320.0)], Hub(), TRIALS, np.random.default_rng(seed))
    assert sigmas(0.5, seen) < 4
