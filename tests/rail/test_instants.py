"""Single looks become spans: true for every rail that does not dip just between two looks, and never more."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.rail import RailSettings
from rig.rail.instants import Instant, source_of_instants

SETTINGS = RailSettings(20, 1000, 200.0, 1)


def spans(*looks: Instant) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    found = source_of_instants("scope", "hub", looks, SETTINGS)
    return list(found.up), list(found.down)


def down(begin: int, end: int) -> Instant:
    return Instant(begin, end, "down")


def test_looks_that_say_down_join_from_the_end_of_the_first_to_the_begin_of_the_last():
    assert spans(down(0, 100), down(500, 600), down(1000, 1100)) == ([], [(100, 1000)])


def test_a_single_look_is_no_span():
    assert spans(down(0, 100)) == ([], [])


@pytest.mark.parametrize(("later", "joined"), [(900, True), (901, False)])
def test_looks_join_only_where_even_their_far_ends_are_near_enough(later: int, joined: bool):
    assert bool(spans(down(0, 100), down(later, later + 100))[1]) == joined


def test_looks_that_say_up_join_only_within_what_is_ridden_through():
    assert spans(Instant(0, 2, "up"), Instant(10, 12, "up"), Instant(500, 502, "up")) == ([(2, 10)], [])


@pytest.mark.parametrize("between", [Instant(300, 350, None), Instant(300, 350, "up")])
def test_a_look_that_does_not_say_down_ends_what_was_joined(between: Instant):
    assert spans(down(0, 100), down(200, 250), between, down(400, 450), down(600, 650)) == (
        [],
        [(100, 200), (450, 600)],
    )


def test_what_was_bridged_is_told():
    found = source_of_instants("scope", "hub", [down(0, 100), down(300, 400), down(900, 950)], SETTINGS)
    assert (found.up_bridge_ns, found.down_bridge_ns) == (0, 650)


@given(
    st.lists(st.tuples(st.integers(1, 3000), st.integers(0, 400), st.integers(0, 400)), max_size=40),
    st.lists(st.integers(1001, 20_000), max_size=6),
)
def test_a_span_is_true_for_every_rail_whose_ups_and_downs_last(steps: list[tuple[int, int, int]], lengths: list[int]):
    """Each part of the rail is longer than `restore_min`: so two looks that close have nothing between them."""
    edges, at = [], 0
    for length in lengths:
        at += length
        edges.append(at)

    def is_down(moment: int) -> bool:
        return sum(edge <= moment for edge in edges) % 2 == 1

    looks, moment, over = [], 0, 0
    for step, before, after in steps:
        moment += step
        begin, end = max(over, moment - before), moment + after
        if begin > moment:
            continue
        looks.append(Instant(begin, end, "down" if is_down(moment) else None))
        over = end
        moment = max(moment, end)
    for begin, end in source_of_instants("scope", "hub", looks, SETTINGS).down:
        assert is_down(begin)
        assert is_down(end)
        assert not any(begin <= edge <= end for edge in edges)
