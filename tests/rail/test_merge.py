"""Sources that prove opposite things are found and named; truthful ones never are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.rail import Intervals, RailSettings, Source, Span, merge, outages
from rig.rail.samples import Times, code_limits, source_of
from tests.rail.looking import DOWN_MV, NODE, SCALE, UP_MV, bins_of, codes_of, instants, scenes
from tests.rail.oracle import short_dips
from tests.rail.test_bounds import SEEDS, THRESHOLDS, lines_of, place_somewhere

CODES = code_limits(SCALE, DOWN_MV / 1000, UP_MV / 1000)
S = 10**9


@given(st.data())
def test_truthful_sources_never_contradict_each_other(data: st.DataObject) -> None:
    """But for the exceptional class: sampled down readings of a rail with dips shorter than ride-through."""
    scene = data.draw(scenes())
    sources, looked = [], []
    for n in range(data.draw(st.integers(1, 2))):
        at = data.draw(instants(scene, most=120))
        looked += at
        codes = codes_of(scene, at, data.draw(SEEDS))
        sources.append(source_of(f"scope {n}", NODE, codes, Times(np.array(at, np.int64)), CODES, scene.settings))
    edges = data.draw(instants(scene, most=60))
    bins = bins_of(scene, edges, data.draw(SEEDS))
    sources.append(source_of("peaks", NODE, bins, Times(np.array(edges, np.int64)), CODES, scene.settings))
    lines = lines_of(data, scene)
    capture, more, _ = place_somewhere(data, scene, merge(lines).as_source("lines"))
    looked += more
    knowledge = merge([*sources, *lines, capture])
    dips = [d for t in THRESHOLDS for d in short_dips(scene.rail, t, scene.settings.ride_through_ns * 1.002)]
    if not any(a <= t < b for a, b in dips for t in looked):
        assert knowledge.contradictions == ()


@given(
    start=st.integers(-(10**15), 10**15),
    length=st.integers(1, 10**13),
    up_bridge=st.integers(0, 10**8),
    down_bridge=st.integers(0, 10**8),
    more=st.integers(1, 10**9),
)
def test_opposite_proofs_longer_than_what_both_bridge_are_always_found(
    start: int, length: int, up_bridge: int, down_bridge: int, more: int
) -> None:
    overlap = up_bridge + down_bridge + more
    up = Source("one", NODE, Intervals.of([(start, start + length + overlap)]), Intervals.empty(), Intervals.empty())
    end = start + length + 2 * overlap
    down = Source("other", NODE, Intervals.empty(), Intervals.of([(start + length, end)]), Intervals.empty())
    found = merge(
        [
            Source(**{**vars(up), "up_bridge_ns": up_bridge}),
            Source(**{**vars(down), "down_bridge_ns": down_bridge}),
        ]
    ).contradictions
    assert [(c.node, c.start_ns, c.end_ns, c.says_up, c.says_down) for c in found] == [
        (NODE, start + length, start + length + overlap, "one", "other")
    ]


def test_a_source_that_contradicts_itself_is_found() -> None:
    source = Source.of("broken", NODE, [Span(0, 10, "up"), Span(5, 15, "down")])
    found = merge([source]).contradictions
    assert [(c.says_up, c.says_down, c.start_ns, c.end_ns) for c in found] == [("broken", "broken", 5, 10)]


def test_what_is_contradicted_is_neither_up_nor_down_so_the_bounds_widen() -> None:
    one = Source.of("one", NODE, [Span(0, 100 * S, "up")])
    other = Source.of("other", NODE, [Span(40 * S, 60 * S, "down")])
    knowledge = merge([one, other])
    history = outages(knowledge, RailSettings(rate_ppm=0.0), 0, 100 * S)
    assert (history.lower_ns, history.upper_ns) == (0, 20 * S)


def test_sources_of_different_nodes_are_not_merged() -> None:
    with pytest.raises(ValueError, match="one node"):
        merge([Source.of("a", "hub", []), Source.of("b", "meter", [])])
    with pytest.raises(ValueError, match="one node"):
        merge([])


def test_a_line_that_is_stuck_up_is_found_by_the_other_line() -> None:
    stuck = Source("rail_up", NODE, Intervals.of([(0, 300 * S)]), Intervals.empty(), Intervals.of([(0, 300 * S)]))
    down = Source("rail_down", NODE, Intervals.empty(), Intervals.of([(50 * S, 250 * S)]), Intervals.empty())
    knowledge = merge([stuck, down])
    assert [(c.says_up, c.says_down) for c in knowledge.contradictions] == [("rail_up", "rail_down")]


def test_the_names_of_those_that_proved_it_down_go_with_each_outage() -> None:
    up = Source.of("rail_up", NODE, [Span(0, 10 * S, "up"), Span(30 * S, 40 * S, "up"), Span(60 * S, 70 * S, "up")])
    down = Source.of("rail_down", NODE, [Span(11 * S, 29 * S, "down")])
    scope = Source.of("scope", NODE, [Span(12 * S, 29 * S, "down"), Span(41 * S, 59 * S, "down")])
    history = outages(merge([up, down, scope]), RailSettings(), 0, 70 * S)
    assert [o.sources for o in history.outages] == [("rail_down", "scope"), ("scope",)]


def test_knowledge_as_one_source_bridges_what_its_sources_bridge() -> None:
    one = Source("one", NODE, Intervals.of([(0, 5)]), Intervals.empty(), Intervals.empty(), (), 3, 0)
    two = Source("two", NODE, Intervals.empty(), Intervals.of([(6, 9)]), Intervals.empty(), (), 0, 7)
    both = merge([one, two]).as_source("lines")
    assert (both.up, both.down, both.up_bridge_ns, both.down_bridge_ns) == (one.up, two.down, 3, 7)
