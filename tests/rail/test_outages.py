"""The two worlds at their edges: what a rate may make of a setting, and what each outage of a history says."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.errors import InputError
from rig.rail import Intervals, RailSettings, Source, longest_bounds, merge, outages

S, MS = 10**9, 10**6
PPM = 200.0
SOME = RailSettings(rate_ppm=PPM)
NOTHING = Intervals.empty()


def known(
    up: list[tuple[float, float]], down: list[tuple[float, float]], settings: RailSettings
) -> tuple[int, int | None]:
    """The bounds in [0, 100 s] from spans in seconds."""
    ups, downs = (Intervals.of((round(a * S), round(b * S)) for a, b in rows) for rows in (up, down))
    return longest_bounds(merge([Source("lines", "rail", ups, downs, ups.union(downs))]), settings, 0, 100 * S)


def widened(seconds: float) -> int:
    return math.ceil(round(seconds * S) / (1 - PPM * 1e-6))


@pytest.mark.parametrize(("length", "away"), [(0.9999, 20), (1.0, 20), (1.00019, 20), (1.00021, 10)])
def test_an_up_restores_only_if_it_is_long_enough_at_every_rate(length: float, away: float) -> None:
    """A clock that runs 200 ppm fast shows 1.0002 s for one second."""
    upper = known([(0, 10), (20, 20 + length), (30, 100)], [], SOME)[1]
    assert upper == widened(20 if away == 20 else 10)


@pytest.mark.parametrize(("dip", "away"), [(0.0199, 0), (0.019995, 0), (0.019997, 0.019997), (0.02, 0.02)])
def test_a_dip_is_filled_only_if_it_is_short_enough_at_every_rate(dip: float, away: float) -> None:
    assert known([(0, 10), (10 + dip, 100)], [], SOME)[1] == widened(away)


@pytest.mark.parametrize(("between", "joined"), [(0.9997, True), (0.9999, False), (1.0, False)])
def test_two_downs_are_one_outage_only_if_they_are_near_enough_at_every_rate(between: float, joined: bool) -> None:
    lower = known([], [(10, 20), (20 + between, 40)], SOME)[0]
    length = 30 if joined else 20 - between
    assert lower == math.floor(round(length * S) * (1 - PPM * 1e-6))


@pytest.mark.parametrize(("dip", "proven"), [(0.02, False), (0.020003, False), (0.020005, True)])
def test_a_dip_is_an_outage_only_if_it_is_long_enough_at_every_rate(dip: float, proven: bool) -> None:
    assert (known([], [(10, 10 + dip)], SOME)[0] > 0) == proven


def test_without_a_rate_the_settings_are_exact() -> None:
    exact = RailSettings(rate_ppm=0.0)
    assert known([(0, 10), (20, 21), (30, 100)], [], exact)[1] == 10 * S
    assert known([(0, 10), (20, 20.999999999), (30, 100)], [], exact)[1] == 20 * S
    assert known([(0, 10), (10.019999999, 100)], [], exact)[1] == 0
    assert known([(0, 10), (10.02, 100)], [], exact)[1] == 20 * MS
    assert known([], [(10, 10.02)], exact)[0] == 20 * MS
    assert known([], [(10, 10.019999999)], exact)[0] == 0
    assert known([], [(10, 20), (20.999999999, 30)], exact)[0] == 20 * S
    assert known([], [(10, 20), (21, 30)], exact)[0] == 10 * S


@given(
    st.lists(st.integers(-200_000, 200_000), min_size=12, max_size=12),
    st.lists(st.integers(0, S - 1), min_size=12, max_size=12),
    st.integers(0, 11 * S),
    st.integers(1, 11 * S),
)
def test_a_clock_that_keeps_its_rate_only_on_average_widens_lengths_by_two_of_its_stretches(
    slews: list[int], places: list[int], start: int, length: int
) -> None:
    """In each second it is moved by up to 200 ppm of it, all at once, somewhere."""
    settings = RailSettings(rate_ppm=PPM, pair_ns=S)

    def shown(true_ns: int) -> int:
        moved = sum(slew for n, (slew, place) in enumerate(zip(slews, places, strict=True)) if n * S + place < true_ns)
        return true_ns + moved

    end = min(start + length, 12 * S)
    on_clock = max(0, shown(end) - shown(start))
    lower, upper = settings.widened(on_clock, max(1, on_clock))
    assert lower <= end - start <= upper
    assert on_clock >= settings.surely_below_ns(end - start), "else it is called shorter than it is"
    assert on_clock < settings.surely_ns(end - start + 1), "else it is called longer than it is"


def test_a_rail_that_was_never_away_is_not_widened() -> None:
    settings = RailSettings(rate_ppm=PPM, pair_ns=S)
    assert settings.widened(0, 0) == (0, 0)
    assert known([(0, 100)], [], settings) == (0, 0)
    assert known([(0, 10), (20, 100)], [(11, 19)], settings)[1] == widened(10) + 400_000


def test_a_stretch_below_zero_is_refused() -> None:
    with pytest.raises(InputError, match="cannot be negative"):
        RailSettings(pair_ns=-1)


def test_a_converter_in_hiccup_restores_nothing() -> None:
    """Fifty milliseconds in each second, for three minutes."""
    ups = [(0.0, 10.0), *((10 + n, 10.05 + n) for n in range(1, 180)), (190.0, 300.0)]
    downs = [(10.0, 11.0), *((10.05 + n, 11 + n) for n in range(1, 180))]
    up, down = (Intervals.of((round(a * S), round(b * S)) for a, b in rows) for rows in (ups, downs))
    history = outages(merge([Source("lines", "rail", up, down, up)]), RailSettings(rate_ppm=0.0), 0, 300 * S)
    assert (history.lower_ns, history.upper_ns) == (180 * S, 180 * S)


@pytest.mark.parametrize("settings", [(-1, 0, 0.0), (0, -1, 0.0), (0, 0, -1.0), (0, 0, math.nan), (0, 0, 1e6)])
def test_settings_that_make_no_sense_are_refused(settings: tuple[int, int, float]) -> None:
    with pytest.raises(InputError):
        RailSettings(*settings)


SPANS = st.lists(st.tuples(st.integers(0, 90), st.integers(0, 40)), max_size=8)


@given(SPANS, SPANS, SPANS, SPANS, st.integers(0, 8), st.integers(0, 12))
def test_knowing_more_never_widens_the_bounds(
    up: list[tuple[int, int]],
    down: list[tuple[int, int]],
    more_up: list[tuple[int, int]],
    more_down: list[tuple[int, int]],
    ride: int,
    restore: int,
) -> None:
    settings = RailSettings(ride, restore, 0.0)
    ups, downs, extra_ups, extra_downs = (
        Intervals.of((a, a + n) for a, n in rows) for rows in (up, down, more_up, more_down)
    )
    all_up, all_down = ups.union(extra_ups), downs.union(extra_downs)
    both = all_up.intersection(all_down)

    def bounds(some_up: Intervals, some_down: Intervals) -> tuple[int, float]:
        source = Source("lines", "rail", some_up.minus(both), some_down.minus(both), NOTHING)
        lower, upper = longest_bounds(merge([source]), settings, 0, 130)
        return lower, math.inf if upper is None else upper

    low, high = bounds(ups, downs)
    lower, upper = bounds(all_up, all_down)
    assert low <= lower
    assert upper <= high


@given(SPANS, st.integers(1, 8), st.integers(1, 12))
def test_the_history_adds_up(cuts: list[tuple[int, int]], ride: int, restore: int) -> None:
    settings = RailSettings(ride, restore, 0.0)
    down = Intervals.of((a, a + n) for a, n in cuts)
    up = down.gaps(-100, 300)
    history = outages(merge([Source("lines", "rail", up, down, up.union(down))]), settings, -50, 200)
    assert len(history.unseen) == 0
    assert (history.upper_ns or 0) == max((o.upper_ns or 0 for o in history.outages), default=0)
    assert history.lower_ns == max((o.lower_ns for o in history.outages), default=0)
    for outage in history.outages:
        assert outage.from_ns < outage.to_ns
        assert outage.proven == (outage.lower_ns > 0)
        assert outage.sources == (("lines",) if outage.proven else outage.sources)
        assert all(outage.from_ns <= a and b <= outage.to_ns for a, b in outage.down)
    longest = history.longest
    assert longest is None or longest.lower_ns == history.lower_ns
