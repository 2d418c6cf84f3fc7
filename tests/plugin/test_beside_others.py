"""The plugin beside other people's: xdist, reruns, time-outs, last-failed, HTML reports."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.plugin.conftest import SMALL_TWIN, Session

TWO = """
def test_one(rig):
    rig.activate("no-cut")

def test_two(rig):
    rig.activate("cut-45s")
"""


def bundles(folder: Path) -> list[Path]:
    return sorted(path.parent for path in folder.glob("runs/*/run.json"))


def test_two_workers_have_a_twin_each(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(SMALL_TWIN)
    pytester.makepyfile(TWO)
    pytester.runpytest_subprocess("-p", "no:cacheprovider", "-n", "2").assert_outcomes(passed=2)
    assert len(bundles(pytester.path)) == 2


def test_every_attempt_of_a_rerun_is_kept(session: Session, pytester: pytest.Pytester) -> None:
    result = session(
        """
        def test_activation(rig):
            rig.activate("cut-240s")
    """,
        "--reruns=1",
    )
    assert result.parseoutcomes() == {"failed": 1, "rerun": 1}
    assert len(bundles(pytester.path)) == 2


def test_a_test_that_takes_too_long_leaves_the_bench_safe(session: Session) -> None:
    result = session("""
        import pytest

        @pytest.mark.timeout(2, method="signal", func_only=True)
        def test_hangs(bench, clock):
            bench.feed_from_supply()
            while True:
                pass

        def test_after(relays, supply):
            assert not relays.closed("supply-feed")
            assert not supply.read().output_on
    """)
    assert result.parseoutcomes() == {"failed": 1, "passed": 1}


def test_only_what_failed_last_is_run_again(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(SMALL_TWIN)
    pytester.makepyfile(TWO.replace("cut-45s", "cut-240s"))
    pytester.runpytest_inprocess().assert_outcomes(passed=1, failed=1)
    pytester.runpytest_inprocess("--lf").assert_outcomes(failed=1)


def test_an_html_report_has_the_rail_and_the_way_to_the_evidence(session: Session, pytester: pytest.Pytester) -> None:
    session(TWO, "--html=report.html", "--self-contained-html", "-k", "two")
    page = (pytester.path / "report.html").read_text(encoding="utf-8")
    assert "svg" in page
    (bundle,) = bundles(pytester.path)
    assert f"{bundle.name}/report.html" in page
