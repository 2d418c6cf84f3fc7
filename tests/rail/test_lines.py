"""What a stamped line claims is true, whatever is late, lost, coalesced or racing; and it does not claim too little."""

from __future__ import annotations

import math
import random
import tracemalloc
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from rig.rail import Intervals, LineTracker
from tests.rail.looking import LineTruth, track

MS = 1_000_000
S = 1_000_000_000


@st.composite
def truths(draw: st.DrawFn) -> LineTruth:
    """A line that toggles after random times, many of them short."""
    gaps = draw(st.lists(st.one_of(st.integers(1, 40), st.integers(1, 3_000)), max_size=12))
    before, at, rows = draw(st.booleans()), draw(st.integers(-200, 500)), []
    for n, gap in enumerate(gaps):
        rows.append((at, before == bool(n % 2)))
        at += gap
    return LineTruth(before, tuple(rows))


def levels(truth: LineTruth) -> list[tuple[float, float, bool]]:
    edges = [-math.inf, *(t for t, _ in truth.toggles), math.inf]
    return [(a, b, truth.before == (n % 2 == 0)) for n, (a, b) in enumerate(pairwise(edges))]


def false_stretches(claimed: Intervals, truth: LineTruth, level: bool) -> list[tuple[float, float]]:
    """Where the line claims a level and has the other one."""
    wrong = [(a, b) for a, b, now in levels(truth) if now is not level]
    return [(max(a, c), min(b, d)) for a, b in wrong for c, d in claimed if min(b, d) > max(a, c)]


@given(truths(), st.integers(1, 30), st.integers(20, 400), st.integers(0, 2**32))
def test_what_it_claims_is_true_with_late_and_lost_edges(truth: LineTruth, latency: int, tick: int, seed: int) -> None:
    line = track(truth, latency, 0, 6_000, tick, seed, coalesce=False)
    assert false_stretches(line.active(), truth, True) == []
    assert false_stretches(line.inactive(), truth, False) == []


@given(truths(), st.integers(1, 30), st.integers(20, 400), st.integers(0, 2**32))
def test_what_hides_when_edges_coalesce_is_shorter_than_a_latency(
    truth: LineTruth, latency: int, tick: int, seed: int
) -> None:
    line = track(truth, latency, 0, 6_000, tick, seed, coalesce=True)
    for claimed, level in ((line.active(), True), (line.inactive(), False)):
        assert all(b - a < latency for a, b in false_stretches(claimed, truth, level))


@given(truths(), st.integers(1, 8), st.integers(20, 100))
def test_without_faults_it_misses_only_latencies_and_the_last_tick(truth: LineTruth, latency: int, tick: int) -> None:
    line = LineTracker(latency)
    line.read(-300, -300, truth.at(-300))
    number = 0
    edges = [(t, now) for t, now in truth.toggles if t > -300]
    for now in range(-300 + tick, 40_000, tick):
        while edges and edges[0][0] <= now:
            at, level = edges.pop(0)
            number += 1
            line.edge(at, level, number)
        line.read(now, now, truth.at(now))
    assert line.losses == []
    known = line.active().union(line.inactive())
    for a, b, _ in levels(truth):
        begin, end = max(a, -300), min(b, 40_000 - 2 * tick)
        if end - begin > latency:
            assert known.measure(*([[x]] for x in (begin, end - latency)))[0] == end - latency - begin  # type: ignore[arg-type]


# -- one by one -------------------------------------------------------------------------------------------------------


def quiet_line(latency: int = MS, seconds: int = 10) -> LineTracker:
    """Active since 0, read each second."""
    line = LineTracker(latency)
    for n in range(seconds):
        line.read(n * S, n * S, True)
    return line


def test_an_edge_ends_what_is_known_a_latency_before_its_stamp() -> None:
    line = quiet_line()
    line.edge(9 * S + 500 * MS, False, 1)
    assert list(line.active()) == [(0, 9 * S + 499 * MS)]
    assert line.level is False
    assert line.since_ns == 9 * S + 500 * MS


def test_a_single_lost_edge_ends_knowledge_at_the_last_good_read() -> None:
    line = quiet_line()
    line.edge(9 * S + 500 * MS, True, 1)
    assert list(line.active()) == [(0, 9 * S - MS)]
    assert line.losses == [(9 * S - MS, "edges do not alternate")]


def test_a_lost_pair_that_only_the_numbers_show_voids_all_since_the_last_edge() -> None:
    """The two may have come at any time since, between two reads that agreed."""
    line = LineTracker(MS)
    line.read(0, 0, False)
    line.edge(S, True, 1)
    for n in range(2, 10):
        line.read(n * S, n * S, True)
    line.edge(9 * S + 500 * MS, False, 4)
    assert len(line.active()) == 0
    assert line.losses == [(S, "sequence numbers jumped")]


