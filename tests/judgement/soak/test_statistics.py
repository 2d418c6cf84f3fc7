"""What a soak's cycles say: counted both ways, in bands, and never better for being known less well."""

from __future__ import annotations

import random
from dataclasses import asdict, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rig.judgement import Verdict
from rig.judgement.soak import Cycle
from rig.judgement.soak.counting import counts_of, violation_of
from rig.judgement.soak.distribution import distribution_of
from rig.judgement.soak.statistics import statistics_of
from tests.judgement.soak.nights import BACK, THERE, cycle, known, night, verdicts

LENGTHS = st.floats(0.0, 400.0, allow_nan=False)


@st.composite
def soaks(draw: st.DrawFn, most: int = 25) -> list[Cycle]:
    rows = []
    for number in range(1, draw(st.integers(0, most)) + 1):
        lower = draw(st.one_of(st.none(), LENGTHS))
        upper = (
            None if lower is None else draw(st.one_of(st.none(), st.floats(0.0, 50.0).map(lambda w, a=lower: a + w)))
        )
        verdict = draw(st.sampled_from(list(Verdict)))
        void = draw(st.sampled_from((False, False, False, True)))
        rows.append(cycle(number, lower, upper, verdict, draw(st.sampled_from((THERE, BACK))), void))
    return rows


# -- counts and the probability of a violation ------------------------------------------------------------------------


def test_an_inconclusive_cycle_is_counted_both_ways_and_an_error_in_a_third() -> None:
    violation = violation_of(counts_of(verdicts(passed=50, failed=1, inconclusive=3, errors=2)), 0.95)
    assert (violation.kept.violations, violation.kept.cycles) == (1, 54)
    assert (violation.violated.violations, violation.violated.cycles) == (4, 54)
    assert (violation.all_violated.violations, violation.all_violated.cycles) == (6, 56)
    assert violation.kept.upper_limit < violation.violated.upper_limit < violation.all_violated.upper_limit


def test_fifty_nine_passes_say_that_fewer_than_five_percent_violate() -> None:
    assert violation_of(counts_of(verdicts(passed=59)), 0.95).all_violated.upper_limit < 0.05
    assert violation_of(counts_of(verdicts(passed=58)), 0.95).all_violated.upper_limit > 0.05


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 30), st.integers(0, 30))
def test_the_three_ways_to_count_are_in_order(passed: int, failed: int, inconclusive: int, errors: int) -> None:
    violation = violation_of(
        counts_of(verdicts(passed=passed, failed=failed, inconclusive=inconclusive, errors=errors)), 0.95
    )
    assert violation.kept.upper_limit <= violation.violated.upper_limit <= violation.all_violated.upper_limit + 1e-12
    share = failed / max(1, passed + failed + inconclusive)
    assert violation.kept.upper_limit >= share


# -- the distribution -------------------------------------------------------------------------------------------------


def test_every_figure_is_a_band_between_lower_and_upper_bounds() -> None:
    outage = distribution_of(known([40.0, 42.0, 44.0, 46.0, 48.0], half_width_s=0.5), 0.95)
    assert outage.largest is not None
    assert (outage.largest.lower_s, outage.largest.upper_s) == (47.5, 48.5)
    median = outage.quantiles[0]
    assert (median.lower_s, median.upper_s) == (43.5, 44.5)
    assert (median.from_s, median.to_s) == (0.0, None)


def test_a_quantile_of_sixty_has_the_ranks_of_the_binomial_at_lower_and_upper_bounds() -> None:
    median = distribution_of(known([float(n) for n in range(1, 61)], half_width_s=0.25), 0.95).quantiles[0]
    assert (median.from_s, median.to_s) == (21.75, 39.25)  # Nair: k = 22 of 60, 97.3 %
    assert median.confidence == pytest.approx(0.973, abs=5e-4)


def test_one_unbounded_cycle_leaves_the_upper_quantiles_and_the_tolerance_limit_open() -> None:
    rows = [*known([45.0] * 99), cycle(100, 30.0, None, Verdict.INCONCLUSIVE)]
    outage = distribution_of(rows, 0.95)
    assert outage.unbounded == 1
    assert outage.largest is not None
    assert outage.largest.upper_s is None
    assert [t.upper_s for t in outage.tolerance] == [None, None]
    assert outage.quantiles[0].to_s == 45.0
    assert outage.quantiles[3].to_s is None


def test_with_all_unbounded_nothing_is_said_upwards_and_nothing_breaks() -> None:
    outage = distribution_of([cycle(n, 30.0 + n, None, Verdict.INCONCLUSIVE) for n in range(1, 31)], 0.95)
    assert outage.unbounded == outage.cycles == 30
    assert all(q.upper_s is None and q.to_s is None for q in outage.quantiles)
    assert all(step.least == 0.0 for step in outage.ecdf)
    assert sum(b.upper for b in outage.histogram) == 0


def test_what_another_cause_cut_is_void_and_is_counted_as_void() -> None:
    rows = [*known([45.0] * 3), cycle(4, 300.0, 301.0, Verdict.INCONCLUSIVE, void=True)]
    outage = distribution_of(rows, 0.95)
    assert (outage.cycles, outage.void) == (3, 1)
    assert outage.largest is not None
    assert outage.largest.upper_s == 45.0
    assert violation_of(counts_of(rows), 0.95).violated.violations == 1


def test_a_cycle_without_an_activation_measures_nothing_and_is_counted() -> None:
    outage = distribution_of([*known([45.0]), cycle(2, None, None, Verdict.ERROR)], 0.95)
    assert (outage.cycles, outage.without) == (1, 1)


