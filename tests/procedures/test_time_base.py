"""The oscilloscope's time base is compared with the stamps: a fast one is found, where the outage is long enough."""

from __future__ import annotations

import pytest

from rig.procedures.time_base import compare_time_bases
from rig.rail import Intervals, RailHistory, RailSettings, Source, merge, outages

S = 1_000_000_000
SETTINGS = RailSettings()


def source(name: str, cuts: list[tuple[int, int]], until: int, blur: int) -> Source:
    """A source that sees the rail up and down, but for `blur` at each edge."""
    down = Intervals.of((a + blur, b - blur) for a, b in cuts)
    up = Intervals.of([(0, until)]).minus(Intervals.of((a - blur, b + blur) for a, b in cuts))
    return Source(name, "hub", up, down, Intervals.of([(0, until)]))


def lines(*cuts: tuple[int, int]) -> RailHistory:
    return outages(merge([source("lines", list(cuts), 400 * S, S // 1000)]), SETTINGS, 0, 400 * S)


@pytest.mark.parametrize(("ppm", "agrees"), [(0, True), (200, True), (2000, False), (-2000, False)])
def test_a_time_base_beyond_its_limit_is_found(ppm: int, agrees: bool) -> None:
    length = 200 * S + 200 * S * ppm // 1_000_000
    scope = source("scope", [(10 * S, 10 * S + length)], 300 * S, S // 1000)
    found = compare_time_bases(scope, lines((50 * S, 250 * S)), SETTINGS, 25.0)
    assert found is not None
    assert found.lowest_ppm <= ppm <= found.highest_ppm
    assert found.agrees is agrees


def test_nothing_is_said_where_the_outages_need_not_be_the_same() -> None:
    scope = source("scope", [(10 * S, 20 * S)], 300 * S, S // 1000)
    assert compare_time_bases(scope, lines((50 * S, 60 * S), (90 * S, 100 * S)), SETTINGS, 25.0) is None
    assert compare_time_bases(scope, lines(), SETTINGS, 25.0) is None


def test_an_outage_without_an_end_has_no_length_to_compare() -> None:
    scope = source("scope", [(10 * S, 300 * S)], 300 * S, S // 1000)
    assert compare_time_bases(scope, lines((50 * S, 390 * S)), SETTINGS, 25.0) is None