def test_edges_lost_before_the_first_one_heard_are_missed_too() -> None:
    """A request counts from 1, so that a pair lost before anything was heard shows as well."""
    line = quiet_line()
    line.edge(9 * S + 500 * MS, False, 3)
    assert len(line.active()) == 0
    assert line.losses == [(0, "sequence numbers jumped")]


def test_a_jump_also_voids_a_stretch_that_a_read_had_already_ended() -> None:
    line = LineTracker(MS)
    line.read(0, 0, False)
    line.edge(S, True, 1)
    line.read(5 * S, 5 * S, True)
    line.read(6 * S, 6 * S, False)
    line.read(7 * S, 7 * S, False)
    assert list(line.active()) == [(S, 5 * S - MS)]
    line.edge(8 * S, True, 5)
    assert len(line.active()) == 0


def test_a_number_that_follows_confirms_such_a_stretch() -> None:
    line = LineTracker(MS)
    line.read(0, 0, False)
    line.edge(S, True, 1)
    line.read(5 * S, 5 * S, True)
    line.read(6 * S, 6 * S, False)
    line.read(7 * S, 7 * S, False)
    line.edge(8 * S, True, 2)
    line.edge(9 * S, False, 9)
    assert list(line.active()) == [(S, 5 * S - MS)]


def test_a_read_that_no_edge_explains_ends_knowledge_before_it() -> None:
    line = quiet_line()
    line.read(10 * S, 10 * S, False)
    assert line.level is True, "the edge may still be on its way"
    line.edge(11 * S, False, 1)
    assert list(line.active()) == [(0, 9 * S - MS)]
    assert line.level is None


def test_a_read_that_a_late_edge_explains_costs_nothing_but_the_read() -> None:
    line = quiet_line()
    line.read(10 * S, 10 * S, False)
    line.edge(10 * S - 2 * MS, False, 1)
    assert list(line.active()) == [(0, 10 * S - 3 * MS)]
    assert line.losses == []


def test_a_first_read_that_races_with_an_edge_is_not_believed() -> None:
    line = LineTracker(MS)
    line.edge(S + 100, False, 1)
    line.read(S, S + 1000, True)
    assert line.level is None
    line.read(2 * S, 2 * S, False)
    assert line.level is False


def test_a_first_read_that_was_ahead_of_its_own_edge_is_kept() -> None:
    line = LineTracker(MS)
    line.read(S, S + 1000, True)
    line.edge(S + 500, True, 1)
    line.read(2 * S, 2 * S, True)
    assert line.losses == []
    assert list(line.active()) == [(S + 1000, 2 * S - MS)]


def test_stamps_that_go_backwards_end_knowledge() -> None:
    line = quiet_line()
    line.edge(9 * S + 500 * MS, False, 1)
    line.edge(9 * S + 400 * MS, True, 2)
    assert line.level is None
    assert line.losses[-1][1] == "stamps go backwards"


def test_a_line_that_is_gone_keeps_what_it_knew() -> None:
    line = quiet_line()
    line.lost("unplugged")
    line.lost("unplugged")
    assert list(line.active()) == [(0, 9 * S - MS)]
    assert line.losses == [(9 * S - MS, "unplugged")]


def test_a_stuck_line_claims_its_level_and_no_more() -> None:
    """Its edges never come; only another source can contradict it."""
    line = quiet_line(seconds=100)
    assert list(line.active()) == [(0, 99 * S - MS)]
    assert len(line.inactive()) == 0


def test_an_active_comparator_proves_its_side_only() -> None:
    line = quiet_line()
    line.edge(9 * S + 500 * MS, False, 1)
    line.read(10 * S, 10 * S, False)
    up, down = line.source("rail_up", "rail", "up"), line.source("rail_down", "rail", "down")
    assert list(up.up) == list(down.down) == [(0, 9 * S + 499 * MS)]
    assert len(up.down) == len(down.up) == 0
    assert list(up.seen) == [(0, 10 * S - MS)]
    assert (up.up_bridge_ns, down.down_bridge_ns) == (MS, MS)


def test_a_night_of_chatter_needs_sixteen_bytes_a_stretch() -> None:
    chance, line = random.Random(1), LineTracker(1000)
    line.read(0, 0, True)
    tracemalloc.start()
    at = 0
    for n in range(1, 200_001):
        at += chance.randint(10**5, 10**9)
        line.edge(at, n % 2 == 0, n)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 200_000 * 16 * 2.5
    assert len(line.active()) + len(line.inactive()) == 200_000
