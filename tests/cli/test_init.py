"""`rig init`: what it writes passes on the twin as it is, and nothing that is there is touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from rig.bench.config import load_bench
from rig.cli import main


def test_the_folder_passes_on_the_twin_as_it_is(pytester: pytest.Pytester) -> None:
    folder = pytester.path / "hil"
    assert main(["init", str(folder)]) == 0
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-c", str(folder / "pytest.ini"), str(folder))
    outcomes = result.parseoutcomes()
    assert outcomes["passed"] == 4
    assert "failed" not in outcomes
    assert "errors" not in outcomes


def test_its_bench_file_is_one(tmp_path: Path) -> None:
    main(["init", str(tmp_path / "hil")])
    config = load_bench(tmp_path / "hil" / "bench.toml")
    assert config.bench.name == "my-bench"
    assert "192.0.2." in config.supply[0].address


def test_something_that_is_there_stays_as_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine = tmp_path / "hil" / "mine.txt"
    mine.parent.mkdir()
    mine.write_text("mine")
    assert main(["init", str(mine.parent)]) == 2
    assert "something is there already" in capsys.readouterr().err
    assert [p.name for p in mine.parent.iterdir()] == ["mine.txt"]
    assert [p.name for p in tmp_path.iterdir()] == ["hil"], "no draft is left"


def test_a_folder_that_cannot_be_written_is_bad_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert main(["init", str(tmp_path / "file" / "hil")]) == 2
    assert "cannot be written" in capsys.readouterr().err
