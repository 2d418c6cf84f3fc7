"""Sets of time against sets of half-nanosecond points, tried one by one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.rail.intervals import INSTANT_LIMIT, Intervals

PAIRS = st.lists(st.tuples(st.integers(-20, 20), st.integers(-3, 12)).map(lambda p: (p[0], p[0] + p[1])), max_size=7)
HALVES = [n / 2 for n in range(-80, 81) if n % 2]
"""Points inside the stretches between integers: they tell sets apart but for single instants."""


def points(pairs: list[tuple[int, int]] | Intervals) -> set[float]:
    return {p for a, b in pairs for p in HALVES if a < p < b}


def assert_sound(found: Intervals) -> None:
    assert all(a <= b for a, b in found)
    assert all(found.end[:-1] < found.start[1:])


@given(PAIRS)
def test_pairs_in_any_order_become_a_sorted_disjoint_set(pairs: list[tuple[int, int]]) -> None:
    found = Intervals.of(pairs)
    assert_sound(found)
    assert points(found) == points(pairs)
    assert Intervals.of(list(found)) == found


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        (lambda a, b: a.union(b), lambda a, b: a | b),
        (lambda a, b: a.intersection(b), lambda a, b: a & b),
        (lambda a, b: a.minus(b), lambda a, b: a - b),
        (lambda a, _: a.gaps(-15, 15), lambda a, _: {p for p in HALVES if -15 < p < 15} - a),
        (lambda a, _: a.clip(-5, 9), lambda a, _: {p for p in a if -5 < p < 9}),
    ],
)
@given(PAIRS, PAIRS)
def test_set_operations_agree_with_point_by_point(
    operation: Callable[[Intervals, Intervals], Intervals],
    expected: Callable[[set[float], set[float]], set[float]],
    one: list[tuple[int, int]],
    other: list[tuple[int, int]],
) -> None:
    found = operation(Intervals.of(one), Intervals.of(other))
    assert_sound(found.union())
    assert points(found) == expected(points(one), points(other))


@given(PAIRS, st.integers(-30, 30), st.integers(-30, 30))
def test_what_only_touches_a_window_stays_as_a_point(pairs: list[tuple[int, int]], start: int, end: int) -> None:
    found = Intervals.of(pairs)
    expected = [(max(a, start), min(b, end)) for a, b in found if b >= start and a <= end] if start <= end else []
    assert list(found.clip(start, end)) == expected


@given(PAIRS, st.integers(0, 15))
def test_joining_and_dropping(pairs: list[tuple[int, int]], length: int) -> None:
    found = Intervals.of(pairs)
    joined = found.join_closer_than(length)
    assert_sound(joined)
    assert all(b[0] - a[1] >= length for a, b in zip(list(joined), list(joined)[1:], strict=False))
    assert joined.union(found) == joined
    assert list(found.drop_shorter_than(length)) == [(a, b) for a, b in found if b - a >= length]
    assert found.longest() == max((b - a for a, b in found), default=0)


@given(PAIRS, st.lists(st.tuples(st.integers(-30, 30), st.integers(0, 20)), max_size=5))
def test_the_measure_of_windows(pairs: list[tuple[int, int]], windows: list[tuple[int, int]]) -> None:
    found = Intervals.of(pairs)
    start, end = (np.array([w[0] for w in windows], np.int64), np.array([w[0] + w[1] for w in windows], np.int64))
    expected = [int(found.clip(a, b).lengths().sum()) for a, b in zip(start.tolist(), end.tolist(), strict=True)]
    assert found.measure(start, end).tolist() == expected


@given(PAIRS, st.integers(-25, 35))
def test_an_instant_is_inside_or_not(pairs: list[tuple[int, int]], at: int) -> None:
    assert Intervals.of(pairs).contains(at) == any(a <= at <= b for a, b in pairs)


def test_the_greatest_instants_work_and_greater_ones_are_refused() -> None:
    whole = Intervals.of([(-INSTANT_LIMIT, INSTANT_LIMIT)])
    assert whole.longest() == 2 * INSTANT_LIMIT
    for wrong in ([(0, INSTANT_LIMIT + 1)], [(-INSTANT_LIMIT - 1, 0)], [(0, 1 << 70)]):
        with pytest.raises(ValueError, match="73 years"):
            Intervals.of(wrong)
    with pytest.raises(ValueError, match="73 years"):
        whole.gaps(-(1 << 62), 1 << 62)


def test_sets_are_compared_and_never_hashed() -> None:
    assert Intervals.of([(1, 2)]) == Intervals.of([(1, 2)])
    assert Intervals.of([(1, 2)]) != Intervals.of([(1, 3)])
    with pytest.raises(TypeError):
        hash(Intervals.empty())
