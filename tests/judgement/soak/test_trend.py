"""A trend is found where every length within the bounds has one, and nowhere else."""

from __future__ import annotations

import itertools
import random

import pytest
from scipy.stats import kendalltau, theilslopes

from rig.judgement import Verdict
from rig.judgement.soak import Cycle
from rig.judgement.soak.ranks import trend_p
from rig.judgement.soak.trend import MOST_CYCLES, Trend, trend_of
from tests.judgement.soak.nights import THERE, cycle, known, night


def trend(rows: list[Cycle], level: float = 0.025) -> Trend:
    return trend_of(THERE, rows, level)


def test_the_slope_and_its_interval_are_those_of_sens_example() -> None:
    """Sen, Journal of the American Statistical Association 63 (1968) 1379, section 6: 4.0, and 3.71 to 4.38.

    He takes the 4th and the 18th of 21 slopes for 93 %; counted exactly, P(S >= 15) = 0.015, they hold with 97 %.
    """
    at, values = (1, 2, 3, 4, 10, 12, 18), (9.0, 15.0, 19.0, 20.0, 45.0, 55.0, 78.0)
    found = trend([cycle(n, v, v) for n, v in zip(at, values, strict=True)], level=0.0152)
    assert found.slope_lower_s == found.slope_upper_s == 4.0
    assert found.from_s == pytest.approx(26 / 7)
    assert found.to_s == pytest.approx(35 / 8)


def test_lengths_known_exactly_give_what_scipy_gives() -> None:
    noise = random.Random(3)
    lengths = [45.0 + 0.004 * n + noise.gauss(0.0, 0.05) for n in range(50)]
    found = trend(known(lengths))
    median, _, low, high = theilslopes(lengths, list(range(1, 51)), alpha=0.95)
    assert found.slope_lower_s == pytest.approx(median)
    assert found.slope_upper_s == pytest.approx(median)
    assert found.from_s == pytest.approx(low, rel=0.05)  # scipy takes the ranks from the normal distribution
    assert found.to_s == pytest.approx(high, rel=0.05)
    exact = kendalltau(range(50), lengths, alternative="greater", method="exact")
    assert found.p_grows == pytest.approx(float(exact.pvalue))


BOUNDS = [
    [(1.0, 2.0), (1.5, 3.0), (2.5, 4.0), (3.5, 5.0), (4.5, 6.0)],
    [(1.0, 1.0), (2.0, 4.0), (3.0, 3.5), (5.0, 6.0), (7.0, 9.0)],
    [(1.0, 9.0), (2.0, 8.0), (3.0, 7.0), (4.0, 6.0), (5.0, 5.0)],
]


@pytest.mark.parametrize("bounds", BOUNDS)
def test_no_lengths_within_the_bounds_have_a_larger_p_value(bounds: list[tuple[float, float]]) -> None:
    """All orders that five cycles' bounds allow, tried one by one."""
    found = trend([cycle(n, a, b) for n, (a, b) in enumerate(bounds, start=1)])
    grid = [[a + (b - a) * k / 4 + n * 1e-6 for k in range(5)] for n, (a, b) in enumerate(bounds)]
    scores = [
        sum((y > x) - (y < x) for x, y in itertools.combinations(lengths, 2)) for lengths in itertools.product(*grid)
    ]
    assert found.p_grows >= trend_p(min(scores), 5)
    assert found.p_falls >= trend_p(-max(scores), 5)


def test_an_outage_that_grows_beyond_its_bounds_is_found_to_grow() -> None:
    found = trend(known([45.0 + 0.02 * n for n in range(30)], half_width_s=0.05))
    assert found.finding == "grows"
    assert found.from_s is not None
    assert found.from_s > 0


def test_an_outage_that_shrinks_is_found_to_fall() -> None:
    assert trend(known([45.0 - 0.02 * n for n in range(30)], half_width_s=0.05)).finding == "falls"


def test_a_growth_that_the_bounds_could_feign_is_none() -> None:
    """The estimates rise with every cycle; the whole rise fits into one measurement's bounds."""
    found = trend(known([45.0 + 0.001 * n for n in range(30)], half_width_s=0.05))
    assert found.finding == "none seen"
    assert found.estimates is not None
    assert found.estimates.tau == pytest.approx(1.0)
    assert found.from_s is not None
    assert found.to_s is not None
    assert found.from_s < 0.001 < found.to_s


def test_no_trend_is_seen_in_a_night_that_has_none() -> None:
    rows = [row for row in night(60) if row.direction == THERE]
    found = trend(rows)
    assert found.finding == "none seen"
    assert found.to_s is not None
    assert found.to_s < 0.02


@pytest.mark.parametrize("length_s", [0.0, 45.0])
@pytest.mark.parametrize("half_width_s", [0.0, 0.05])
@pytest.mark.parametrize("cycles", [2, 5, 30, 150])
def test_lengths_that_are_all_alike_have_no_trend_and_raise_no_warning(
    cycles: int, half_width_s: float, length_s: float
) -> None:
    found = trend(known([length_s] * cycles, half_width_s=half_width_s))
    assert found.finding in ("none seen", "too few cycles")
    assert found.estimates is None
    assert found.slope_lower_s is not None
    assert found.slope_upper_s is not None
    assert found.slope_lower_s <= 0 <= found.slope_upper_s


def test_quantised_lengths_with_many_ties_have_no_trend() -> None:
    found = trend(known([45.0 + 0.1 * (n % 3) for n in range(60)]))
    assert found.finding == "none seen"
    assert found.estimates is not None


@pytest.mark.parametrize("cycles", [0, 1, 2, 3, 4])
def test_of_few_cycles_it_says_that_they_are_too_few(cycles: int) -> None:
    found = trend(known([45.0 + n for n in range(cycles)]))
    assert found.finding == "too few cycles"
    assert (found.from_s, found.to_s) == (None, None)


def test_cycles_without_an_upper_bound_prove_no_growth_but_may_show_a_rise_to_them() -> None:
    rows = [*known([45.0] * 15), *(cycle(n, 60.0 + n, None, Verdict.INCONCLUSIVE) for n in range(16, 31))]
    found = trend(rows)
    assert found.to_s is None
    assert trend([cycle(n, 30.0, None, Verdict.INCONCLUSIVE) for n in range(1, 31)]).finding == "none seen"


def test_of_very_many_cycles_every_kth_is_used_and_said() -> None:
    found = trend(known([45.0 + 0.001 * n for n in range(MOST_CYCLES + 1)], half_width_s=0.05))
    assert (found.every, found.cycles) == (2, MOST_CYCLES // 2 + 1)
    assert found.finding == "grows"
    assert found.slope_lower_s == pytest.approx(0.001, rel=0.2)
