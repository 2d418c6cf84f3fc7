"""Whatever ends a run, the bench is safe: whole runs with real processes, and the truth is the twin's own.

`make test` ends some runs; `make campaign` (RIG_KILLS=200) as many as are wanted, in every way. How long the bench took
to be safe is told. Moments are drawn from a fixed seed; what the machine does at them is its own affair.
"""

from __future__ import annotations

import json
import os
import random
import signal
import statistics
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.guardian.whole_runs import (
    BESIDE,
    HELD,
    PATIENCE_S,
    SILENT_S,
    Ended,
    Run,
    Twin,
    ended_at,
    together,
    twin_and_run,
)
from tests.runs import bundles

CAMPAIGN = "RIG_KILLS" in os.environ
KILLS = int(os.environ.get("RIG_KILLS", "10"))
LONGEST_S = 10.0
"""About how long a whole run takes; a signal that comes too late is drawn again."""
STEPS = ["control", "topology", "settle", "transfer", "verify", "arm", "activate", "watch", "capture"]


@contextmanager
def feeding(folder: Path, silent_s: float = PATIENCE_S) -> Iterator[tuple[Twin, Run]]:
    """A run that is held where the meter feeds the hub and the activation is about to come."""
    with twin_and_run(folder, "arm", silent_s=silent_s) as (twin, run):
        truth = twin.truth()
        assert truth["meter-feed"]
        assert not truth["safe"]
        yield twin, run


