"""The promise: for every rail and every way of looking at it, `lower <= truth <= upper`, for every threshold."""

from __future__ import annotations

import math
import random
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rig.rail import RailSettings, Source, longest_bounds, merge, outages
from rig.rail.place import Offset, narrow, place
from rig.rail.samples import Bins, Grid, Times, code_limits, source_of, volt_limits
from tests.rail.looking import (
    ACCURACY,
    DOWN_MV,
    NODE,
    SCALE,
    THRESHOLDS,
    UP_MV,
    Scene,
    bins_of,
    code,
    codes_of,
    comparator,
    instants,
    scenes,
    track,
    volts_of,
)
from tests.rail.oracle import Rail, short_dips, truth

CODES = code_limits(SCALE, DOWN_MV / 1000, UP_MV / 1000)
VOLTS = volt_limits(ACCURACY, DOWN_MV / 1000, UP_MV / 1000)
SEEDS = st.integers(0, 2**32)


def bounds(scene: Scene, *sources: Source) -> tuple[int, float]:
    """The bounds of the longest outage, and of each; unbounded is infinite."""
    knowledge = merge(sources)
    lower, upper = longest_bounds(knowledge, scene.settings, scene.start, scene.end)
    history = outages(knowledge, scene.settings, scene.start, scene.end)
    assert (history.lower_ns, history.upper_ns) == (lower, upper)
    assert max((o.lower_ns for o in history.outages), default=0) == lower
    assert all(
        o.upper_ns is None or (upper is not None and o.upper_ns <= upper) or upper is None for o in history.outages
    )
    return lower, math.inf if upper is None else upper


def check(scene: Scene, *sources: Source, looked_at: tuple[list[int], ...] = ()) -> None:
    """Both bounds, for every threshold. `looked_at`: when joined samples look, which need a rail without short dips."""
    lower, upper = bounds(scene, *sources)
    ride, restore = scene.settings.ride_through_ns, scene.settings.restore_min_ns
    for threshold in THRESHOLDS:
        true = truth(scene.rail, threshold, ride, restore, scene.start, scene.end)
        assert true <= upper
        dips = short_dips(scene.rail, threshold, ride)
        if not any(a <= t < b for a, b in dips for at in looked_at for t in at):
            assert lower <= true


@given(st.data())
def test_samples_of_codes_bound_the_truth(data: st.DataObject) -> None:
    scene = data.draw(scenes())
    at = data.draw(instants(scene))
    codes = codes_of(scene, at, data.draw(SEEDS), wide=data.draw(st.booleans()))
    source = source_of("scope", NODE, codes, Times(np.array(at, np.int64)), CODES, scene.settings)
    check(scene, source, looked_at=(at,))


@given(st.data())
def test_samples_of_volts_with_holes_bound_the_truth(data: st.DataObject) -> None:
    scene = data.draw(scenes())
    at = data.draw(instants(scene))
    source = source_of(
        "file", NODE, volts_of(scene, at, data.draw(SEEDS)), Times(np.array(at, np.int64)), VOLTS, scene.settings
    )
    check(scene, source, looked_at=(at,))


@given(st.data())
def test_a_grid_finer_than_a_nanosecond_or_of_any_fraction_bounds_the_truth(data: st.DataObject) -> None:
    """Sample i of a grid lies between two nanoseconds: the spans are those that hold for it."""
    scene = data.draw(scenes())
    length = scene.end - scene.start
    step = Fraction(length, data.draw(st.integers(20, 120))) / data.draw(st.sampled_from([1, 3, 7]))
    first = round(scene.start) if abs(scene.start) < 10**12 else 0
    scene = (
        scene if first == scene.start else Scene(scene.rail.moved(Fraction(1), -scene.start), scene.settings, 0, length)
    )
    exact = Fraction(float(step) / 1e9) * 10**9
    at = [scene.start + n * exact for n in range(int(length / exact) + 2)][:200]
    chance = random.Random(data.draw(SEEDS))
    codes = np.array([code(scene.rail.at(t), chance) for t in at], np.uint8)
    source = source_of("scope", NODE, codes, Grid(scene.start / 1e9, float(step) / 1e9), CODES, scene.settings)
    check(scene, source, looked_at=([math.floor(t) for t in at], [math.ceil(t) for t in at]))


