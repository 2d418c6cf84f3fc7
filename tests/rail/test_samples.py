"""Readings become spans: what proves what, holes, clipping, and the same answer whole or block by block."""

from __future__ import annotations

import math
import tracemalloc
from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.errors import InputError
from rig.rail import RailSettings, Source, longest_bounds, merge
from rig.rail.samples import Accuracy, Bins, CodeLimits, Grid, Scale, Times, code_limits, source_of, volt_limits

MS = 1_000_000
SOME = RailSettings(rate_ppm=0.0)
EXACT = Accuracy(0.0, 0.0, 0.0)
VOLTS = volt_limits(EXACT, 6.0, 10.0)


def spans(source: Source) -> list[tuple[int, int, str]]:
    return [(s.start_ns, s.end_ns, s.state) for s in source.spans()]


def volts_source(volts: list[float], dt_ms: float = 1.0, limits: CodeLimits = VOLTS) -> Source:
    return source_of("file", "rail", np.array(volts), Grid(0.0, dt_ms / 1e3), limits, SOME)


# -- what proves what -------------------------------------------------------------------------------------------------

POSITIVE = st.floats(0.0, 3.0)


@given(
    st.floats(1e-3, 1.0),
    st.integers(-50, 300),
    POSITIVE,
    POSITIVE,
    st.floats(0.0, 0.5),
    st.floats(-5, 8),
    st.floats(0.1, 9),
)
def test_a_code_proves_only_what_its_worst_case_leaves(
    per_code: float, zero: int, offset: float, noise: float, gain: float, down: float, swing: float
) -> None:
    """Against exact rational arithmetic, code by code."""
    up = down + swing
    limits = code_limits(Scale(per_code, zero, 0, 255, gain, offset, noise), down, up)
    for code in range(-3, 260):
        volts = (Fraction(code) - zero) * Fraction(per_code)
        error = abs(volts) * Fraction(gain) + Fraction(offset) + Fraction(noise)
        inside = 0 < code < 255
        assert (limits.up_from <= code <= limits.up_to) == (inside and volts - error >= Fraction(up))
        assert (limits.down_from <= code <= limits.down_to) == (inside and volts + error <= Fraction(down))


@given(POSITIVE, POSITIVE, st.floats(0.0, 0.5), st.floats(-5, 8), st.floats(0.1, 9), st.floats(-40, 40))
def test_a_reading_in_volts_proves_only_what_its_worst_case_leaves(
    offset: float, noise: float, gain: float, down: float, swing: float, reading: float
) -> None:
    up = down + swing
    limits = volt_limits(Accuracy(gain, offset, noise), down, up)
    for volts in (reading, limits.up_from, limits.down_to, math.nextafter(limits.up_from, -math.inf)):
        error = abs(Fraction(volts)) * Fraction(gain) + Fraction(offset) + Fraction(noise)
        if limits.up_from <= volts <= limits.up_to:
            assert Fraction(volts) - error >= Fraction(up)
        if limits.down_from <= volts <= limits.down_to:
            assert Fraction(volts) + error <= Fraction(down)


def test_exactly_the_threshold_proves() -> None:
    limits = volt_limits(EXACT, 6.0, 10.0)
    assert (limits.up_from, limits.down_to) == (10.0, 6.0)


@pytest.mark.parametrize(("down", "up"), [(10.0, 6.0), (6.0, 6.0), (math.nan, 6.0), (6.0, math.inf)])
def test_thresholds_that_are_crossed_over_are_refused(down: float, up: float) -> None:
    with pytest.raises(InputError, match="crossed over"):
        volt_limits(EXACT, down, up)
    with pytest.raises(InputError, match="crossed over"):
        code_limits(Scale(0.1, 0, 0, 255, 0, 0, 0), down, up)


@pytest.mark.parametrize("parts", [(1.0, 0, 0), (-0.1, 0, 0), (0, math.nan, 0), (0, 0, math.inf), (0, -1, 0)])
def test_limits_of_error_that_make_no_sense_are_refused(parts: tuple[float, float, float]) -> None:
    with pytest.raises(InputError, match="limits of error"):
        volt_limits(Accuracy(*parts), 6.0, 10.0)


