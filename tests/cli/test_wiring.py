"""`rig wiring` as a person or a script uses it: the table, exit codes, one line for each contradiction, one object."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from rig.cli import main
from tests.wiring.files import BENCHES, copy_of, spoil


@pytest.mark.parametrize("bench", ["twin", *map(str, BENCHES)])
def test_a_good_bench_prints_the_table_to_wire_from(bench: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["wiring", bench]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    lines = captured.out.splitlines()
    assert "is wired as" in lines[0]
    assert any(line.split()[:6] == ["K3", "supply-feed", "GPIO", "22", "pin", "15"] for line in lines)
    assert any(line.split() == ["GND", "PI:20", "GND", "W2.2", "BK", "0.25", "mm2", "WD:2", "GND"] for line in lines)
    assert "rail_up switches within 10.21 to 10.75 V, worst case" in captured.out
    assert all(line == line.rstrip() for line in lines)


def test_what_is_wired_and_not_used_is_noted(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["wiring", "twin"]) == 0
    assert "note: GPIO 21 (pin 40) is wired, and this bench file does not use it" in capsys.readouterr().out


def test_json_is_one_object_that_says_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pair = copy_of("single-phase", tmp_path)
    assert main(["wiring", str(pair.bench), "--json"]) == 0
    body = json.loads(capsys.readouterr().out)
    assert body["schema"] == "rig.wiring/1"
    assert (body["bench"], body["file"], body["harness"]) == ("single-phase", str(pair.bench), str(pair.harness))
    k2 = next(row for row in body["signals"] if row["name"] == "K2")
    assert k2 == {
        "name": "K2", "role": "meter-feed", "gpio": 27, "pin": 13, "direction": "out", "active": "high",
        "way": ["DRV:2", "DRV:17", "K2:A2"],
    }  # fmt: skip
    up = next(row for row in body["bands"] if row["name"] == "rail_up")
    assert up["stated"] == [10.2, 10.8]
    assert up["stated"][0] <= up["worst"][0] < up["worst"][1] <= up["stated"][1]
    feed = next(row for row in body["wires"] if row["via"] == "W42.1")
    assert feed == {
        "signal": "HUB 12 V", "start": "CUR:2 OUT", "via": "W42.1", "colour": "RD", "gauge": "0.75 mm2",
        "end": "TN:1", "node": "hub",
    }  # fmt: skip
    assert body["notes"] == []


def test_all_contradictions_are_told_on_a_line_each(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pair = copy_of("single-phase", tmp_path)
    spoil(pair.bench, ("probe = 10.0", "probe = 1.0"), ("band_v = [10.2, 10.8]", "band_v = [10.3, 10.8]"))
    assert main(["wiring", str(pair.bench)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    first, second = captured.err.splitlines()
    assert first.startswith(f"rig: {pair.bench}:")
    assert f"see {pair.harness}:" in first
    assert "the probe divides otherwise" in second


def test_with_json_the_first_is_an_error_object_that_counts_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pair = copy_of("single-phase", tmp_path)
    spoil(pair.bench, ("probe = 10.0", "probe = 1.0"), ("band_v = [10.2, 10.8]", "band_v = [10.3, 10.8]"))
    assert main(["wiring", "--json", str(pair.bench)]) == 2
    captured = capsys.readouterr()
    error = json.loads(captured.out)
    assert (error["schema"], error["code"], error["key"]) == ("rig.error/1", 2, "sense[0].band_v")
    assert set(error) == {"schema", "code", "message", "file", "key", "line", "found", "expected"}
    assert "and 1 more" in error["message"]
    assert captured.err == ""


BAD_INPUT = {
    "an unknown twin": (["twinn"], "did you mean 'twin'"),
    "no bench": ([], "BENCH"),
    "a missing file": (["nowhere.toml"], "nowhere.toml: no such file"),
    "a directory": (["./"], "cannot be read"),
    "an unknown option": (["twin", "--jsn"], "--jsn"),
}


@pytest.mark.parametrize(("words", "told"), BAD_INPUT.values(), ids=BAD_INPUT.keys())
def test_bad_input_is_one_line(
    words: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["wiring", *words]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert told in captured.err


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("band_v = [10.2, 10.8]", "band_v = [9.9, 10.8]", "a band below up_above_v proves no 'up'"),
        ("band_v = [4.7, 5.2]", "band_v = [4.7, 5.6]", "a band above down_below_v or safe_v proves no 'down'"),
        ("line = 6\n", "line = 17\n", "a pin is used twice"),
        ('safe = "open"\n\n[[sense]]', 'safe = "as-is"\n\n[[sense]]', "a feed of the hub is safe when open"),
        ("discharge_s = 2.0", "discharge_time = 2.0", "unknown key"),
        ("capacitance_f = 1e-3 ", "capacitance_f = 1e-2 ", "the minimum load does not pull an unfed rail down in time"),
    ],
)
def test_a_bench_file_that_proves_nothing_is_refused_before_its_harness_is_read(
    old: str, new: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pair = copy_of("single-phase", tmp_path)
    spoil(pair.bench, (old, new))
    pair.harness.unlink()
    assert main(["wiring", str(pair.bench)]) == 2
    line = capsys.readouterr().err
    assert line.startswith(f"rig: {pair.bench}:")
    assert told in line


def test_a_bench_file_is_checked_without_loading_the_twin() -> None:
    script = (
        "import sys\nfrom rig.cli import main\n"
        f"code = main(['wiring', {str(BENCHES[0])!r}])\n"
        "heavy = {'numpy', 'rich', 'pyvisa', 'pymodbus', 'h5py', 'gpiod', 'rig.twin'}\n"
        "sys.exit(' '.join(sorted(heavy & set(sys.modules))) or code)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
