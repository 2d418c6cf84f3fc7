"""Limits, ranks and p-values against tables that were published."""

from __future__ import annotations

import itertools
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.judgement.soak.ranks import (
    least_cycles,
    lower_limit,
    quantile_ranks,
    shift_margin,
    shift_p,
    tolerance_confidence,
    trend_margin,
    trend_p,
    upper_limit,
)

# Two-sided 95 % limits for x of 10, as in the charts and tables after Clopper and Pearson (Biometrika 26, 1934, 404):
# Documenta Geigy, Scientific Tables, 7th edition, 'Exact confidence limits for p'.
TEN = [
    (0, 0.0, 0.3085),
    (1, 0.0025, 0.4450),
    (2, 0.0252, 0.5561),
    (3, 0.0667, 0.6525),
    (4, 0.1216, 0.7376),
    (5, 0.1871, 0.8129),
    (10, 0.6915, 1.0),
]


@pytest.mark.parametrize(("x", "low", "high"), TEN)
def test_the_limits_for_ten_are_those_of_the_published_table(x: int, low: float, high: float) -> None:
    assert lower_limit(x, 10, 0.975) == pytest.approx(low, abs=5e-5)
    assert upper_limit(x, 10, 0.975) == pytest.approx(high, abs=5e-5)


@pytest.mark.parametrize("cycles", [1, 22, 59, 60, 5000])
def test_without_a_violation_the_limit_is_what_can_be_worked_out_by_hand(cycles: int) -> None:
    assert upper_limit(0, cycles, 0.95) == pytest.approx(1.0 - 0.05 ** (1.0 / cycles), rel=1e-12)


def _coverage(fails: int, most: int, p: float) -> float:
    """How often the 95 % limit covers `p` in a soak that stops at that many FAILs, or after `most` cycles."""
    ends = [(n, fails, comb(n - 1, fails - 1) * p**fails * (1 - p) ** (n - fails)) for n in range(fails, most + 1)]
    ends += [(most, k, comb(most, k) * p**k * (1 - p) ** (most - k)) for k in range(fails)]
    assert sum(chance for _, _, chance in ends) == pytest.approx(1.0)
    return sum(chance for n, k, chance in ends if upper_limit(k, n, 0.95) >= p)


@pytest.mark.parametrize("fails", [1, 2, 3])
@pytest.mark.parametrize("most", [10, 30])
def test_where_a_soak_stops_at_a_fail_the_limit_errs_on_the_safe_side(fails: int, most: int) -> None:
    assert min(_coverage(fails, most, p / 50) for p in range(1, 50)) >= 0.95


def test_of_no_cycles_nothing_is_known() -> None:
    assert (lower_limit(0, 0, 0.95), upper_limit(0, 0, 0.95)) == (0.0, 1.0)


# Guba, Makai and Pal, 'Statistical aspects of best estimate method - I', Reliability Engineering and System Safety 80
# (2003) 217; after Wilks, Annals of Mathematical Statistics 12 (1941) 91: n for content, confidence, rank from the top.
WILKS = [
    (0.95, 0.95, 1, 59),
    (0.95, 0.95, 2, 93),
    (0.95, 0.95, 3, 124),
    (0.95, 0.99, 1, 90),
    (0.95, 0.99, 2, 130),
    (0.99, 0.95, 1, 299),
    (0.99, 0.95, 2, 473),
    (0.99, 0.99, 1, 459),
    (0.90, 0.95, 1, 29),
]


@pytest.mark.parametrize(("content", "confidence", "rank", "cycles"), WILKS)
def test_the_least_number_of_cycles_is_that_of_wilks(content: float, confidence: float, rank: int, cycles: int) -> None:
    assert least_cycles(content, confidence, rank) == cycles
    assert tolerance_confidence(cycles, content, rank) >= confidence
    assert tolerance_confidence(cycles - 1, content, rank) < confidence