@pytest.mark.parametrize("per_code", [0.0, -0.1, math.nan, math.inf])
def test_a_scale_that_does_not_rise_is_refused(per_code: float) -> None:
    with pytest.raises(InputError, match="rising"):
        code_limits(Scale(per_code, 0, 0, 255, 0, 0, 0), 6.0, 10.0)


# -- unknown ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hole", [math.nan, math.inf, -math.inf])
def test_what_is_no_reading_is_neither_up_nor_down_nor_seen(hole: float) -> None:
    source = volts_source([12.0] * 50 + [hole] * 50 + [12.0] * 50)
    assert spans(source) == [(0, 49 * MS, "up"), (100 * MS, 149 * MS, "up")]
    assert list(source.seen) == [(0, 49 * MS), (100 * MS, 149 * MS)]
    assert longest_bounds(merge([source]), RailSettings(restore_min_ns=0, rate_ppm=0.0), 0, 149 * MS) == (0, 51 * MS)


@pytest.mark.parametrize("stuck", [0, 255])
def test_clipped_codes_are_unknown(stuck: int) -> None:
    """A rail far below the screen proves no 'down', one far above no 'up'."""
    limits = code_limits(Scale(0.05, 0, 0, 255, 0, 0, 0), 6.0, 10.0)
    codes = np.array([240] * 30 + [stuck] * 30 + [240] * 30, np.uint8)
    source = source_of("scope", "rail", codes, Grid(0.0, 1e-3), limits, SOME)
    assert spans(source) == [(0, 29 * MS, "up"), (60 * MS, 89 * MS, "up")]
    assert list(source.seen) == [(0, 29 * MS), (60 * MS, 89 * MS)]


def test_volts_beyond_a_stated_range_are_clipped() -> None:
    limits = volt_limits(Accuracy(0, 0, 0, low_v=-1.0, high_v=12.5), 6.0, 10.0)
    assert spans(volts_source([12.0, 12.4, 12.5, 12.5], 30.0, limits)) == []
    assert spans(volts_source([12.0, 12.4, 12.5, 12.5, 0.0, -0.9, -1.0], 1.0, limits)) == [
        (0, MS, "up"),
        (4 * MS, 5 * MS, "down"),
    ]


def test_a_level_between_the_thresholds_is_seen_and_proves_nothing() -> None:
    source = volts_source([12.0] * 30 + [8.0] * 30 + [0.0] * 30)
    assert spans(source) == [(0, 29 * MS, "up"), (60 * MS, 89 * MS, "down")]
    assert list(source.seen) == [(0, 89 * MS)]


# -- joining ----------------------------------------------------------------------------------------------------------


def stamped(rows: list[tuple[float, float]]) -> Source:
    at = np.array([round(t * MS) for t, _ in rows], np.int64)
    return source_of("file", "rail", np.array([v for _, v in rows]), Times(at), VOLTS, SOME)


def test_up_samples_join_over_ride_through_and_not_over_more() -> None:
    assert spans(stamped([(0, 12), (20, 12), (40, 12)])) == [(0, 40 * MS, "up")]
    assert spans(stamped([(0, 12), (20, 12), (40.000001, 12)])) == [(0, 20 * MS, "up"), (40_000_001, 40_000_001, "up")]


def test_down_samples_join_over_restore_min_and_not_over_more() -> None:
    assert spans(stamped([(0, 0), (1000, 0), (1900, 8), (2000, 0)])) == [(0, 2000 * MS, "down")]
    assert [s for s in spans(stamped([(0, 0), (1000.000001, 0)])) if s[0] < s[1]] == []


def test_nothing_joins_over_a_proof_of_the_opposite() -> None:
    assert spans(stamped([(0, 12), (5, 12), (10, 0), (15, 12), (20, 12)])) == [
        (0, 5 * MS, "up"),
        (10 * MS, 10 * MS, "down"),
        (15 * MS, 20 * MS, "up"),
    ]


def test_samples_further_apart_than_ride_through_prove_nothing_up_yet_something_down() -> None:
    assert spans(volts_source([12.0] * 100 + [0.0] * 100, 21.0)) == [(2100 * MS, 4179 * MS, "down")]
    assert len(volts_source([12.0] * 100, 21.0).seen) == 0