def test_the_tolerance_limit_says_how_sure_the_largest_is() -> None:
    tolerance = distribution_of(known([45.0] * 59, half_width_s=0.1), 0.95).tolerance[0]
    assert tolerance.confidence == pytest.approx(1 - 0.95**59)
    assert (tolerance.upper_s, tolerance.needed_cycles) == (45.1, 59)


@given(soaks())
def test_the_curves_are_a_band_that_never_crosses_and_ends_at_one_where_it_is_bounded(rows: list[Cycle]) -> None:
    outage = distribution_of(rows, 0.95)
    for before, after in zip(outage.ecdf, outage.ecdf[1:], strict=False):
        assert before.at_s < after.at_s
        assert before.least <= after.least
        assert before.most <= after.most
    assert all(step.least <= step.most for step in outage.ecdf)
    if outage.ecdf:
        assert outage.ecdf[-1].most == 1.0
        assert outage.ecdf[-1].least == pytest.approx(1.0 - outage.unbounded / outage.cycles)


@given(soaks())
def test_every_bound_is_in_one_bin(rows: list[Cycle]) -> None:
    outage = distribution_of(rows, 0.95)
    assert sum(b.lower for b in outage.histogram) == outage.cycles
    assert sum(b.upper for b in outage.histogram) == outage.cycles - outage.unbounded
    assert all(b.lower + b.upper > 0 for b in outage.histogram)
    assert all(a.to_s <= b.from_s + 1e-9 for a, b in zip(outage.histogram, outage.histogram[1:], strict=False))


def test_a_few_long_outages_do_not_hide_how_the_others_lie() -> None:
    lengths = [45.0 + 0.01 * (n % 20) for n in range(200)]
    assert len(distribution_of(known([*lengths, 190.0, 3000.0]), 0.95).histogram) > 10


def test_five_thousand_cycles_leave_a_curve_that_a_page_can_hold() -> None:
    rng = np.random.default_rng(1)
    outage = distribution_of(known(rng.normal(45.0, 1.0, 5000).tolist(), half_width_s=0.01), 0.95)
    assert len(outage.ecdf) <= 400
    assert outage.ecdf[-1].least == 1.0


# -- the whole --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cycles", [0, 1, 2, 3, 4, 5, 60])
def test_any_number_of_cycles_has_its_statistics(cycles: int) -> None:
    statistics = statistics_of(night(cycles))
    assert statistics.counts.cycles == cycles
    assert len(statistics.directions) == len(statistics.trends) == min(2, cycles)


@settings(max_examples=40)
@given(soaks(), st.randoms(use_true_random=False))
def test_the_order_in_which_cycles_are_handed_over_does_not_matter(rows: list[Cycle], shuffler: random.Random) -> None:
    shuffled = list(rows)
    shuffler.shuffle(shuffled)
    assert asdict(statistics_of(shuffled)) == asdict(statistics_of(rows))


@settings(max_examples=40)
@given(soaks(), st.randoms(use_true_random=False))
def test_but_for_the_trend_the_order_of_the_cycles_in_time_does_not_matter(
    rows: list[Cycle], shuffler: random.Random
) -> None:
    numbers = [row.number for row in rows]
    shuffler.shuffle(numbers)
    moved = [replace(row, number=number) for row, number in zip(rows, numbers, strict=True)]
    before, after = statistics_of(rows), statistics_of(moved)
    assert (before.counts, before.violation, before.outage) == (after.counts, after.violation, after.outage)


def _open(value: float | None) -> float:
    return float("inf") if value is None else value


@settings(max_examples=60)
@given(soaks(), st.floats(0.0, 30.0), st.floats(0.0, 30.0), st.booleans())
def test_knowing_less_of_a_cycle_never_narrows_a_band(
    rows: list[Cycle], down_s: float, up_s: float, lost: bool
) -> None:
    """Each third cycle's bounds are widened; `lost`: to no upper bound at all."""
    wider = [
        row
        if row.number % 3 or row.lower_s is None
        else replace(
            row,
            lower_s=max(0.0, row.lower_s - down_s),
            upper_s=None if row.upper_s is None or lost else row.upper_s + up_s,
        )
        for row in rows
    ]
    before, after = statistics_of(rows), statistics_of(wider)
    for old, new in zip(before.outage.quantiles, after.outage.quantiles, strict=True):
        assert new.from_s <= old.from_s
        assert new.lower_s <= old.lower_s
        assert _open(new.to_s) >= _open(old.to_s)
        assert _open(new.upper_s) >= _open(old.upper_s)
    for was, now in zip(before.trends, after.trends, strict=True):
        assert now.p_grows >= was.p_grows - 1e-12
        assert now.p_falls >= was.p_falls - 1e-12
        assert -_open(_minus(now.from_s)) <= -_open(_minus(was.from_s))
        assert _open(now.to_s) >= _open(was.to_s)
        assert now.finding in (was.finding, "none seen")


def _minus(value: float | None) -> float | None:
    return None if value is None else -value


@pytest.mark.parametrize(
    ("lower_s", "upper_s"), [(float("nan"), 1.0), (-0.1, 1.0), (2.0, 1.0), (None, 1.0), (1.0, float("inf"))]
)
def test_what_are_no_bounds_is_refused(lower_s: float | None, upper_s: float | None) -> None:
    with pytest.raises(ValueError, match="cycle 1"):
        replace(cycle(1, 0.0, 0.0), lower_s=lower_s, estimate_s=None, upper_s=upper_s)
