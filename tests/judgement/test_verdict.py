"""The verdict: PASS only with everything, FAIL needs the meter, ERROR keeps the rail's verdict, reasons are told."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.judgement import Cause, Circumstances, Comparison, Limit, Verdict, judge, judge_rail
from rig.rail import Contradiction, Intervals, RailHistory, RailSettings, Source, merge, outages

S = 10**9
LIMIT = Limit(180 * S)
GOOD = Circumstances(activation_started=True, version_changed=True, control_valid=True, safe_state_proven=True)
OPPOSITE = Contradiction("rail", 100 * S, 101 * S, "rail_up", "scope")
CODES = {
    "limit_exceeded", "straddles_limit", "unseen_gap", "sources_disagree", "activation_not_started",
    "version_unchanged", "control_missing", "cause_unknown", "cause_not_meter", "safe_state_unproven",
    "instrument_lost", "interrupted",
}  # fmt: skip


def history(*cuts: tuple[float, float], slack: float = 0.01, window: tuple[float, float] = (0, 1000)) -> RailHistory:
    """Cuts (start, length) in seconds, seen with `slack` unknown on both sides of each edge."""
    down = Intervals.of((round(a * S), round((a + n) * S)) for a, n in cuts)
    wide = Intervals.of((round((a - slack) * S), round((a + n + slack) * S)) for a, n in cuts)
    up = wide.gaps(-10 * S, 2000 * S)
    source = Source("lines", "rail", up, down, Intervals.of([(-10 * S, 2000 * S)]))
    return outages(merge([source]), RailSettings(rate_ppm=0.0), round(window[0] * S), round(window[1] * S))


def codes(found: object) -> list[str]:
    return [r.code for r in found.reasons]  # type: ignore[attr-defined]


# -- the matrix -------------------------------------------------------------------------------------------------------

HISTORIES = {
    "none": (history(), ()),
    "short": (history((100, 90)), (Cause.METER,)),
    "long": (history((100, 200)), (Cause.METER,)),
    "straddling": (history((100, 179.995), slack=0.01), (Cause.METER,)),
    "open": (history((900, 500)), (Cause.METER,)),
}


@pytest.mark.parametrize("name", HISTORIES)
@pytest.mark.parametrize("cause", list(Cause))
def test_pass_only_with_everything_fail_only_by_the_meter_error_without_a_safe_state(name: str, cause: Cause) -> None:
    found, _ = HISTORIES[name]
    causes = tuple(cause for _ in found.outages)
    flags = (False, True)
    for started, changed, control, safe, lost, stopped, opposite in itertools.product(flags, repeat=7):
        run = Circumstances(started, changed, control, safe, ("scope",) if lost else (), "Ctrl-C" if stopped else None)
        judged = judge(found, causes, (OPPOSITE,) if opposite else (), run, LIMIT)
        everything = started and changed and control and safe and not lost and not stopped and not opposite
        known = cause is Cause.METER or not found.outages
        rail = {"none": "PASS", "short": "PASS", "long": "FAIL"}.get(name, "INCONCLUSIVE")
        assert judged.rail_verdict == ("INCONCLUSIVE" if opposite else rail)
        assert set(codes(judged)) <= CODES
        if not safe:
            assert judged.verdict is Verdict.ERROR
            assert "safe_state_unproven" in codes(judged)
        elif opposite:
            assert judged.verdict is Verdict.INCONCLUSIVE
        elif rail == "FAIL":
            assert judged.verdict == ("FAIL" if cause is Cause.METER else "INCONCLUSIVE")
        elif rail == "PASS" and everything and known:
            assert judged.verdict is Verdict.PASS
            assert judged.reasons == ()
        else:
            assert judged.verdict is Verdict.INCONCLUSIVE
            assert judged.reasons != ()


@given(st.lists(st.tuples(st.integers(1, 300), st.integers(2, 100)), max_size=5), st.floats(0, 0.2), st.data())
def test_no_pass_for_any_history_that_may_have_broken_the_limit(
    rows: list[tuple[int, int]], slack: float, data: st.DataObject
) -> None:
    cuts, at = [], 20.0
    for length, quiet in rows:
        cuts.append((at, float(length)))
        at += length + quiet
    end = data.draw(st.floats(15, at + 20))
    found = history(*cuts, slack=slack, window=(0, end))
    causes = tuple(data.draw(st.sampled_from(Cause)) for _ in found.outages)
    judged = judge(found, causes, (), GOOD, LIMIT)
    broken = any(n >= 180 for a, n in cuts if a < end)
    if broken:
        assert judged.verdict is not Verdict.PASS
        assert judged.rail_verdict is not Verdict.PASS
    if judged.verdict is Verdict.FAIL:
        assert broken
        assert Cause.METER in causes


# -- one by one -------------------------------------------------------------------------------------------------------


def test_exactly_the_limit_fails_or_passes_by_the_comparison() -> None:
    exact = history((100, 180), slack=0.0)
    assert judge(exact, (Cause.METER,), (), GOOD, LIMIT).verdict is Verdict.FAIL
    assert judge(exact, (Cause.METER,), (), GOOD, Limit(180 * S, Comparison.GT)).verdict is Verdict.PASS


def test_a_long_cut_by_another_beside_a_short_one_by_the_meter_is_no_fail() -> None:
    found = history((100, 50), (300, 200))
    judged = judge(found, (Cause.METER, Cause.MAINS), (), GOOD, LIMIT)
    assert (judged.verdict, judged.rail_verdict) == ("INCONCLUSIVE", "FAIL")
    assert codes(judged) == ["limit_exceeded", "cause_not_meter"]
    assert judge(found, (Cause.MAINS, Cause.METER), (), GOOD, LIMIT).verdict is Verdict.FAIL


def test_an_unproven_safe_state_is_an_error_that_keeps_what_the_rail_said() -> None:
    for name, expected in (("none", "PASS"), ("long", "FAIL")):
        found, causes = HISTORIES[name]
        judged = judge(found, causes, (), replace(GOOD, safe_state_proven=False), LIMIT)
        assert (judged.verdict, judged.rail_verdict) == ("ERROR", expected)


def test_contradicting_sources_are_named_with_node_and_time_even_over_a_fail() -> None:
    found, causes = HISTORIES["long"]
    judged = judge(found, causes, (OPPOSITE, OPPOSITE), GOOD, LIMIT, zero_ns=90 * S)
    assert (judged.verdict, judged.rail_verdict) == ("INCONCLUSIVE", "INCONCLUSIVE")
    (text,) = [r.text for r in judged.reasons if r.code == "sources_disagree"]
    for word in ("rail_up", "scope", "'rail'", "10.000 s", "11.000 s", "1 more"):
        assert word in text


def test_a_cause_of_what_may_never_have_been_an_outage_is_not_asked_for() -> None:
    source = Source.of("lines", "rail", ())
    up = Intervals.of([(0, 100 * S), (105 * S, 900 * S)])
    found = outages(merge([Source("lines", "rail", up, source.down, up)]), RailSettings(), 0, 900 * S)
    assert [o.proven for o in found.outages] == [False]
    assert judge(found, (Cause.UNKNOWN,), (), GOOD, LIMIT).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("run", "code"),
    [
        (replace(GOOD, control_valid=False), "control_missing"),
        (replace(GOOD, activation_started=False), "activation_not_started"),
        (replace(GOOD, version_changed=False), "version_unchanged"),
        (replace(GOOD, lost=("scope: silent",)), "instrument_lost"),
        (replace(GOOD, interrupted="SIGTERM"), "interrupted"),
    ],
)
def test_each_thing_that_is_missing_is_a_reason(run: Circumstances, code: str) -> None:
    judged = judge(history(), (), (), run, LIMIT)
    assert judged.verdict is Verdict.INCONCLUSIVE
    assert codes(judged) == [code]


def test_what_nobody_looked_at_is_told_from_what_straddles_the_limit() -> None:
    up = Intervals.of([(0, 100 * S), (300 * S, 900 * S)])
    unseen = outages(merge([Source("l", "rail", up, Intervals.empty(), up)]), RailSettings(), 0, 900 * S)
    assert codes(judge_rail(unseen, (), LIMIT)) == ["unseen_gap"]
    assert codes(judge_rail(HISTORIES["straddling"][0], (), LIMIT)) == ["straddles_limit"]
    assert codes(judge_rail(HISTORIES["open"][0], (), LIMIT)) == ["straddles_limit"]
    nothing = outages(merge([Source.of("l", "rail", ())]), RailSettings(), 5, 5)
    assert codes(judge_rail(nothing, (), LIMIT)) == ["unseen_gap"]


def test_every_outage_needs_its_cause() -> None:
    with pytest.raises(ValueError, match="shorter"):
        judge(history((100, 50)), (), (), GOOD, LIMIT)