def test_bridges_are_as_long_as_what_was_bridged() -> None:
    source = stamped([(0, 12), (1, 12), (2, 8), (9, 12), (30, 0), (31, 0), (37, 8), (531, 0)])
    assert spans(source) == [(0, 9 * MS, "up"), (30 * MS, 531 * MS, "down")]
    assert (source.up_bridge_ns, source.down_bridge_ns) == (8 * MS, 500 * MS)
    bins = source_of("peaks", "rail", Bins(np.full(9, 12.0), np.full(9, 12.0)), Grid(0.0, 0.5), VOLTS, SOME)
    assert spans(bins) == [(0, 4_500 * MS, "up")]
    assert (bins.up_bridge_ns, bins.down_bridge_ns) == (0, 0)


def test_a_bin_proves_only_what_all_of_it_is() -> None:
    low, high = np.array([12.0, 0.0, 0.0, 8.0, math.nan]), np.array([12.0, 12.0, 0.0, 9.0, 12.0])
    source = source_of("peaks", "rail", Bins(low, high), Grid(0.0, 1e-3), VOLTS, SOME)
    assert spans(source) == [(0, MS, "up"), (2 * MS, 3 * MS, "down")]


def test_a_span_between_two_nanoseconds_shrinks_to_those_that_it_holds() -> None:
    source = source_of("fast", "rail", np.array([8, 12, 12, 12, 8.0, 0, 0, 8]), Grid(0.0, 1.5e-9), VOLTS, SOME)
    assert spans(source) == [(2, 4, "up"), (8, 9, "down")]


# -- whole or in blocks -----------------------------------------------------------------------------------------------


def pieces(values: np.ndarray, edges: list[int]) -> Iterator[np.ndarray]:
    for a, b in zip([0, *edges], [*edges, len(values)], strict=True):
        yield values[a:b]


