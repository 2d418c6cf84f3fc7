"""`rig trigger` as a person uses it: another process, another terminal, exit codes, one object with --json."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rig.cli import main
from rig.clock.system import SystemClock
from rig.meters.desk import Desk, Word
from tests.bench.files import GOOD
from tests.served import ENVIRONMENT, rig

BENCH = "bench-1"


@pytest.fixture(autouse=True)
def _own_folder(short_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short_folder))


@contextmanager
def waiting(bench: str = BENCH, *, version: bool = False) -> Iterator[list[Word | None]]:
    """A run that waits for the start of its activation, or for a version; what it heard, at the end of the block."""
    heard: list[Word | None] = []
    desk = Desk(bench, SystemClock())
    thread = threading.Thread(target=lambda: heard.append(desk.wait(version, 60.0)))
    thread.start()
    try:
        yield heard
    finally:
        thread.join()
        desk.close()


def test_the_run_hears_it_and_the_exit_code_is_0(capsys: pytest.CaptureFixture[str]) -> None:
    with waiting() as heard:
        assert main(["trigger"]) == 0
    assert [word and word.version for word in heard] == [None]
    assert heard[0] is not None
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("told the run on bench-1: the activation was started\n", "")


def test_a_version_is_told_with_json(capsys: pytest.CaptureFixture[str]) -> None:
    with waiting(version=True) as heard:
        assert main(["trigger", "--bench", BENCH, "--version", "1.2.3", "--json"]) == 0
    assert heard[0] is not None
    assert heard[0].version == "1.2.3"
    assert json.loads(capsys.readouterr().out) == {"schema": "rig.trigger/1", "bench": BENCH, "version": "1.2.3"}


def test_a_bench_file_names_the_bench(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "lab.toml"
    file.write_text(GOOD)
    with waiting("twin"), waiting(BENCH):
        assert main(["trigger"]) == 2
        assert "several runs wait for a word (found bench-1, twin, expected one of them)" in capsys.readouterr().err
        assert main(["trigger", "--bench", str(file)]) == 0
        assert capsys.readouterr().out == "told the run on twin: the activation was started\n"
        assert main(["trigger", "--bench", BENCH]) == 0


def test_a_process_of_its_own_says_it(short_folder: Path) -> None:
    with waiting() as heard:
        environment = {**ENVIRONMENT, "XDG_RUNTIME_DIR": str(short_folder)}
        done = subprocess.run(rig("trigger", "--json"), capture_output=True, text=True, check=False, env=environment)
        assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["bench"] == BENCH
    assert heard[0] is not None


BAD = {
    "nobody waits": ([], "rig: no run waits for a word"),
    "nobody waits on this bench": (["--bench", "other"], "rig: no run on this bench waits for a word"),
    "no such bench file": (["--bench", "nope.toml"], "rig: nope.toml: no such file"),
    "an empty version": (["--version", ""], "rig: --version: not a version"),
    "a version of two lines": (["--version", "1\n2"], "rig: --version: not a version"),
    "an unknown word": (["--now"], "unrecognized arguments: --now"),
}


@pytest.mark.parametrize(("words", "told"), BAD.values(), ids=BAD)
def test_bad_input_is_one_line_and_exit_code_2(words: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trigger", *words]) == 2
    captured = capsys.readouterr()
    assert told in captured.err
    assert len(captured.err.splitlines()) == 1
    assert captured.out == ""


def test_bad_input_with_json_is_one_error_object(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trigger", "--json"]) == 2
    body = json.loads(capsys.readouterr().out)
    assert (body["schema"], body["message"]) == ("rig.error/1", "no run waits for a word")


def test_a_word_that_the_run_does_not_ask_for_is_refused_with_what_it_asks(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with waiting():
        assert main(["trigger", "--version", "1.0.0"]) == 2
        assert "the run waits for the start of the activation now" in capsys.readouterr().err
        assert main(["trigger"]) == 0
    with waiting(version=True):
        assert main(["trigger"]) == 2
        assert "the run asks for the meter's version now" in capsys.readouterr().err
        assert main(["trigger", "--version", "1.0.0"]) == 0
