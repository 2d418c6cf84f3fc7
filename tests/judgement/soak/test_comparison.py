"""Two soaks: 'more' and 'longer' are said only where every way to fill what is not known says so."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu

from rig.judgement import Verdict
from rig.judgement.soak import Cycle, Direction
from rig.judgement.soak.comparison import MOST_CYCLES, difference_of
from tests.judgement.soak.nights import BACK, THERE, cycle, known, night, verdicts


def test_the_chance_is_that_of_fishers_lady_tasting_tea() -> None:
    """Fisher, The Design of Experiments (1935), chapter II: three of four right, p = 17/70; all four, 1/70."""
    three = difference_of(verdicts(passed=3, failed=1), verdicts(passed=1, failed=3), 0.95).chances[0]
    assert three.p_more == pytest.approx(17 / 70)
    assert difference_of(verdicts(passed=4), verdicts(failed=4), 0.95).chances[0].p_more == pytest.approx(1 / 70)


def test_a_firmware_that_fails_where_the_other_passed_fails_more_often() -> None:
    chance = difference_of(verdicts(passed=60), verdicts(passed=30, failed=30), 0.95).chances[0]
    assert chance.finding == "more"
    assert 0 < chance.low < 0.5 < chance.high
    assert difference_of(verdicts(passed=30, failed=30), verdicts(passed=60), 0.95).chances[0].finding == "less"


def test_inconclusive_cycles_are_counted_against_every_claim() -> None:
    unclear = verdicts(passed=30, inconclusive=30)
    assert difference_of(verdicts(passed=60), unclear, 0.95).chances[0].finding == "none seen"
    assert difference_of(unclear, verdicts(passed=30, failed=30), 0.95).chances[0].finding == "none seen"


def test_errors_are_left_out_of_the_chance() -> None:
    chance = difference_of(verdicts(passed=60, errors=40), verdicts(passed=30, failed=30, errors=9), 0.95).chances[0]
    alone = difference_of(verdicts(passed=60), verdicts(passed=30, failed=30), 0.95).chances[0]
    assert (chance.p_more, chance.low, chance.high) == (alone.p_more, alone.low, alone.high)


def test_a_plan_with_more_of_a_bad_firmware_does_not_make_any_firmware_worse() -> None:
    """Both firmwares fail as often in B as in A; B only goes through the bad one more often (Simpson's paradox)."""
    good, bad = Direction("good", "1.0.0", "1.1.0"), Direction("bad", "1.0.0", "1.2.0")
    a = [*verdicts(good, passed=90), *verdicts(bad, passed=5, failed=5)]
    b = [*verdicts(good, passed=10), *verdicts(bad, passed=45, failed=45)]
    found = difference_of(a, b, 0.95)
    assert [(c.a, c.finding) for c in found.chances] == [(good, "none seen"), (bad, "none seen")]


def test_one_bad_firmware_among_good_ones_is_found_and_named() -> None:
    good, bad = Direction("good", "1.0.0", "1.1.0"), Direction("bad", "1.0.0", "1.2.0")
    a = [*verdicts(good, passed=300), *verdicts(bad, passed=12)]
    b = [*verdicts(good, passed=300), *verdicts(bad, passed=4, failed=8)]
    assert [(c.b, c.finding) for c in difference_of(a, b, 0.95).chances] == [(good, "none seen"), (bad, "more")]


def test_a_longer_outage_is_found_with_its_length() -> None:
    found = difference_of(night(60), night(60, seed=1, longer_s=2.0), 0.95)
    assert [s.finding for s in found.shifts] == ["more", "more"]
    for shift in found.shifts:
        assert shift.from_s is not None
        assert shift.to_s is not None
        assert 1.8 < shift.from_s < 2.0 < shift.to_s < 2.2


def test_a_difference_that_the_bounds_could_feign_is_none() -> None:
    found = difference_of(night(60), night(60, seed=1, longer_s=0.04), 0.95)
    assert [s.finding for s in found.shifts] == ["none seen", "none seen"]


def test_the_p_value_of_lengths_known_exactly_is_scipys_and_the_shift_hodges_and_lehmanns() -> None:
    a, b = [1.1, 2.3, 3.7, 4.2, 5.9], [2.0, 4.9, 6.1, 7.5]
    shift = difference_of(known(a), known(b), 0.95).shifts[0]
    assert shift.p_longer == pytest.approx(float(mannwhitneyu(b, a, alternative="greater", method="exact").pvalue))
    middle = float(np.median([y - x for x, y in itertools.product(a, b)]))
    assert shift.shift_lower_s == pytest.approx(middle)
    assert shift.shift_upper_s == pytest.approx(middle)


def test_two_firmwares_are_compared_there_with_there_and_back_with_back() -> None:
    new_there, new_back = Direction("cut-60s", "1.0.0", "1.2.0"), Direction("cut-60s-back", "1.2.0", "1.0.0", "back")
    b = [*known([60.0] * 5, new_there), *known([20.0] * 5, new_back)]
    found = difference_of(night(10), b, 0.95)
    assert [(s.a, s.b) for s in found.shifts] == [(THERE, new_there), (BACK, new_back)]
    assert (found.alone_a, found.alone_b) == ((), ())


def test_what_has_no_partner_is_named_and_not_compared() -> None:
    others = [Direction(name, "1.0.0", "1.2.0") for name in ("x", "y")]
    found = difference_of(known([45.0] * 5), [*known([45.0] * 5, others[0]), *known([45.0] * 5, others[1])], 0.95)
    assert found.shifts == ()
    assert (found.alone_a, found.alone_b) == ((THERE,), tuple(others))


@pytest.mark.parametrize(("in_a", "in_b"), [(0, 0), (0, 1), (1, 0), (1, 1), (2, 2), (1, 60)])
def test_any_numbers_of_cycles_are_compared_and_few_find_nothing(in_a: int, in_b: int) -> None:
    found = difference_of(night(in_a), night(in_b, longer_s=50.0), 0.95)
    for chance in found.chances:
        assert chance.finding == "none seen"
        assert -1.0 <= chance.low <= 0.0 <= chance.high <= 1.0
    assert all(s.finding == "none seen" for s in found.shifts)


def test_unbounded_cycles_leave_the_shift_open_upwards() -> None:
    b = [cycle(n, 30.0, None, Verdict.INCONCLUSIVE) for n in range(1, 31)]
    shift = difference_of(known([45.0] * 30), b, 0.95).shifts[0]
    assert (shift.shift_upper_s, shift.to_s, shift.finding) == (None, None, "none seen")


def test_of_very_many_cycles_every_kth_is_used() -> None:
    shift = difference_of(known([45.0] * (MOST_CYCLES + 1)), known([46.0] * 20), 0.95).shifts[0]
    assert shift.cycles_a == MOST_CYCLES // 2 + 1
    assert shift.finding == "more"


@given(st.integers(1, 12), st.integers(1, 12), st.floats(0.0, 3.0))
def test_the_same_question_asked_the_other_way_round_has_the_opposite_answer(a: int, b: int, width: float) -> None:
    first: list[Cycle] = known([40.0 + n for n in range(a)], half_width_s=width)
    second = known([43.0 + 0.7 * n for n in range(b)], half_width_s=width)
    forth, back = difference_of(first, second, 0.95).shifts[0], difference_of(second, first, 0.95).shifts[0]
    assert forth.p_longer == pytest.approx(back.p_shorter)
    assert forth.shift_lower_s == pytest.approx(-(back.shift_upper_s or 0.0))
    if forth.from_s is not None:
        assert back.to_s == pytest.approx(-forth.from_s)
