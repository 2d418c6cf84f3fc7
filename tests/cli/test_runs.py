"""`rig runs`: what people and programs are told of a folder of results, and what is wrong in one line."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from rig.cli import main
from rig.records import schema_text
from rig.records.journal import Cycle, Journal, Lost, store
from tests.records.journal.facts import GONE, SOAK, begun, ended
from tests.records.journal.test_rebuild import a_night

UPPER_S = 45.006000001
IN_SOAK = ("7,", "attempt", "2", SOAK.soak_id)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Six attempts: PASS, unbounded, lost, a FAIL in a soak, one that was given up, and controls."""
    second = replace(begun(4, fixture="cut-181s"), cycle=Cycle(SOAK.soak_id, 7, 2))
    nothing = dict.fromkeys(("rail_verdict", "lower_s", "estimate_s", "upper_s", "limit_s", "comparison"))
    with Journal.open(tmp_path) as journal:
        journal.add(begun(1), ended(1, upper_s=UPPER_S))
        journal.add(begun(2), ended(2, verdict="INCONCLUSIVE", rail_verdict="INCONCLUSIVE", upper_s=None))
        journal.add(SOAK, begun(3, process=GONE))
        journal.add(second, ended(4, verdict="FAIL", rail_verdict="FAIL", lower_s=180.9991, upper_s=181.0001))
        journal.add(begun(5, process=GONE), Lost(begun(5).run_id, "2026-11-24T18:10:00Z", "disk full"))
        journal.add(replace(begun(6, kind="controls", bench="other"), fixture=None))
        journal.add(ended(6, verdict="VALID", **nothing))
    return tmp_path


Capture = pytest.CaptureFixture[str]


def test_people_see_a_row_an_attempt_and_what_they_sum_up_to(out: Path, capsys: Capture) -> None:
    assert main(["runs", "--out", str(out)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines[1:7]] == [
        [begun(1).run_id, "PASS", "cut-45s", "44.911", "to", "45.007", "s", "twin"],
        [begun(2).run_id, "INCONCLUSIVE", "cut-45s", "44.911", "to", "unbounded", "twin"],
        [begun(3).run_id, "LOST", "cut-45s", "twin"],
        [begun(4).run_id, "FAIL", "cut-181s", "180.999", "to", "181.001", "s", "twin", *IN_SOAK],
        [begun(5).run_id, "LOST", "cut-45s", "twin"],
        [begun(6).run_id, "VALID", "controls", "other"],
    ]  # fmt: skip
    assert lines[8:] == [
        "6 attempts: 1 FAIL, 1 INCONCLUSIVE, 2 LOST, 1 PASS, 1 VALID",
        f"longest outage 180.999 to 181.001 s ({begun(4).run_id})",
        "1 without an upper bound",
        f"lost: {begun(3).run_id}: its process is gone",
        f"lost: {begun(5).run_id}: disk full",
    ]


def test_programs_get_one_object_that_fits_its_schema(out: Path, capsys: Capture) -> None:
    assert main(["runs", "--out", str(out), "--json"]) == 0
    body = json.loads(capsys.readouterr().out)
    Draft202012Validator(json.loads(schema_text("rig.runs/1"))).validate(body)
    assert [row["state"] for row in body["runs"]] == ["ended", "ended", "lost", "ended", "lost", "ended"]
    assert (body["runs"][0]["upper_s"], body["runs"][0]["safe"]) == (UPPER_S, True)
    assert body["runs"][3]["cycle"] == 7
    assert body["runs"][4]["lost"] == "disk full"
    assert body["summary"]["counts"]["lost"] == 2
    assert body["summary"]["longest_outage"]["run_id"] == begun(4).run_id


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--verdict", "fail"], [4]),
        (["--verdict", "LOST"], [3, 5]),
        (["--soak", SOAK.soak_id], [4]),
        (["--fixture", "cut-181s"], [4]),
        (["--bench", "other"], [6]),
        (["--since", "2026-11-24T18:00:05Z"], [5, 6]),
        (["--since", "2026-11-24T20:00:05+02:00", "--until", "2026-11-24T18:00:05"], [5]),
        (["--until", "2026-11-24"], [1, 2, 3, 4, 5, 6]),
        (["--until", "2026-11-23"], []),
        (["--limit", "2"], [5, 6]),
    ],
)
def test_each_filter_lists_what_it_says(out: Path, words: list[str], expected: list[int], capsys: Capture) -> None:
    assert main(["runs", "--out", str(out), "--json", *words]) == 0
    body = json.loads(capsys.readouterr().out)
    assert [row["run_id"] for row in body["runs"]] == [begun(n).run_id for n in expected]
    assert body["summary"]["attempts"] == (6 if "--limit" in words else len(expected))


def test_what_a_limit_leaves_out_is_said(out: Path, capsys: Capture) -> None:
    assert main(["runs", "--out", str(out), "--limit", "1"]) == 0
    text = capsys.readouterr().out
    assert "the newest 1 of 6 are shown" in text
    assert "6 attempts: 1 FAIL" in text


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--verdict", "GREEN"], "--verdict: not a verdict (found GREEN, expected PASS or FAIL"),
        (["--since", "tuesday"], "--since: not a moment (found tuesday"),
        (["--limit", "0"], "not a number of runs: '0'"),
        (["rebuild", "--verdict", "FAIL"], "--verdict does not go with rebuild"),
        (["burn"], "invalid choice: 'burn'"),
    ],
)
def test_wrong_words_are_one_line(out: Path, words: list[str], told: str, capsys: Capture) -> None:
    assert main(["runs", "--out", str(out), *words]) == 2
    caught = capsys.readouterr()
    assert told in caught.err
    assert (caught.out, caught.err.count("\n")) == ("", 1)


def test_no_journal_names_the_way_to_one(tmp_path: Path, capsys: Capture) -> None:
    assert main(["runs", "--out", str(tmp_path), "--json"]) == 2
    body = json.loads(capsys.readouterr().out)
    assert body["schema"] == "rig.error/1"
    assert "rig runs rebuild" in body["expected"]


def test_a_newer_journal_is_one_line(out: Path, capsys: Capture) -> None:
    foreign = sqlite3.connect(store.path_in(out))
    foreign.execute("PRAGMA user_version=99")
    foreign.close()
    assert main(["runs", "--out", str(out)]) == 2
    assert "user_version: the journal is from a newer version of this program (found 99" in capsys.readouterr().err


def test_rebuild_says_what_is_there_and_names_each_damage(tmp_path: Path, capsys: Capture) -> None:
    folders = a_night(tmp_path)
    assert main(["runs", "rebuild", "--out", str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines()[0].startswith("4 attempts and 1 soak in ")
    (folders[2] / "run.json").write_text("{}")
    assert main(["runs", "rebuild", "--out", str(tmp_path)]) == 2
    assert f"damaged: {folders[2]}: run.json: was changed (found sha256 " in capsys.readouterr().out
    assert main(["runs", "rebuild", "--out", str(tmp_path), "--json"]) == 2
    body = json.loads(capsys.readouterr().out)
    Draft202012Validator(json.loads(schema_text("rig.rebuilt/1"))).validate(body)
    assert [damaged["folder"] for damaged in body["damaged"]] == [folders[2].name]


def test_on_a_terminal_the_verdicts_stand_out(out: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert main(["runs", "--out", str(out)]) == 0
    text = capsys.readouterr().out
    assert "\x1b[1;31m FAIL \x1b[0m" in text
