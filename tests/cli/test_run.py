"""`rig run` as a person or a script uses it: exit codes, one line for bad input, one object with --json, Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from rig.cli import main
from rig.records import schema_text
from tests.runs import bundles


def _files(folder: Path) -> list[Path]:
    return [p for p in folder.rglob("*") if p.is_file()]


@pytest.mark.parametrize(
    ("firmware", "code"), [("no-cut", 0), ("cut-181s", 1), ("rejects-image", 3)], ids=["pass", "fail", "inconclusive"]
)
def test_the_exit_code_is_the_verdict(
    firmware: str, code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "--firmware", firmware, "--out", str(tmp_path)]) == code
    out = capsys.readouterr().out
    assert {0: "PASS", 1: "FAIL", 3: "INCONCLUSIVE"}[code] in out
    assert "report.html" in out


def test_an_unproven_safe_state_is_an_error_with_code_4(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--fault", "k2-welded", "--out", str(tmp_path)]) == 4
    out = capsys.readouterr().out
    assert "NOT SAFE: rail discharged" in out


def test_json_prints_one_object_that_follows_the_schema_and_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "--firmware", "no-cut", "--json", "--out", str(tmp_path)]) == 0
    captured = capsys.readouterr()
    body = json.loads(captured.out)
    jsonschema.validate(body, json.loads(schema_text()))
    assert captured.err == ""


BAD_INPUT = {
    "an unknown bench": (["--bench", "twinn"], "did you mean 'twin'"),
    "an unknown fixture": (["--firmware", "cut-45"], "did you mean 'cut-45s'"),
    "a missing bench file": (["--bench", "nowhere.toml"], "nowhere.toml"),
    "a limit of zero": (["--limit", "0"], "--limit"),
    "a limit that is none": (["--limit", "soon"], "soon"),
    "a limit that is not a number": (["--limit", "nan"], "--limit"),
    "an unknown comparison": (["--comparison", "lt"], "lt"),
    "an unknown fault": (["--fault", "mains-los"], "did you mean 'mains-lost'"),
    "a fault at no time": (["--fault", "mains-lost@soon"], "soon"),
    "a seed below zero": (["--seed", "-1"], "--seed"),
    "an unknown option": (["--frimware", "x"], "--frimware"),
    "an out that cannot be written": (["--out", "/proc/nothing/here"], "/proc/nothing/here"),
}


@pytest.mark.parametrize(("words", "told"), BAD_INPUT.values(), ids=BAD_INPUT.keys())
def test_bad_input_is_one_line_and_touches_nothing(
    words: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["run", *words]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert told in captured.err
    assert _files(tmp_path) == []


def test_bad_input_with_json_is_one_error_object(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["run", "--json", "--firmware", "nothing-like-it"]) == 2
    captured = capsys.readouterr()
    error = json.loads(captured.out)
    assert error["schema"] == "rig.error/1"
    assert error["code"] == 2
    assert set(error) == {"schema", "code", "message", "file", "key", "line", "found", "expected"}
    assert captured.err == ""


def test_a_malformed_bench_file_names_file_and_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bench = tmp_path / "mine.toml"
    bench.write_text('schema = "rig.bench/1"\n[bench]\nname = mine\n')
    assert main(["run", "--bench", str(bench)]) == 2
    assert f"{bench}:3:" in capsys.readouterr().err


def test_an_image_that_is_not_the_manifests_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from rig import firmware

    source = firmware.load("no-cut")
    mine = tmp_path / "mine"
    mine.mkdir()
    for path in source.folder.iterdir():
        data = path.read_bytes()
        if path.name == source.image.name:
            data = data[:-1] + bytes([data[-1] ^ 1])
        (mine / path.name).write_bytes(data)
    assert main(["run", "--firmware", str(mine), "--out", str(tmp_path / "out")]) == 2
    line = capsys.readouterr().err
    assert source.sha256 in line
    assert not (tmp_path / "out").exists()


def test_a_full_disk_is_refused_before_anything_is_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 5_000_000})())
    assert main(["run", "--out", str(tmp_path / "out")]) == 2
    line = capsys.readouterr().err
    assert "5.0 MB" in line
    assert line.count("\n") == 1
    assert not (tmp_path / "out").exists()


STEPS = [
    "preflight",
    "control",
    "topology",
    "meter-control",
    "settle",
    "transfer",
    "verify",
    "arm",
    "activate",
    "watch",
    "capture",
]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["SIGINT", "SIGTERM"])
def test_a_signal_at_any_step_ends_safe_and_keeps_what_was_seen(
    step: str, signum: signal.Signals, code: int, tmp_path: Path
) -> None:
    """The signal is sent by the process to itself when the step begins, so that no test depends on a race."""
    script = (
        "import os, sys\n"
        "from rig.cli import panel, main\n"
        "told = panel.Plain.step\n"
        "def step(self, name, text):\n"
        "    told(self, name, text)\n"
        f"    if name == {step!r}:\n"
        f"        os.kill(os.getpid(), {int(signum)})\n"
        "panel.Plain.step = step\n"
        f"sys.exit(main(['run', '--firmware', 'cut-45s', '--out', {str(tmp_path)!r}]))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    assert done.stderr == ""
    folders = bundles(tmp_path)
    assert len(folders) == 1
    record = json.loads((folders[0] / "run.json").read_text())
    assert record["safe_state"]["proven"]
    assert record["verdict"] == "INCONCLUSIVE"
    assert "interrupted" in {r["code"] for r in record["reasons"]}


def test_a_reader_that_goes_away_does_not_disturb_the_run(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "rig", "run", "--firmware", "no-cut", "--out", str(tmp_path)]
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, timeout=120, check=False)
    os.close(write)
    assert b"Traceback" not in done.stderr
    (folder,) = bundles(tmp_path)
    assert json.loads((folder / "run.json").read_text())["verdict"] == "PASS"


def test_help_names_the_exit_codes_and_loads_nothing_heavy() -> None:
    script = (
        "import sys\nfrom rig.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "heavy = {'numpy', 'scipy', 'pydantic', 'rich', 'pyvisa', 'pymodbus', 'h5py', 'gpiod', 'asyncio', 'apprise'}\n"
        "sys.exit(' '.join(sorted(heavy & set(sys.modules))) or 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "130" in done.stdout
