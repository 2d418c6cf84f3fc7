"""Whatever dies, the lines say safe: read from the chip, on which a line that nobody holds is energised."""

from __future__ import annotations

import signal
from collections.abc import Callable

import psutil
import pytest

from rig.guardian.keeper import holder
from tests.guardian.peers import gone
from tests.kernel.benches import PATIENCE_S, Bench
from tests.kernel.chips import PINS, Chip

pytestmark = pytest.mark.kernel

BEFORE_THE_COMMAND = ("control", "topology", "settle", "transfer", "verify", "arm")
AFTER_THE_COMMAND = ("activate", "watch", "capture")
SAFE = (0, 0)


def test_a_run_that_is_killed_before_the_command_leaves_safe_lines_at_every_step(
    serve: Callable[..., Bench], chip: Chip
) -> None:
    bench = serve("--firmware", "cut-45s").quick()
    for step in BEFORE_THE_COMMAND:
        with bench.running("cut-45s") as run:
            run.step(step)
            run.kill()
            assert chip.feeds() == SAFE, step
            assert chip.level(PINS["mains"]) == 1, "mains stays as it is"
    assert bench.run("cut-45s").json["verdict"] == "PASS", "and the bench can be used again"


@pytest.mark.parametrize("step", AFTER_THE_COMMAND)
def test_a_run_that_is_killed_after_the_command_leaves_safe_lines(
    step: str, serve: Callable[..., Bench], chip: Chip
) -> None:
    bench = serve("--firmware", "cut-45s").quick()
    with bench.running("cut-45s") as run:
        run.step(step)
        assert chip.level(PINS["meter-feed"]) == 1
        run.kill()
        assert chip.feeds() == SAFE


def test_without_the_guardian_a_killed_run_leaves_energised_lines(serve: Callable[..., Bench], chip: Chip) -> None:
    """What the tests above prove is the guardian's work: killed in the same moment, it leaves what they would find."""
    bench = serve("--firmware", "cut-45s").quick()
    with bench.running("cut-45s") as run:
        run.step("arm")
        family = [psutil.Process(run.process.pid), psutil.Process(run.guardian())]
        for process in family:
            process.suspend()
        for process in family:
            process.kill()
        assert gone(family[1].pid, PATIENCE_S)
        assert chip.feeds() == (1, 1)
    assert bench.rig("safe").code == 0
    assert chip.feeds() == SAFE


@pytest.mark.parametrize("undriven", ["falls", "keeps"])
def test_when_the_guardian_dies_the_run_stops_and_makes_the_lines_safe(
    undriven: str, serve: Callable[..., Bench], chip: Chip
) -> None:
    """`falls`: the lines are energised until somebody takes them. `keeps`: they stay where they were."""
    bench = serve("--firmware", "cut-45s", "--undriven", undriven).quick()
    with bench.running("cut-45s") as run:
        run.step("watch")
        psutil.Process(run.guardian()).kill()
        assert run.end() in (3, 4)
        assert "the guardian is gone" in run.told
    assert chip.feeds() == SAFE
    record = bench.record()
    assert record["verdict"] != "PASS"
    assert record["safe_state"]["proven"], record["safe_state"]


def test_a_run_that_hangs_is_ended_and_leaves_safe_lines(serve: Callable[..., Bench], chip: Chip) -> None:
    bench = serve("--firmware", "cut-45s").quick()
    with bench.running("cut-45s") as run:
        run.step("watch")
        guardian = run.guardian()
        run.process.send_signal(signal.SIGSTOP)
        assert gone(guardian, PATIENCE_S)
        assert chip.feeds() == SAFE
        assert run.end() == -signal.SIGKILL


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_stopped_ends_safe(number: signal.Signals, serve: Callable[..., Bench], chip: Chip) -> None:
    bench = serve("--firmware", "cut-45s").quick()
    with bench.running("cut-45s") as run:
        run.step("watch")
        run.process.send_signal(number)
        assert run.end() == 128 + number
    assert chip.feeds() == SAFE
    assert bench.record()["safe_state"]["proven"]


def test_the_lines_are_somebodys_at_every_moment_between_two_runs(serve: Callable[..., Bench], chip: Chip) -> None:
    bench = serve("--firmware", "cut-45s", "--firmware", "back-45s").quick()
    for name in ("cut-45s", "back-45s"):
        assert bench.run(name).json["verdict"] == "PASS"
        assert holder(str(bench.state), PINS["supply-feed"]) is not None
        assert chip.feeds() == SAFE
