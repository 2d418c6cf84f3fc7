"""`rig soak` as a person meets it: the schedule, a line a cycle, one object, exit codes, and one line for bad input."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from rich.console import Console
from rich.live import Live

from rig.cli import main
from rig.cli.soak_panel import SoakPanel
from rig.cli.soak_words import cycle_words
from rig.procedures.soak.progress import CycleRow, SoakState
from rig.records import schema_text
from tests.soak.nights import small_captures
from tests.soak.plans import GOOD, written


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with small_captures(monkeypatch):
        yield written(tmp_path)


def soak(plan: Path, words: str = "") -> int:
    return main(["soak", str(plan), "--out", str(plan.parent / "runs"), *shlex.split(words)])


def test_a_dry_run_prints_the_schedule_and_touches_nothing(plan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert soak(plan, "--dry-run") == 0
    told = capsys.readouterr().out
    assert [line.split()[0] for line in told.splitlines()[1:5]] == ["1", "2", "3", "4"]
    assert "Nothing was touched." in told
    assert "MB are needed" in told.splitlines()[-1]
    assert soak(plan, "--dry-run --json --cycles 2") == 0
    body = json.loads(capsys.readouterr().out)
    assert (body["schema"], [row["number"] for row in body["cycles"]]) == ("rig.schedule/1", [1, 2])
    assert not (plan.parent / "runs").exists()


def test_without_a_terminal_there_is_one_line_a_cycle_and_the_summary(
    plan: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert soak(plan, "--cycles 2") == 0
    lines = capsys.readouterr().out.splitlines()
    assert "cycle 1 of 2, cut-45s: PASS, away for at most 45.0" in lines[0]
    assert "cycle 2 of 2, back-45s: PASS" in lines[1]
    assert any(line.startswith("PASS: 2 of 2 activations passed") for line in lines)


@pytest.mark.parametrize(
    ("verdict", "upper_s", "told"),
    [
        ("PASS", 45.0061, "PASS, away for at most 45.007 s"),
        ("FAIL", 181.03, "FAIL, away for at least 44.911 s"),
        ("FAIL", None, "FAIL, away for at least 44.911 s"),
        ("INCONCLUSIVE", 190.0, "INCONCLUSIVE, away for 44.911 to 190.000 s"),
        ("INCONCLUSIVE", None, "INCONCLUSIVE, away for 44.911 s or more"),
    ],
)
def test_a_cycles_line_tells_the_bound_that_its_verdict_rests_on(
    verdict: str, upper_s: float | None, told: str
) -> None:
    row = CycleRow(1, 1, "cut-45s", verdict, 44.9118, upper_s, (), "run")
    assert cycle_words(row, None).endswith(told)


def test_a_dry_run_shows_the_clock_on_the_wall_of_the_plans_own_place(
    plan: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan.write_text(GOOD.replace("cycles = 4", 'cycles = 1\ntimezone = "Asia/Kathmandu"'))
    assert soak(plan, "--dry-run") == 0
    head, row, last, _ = capsys.readouterr().out.splitlines()
    assert row.count("+0545") == last.count("+0545") == 1
    assert head.index("takes") + len("takes") == row.index(" s  cut-45s") + len(" s")
    assert last.startswith("1 cycle; ")


def test_with_json_there_is_one_object_and_nothing_else(plan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan.write_text(GOOD.replace("cut-45s", "cut-181s"))
    assert soak(plan, "--cycles 1 --json") == 1
    body = json.loads(capsys.readouterr().out)
    Draft202012Validator(json.loads(schema_text("rig.soak/1"))).validate(body)
    assert (body["verdict"], body["cycles"]) == ("FAIL", 1)


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_the_soaks_box_leaves_room_for_the_runs_panel_on_a_terminal_of_24_lines(columns: int) -> None:
    out = StringIO()
    state = SoakState(8, 7, 60, {"PASS": 4, "FAIL": 3}, 181.033, 1, 5000.0, 30_000.0)
    with Live(console=Console(file=out, width=columns, height=24), auto_refresh=False) as live:
        panel = SoakPanel(live)
        for number in range(1, 8):
            why = ("straddles_limit", "version_unchanged", "instrument_lost")
            panel.cycle(CycleRow(number, 1, "cut-181s", "INCONCLUSIVE", 15.9, None, why, "run"), state)
    box = out.getvalue().partition("ichis-rig")[0].splitlines()
    assert len(box) <= 2 + 4 + 1 + 5 + 1, "its frame, four facts of which one may need a second line, five cycles"
    assert all("INCON" in line for line in box if "cycle " in line), "the verdict is not what is cut off"
    assert "at most 181.033 s, 1 unbounded" in out.getvalue()


@pytest.mark.parametrize(("signal", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_a_signal_ends_safe_with_its_own_code_and_the_soak_can_go_on(
    signal: str, code: int, plan: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from rig.cli import soak_panel
    from rig.soak import PreparedSoak

    held: list[PreparedSoak] = []
    prepare = PreparedSoak.__init__

    def noted(self: PreparedSoak, *words: object) -> None:
        held.append(self)
        prepare(self, *words)  # type: ignore[arg-type]

    def stop(_: object, row: CycleRow, __: object) -> None:
        assert held[-1].clock is not None
        held[-1].clock.cancel(signal)

    monkeypatch.setattr(PreparedSoak, "__init__", noted)
    with monkeypatch.context() as patch:
        patch.setattr(soak_panel.PlainSoak, "cycle", stop)
        assert soak(plan) == code
    assert "--resume soak-" in capsys.readouterr().out
    assert soak(plan, "--resume last --cycles 2") == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("--cycles 0", "rig: argument --cycles: not a number of cycles: '0'"),
        ("--until 24:00", "rig: argument --until: not a time of day: '24:00' (expected HH:MM)"),
        ("--bench twin-hot-shoe --seed -1", "rig: --seed: not a seed (found -1"),
        ("--fault scope-gone", "rig: --fault: no fault 'scope-gone'; did you mean 'scope-dead'?"),
        ("--resume last", "no folder of results"),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_made(
    words: str, told: str, plan: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert soak(plan, words) == 2
    captured = capsys.readouterr()
    assert told in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == ""
    assert not list((plan.parent).glob("runs/*"))


def test_a_plan_that_cuts_mains_is_refused_on_a_bench_without_k1(
    plan: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan.write_text(GOOD + "[between]\npower_cycle_every = 2\n")
    assert soak(plan, "--bench twin-hot-shoe") == 2
    assert "between.power_cycle_every: this bench has no K1 to power-cycle the meter with" in capsys.readouterr().err
