"""A source on a clock of its own is placed so that the true offset is never excluded, and cheaply."""

from __future__ import annotations

import tracemalloc
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rig.errors import InputError
from rig.rail import Contradiction, Crossing, Crossings, Intervals, Source, merge
from rig.rail.place import Offset, Reading, narrow, paired, place, place_beside

NODE = "rail"
EMPTY = Intervals.empty()


def source(up: Intervals = EMPTY, down: Intervals = EMPTY, bridge: int = 0) -> Source:
    return Source("scope", NODE, up, down, up.union(down), (), bridge, bridge)


SPANS = st.lists(st.tuples(st.integers(-60, 60), st.integers(0, 40)), max_size=6)


def overlaps_too_much(mine: Intervals, theirs: Intervals, offset: int, bridged: int) -> bool:
    return any(min(b + offset, d) - max(a + offset, c) > bridged for a, b in mine for c, d in theirs)


@given(SPANS, SPANS, SPANS, SPANS, st.integers(0, 12), st.integers(-50, 0), st.integers(0, 50))
def test_narrowing_keeps_the_outermost_offsets_without_a_contradiction(
    mine_up: list[tuple[int, int]],
    mine_down: list[tuple[int, int]],
    up: list[tuple[int, int]],
    down: list[tuple[int, int]],
    bridge: int,
    low: int,
    high: int,
) -> None:
    """Against every offset tried one by one."""
    spans = [Intervals.of((a, a + n) for a, n in rows) for rows in (mine_up, mine_down, up, down)]
    mine, theirs = source(spans[0], spans[1], bridge), source(spans[2], spans[3])
    free = [
        o
        for o in range(low, high + 1)
        if not overlaps_too_much(spans[0], spans[3], o, bridge) and not overlaps_too_much(spans[1], spans[2], o, bridge)
    ]
    found = narrow(mine, Offset(low, high, 0.0), theirs)
    assert (found and (found.low_ns, found.high_ns)) == ((free[0], free[-1]) if free else None)


def test_a_short_span_never_excludes_an_offset_that_its_bridges_explain() -> None:
    """Five milliseconds of up inside a down that bridges twenty is no contradiction, wherever it lies."""
    mine = source(Intervals.of([(0, 5_000_000)]), bridge=20_000_000)
    theirs = source(down=Intervals.of([(-100_000_000_000, 100_000_000_000)]))
    wide = Offset(-50_000_000_000, 50_000_000_000, 0.0)
    assert narrow(mine, wide, theirs) == wide


def test_a_long_up_inside_a_proven_down_leaves_no_offset() -> None:
    mine = source(Intervals.of([(0, 1000)]))
    theirs = source(down=Intervals.of([(-(10**6), 10**6)]))
    assert narrow(mine, Offset(-100, 100, 0.0), theirs) is None


def test_a_capture_that_no_offset_explains_proves_nothing_and_is_named() -> None:
    """A stale record of 12 V: shrunk by its wide bracket, nothing of it would be left to disagree with."""
    mine = source(Intervals.of([(-900_000_000, 900_000_000)]))
    theirs = Source("lines", NODE, EMPTY, Intervals.of([(0, 100 * 10**9)]), EMPTY)
    offset = Offset(10 * 10**9, 12 * 10**9, 0.0)
    assert merge([place(mine, offset), theirs]).contradictions == ()
    found = merge([place_beside(mine, offset, theirs), theirs])
    assert found.up == EMPTY
    assert found.contradictions == (Contradiction(NODE, 9_100_000_000, 12_900_000_000, "scope", "lines"),)


def test_a_capture_that_agrees_is_placed_as_well_as_the_reference_allows() -> None:
    mine = source(Intervals.of([(-100, 0)]), Intervals.of([(0, 1000)]))
    theirs = source(Intervals.of([(0, 500)]), Intervals.of([(510, 3000)]))
    offset = Offset(0, 1000, 0.0)
    assert place_beside(mine, offset, theirs) == place(mine, Offset(500, 510, 0.0))


def test_sources_of_different_nodes_narrow_nothing() -> None:
    other = Source("lines", "meter", EMPTY, EMPTY, EMPTY)
    with pytest.raises(ValueError, match="meter"):
        narrow(source(), Offset(0, 1, 0.0), other)


