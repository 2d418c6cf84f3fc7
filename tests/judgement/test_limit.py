"""Bounds against the limit: exactly the limit fails by default, and nothing is rounded before it is judged."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.errors import InputError
from rig.judgement import Comparison, Limit, Verdict

S = 10**9
LIMIT = 180 * S


@pytest.mark.parametrize(
    ("comparison", "lower", "upper", "verdict"),
    [
        ("ge", 0, LIMIT - 1, "PASS"),
        ("ge", 0, LIMIT, "INCONCLUSIVE"),
        ("ge", LIMIT - 1, LIMIT + 1, "INCONCLUSIVE"),
        ("ge", LIMIT, LIMIT, "FAIL"),
        ("ge", LIMIT, None, "FAIL"),
        ("ge", LIMIT - 1, None, "INCONCLUSIVE"),
        ("ge", 0, None, "INCONCLUSIVE"),
        ("gt", LIMIT, LIMIT, "PASS"),
        ("gt", 0, LIMIT, "PASS"),
        ("gt", LIMIT, LIMIT + 1, "INCONCLUSIVE"),
        ("gt", LIMIT + 1, LIMIT + 1, "FAIL"),
        ("gt", LIMIT + 1, None, "FAIL"),
        ("gt", LIMIT, None, "INCONCLUSIVE"),
    ],
)
def test_exactly_180_seconds_fails_unless_only_more_does(
    comparison: str, lower: int, upper: int | None, verdict: str
) -> None:
    assert Limit(LIMIT, Comparison(comparison)).verdict(lower, upper) is Verdict(verdict)


@given(st.integers(1, 10**15), st.integers(0, 10**15), st.integers(0, 10**15), st.data())
def test_a_verdict_is_right_for_every_truth_between_the_bounds(
    limit_ns: int, lower: int, more: int, data: st.DataObject
) -> None:
    limit = Limit(limit_ns, data.draw(st.sampled_from(Comparison)))
    true = data.draw(st.integers(lower, lower + more))
    verdict = limit.verdict(lower, lower + more)
    if limit.broken_by(true):
        assert verdict is not Verdict.PASS
    else:
        assert verdict is not Verdict.FAIL


def test_the_strict_reading_is_the_default() -> None:
    assert Limit(LIMIT).comparison is Comparison.GE


@pytest.mark.parametrize("length", [0, -1])
def test_a_limit_that_nothing_can_keep_is_refused(length: int) -> None:
    with pytest.raises(InputError, match="positive"):
        Limit(length)
