"""Options, marks and bad input: a usage error, a failure in one line, or a skip with its reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench.files import GOOD
from tests.plugin.conftest import Session

ONE = """
def test_bench(bench):
    assert bench.config.bench.name
"""


def bench_file(pytester: pytest.Pytester, name: str = "bench.toml", text: str = GOOD) -> Path:
    path = pytester.path / name
    path.write_text(text)
    return path


def test_nothing_of_the_rig_is_loaded_in_a_project_that_does_not_use_it(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        import sys

        def test_mine():
            loaded = {name for name in sys.modules if name == "rig" or name.startswith("rig.")}
            assert loaded == {"rig", "rig.pytest_plugin"}
            assert "numpy" not in sys.modules
    """)
    pytester.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=1)


def test_several_benches_are_parameters(session: Session, pytester: pytest.Pytester) -> None:
    file = bench_file(pytester)
    result = session(
        """
        def test_name(bench):
            assert bench.name
    """,
        "-v",
        "--rig-bench=twin",
        f"--rig-bench={file}",
    )
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["*test_name?twin?*", "*test_name?*bench.toml?*"])


def test_a_bench_file_with_errors_is_told_once_before_any_test(session: Session, pytester: pytest.Pytester) -> None:
    file = bench_file(pytester, text=GOOD.replace("pin = 27", "pin = 99"))
    result = session(ONE + ONE.replace("test_bench", "test_two"), f"--rig-bench={file}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    told = result.stderr.str()
    assert told.count("relay[1].pin") == 1
    assert "INTERNALERROR" not in told


def test_an_unknown_bench_is_a_usage_error(session: Session) -> None:
    result = session(ONE, "--rig-bench=twinn")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "did you mean 'twin'" in result.stderr.str()


def test_an_unknown_fixture_fails_in_one_line(session: Session) -> None:
    result = session("""
        def test_activation(rig):
            rig.activate("cut-45")
    """)
    result.assert_outcomes(failed=1)
    assert "did you mean 'cut-45s'?" in result.stdout.str()
    assert "Traceback" not in result.stdout.str()


def test_a_broken_manifest_is_a_usage_error(session: Session, pytester: pytest.Pytester) -> None:
    folder = pytester.mkdir("images")
    (folder / "mine").mkdir()
    (folder / "mine" / "manifest.toml").write_text("schema = 3\n")
    result = session(
        """
        def test_all(firmware): ...
    """,
        f"--rig-firmware={folder}",
    )
    assert result.ret != 0
    assert "manifest.toml" in result.stdout.str() + result.stderr.str()
    assert "INTERNALERROR" not in result.stdout.str()


def test_firmware_is_each_packaged_fixture_in_turn(session: Session) -> None:
    result = session(
        """
        def test_all(firmware):
            assert firmware
    """,
        "-v",
    )
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*test_all?cut-45s?*PASSED*"])


@pytest.mark.parametrize(
    ("mark", "told"),
    [
        ("rig(need=['supply'])", "unknown argument need"),
        ("rig(needs=['supplies'])", "a bench may have"),
        ("rig(variant='three-phase')", "known: single-phase"),
        ("soak(cycles=0)", "soak wants cycles=N"),
        ("soak(200, 3)", "soak wants cycles=N"),
    ],
)
def test_a_mark_with_an_unknown_argument_is_a_usage_error(mark: str, told: str, session: Session) -> None:
    result = session(f"""
        import pytest

        @pytest.mark.{mark}
        def test_marked(): ...
    """)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert told in result.stderr.str() + result.stdout.str()


def test_a_bench_without_what_a_test_needs_skips_with_the_reason(session: Session) -> None:
    result = session(
        """
        import pytest

        @pytest.mark.rig(needs=["oscilloscope", "optical"])
        def test_optical(rig): ...

        @pytest.mark.rig(variant="polyphase")
        def test_polyphase(rig): ...

        @pytest.mark.rig(needs=["oscilloscope", "mains"], variant="single-phase")
        def test_here(bench): ...

        @pytest.mark.hardware
        def test_hardware(bench): ...
    """,
        "-rs",
    )
    result.assert_outcomes(passed=1, skipped=3)
    result.stdout.fnmatch_lines_random(
        ["*bench 'twin' has no optical", "*is single-phase, not polyphase", "*is for hardware; the bench is the twin"]
    )


def test_keyword_exit_first_and_ctrl_c_work_as_ever(session: Session, pytester: pytest.Pytester) -> None:
    text = """
        def test_first(rig):
            rig.activate("cut-240s")

        def test_stopped(bench):
            raise KeyboardInterrupt

        def test_last(bench): ...
    """
    session(text, "-k", "last").assert_outcomes(passed=1, deselected=2)
    session(text, "-x").assert_outcomes(failed=1)
    assert pytester.runpytest_subprocess("-k", "stopped").ret == pytest.ExitCode.INTERRUPTED


def test_a_project_may_have_fixtures_and_parameters_of_the_same_names(session: Session) -> None:
    session("""
        import pytest

        @pytest.fixture
        def bench():
            return "mine"

        def test_own(bench):
            assert bench == "mine"

        @pytest.mark.parametrize("firmware", ["a", "b"])
        @pytest.mark.parametrize("rig", [1])
        def test_parameters(firmware, rig, clock=3):
            assert firmware in "ab"
    """).assert_outcomes(passed=3)