# -- at any moment -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "count"),
    [(signal.SIGKILL, KILLS), *((n, KILLS // 4) for n in (signal.SIGSTOP, signal.SIGTERM, signal.SIGINT) if CAMPAIGN)],
)
def test_a_run_that_is_ended_at_any_moment_leaves_a_safe_bench(
    number: signal.Signals, count: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draw = random.Random(int(number))
    found: list[Ended] = []

    def one(numbered: tuple[int, float]) -> Ended | None:
        folder = tmp_path / f"{len(found)}-{numbered[0]}"
        folder.mkdir()
        return ended_at(folder, numbered[1], number)

    with ThreadPoolExecutor(BESIDE) as pool:
        while len(found) < count:
            moments = [draw.uniform(0.0, LONGEST_S) for _ in range(count - len(found))]
            found += [ended for ended in list(pool.map(one, enumerate(moments))) if ended is not None]
    fed_s = [ended.safe_s for ended in found if ended.safe_s > 0] or [0.0]
    steps = {step: sum(ended.step == step for ended in found) for step in sorted({ended.step for ended in found})}
    with capsys.disabled():
        times = f"median {1000 * statistics.median(fed_s):.0f} ms, worst {1000 * max(fed_s):.0f} ms"
        print(f"\n{number.name}: {len(found)} runs, all safe; {len(fed_s)} were fed, and safe after {times}; {steps}")


def test_without_its_guardian_a_killed_run_leaves_an_energised_bench(tmp_path: Path) -> None:
    """What these tests prove is the guardian's work: with the same core inside the controller they fail."""
    inside = (
        "from rig.bench import opening\n"
        "whole = opening.open_bench\n"
        "import rig.benches\n"
        "rig.benches.open_bench = lambda config, clock, call_sets, *_: whole(config, clock, call_sets)\n"
    )
    with twin_and_run(tmp_path, script=f"{HELD}held(panel.Plain, 'step', 'arm')\n{inside}") as (twin, run):
        run.held()
        run.signal(signal.SIGKILL)
        run.end()
        truth = twin.wait("safe", True, timeout_s=2.0)
        assert not truth["safe"]
        assert truth["meter-feed"]
        assert truth["volts"] > 10.0


def test_a_run_that_hangs_while_the_hub_is_fed_is_ended_and_leaves_a_safe_bench(tmp_path: Path) -> None:
    with feeding(tmp_path, SILENT_S) as (twin, run):
        run.signal(signal.SIGSTOP)
        assert twin.wait("safe", True)["safe"]
        assert run.end() == -signal.SIGKILL
        assert "silent" in run.guardians_journal()[0]["why"]


# -- stopped -----------------------------------------------------------------------------------------------------------


def test_a_run_that_is_stopped_once_or_twice_ends_safe_and_keeps_what_was_seen(tmp_path: Path) -> None:
    def stopped(folder: Path, numbers: tuple[signal.Signals, ...]) -> None:
        with feeding(folder) as (twin, run):
            for number in numbers:
                run.signal(number)
            assert run.end() == 128 + numbers[0], run.told
            assert twin.truth()["safe"]
            record = run.record()
            assert record["safe_state"]["proven"]
            assert "interrupted" in {reason["code"] for reason in record["reasons"]}
            assert run.guardians_journal() == [], "the controller did it all by itself"

    term, ctrl_c = signal.SIGTERM, signal.SIGINT
    together(stopped, tmp_path, [(term,), (ctrl_c, ctrl_c), *([(term, term), (ctrl_c,)] if CAMPAIGN else [])])


def test_an_exception_in_any_step_ends_safe_as_an_error(tmp_path: Path) -> None:
    def broken(folder: Path, step: str) -> None:
        script = (
            "from rig.cli import panel\n"
            "told = panel.Plain.step\n"
            "def step(self, name, text):\n"
            "    told(self, name, text)\n"
            f"    if name == {step!r}:\n"
            "        raise ZeroDivisionError('a fault of ours')\n"
            "panel.Plain.step = step\n"
        )
        with twin_and_run(folder, script=script) as (twin, run):
            code = run.end()
            assert twin.truth()["safe"], run.told
            record = run.record()
            assert record["safe_state"]["proven"]
            assert "the rig failed: ZeroDivisionError: a fault of ours" in record["reasons"][-1]["text"]
            sent = record["activation"]["commanded_at_s"] is not None
            assert (record["verdict"], code) == (("INCONCLUSIVE", 3) if sent else ("ERROR", 4)), run.told
            assert "Traceback" not in run.told

    together(broken, tmp_path, STEPS if CAMPAIGN else ["control", "watch"])


# -- the guardian, the supply, the relay board -------------------------------------------------------------------------


def test_when_the_guardian_is_gone_the_run_stops_safely_and_says_so(tmp_path: Path) -> None:
    def gone(folder: Path, case: tuple[signal.Signals, str]) -> None:
        number, words = case
        with feeding(folder, SILENT_S if number is signal.SIGSTOP else PATIENCE_S) as (twin, run):
            os.kill(run.guardian(), number)
            assert run.end() == 4, run.told
            assert twin.truth()["safe"]
            record = run.record()
            assert record["verdict"] == "ERROR"
            assert record["safe_state"]["proven"]
            assert words in run.told
            assert any(words in reason["text"] for reason in record["reasons"])

    told = (signal.SIGTERM, "the guardian was told to stop (SIGTERM)")
    hung = (signal.SIGSTOP, "the guardian is gone (it is silent)")
    together(gone, tmp_path, [(signal.SIGKILL, "the guardian is gone"), *([told, hung] if CAMPAIGN else [])])


def not_to_be_used(folder: Path, twin: Twin, why: str) -> None:
    """The next run on this bench is refused."""
    run = Run(twin, folder)
    try:
        assert run.end() == 4
        assert "this bench is not to be used" in run.told
        assert why in run.told
        assert "'rig safe' clears it" in run.told
    finally:
        run.close()


def test_a_dead_supply_is_never_called_safe_and_its_feed_is_open_all_the_same(tmp_path: Path) -> None:
    def dead(folder: Path, number: signal.Signals) -> None:
        with feeding(folder) as (twin, run):
            twin.fault("supply-dead")
            run.signal(number)
            code = run.end()
            truth = twin.truth()
            assert (truth["meter-feed"], truth["supply-feed"]) == (False, False)
            assert run.guardians_journal()[-1]["safe"] is False
            if number is signal.SIGTERM:
                assert code == 4, run.told
                assert run.record()["verdict"] == "ERROR"
                assert "NOT SAFE: supply psu off" in run.told
                assert "NOT SAFE: this bench is marked as not to be used until 'rig safe'" in run.told
            not_to_be_used(folder, twin, "supply psu off")

    together(dead, tmp_path, [signal.SIGTERM, signal.SIGKILL])


def test_a_dead_relay_board_is_never_called_safe_and_the_supply_is_off_all_the_same(tmp_path: Path) -> None:
    def dead(folder: Path, number: signal.Signals) -> None:
        with twin_and_run(folder, "supply-feed") as (twin, run):
            assert twin.wait("supply-feed", True)["supply"]
            twin.fault("relays-dead")
            run.signal(number)
            code = run.end()
            assert not twin.truth()["supply"]
            assert run.guardians_journal()[-1]["safe"] is False
            if number is signal.SIGTERM:
                assert code == 4, run.told
                assert "NOT SAFE: relay K3" in run.told
            not_to_be_used(folder, twin, "relay K3")

    together(dead, tmp_path, [signal.SIGTERM, signal.SIGKILL])


# -- one owner ---------------------------------------------------------------------------------------------------------


def test_two_rigs_on_one_bench_the_second_is_refused_by_name_and_the_first_ends_well(tmp_path: Path) -> None:
    with twin_and_run(tmp_path, "control") as (twin, run):
        second = Run(twin, tmp_path)
        try:
            assert second.end() == 2
            assert f"this bench is in use (found process {run.process.pid} (bench 'twin'" in second.told
        finally:
            second.close()
        assert run.end() == 0, run.told
        assert twin.truth()["safe"]
        assert list((run.state / "locks").iterdir()) == []
        (folder,) = bundles(run.out)
        rows = [json.loads(line)["event"] for line in (folder / "guardian.jsonl").read_text().splitlines()]
        assert rows[-1] == "stand_down"
        assert "guardian.jsonl" in (folder / "SHA256SUMS").read_text()


def test_a_bench_whose_owner_was_killed_is_taken_over_and_the_next_run_says_so(tmp_path: Path) -> None:
    with twin_and_run(tmp_path, "control") as (twin, run):
        run.signal(signal.SIGKILL)
        run.end()
        again = Run(twin, tmp_path, "control")
        try:
            again.held()
            again.guardian()
            again.signal(signal.SIGTERM)
            assert again.end() == 143, again.told
            (folder,) = bundles(again.out)
            events = [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]
            assert {e["pid"] for e in events if e["event"] == "taken_over"} == {run.process.pid}
        finally:
            again.close()