@given(st.data())
def test_peak_detect_bins_bound_the_truth_of_every_rail(data: st.DataObject) -> None:
    scene = data.draw(scenes())
    edges = data.draw(instants(scene))
    bins = bins_of(scene, edges, data.draw(SEEDS))
    source = source_of("scope", NODE, bins, Times(np.array(edges, np.int64)), CODES, scene.settings)
    check(scene, source)


def lines_of(data: st.DataObject, scene: Scene) -> list[Source]:
    """Both comparators, heard by a watch."""
    most = min(scene.settings.ride_through_ns, scene.settings.restore_min_ns)
    latency = data.draw(st.integers(1, max(1, min(most, 10**8))))
    length = scene.end - scene.start
    tick = max(1, length // data.draw(st.integers(3, 60)), 10 * latency)
    up = comparator(scene.rail, data.draw(st.sampled_from([11900, 10500])), 10400, active_when_high=True)
    down = comparator(scene.rail, data.draw(st.sampled_from([5900, 2900])), 2800, active_when_high=False)
    begin = scene.start - 10 * latency
    heard_up = track(up, latency, begin, scene.end, tick, data.draw(SEEDS), coalesce=True)
    heard_down = track(down, latency, begin, scene.end, tick, data.draw(SEEDS), coalesce=False)
    return [heard_up.source("rail_up", NODE, "up"), heard_down.source("rail_down", NODE, "down")]


@given(st.data())
def test_stamped_lines_bound_the_truth_of_every_rail(data: st.DataObject) -> None:
    scene = data.draw(scenes())
    check(scene, *lines_of(data, scene))


def place_somewhere(data: st.DataObject, scene: Scene, reference: Source | None) -> tuple[Source, list[int], bool]:
    """A capture on a clock of its own, placed by its bracket, narrowed by the reference; also whether that worked."""
    ppm = data.draw(st.sampled_from([0.0, 1.0, 75.0, 1000.0]))
    rate = Fraction(data.draw(st.integers(-100, 100)), 100) * Fraction(ppm) / 1_000_000
    true_offset = data.draw(st.integers(-(10**12), 10**12))
    anchor = data.draw(st.sampled_from([0, 10**9]))
    at = data.draw(instants(scene, most=160))
    # the common line's instant t is (t - offset - anchor) / (1 + rate) + anchor on the capture's own line
    own = sorted({math.floor((t - true_offset - anchor) / (1 + rate)) + anchor for t in at})
    really = [true_offset + anchor + (s - anchor) * (1 + rate) for s in own]
    chance = random.Random(data.draw(SEEDS))
    codes = np.array([code(scene.rail.at(t), chance) for t in really], np.uint8)
    source = source_of("scope", NODE, codes, Times(np.array(own, np.int64)), CODES, scene.settings)
    room = data.draw(st.integers(0, 2 * max(1, scene.end - scene.start)))
    low = true_offset - data.draw(st.integers(0, room))
    offset = Offset(low, low + room, ppm, anchor)
    assert offset.low_ns <= true_offset <= offset.high_ns
    looked = [math.floor(t) for t in really] + [math.ceil(t) for t in really]
    if reference is None:
        return place(source, offset), looked, True
    narrowed = narrow(source, offset, reference)
    if narrowed is None or not narrowed.low_ns <= true_offset <= narrowed.high_ns:
        return place(source, offset), looked, False
    return place(source, narrowed), looked, True


def tolerant(scene: Scene, ppm: int) -> tuple[RailSettings, RailSettings]:
    """`ride_through` and `restore_min` read on a time base that is wrong by so much: shortest and longest outages."""
    some, rate = scene.settings, Fraction(ppm, 1_000_000)
    ride, restore = some.ride_through_ns, some.restore_min_ns
    return (
        RailSettings(math.ceil(ride * (1 + rate)) + 2, max(0, math.floor(restore * (1 - rate)) - 2), some.rate_ppm),
        RailSettings(max(0, math.floor(ride * (1 - rate)) - 2), math.ceil(restore * (1 + rate)) + 2, some.rate_ppm),
    )


@given(st.data())
def test_sources_with_unknown_offset_and_rate_bound_the_truth_together(data: st.DataObject) -> None:
    scene = data.draw(scenes())
    lines = lines_of(data, scene) if data.draw(st.booleans()) else []
    reference = merge(lines).as_source("lines") if lines else None
    capture, looked, kept = place_somewhere(data, scene, reference)
    lower, upper = bounds(scene, *lines, capture)
    shortest, longest = tolerant(scene, 1100)
    exceptional = False
    for threshold in THRESHOLDS:
        least = truth(scene.rail, threshold, shortest.ride_through_ns, shortest.restore_min_ns, scene.start, scene.end)
        most = truth(scene.rail, threshold, longest.ride_through_ns, longest.restore_min_ns, scene.start, scene.end)
        dips = short_dips(scene.rail, threshold, shortest.ride_through_ns)
        seen = any(a <= t < b for a, b in dips for t in looked)
        exceptional = exceptional or seen
        assert least <= upper
        assert seen or lower <= most
    assert exceptional or kept, "the true offset was excluded"


@given(st.data())
def test_a_clock_that_is_wrong_within_its_rate_bounds_the_truth(data: st.DataObject) -> None:
    """The truth is in seconds; the line that all stamps are on may run fast or slow."""
    ppm = data.draw(st.sampled_from([1.0, 200.0, 10_000.0]))
    scene = data.draw(scenes(rate_ppm=ppm))
    rate = Fraction(data.draw(st.integers(-100, 100)), 100) * Fraction(ppm) / 1_000_000
    moved = scene.rail.moved(1 + rate, 0)
    shown = Scene(moved, scene.settings, math.floor(scene.start * (1 + rate)), math.ceil(scene.end * (1 + rate)))
    edges = data.draw(instants(shown))
    source = source_of(
        "scope", NODE, bins_of(shown, edges, data.draw(SEEDS)), Times(np.array(edges, np.int64)), CODES, scene.settings
    )
    lower, upper = bounds(shown, source)
    some, start, end = scene.settings, shown.start / (1 + rate), shown.end / (1 + rate)
    for threshold in THRESHOLDS:
        true = truth(scene.rail, threshold, some.ride_through_ns, some.restore_min_ns, start, end)
        assert lower <= true <= upper


# -- the one exception ------------------------------------------------------------------------------------------------


def test_joined_down_samples_rest_on_a_rail_that_does_not_dip_just_when_it_is_looked_at() -> None:
    """The only class of rails for which `lower` may be above the truth, and it is."""
    corners = tuple(c for n in range(60) for c in ((n * 10**7, 12000, 0), (n * 10**7 + 10**6, 0, 12000)))
    rail, some = Rail(corners), RailSettings(rate_ppm=0.0)
    at = np.arange(60, dtype=np.int64) * 10**7
    source = source_of("scope", NODE, np.zeros(60), Times(at), VOLTS, some)
    lower, _ = longest_bounds(merge([source]), some, 0, int(at[-1]))
    assert truth(rail, 8000, some.ride_through_ns, some.restore_min_ns, 0, int(at[-1])) == 0
    assert lower == int(at[-1])


def test_bins_need_no_such_rail() -> None:
    some = RailSettings(rate_ppm=0.0)
    edges = np.arange(61, dtype=np.int64) * 10**7
    source = source_of("scope", NODE, Bins(np.zeros(60), np.full(60, 12.0)), Times(edges), VOLTS, some)
    assert longest_bounds(merge([source]), some, 0, int(edges[-1])) == (0, None)


# -- tightness --------------------------------------------------------------------------------------------------------


@given(
    step=st.integers(1, 20_000_000),
    cut=st.integers(10**9, 400 * 10**9),
    shift=st.integers(0, 10**9),
    ppm=st.sampled_from([0.0, 75.0]),
    room=st.sampled_from([0, 10**6]),
)
@settings(max_examples=40)
def test_one_clean_cut_is_known_to_two_samples_and_the_timing_limits(
    step: int, cut: int, shift: int, ppm: float, room: int
) -> None:
    step = max(step, cut // 20_000)
    some = RailSettings(rate_ppm=0.0)
    at = np.arange(-(3 * 10**9 // step) - 1, (cut + 4 * 10**9) // step + 2, dtype=np.int64) * step
    volts = np.where((at >= shift) & (at < shift + cut), 0.0, 12.0)
    source = place(source_of("scope", NODE, volts, Grid(at[0] / 1e9, step / 1e9), VOLTS, some), Offset(0, room, ppm))
    lower, upper = longest_bounds(merge([source]), some, -2 * 10**9, int(at[-1]) - 10**9)
    assert upper is not None
    assert lower <= cut <= upper
    timing = 2 * room + 4 * math.ceil((cut + shift + 2 * step) * ppm * 1.001e-6) + 8
    assert upper - lower <= 2 * step + timing


def test_a_step_of_exactly_ride_through_still_joins() -> None:
    some = RailSettings()
    volts = np.full(3000, 12.0)
    volts[500:1500] = 0.0
    source = source_of("file", NODE, volts, Grid(-1.7, 0.02), VOLTS, some)
    lower, upper = longest_bounds(merge([source]), some, -1_700_000_000, -1_700_000_000 + 2999 * 20_000_000)
    assert lower >= 19_980_000_000 - 4_000_000
    assert upper is not None
    assert upper <= 20_020_000_000 + 4_100_000


# -- windows ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("begin", "end", "kind"), [(0, 40, "start"), (20, 60, "end"), (20, 40, "both")])
def test_an_outage_that_is_open_at_an_edge_has_no_upper_bound(begin: int, end: int, kind: str) -> None:
    s = 10**9
    volts = np.full(100, 12.0)
    volts[{"start": slice(0, 30), "end": slice(30, 100), "both": slice(0, 100)}[kind]] = 0.0
    some = RailSettings(rate_ppm=0.0, ride_through_ns=2 * s)
    source = source_of("file", NODE, volts, Grid(0.0, 1.0), VOLTS, some)
    history = outages(merge([source]), some, begin * s, end * s)
    assert history.upper_ns is None
    assert [(o.open, o.upper_ns) for o in history.outages] == [(kind, None)]
    assert history.lower_ns > 0


@pytest.mark.parametrize(("begin", "end"), [(100, 100), (100, 50)])
def test_a_window_without_length_proves_nothing(begin: int, end: int) -> None:
    source = source_of("file", NODE, np.full(200, 12.0), Grid(0.0, 1e-9), VOLTS, RailSettings())
    history = outages(merge([source]), RailSettings(), begin, end)
    assert (history.lower_ns, history.upper_ns, history.outages) == (0, None, ())
    assert longest_bounds(merge([source]), RailSettings(), begin, end) == (0, None)


def test_a_gap_in_what_was_seen_counts_against_the_meter() -> None:
    some = RailSettings(rate_ppm=0.0)
    at = np.concatenate((np.arange(0, 5000), np.arange(25_000, 30_000))) * 1_000_000
    source = source_of("file", NODE, np.full(10_000, 12.0), Times(at.astype(np.int64)), VOLTS, some)
    history = outages(merge([source]), some, 0, 29_999_000_000)
    assert (history.lower_ns, history.upper_ns) == (0, 20_001_000_000)
    assert history.unseen.longest() == 20_001_000_000
