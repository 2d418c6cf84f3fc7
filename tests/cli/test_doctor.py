"""`rig doctor` as a person or a script uses it: exit codes, a table, one object with --json, one line for bad input."""

from __future__ import annotations

import io
import json
import re
import sys
from pathlib import Path

import jsonschema
import pytest

from rig.bench.config import load_bench
from rig.cli import doctor, main
from rig.records import schema_text
from rig.records.doctor import Desk, DoctorLabels, Examination, Gap, Proposal

TWIN = ["doctor", "--bench", "twin"]
LINES = Desk("lines")
LABELS = DoctorLabels("pi", "2026-11-22T00:00:00Z", 1.2)


def test_the_twin_is_well_and_the_exit_code_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*TWIN, "--out", str(tmp_path)]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    assert "psu: identity" in captured.out
    assert "nothing was set, switched or moved" in captured.out
    assert "\x1b" not in captured.out, "no colours where nobody looks"


def test_a_failure_is_exit_code_4_and_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*TWIN, "--fault", "supply-silent", "--out", str(tmp_path)]) == 4
    out = capsys.readouterr().out.splitlines()
    row = next(n for n, line in enumerate(out) if line.startswith("failed"))
    assert "psu: '*IDN?': no answer within 3 s" in out[row]
    assert "-> is it switched on" in out[row + 1]


def test_json_prints_one_object_that_follows_the_schema_and_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main([*TWIN, "--json", "--fault", "scope-dead", "--out", str(tmp_path)])
    captured = capsys.readouterr()
    body = json.loads(captured.out)
    jsonschema.validate(body, json.loads(schema_text("rig.doctor/1")))
    assert (code, body["status"], captured.err) == (4, "failed", "")


def test_a_proposed_file_goes_where_it_is_asked_for_and_loads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([*TWIN, "--propose"]) == 0
    assert "bench file: bench.toml, complete; check what is marked CHECK" in capsys.readouterr().out
    load_bench(Path("bench.toml"))
    before = Path("bench.toml").read_bytes()
    assert main([*TWIN, "--propose"]) == 2
    assert capsys.readouterr().err == (
        "rig: bench.toml: there is already a file; nothing is overwritten (expected a new name)\n"
    )
    assert Path("bench.toml").read_bytes() == before


BAD_INPUT = {
    "an unknown bench": (["--bench", "twinn"], "did you mean 'twin'"),
    "a missing bench file": (["--bench", "nowhere.toml"], "nowhere.toml"),
    "a probe of no address": (["--probe", "host:"], "--probe"),
    "an unknown fault": (["--fault", "scope-ded"], "did you mean 'scope-dead'"),
    "a fault at a time": (["--fault", "scope-dead@5"], "scope-dead, without a time"),
    "a folder that is not there": (["--propose", "none/bench.toml"], "no such folder"),
    "an unknown option": (["--propse"], "--propse"),
}


@pytest.mark.parametrize(("words", "told"), BAD_INPUT.values(), ids=BAD_INPUT.keys())
def test_bad_input_is_one_line_and_writes_nothing(
    words: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["doctor", *words]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert told in captured.err
    assert list(tmp_path.iterdir()) == []


def test_without_a_bench_the_twin_is_looked_at_and_with_a_proposal_only_this_machine(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = []

    def examine(bench: str | None, **how: object) -> Examination:
        asked.append((bench, how["propose"]))
        return Examination(bench, (LINES.ok("a", "b"),), None, LABELS)

    monkeypatch.setattr("rig.doctor.examine", examine)
    for words in ([], ["--propose", "x.toml"], ["--bench", "twin"], ["--bench", "a/b.toml"]):
        assert main(["doctor", *words]) == 0
    assert asked == [("twin", None), (None, Path("x.toml")), ("twin", None), ("a/b.toml", None)]


def test_a_terminal_gets_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    checks = (
        LINES.ok("free lines", "K1 17"),
        LINES.not_here("power", "no Raspberry Pi"),
        LINES.warning("sense levels", "the rail is up", "open K2"),
        LINES.failed("GPIO chip", "[gpiochip0] none", "see gpiodetect"),
    )
    proposal = Proposal("bench.toml", complete=False, to_fill_in=(Gap("meter.address", 93),))
    found = Examination(None, checks, proposal, LABELS)
    monkeypatch.setattr("rig.doctor.examine", lambda *_, **__: found)
    monkeypatch.setattr(sys, "stdout", terminal := Terminal())
    monkeypatch.setenv("COLUMNS", "100")
    assert main(["doctor"]) == 4
    text = re.sub(r"\x1b\[[0-9;]*m", "", terminal.getvalue())
    lines = [line.rstrip() for line in text.splitlines()]
    assert "failed    GPIO chip     [gpiochip0] none" in lines, lines
    assert "                        → see gpiodetect" in lines
    assert "this machine: 1 failed, 1 warning, 1 ok, 1 not here" in lines
    assert "bench file: bench.toml, still to fill in: meter.address (line 93)" in lines


def test_the_default_file_is_the_one_that_help_names(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["doctor", "--help"])
    assert f"default: {doctor.DEFAULT_FILE}" in " ".join(capsys.readouterr().out.split())