@given(
    st.integers(-(10**18), 10**18),
    st.integers(0, 10**15),
    st.sampled_from([0.0, 20.0, 500.0, 1e5]),
    st.fractions(-1, 1),
    st.integers(-(10**12), 10**12),
    st.fractions(0, 1),
    st.integers(0, 10**10),
)
def test_a_placed_span_holds_for_every_offset_and_rate_allowed(
    start: int, length: int, ppm: float, rate: Fraction, low: int, share: Fraction, room: int
) -> None:
    true_rate, offset = rate * Fraction(ppm) / 1_000_000, low + share * room
    placed = place(source(Intervals.of([(start, start + length)])), Offset(low, low + room, ppm))
    for factor in (1 + true_rate, 1 / (1 + true_rate)):
        for a, b in placed.up:
            assert offset + start * factor <= a <= b <= offset + (start + length) * factor


@given(st.lists(st.tuples(st.integers(-(10**12), 10**12), st.integers(0, 10**6)), min_size=1, max_size=5), st.data())
def test_paired_readings_place_a_source_and_contradictory_ones_are_found(
    rows: list[tuple[int, int]], data: st.DataObject
) -> None:
    offset, ppm = data.draw(st.integers(-(10**12), 10**12)), 50.0
    rate = Fraction(data.draw(st.integers(-50, 50)), 1_000_000)
    readings = []
    for shown, wide in rows:
        really = offset + shown * (1 + rate)
        early = data.draw(st.integers(0, wide))
        readings.append(Reading(int(really) - early - 1, shown, int(really) + wide + 1))
    offsets = paired(readings, ppm)
    assert offsets is not None
    at = data.draw(st.integers(-(10**12), 10**12))
    placed = place(source(Intervals.of([(at, at + 10**10)])), *offsets)
    for a, b in placed.up:
        assert offset + at * (1 + rate) <= a
        assert b <= offset + (at + 10**10) * (1 + rate)
    impossible = Reading(readings[0].sent_ns + 10**11, readings[0].source_ns, readings[0].received_ns + 10**11)
    assume(all(r.received_ns - r.sent_ns < 10**10 for r in readings))
    assert paired([*readings, impossible], ppm) is None


def test_more_pairs_leave_less_room_far_from_the_first() -> None:
    far = source(Intervals.of([(600 * 10**9, 700 * 10**9)]))
    one = paired([Reading(0, 0, 1000)], 100.0)
    two = paired([Reading(0, 0, 1000), Reading(650 * 10**9, 650 * 10**9, 650 * 10**9 + 1000)], 100.0)
    assert one is not None
    assert two is not None
    assert place(far, *two).up.longest() > place(far, *one).up.longest() + 10**8


def test_a_crossing_moves_with_its_limits() -> None:
    mine = Source("scope", NODE, EMPTY, EMPTY, EMPTY, Crossings.of([Crossing(100, True, 5, 2, 0, "scope")]))
    (moved,) = place(mine, Offset(1000, 1020, 0.0)).crossings
    assert moved == Crossing(1110, True, 15, 2, 10, "scope")


def test_a_bridge_is_as_long_on_the_common_line_as_the_rate_allows() -> None:
    placed = place(source(bridge=10**6), Offset(0, 0, 1000.0))
    assert (placed.up_bridge_ns, placed.down_bridge_ns) == (1_001_002, 1_001_002)


@pytest.mark.parametrize("limits", [(1, 0, 0.0), (0, 1, -1.0), (0, 1, float("nan")), (0, 1, 2e5), (0, 1, float("inf"))])
def test_senseless_limits_are_refused(limits: tuple[int, int, float]) -> None:
    with pytest.raises(InputError):
        Offset(*limits)


def test_instants_that_would_wrap_around_are_refused() -> None:
    with pytest.raises(ValueError, match="73 years"):
        place(source(Intervals.of([(1 << 60, 1 << 61)])), Offset(1 << 60, 1 << 60, 0.0))


def test_a_night_of_hiccup_is_narrowed_in_little_memory() -> None:
    """Forty thousand spans against forty thousand, with a bracket of hundreds of periods."""
    period, count = 10**9, 40_000
    starts = np.arange(count, dtype=np.int64) * period
    true_offset = 123_456_789
    up, down = Intervals(starts, starts + 400_000_000), Intervals(starts + 400_000_000, starts + period - 1)
    mine = source(up, down, bridge=1_000_000)
    theirs = source(*(Intervals(s.start + true_offset, s.end + true_offset) for s in (up, down)))
    tracemalloc.start()
    found = narrow(mine, Offset(-200 * period, 200 * period, 50.0), theirs)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found is not None
    assert found.low_ns <= true_offset <= found.high_ns
    assert peak < 64 << 20