@given(st.data())
def test_block_by_block_gives_what_the_whole_gives(data: st.DataObject) -> None:
    size = data.draw(st.sampled_from([5, 600, 40_000, 70_000]))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    levels = rng.choice([0.0, 5.9, 8.0, 9.0, 10.0, 12.0, math.nan], size=max(2, size // 50))
    values = np.repeat(levels, -(-size // len(levels)))[:size] + rng.choice([0.0, 0.0, 0.2], size=size)
    kind = data.draw(st.sampled_from(["float64", "float32", "uint8", "int16", "bins"]))
    limits = VOLTS
    if kind in ("uint8", "int16"):
        values = np.nan_to_num(values * 20, nan=0.0).astype(kind)
        limits = code_limits(Scale(0.05, 0, 0, 255, 0, 0, 0), 6.0, 10.0)
    elif kind == "float32":
        values = values.astype(np.float32)
    edges = sorted(data.draw(st.lists(st.integers(0, size), max_size=6)))
    dt = data.draw(st.sampled_from([1e-4, 1e-3, 0.019, 0.02, 0.3, 1 / 3000]))
    extra = 1 if kind == "bins" else 0
    times: Grid | Times = Grid(-1.5, dt)
    if data.draw(st.booleans()):
        steps = rng.choice([1, MS, 19 * MS, 20 * MS, 21 * MS, 999 * MS], size=size + extra)
        times = Times(np.cumsum(steps).astype(np.int64))

    def record(part: np.ndarray) -> np.ndarray | Bins:
        return Bins(part, part + 0.1) if kind == "bins" else part

    whole = source_of("file", "rail", record(values), times, limits, SOME)
    streamed = source_of("file", "rail", (record(p) for p in pieces(values, edges)), times, limits, SOME)
    assert (streamed.up, streamed.down, streamed.seen) == (whole.up, whole.down, whole.seen)
    assert (streamed.up_bridge_ns, streamed.down_bridge_ns) == (whole.up_bridge_ns, whole.down_bridge_ns)
    assert len(streamed.crossings) == len(whole.crossings)
    for a, b in zip(streamed.crossings, whole.crossings, strict=True):
        assert a.falling == b.falling
        assert abs(a.at_ns - b.at_ns) <= 1  # estimates: how floats round depends on where a block begins in memory
        assert abs(a.half_width_ns - b.half_width_ns) <= 2
    assert_as_if_one_by_one(whole, values, times, limits, kind)


def assert_as_if_one_by_one(
    whole: Source, values: np.ndarray, times: Grid | Times, limits: CodeLimits, kind: str
) -> None:
    """Every reading is in a span of its own state, and in none of the other."""
    if kind == "bins" or (isinstance(times, Grid) and times.dt_s > 0.02):
        return
    index = np.arange(len(values))
    at = times.at_ns if isinstance(times, Times) else times.at_ns(index)
    wide = values.astype(np.float64)
    seen = (wide >= limits.down_from) & (wide <= limits.up_to)
    for spans_of, mine in (
        (whole.up, seen & (wide >= limits.up_from)),
        (whole.down, seen & (wide <= limits.down_to)),
    ):
        inside = np.array([spans_of.contains(int(t)) for t in at[:: max(1, len(at) // 500)]], bool)
        lone = ~inside & mine[:: max(1, len(at) // 500)]
        assert not np.any(lone & np.isin(at[:: max(1, len(at) // 500)], spans_of.start)), "a span lost its own sample"
    decided_down, decided_up = seen & (wide <= limits.down_to), seen & (wide >= limits.up_from)
    assert not any(whole.up.contains(int(t)) for t in at[decided_down][:200])
    assert not any(whole.down.contains(int(t)) for t in at[decided_up][:200])


def test_a_hundred_million_samples_need_little_memory() -> None:
    """The blocks pass by; here a tenth of it, for memory does not grow with length."""
    block = np.full(1 << 20, 240, np.uint8)
    limits = code_limits(Scale(0.05, 0, 0, 255, 0, 0, 0), 6.0, 10.0)

    def blocks() -> Iterator[np.ndarray]:
        for n in range(10):
            part = block.copy()
            part[n * 1000 : n * 1000 + 500] = 10
            yield part

    tracemalloc.start()
    source = source_of("scope", "rail", blocks(), Grid(0.0, 1e-4), limits, SOME)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(source.down) == 10
    assert peak < 16 << 20


def test_a_record_of_nothing_but_chatter_stays_small_and_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond so many spans short dips are forgotten; what is left is still true."""
    monkeypatch.setattr("rig.rail.samples._MOST_SPANS", 1000)
    volts = np.tile([12.0, 12.0, 0.0, 0.0], 100_000)
    volts[200_000:240_000] = 0.0
    source = source_of("file", "rail", volts, Grid(0.0, 1e-3), VOLTS, SOME)
    assert len(source.up) + len(source.down) < 200_000
    lower, upper = longest_bounds(merge([source]), SOME, 0, 399_999 * MS)
    assert (lower, upper) == (40_001 * MS, None)


# -- bad input --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "times",
    [
        Times(np.array([0, 1, 1, 2], np.int64)),
        Times(np.array([0, 2, 1, 3], np.int64)),
        Times(np.array([0, 1, 2], np.int64)),
        Times(np.array([0, 1, 2, 3, 4], np.int64)),
        Times(np.array([-(2**63), 0, 1, 2**63 - 1], np.int64)),
        Grid(0.0, 0.0),
        Grid(0.0, -1.0),
        Grid(math.nan, 1.0),
        Grid(0.0, math.inf),
        Grid(1e10, 1.0),
        Grid(0.0, 1e9),
    ],
)
def test_times_that_are_not_those_of_the_samples_are_refused(times: Grid | Times) -> None:
    with pytest.raises(InputError):
        source_of("file", "rail", np.full(4, 12.0), times, VOLTS, SOME)


def test_bins_of_two_lengths_are_refused() -> None:
    with pytest.raises(InputError):
        source_of("file", "rail", Bins(np.zeros(3), np.zeros(4)), Grid(0.0, 1.0), VOLTS, SOME)


def test_no_samples_prove_nothing() -> None:
    for nothing in (np.empty(0), iter(())):
        source = source_of("file", "rail", nothing, Grid(0.0, 1.0), VOLTS, SOME)
        assert spans(source) == []
        assert longest_bounds(merge([source]), SOME, 0, 10) == (0, None)
