"""A run whose activation is started outside, each part a process of its own: twin, run, adaptor, `rig trigger`."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.runs import bundles
from tests.served import ENVIRONMENT, Served, quick, rig, served

ADAPTOR = Path(__file__).with_name("adaptor.py")
SHORT, LONG = "cut-45s", "cut-240s"
KEPT = ("variant", "poll_s", "start_s", "max_s", "quiet_s", "follow_s")


@pytest.fixture
def environment(tmp_path: Path, short_folder: Path) -> dict[str, str]:
    return {**ENVIRONMENT, "ICHIS_RIG_STATE": str(tmp_path / "state"), "XDG_RUNTIME_DIR": str(short_folder)}


def bench(twin: Served, out: Path, **keys: Any) -> str:
    """The twin's bench file, with a meter that is only read, and started outside."""
    text = quick(twin.bench_file.read_text(), window_s=4.0)
    table = {"driver": "outside", **{k: v for k, v in tomllib.loads(text)["meter"].items() if k in KEPT}, **keys}
    begin = text.index("[meter]")
    end = text.find("\n[", begin + 1)
    reads = {"driver": "modbus-tcp", "address": twin.line["modbus"], "profile": "synthetic-esme", "timeout_s": 2.0}
    lines = ["[meter]", *(f"{key} = {json.dumps(value)}" for key, value in table.items()), "", "[meter.reads]"]
    lines += [f"{key} = {json.dumps(value)}" for key, value in reads.items()]
    file = out / "bench.toml"
    file.write_text(text[:begin] + "\n".join(lines) + "\n" + ("" if end < 0 else text[end:]))
    return str(file)


@pytest.mark.parametrize(("firmware", "code", "verdict"), [(SHORT, 0, "PASS"), (LONG, 1, "FAIL")])
def test_a_command_of_the_labs_own_starts_it(
    firmware: str, code: int, verdict: str, tmp_path: Path, environment: dict[str, str]
) -> None:
    with served("--scale", "0.01", "--firmware", firmware) as twin:
        command = [sys.executable, str(ADAPTOR), twin.line["modbus"], firmware]
        file = bench(twin, tmp_path, trigger="command", command=command)
        words = ("run", "--bench", file, "--firmware", firmware, "--json", "--out", str(tmp_path / "runs"))
        done = subprocess.run(rig(*words), capture_output=True, text=True, check=False, env=environment)
    record = json.loads(done.stdout)
    assert (done.returncode, record["verdict"]) == (code, verdict), record["reasons"]
    assert record["activation"]["started_by"] == "outside of the rig; by a command of the lab's own"
    assert record["activation"]["uncertainty_s"] > 0.0
    assert record["outages"][0]["cause"] == "meter"


def test_a_person_starts_it_elsewhere_and_says_so_from_another_terminal(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    with served("--scale", "0.01", "--firmware", SHORT) as twin:
        file = bench(twin, tmp_path, trigger="person", person_s=10.0)
        words = ("run", "--bench", file, "--firmware", SHORT, "--out", str(tmp_path / "runs"))
        run = subprocess.Popen(
            rig(*words), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, env=environment
        )
        assert run.stdout is not None
        told = []
        for line in run.stdout:
            told.append(line)
            if "start the activation now" in line:
                subprocess.run([sys.executable, str(ADAPTOR), twin.line["modbus"], SHORT], check=True, env=environment)
                subprocess.run(rig("trigger", "--bench", file), stdout=subprocess.DEVNULL, check=True, env=environment)
        run.stdout.close()
        assert run.wait() == 0, "".join(told)
    (folder,) = bundles(tmp_path / "runs")
    record = json.loads((folder / "run.json").read_text())
    assert record["activation"]["started_by"] == "outside of the rig; a person said when"
    assert record["activation"]["uncertainty_s"] == pytest.approx(20.0)
    assert not list(tmp_path.glob("ichis-rig/*"))