# Nair, Sankhya 4 (1940) 551, as cited by Dixon and Massey, Introduction to Statistical Analysis (1969): the k-th from
# either end bound the median with this confidence, in percent.
NAIR = [
    (6, 1, 96.9),
    (8, 1, 99.2),
    (9, 2, 96.1),
    (10, 2, 97.9),
    (11, 2, 98.8),
    (12, 3, 96.1),
    (15, 4, 96.5),
    (17, 5, 95.1),
    (20, 6, 95.9),
    (25, 8, 95.7),
    (30, 10, 95.7),
    (40, 14, 96.2),
    (51, 19, 95.1),
    (65, 25, 95.4),
]


@pytest.mark.parametrize(("cycles", "k", "percent"), NAIR)
def test_the_ranks_about_the_median_are_those_of_nairs_table(cycles: int, k: int, percent: float) -> None:
    ranks = quantile_ranks(cycles, 0.5, 0.95)
    assert (ranks.low, ranks.high) == (k, cycles + 1 - k)
    assert ranks.confidence * 100 == pytest.approx(percent, abs=0.051)


def test_five_cycles_cannot_bound_the_median_with_95_percent() -> None:
    ranks = quantile_ranks(5, 0.5, 0.95)
    assert (ranks.low, ranks.high) == (None, None)


@given(st.integers(0, 400), st.sampled_from((0.5, 0.9, 0.95, 0.99)), st.sampled_from((0.9, 0.95, 0.99)))
def test_the_ranks_of_a_quantile_reach_the_confidence_asked_for(cycles: int, content: float, asked: float) -> None:
    ranks = quantile_ranks(cycles, content, asked)
    assert ranks.confidence >= asked - 1e-12
    assert ranks.low is None or 1 <= ranks.low <= cycles
    assert ranks.high is None or 1 <= ranks.high <= cycles


# Kendall, Rank Correlation Methods, appendix table 1; also Gilbert, Statistical Methods for Environmental Pollution
# Monitoring (1987), table A18: P(S at least s) for n values without trend.
KENDALL = [
    (4, 4, 0.167),
    (4, 6, 0.042),
    (5, 0, 0.592),
    (5, 6, 0.117),
    (5, 8, 0.042),
    (5, 10, 0.0083),
    (8, 10, 0.138),
    (8, 16, 0.031),
    (8, 18, 0.016),
    (10, 1, 0.500),
    (10, 11, 0.190),
    (10, 21, 0.036),
    (10, 23, 0.023),
    (10, 25, 0.014),
]


@pytest.mark.parametrize(("cycles", "score", "p"), KENDALL)
def test_the_chance_of_a_trend_that_is_none_is_that_of_kendalls_table(cycles: int, score: int, p: float) -> None:
    assert trend_p(score, cycles) == pytest.approx(p, abs=5.1e-4)


@pytest.mark.parametrize(("cycles", "level"), [(4, 0.025), (5, 0.025), (8, 0.025), (10, 0.025), (40, 0.0125)])
def test_the_margin_of_a_trend_is_the_least_score_that_is_rare_enough(cycles: int, level: float) -> None:
    margin = trend_margin(cycles, level)
    if margin is None:
        assert trend_p(cycles * (cycles - 1) // 2, cycles) > level
    else:
        assert trend_p(margin, cycles) <= level < trend_p(margin - 2, cycles)


def test_four_cycles_can_never_show_a_trend() -> None:
    assert trend_margin(4, 0.025) is None


# Mann and Whitney's U, critical values, one-sided 2.5 % (Siegel, Nonparametric Statistics (1956), table K).
@pytest.mark.parametrize(("first", "second", "critical"), [(8, 8, 13), (5, 9, 7), (10, 10, 23), (20, 20, 127)])
def test_the_margin_of_a_shift_is_that_of_the_published_table(first: int, second: int, critical: int) -> None:
    assert shift_margin(first, second, 0.025) == first * second - critical


def test_three_against_three_can_never_show_a_shift() -> None:
    assert shift_margin(3, 3, 0.025) is None


def test_the_chance_of_a_shift_is_the_share_of_all_orders() -> None:
    for larger in range(13):
        orders = list(itertools.combinations(range(7), 3))
        scores = [sum(rank - place for place, rank in enumerate(order)) for order in orders]
        assert shift_p(larger, 4, 3) == pytest.approx(sum(s >= larger for s in scores) / len(orders))
