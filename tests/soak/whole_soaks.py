"""Whole soaks with real processes: a served twin that tells its own truth, and sittings of `rig soak` on it."""

from __future__ import annotations

import random
import re
import signal
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from rig.records.journal import Attempt, Filter, Reader, State
from tests.guardian.peers import gone
from tests.guardian.whole_runs import PATIENCE_S, Twin, environment
from tests.soak.plans import written

PLAN = """\
schema = "rig.plan/1"
[plan]
name = "killed"
[[firmware]]
fixture = "cut-45s"
[end]
cycles = 1000
[controls]
every_cycles = 3
[recovery]
retry_s = 1.0
"""
MOMENTS = {"begun": 4.0, "fed": 8.0, "finished": 5.0}
"""From when a kill's moment counts, and how long after it at most: the process began, the hub is fed, and (twice as
often) a cycle has finished: then it falls into the next one, or between two."""
_CYCLE = re.compile(r"  cycle (\d+) of \d+(?:, attempt (\d+))?, [\w-]+: (\w+)")


class Sitting:
    """One process of `rig soak`."""

    def __init__(self, twin: Twin, folder: Path, *words: str) -> None:
        self.process = subprocess.Popen(
            [
                sys.executable, "-m", "rig", "soak", str(written(folder, PLAN)), "--bench", str(twin.bench_file),
                "--out", str(folder / "runs"), *words,
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment(folder / "state"),
            start_new_session=True,
        )  # fmt: skip
        self.told = ""

    def kill(self, seconds: float) -> None:
        """After so long, wherever it is then."""
        gone(self.process.pid, seconds)
        self.process.send_signal(signal.SIGKILL)

    def await_cycle(self) -> None:
        """Wait until a cycle has finished."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.told += line
            if _CYCLE.search(line):
                return
        raise AssertionError(f"the soak ended before a cycle had: {self.told}")

    def end(self) -> int:
        told, _ = self.process.communicate(timeout=PATIENCE_S)
        self.told += told
        return self.process.returncode

    def close(self) -> None:
        self.process.kill()
        with self.process:
            pass

    def finished(self) -> set[tuple[int, int, str]]:
        """The attempts that it said were over: number, attempt, verdict."""
        return {(int(m[1]), int(m[2] or 1), m[3]) for m in _CYCLE.finditer(self.told)}


@dataclass
class KilledSoak:
    """One soak on one twin, killed again and again; then a sitting that may end."""

    folder: Path
    finished: set[tuple[int, int, str]] = field(default_factory=set)
    moments: list[str] = field(default_factory=list)

    def run(self, kills: int, draw: random.Random) -> None:
        with ExitStack() as stack:
            twin = self._twin(stack)
            for _ in range(kills):
                after = draw.choice([*MOMENTS, "finished"])
                self._sit(stack, twin, after, draw.uniform(0.0, MOMENTS[after]))
                assert twin.wait("safe", True)["safe"], "a soak that was killed leaves a safe bench"
            before = self._attempts()
            cycles = max((a.begun.cycle.number for a in before if a.begun.cycle), default=0) + 1
            last = Sitting(twin, self.folder, *self._resume(), "--cycles", str(cycles))
            stack.callback(last.close)
            code = last.end()
            self.finished |= last.finished()
            assert code in (0, 3), last.told
            self._check(twin, cycles)

    def _twin(self, stack: ExitStack) -> Twin:
        twin = Twin(self.folder)
        stack.callback(twin.close)
        return twin

    def _resume(self) -> tuple[str, ...]:
        """A soak that was killed before it was one is begun anew."""
        try:
            with Reader.open(self.folder / "runs") as reader:
                return ("--resume", "last") if reader.soaks() else ()
        except Exception:  # noqa: BLE001 - there is no journal yet
            return ()

    def _sit(self, stack: ExitStack, twin: Twin, after: str, seconds: float) -> None:
        sitting = Sitting(twin, self.folder, *self._resume())
        stack.callback(sitting.close)
        if after == "fed":
            twin.wait("safe", False)
        elif after == "finished":
            sitting.await_cycle()
        sitting.kill(seconds)
        code = sitting.end()
        assert code == -signal.SIGKILL, sitting.told
        self.finished |= sitting.finished()
        attempts = self._attempts()
        self.moments.append(f"{len(attempts)}" if attempts and attempts[-1].ended is None else "between")
        for number, attempt, verdict in sitting.finished():
            assert (number, attempt, verdict) in self._ended(), "what was said to be over is in the journal"

    def _attempts(self) -> tuple[Attempt, ...]:
        if not self._resume():
            return ()
        with Reader.open(self.folder / "runs") as reader:
            assert len(reader.soaks()) == 1
            return reader.attempts(Filter(kind="run"))

    def _ended(self) -> set[tuple[int, int, str]]:
        return {
            (a.begun.cycle.number, a.begun.cycle.attempt, a.ended.verdict)
            for a in self._attempts()
            if a.begun.cycle and a.ended
        }

    def _check(self, twin: Twin, cycles: int) -> None:
        attempts = self._attempts()
        places = [(a.begun.cycle.number, a.begun.cycle.attempt) for a in attempts if a.begun.cycle]
        assert len(places) == len(set(places)) == len(attempts), "none is there twice"
        assert {number for number, _ in places} == set(range(1, cycles + 1)), "none is left out"
        assert self.finished <= self._ended(), "nothing that was finished is lost"
        runs = self.folder / "runs"
        whole = {p.name for p in runs.iterdir() if (p / "run.json").is_file() and not p.name.startswith(".")}
        assert {a.begun.run_id for a in attempts if a.state is State.ENDED} == whole
        assert all(a.ended or a.lost for a in attempts), "what did not end is named as lost"
        ended = [a.ended for a in attempts if a.ended]
        begun = {a.begun.run_id: a.begun for a in attempts}
        for row in ended:
            assert row.version_before in (None, begun[row.run_id].version_from), "none began from another version"
        activated = sum(row.version_after is not None and row.version_after != row.version_before for row in ended)
        truth = twin.truth()
        lost = sum(a.lost is not None for a in attempts)
        assert activated <= truth["activations"] <= activated + lost, (activated, truth, lost)
        last = ended[-1]
        if last.version_after is not None:
            assert truth["version"] == last.version_after
        assert truth["safe"]
        assert not truth["ever_both"]
