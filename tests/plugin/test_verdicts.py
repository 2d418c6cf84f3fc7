"""The verdict of an activation cannot be forgotten, and an assertion on bounds explains itself."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from tests.plugin.conftest import Session


def test_an_activation_that_passes_passes_and_its_bounds_can_be_asserted(session: Session) -> None:
    session("""
        from rig import seconds

        def test_activation(rig):
            record = rig.activate("cut-45s")
            assert record.longest_outage < seconds(60)
            assert record.longest_outage > seconds(44)
            assert not record.longest_outage < seconds(45)
    """).assert_outcomes(passed=1)


def test_an_activation_that_fails_fails_the_test_by_name(session: Session) -> None:
    result = session("""
        def test_activation(rig):
            rig.activate("cut-240s")
    """)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*ActivationFailed: FAIL: the hub was without power for at least 239*", "*evidence:*"])


def test_an_inconclusive_run_fails_under_its_own_name(session: Session) -> None:
    result = session("""
        def test_activation(rig):
            rig.activate("stays-old")
    """)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*Inconclusive: INCONCLUSIVE*"])


def test_a_bench_that_failed_fails_under_its_own_name_and_is_not_used_again(session: Session) -> None:
    result = session(
        """
        def test_unsafe(rig):
            rig.activate("no-cut", faults=("k2-line-stuck@1",))

        def test_next(rig):
            rig.activate("no-cut")
    """,
        "-rs",
    )
    result.assert_outcomes(failed=1, skipped=1)
    result.stdout.fnmatch_lines(["*BenchFailed*", "*bench 'twin' is not used again: its safe state*"])


def test_a_test_may_expect_another_verdict(session: Session) -> None:
    session("""
        def test_activation(rig):
            assert rig.activate("cut-240s", expect="FAIL").verdict == "FAIL"
    """).assert_outcomes(passed=1)


def test_a_failure_that_the_test_swallows_is_still_an_error(session: Session) -> None:
    result = session("""
        def test_activation(rig):
            try:
                rig.activate("cut-240s")
            except AssertionError:
                pass
    """)
    result.assert_outcomes(passed=1, errors=1)


def test_an_assertion_that_does_not_hold_tells_bounds_limit_sources_and_the_rail(session: Session) -> None:
    result = session("""
        from rig import seconds

        def test_activation(rig):
            assert rig.activate("cut-45s").longest_outage < seconds(45)
    """)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*the upper bound must be below 45 s",
            "*the rail was away for 44.9* s to 45.0* s (estimate*",
            "*proven by rail_down, scope",
            "*rail  █*▁*█*",
        ]
    )


def test_bounds_are_compared_with_seconds_only(session: Session) -> None:
    session("""
        import pytest
        from rig.records.bounds import Bounds

        def test_bounds():
            with pytest.raises(TypeError):
                Bounds(1.0, 1.5, 2.0) < 3
            assert not Bounds(1.0, None, None) < __import__("rig").seconds(1e6)
    """).assert_outcomes(passed=1)


def test_junit_carries_verdict_bounds_hash_and_identities(session: Session, pytester: pytest.Pytester) -> None:
    session(
        """
        def test_activation(rig):
            rig.activate("no-cut")
    """,
        "--junitxml=j.xml",
    )
    found = {p.get("name"): p.get("value") for p in ElementTree.parse(pytester.path / "j.xml").iter("property")}
    assert found["rig.verdict"] == "PASS"
    assert float(found["rig.longest_outage.upper_s"] or "nan") < 0.1
    assert len(found["rig.firmware.sha256"] or "") == 64
    assert "RIGOL" in (found["rig.identity.supply"] or "").upper()


def test_the_rail_is_watched_on_the_virtual_clock(session: Session) -> None:
    session("""
        from rig import seconds

        def test_own_cut(bench, rail, clock):
            bench.feed_from_supply()
            with rail.watch() as seen:
                clock.sleep(2)
                bench.relays.set("supply-feed", False)
                clock.sleep(200)
                bench.relays.set("supply-feed", True)
                clock.sleep(3)
            assert seen.longest_outage > seconds(199)
            assert seen.longest_outage < seconds(201)

        def test_left_on(supply, relays):
            supply.output(True)
            relays.set("supply-feed", True)
    """).assert_outcomes(passed=2)


def test_a_soak_is_one_test_of_many_cycles(session: Session) -> None:
    result = session("""
        import pytest

        runs = []

        @pytest.mark.soak(cycles=3)
        def test_soak(rig):
            runs.append(rig.activate("no-cut").verdict)
            assert len(runs) < 3, "the third cycle"

        def test_after():
            assert runs == ["PASS"] * 3
    """)
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*soak: cycle 3 of 3*"])
