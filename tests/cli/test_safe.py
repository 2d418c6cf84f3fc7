"""`rig safe` on the twin, and on a bench that is not there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rig.cli import main
from rig.guardian.lease import Lease, state_folder
from tests.bench.files import GOOD


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ICHIS_RIG_STATE", str(tmp_path / "state"))


def bench_file(tmp_path: Path, text: str = GOOD) -> Path:
    """A bench whose supply refuses at once, on a machine without its GPIO."""
    path = tmp_path / "bench.toml"
    path.write_text(text.replace("192.0.2.10::5555", "127.0.0.1::9"))
    return path


def test_the_twin_is_proven_safe(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["safe"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "SAFE"
    assert sum(line.startswith("proven") for line in lines) == 5


def test_every_part_of_a_bench_that_is_not_there_is_told_and_nothing_is_called_safe(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["safe", "--json", "--bench", str(bench_file(tmp_path))]) == 4
    told = json.loads(capsys.readouterr().out)
    assert told["schema"] == "rig.safe/1"
    assert told["safe"] is False
    unproven = [check["what"] for check in told["checks"] if not check["proven"]]
    assert "supply psu off" in unproven
    assert "rail discharged" in unproven
    assert len(told["checks"]) == 5


def test_a_file_that_is_wrong_elsewhere_is_used_all_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = bench_file(tmp_path, GOOD.replace("limit_s = 180.0", "limit_s = -3.0"))
    assert main(["safe", "--bench", str(path)]) == 4
    told = capsys.readouterr().out
    assert "limits.limit_s" in told
    assert "supply psu off" in told


def test_a_bench_that_somebody_uses_is_refused_by_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lease = Lease.take(state_folder(), "mine", ("relay line GPIO 22",), "2026-11-24T05:30:00Z")
    try:
        assert main(["safe", "--bench", str(bench_file(tmp_path))]) == 2
    finally:
        lease.release()
    assert "this bench is in use" in capsys.readouterr().err
