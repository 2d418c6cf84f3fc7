"""Whole runs with real processes: a served twin that tells its own truth, `rig run` beside it, and its guardian."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import psutil

from tests.guardian.peers import FEEDS, gone
from tests.runs import bundles
from tests.served import quick

ROOT = Path(__file__).parents[2]
PATIENCE_S = 120.0
"""How long a test waits for what must come: far longer than any machine takes."""
SILENT_S = 10.0
"""How long a controller that is to hang may be silent: far longer than a busy machine keeps a thread from running."""
BESIDE = 4
"""How many runs are made beside each other."""

_Case = TypeVar("_Case")


def environment(state: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "ICHIS_RIG_STATE": str(state)}


class Twin:
    """A served twin in a process of its own."""

    def __init__(self, folder: Path, bench: str = "twin", silent_s: float = PATIENCE_S) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("served.py")), str(folder), "0.01", bench],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment(folder),
            start_new_session=True,
        )
        assert self._process.stdout is not None
        self.bench_file = Path(self._process.stdout.readline().strip())
        text = quick(self.bench_file.read_text(), silent_s=silent_s)
        self.bench_file.write_text(
            text.replace("beat_s = 0.5", "beat_s = 0.1").replace("retry_s = 10.0", "retry_s = 0.0")
        )

    def truth(self) -> dict[str, Any]:
        return self._ask(do="truth")

    def wait(self, name: str, value: object, timeout_s: float = PATIENCE_S) -> dict[str, Any]:
        """The truth, once this part of it has this value (or the time is over)."""
        return self._ask(do="wait", name=name, value=value, timeout_s=timeout_s)

    def fault(self, name: str) -> None:
        self._ask(do="fault", name=name)

    def close(self) -> None:
        with self._process:
            assert self._process.stdin is not None
            self._process.stdin.close()
            self._process.wait(PATIENCE_S)

    def _ask(self, **request: object) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


HELD = """
from rig.cli import panel
from rig.guardian.client import GuardianClient
def held(cls, name, at):
    plain = getattr(cls, name)
    def call(self, *words):
        found = plain(self, *words)
        if words[0] == at and words[1]:
            print(f" s  {at}: held", flush=True)
            sys.stdin.readline()
        return found
    setattr(cls, name, call)
"""
"""Runs in the process of a run: it is held where it begins a step, or has closed a relay, until it is let go."""


class Run:
    """`rig run` on a twin. `script` is Python that runs before the command (to break something in it).

    `held`: a step, or the role of a relay that it closes, at which it waits (its guardian and its watch go on), until
    `go` or `end`: so that a test meets it there, however slow the machine is.
    """

    def __init__(self, twin: Twin, folder: Path, held: str = "", script: str = "") -> None:
        self.out = folder / "runs"
        self.state = folder / "state"
        words = ["run", "--bench", str(twin.bench_file), "--firmware", "cut-45s", "--out", str(self.out)]
        if held:
            where = "GuardianClient, 'set'" if held in FEEDS else "panel.Plain, 'step'"
            script = f"{HELD}held({where}, {held!r})\n{script}"
        code = f"import sys\n{script}\nfrom rig.cli import main\nsys.exit(main({words!r}))\n"
        self.process = subprocess.Popen(
            [sys.executable, "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(self.state),
            start_new_session=True,
        )
        self.told = ""
        self._guardian: int | None = None

    def held(self) -> None:
        """Wait until it is held."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.told += line
            if line.endswith(": held\n"):
                return
        raise AssertionError(f"the run ended before it was held:\n{self.told}{self._errors()}")

    def go(self) -> None:
        """Let it go on."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def guardian(self) -> int:
        """Its guardian's process id."""
        if self._guardian is None:
            children = psutil.Process(self.process.pid).children()
            self._guardian = next(c.pid for c in children if "rig.guardian" in c.cmdline())
        return self._guardian

    def signal(self, number: signal.Signals) -> int:
        """Send a signal; when that was, on CLOCK_MONOTONIC."""
        at_ns = time.monotonic_ns()
        self.process.send_signal(number)
        return at_ns

    def ended_within(self, seconds: float) -> bool:
        """Whether the run is over, waiting for it at most so long."""
        return gone(self.process.pid, seconds)

    def end(self) -> int:
        """Wait until the run is over, and its guardian; the exit code."""
        told, errors = self.process.communicate(timeout=PATIENCE_S)
        self.told += told + errors
        if self._guardian is not None:
            assert gone(self._guardian, PATIENCE_S), "the guardian outlives its work"
        return self.process.returncode

    def record(self) -> dict[str, Any]:
        """The run.json that it left."""
        (folder,) = bundles(self.out)
        found: dict[str, Any] = json.loads((folder / "run.json").read_text())
        return found

    def guardians_journal(self) -> list[dict[str, Any]]:
        """What its guardian told, in the state folder; nothing when it had nothing to tell."""
        file = self.state / "guardian.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def close(self) -> None:
        self.process.kill()
        with self.process:
            pass

    def _errors(self) -> str:
        assert self.process.stderr is not None
        return self.process.stderr.read()


@contextmanager
def twin_and_run(
    folder: Path, held: str = "", script: str = "", bench: str = "twin", silent_s: float = PATIENCE_S
) -> Iterator[tuple[Twin, Run]]:
    """A twin, and a run on it that has just begun, or waits at `held` (see `Run`)."""
    with ExitStack() as stack:
        twin = Twin(folder, bench, silent_s)
        stack.callback(twin.close)
        run = Run(twin, folder, held, script)
        stack.callback(run.close)
        if held:
            run.held()
            run.guardian()
        yield twin, run


@dataclass(frozen=True)
class Ended:
    """One run that got a signal. `step`: the last that it told. `safe_s`: how long until the bench was safe."""

    step: str
    safe_s: float


def ended_at(folder: Path, seconds: float, number: signal.Signals) -> Ended | None:
    """A whole run that gets this signal `seconds` after its guardian was up; None when it was over before.

    Fails when the bench is not safe then, or when something finished was lost.
    """
    hangs = number is signal.SIGSTOP
    with twin_and_run(folder, "preflight", silent_s=SILENT_S if hangs else PATIENCE_S) as (twin, run):
        run.go()
        if run.ended_within(seconds):
            return None
        sent_ns = run.signal(number)
        truth = twin.wait("safe", True)
        if hangs and not run.ended_within(SILENT_S):
            run.signal(signal.SIGKILL)  # it hangs where silence is no matter: nothing is fed
        code = run.end()
        told = (code, truth, run.told, run.guardians_journal())
        assert truth["safe"], told
        assert twin.truth()["safe"], told
        assert not truth["ever_both"], told
        assert all(row["safe"] for row in run.guardians_journal() if row["event"] == "ended"), told
        if number in (signal.SIGKILL, signal.SIGSTOP):
            left_whole(run)
        else:
            assert run.record()["safe_state"]["proven"], told
            if code != 128 + number:  # the run was over, and its process on its way out
                assert code in (0, -number), told
                return None
        told = [line for line in run.told.splitlines() if " s  " in line and not line.endswith(": held")]
        steps = [line.split(" s  ")[1].partition(":")[0] for line in told]
        return Ended(
            [step for step in steps if not step.startswith(("rail", "transferred"))][-1], _after(truth, sent_ns)
        )


def _after(truth: dict[str, Any], sent_ns: int) -> float:
    since: int = truth["since_ns"]
    return max(0.0, (since - sent_ns) / 1e9)


def together(fn: Callable[[Path, _Case], None], folder: Path, cases: Iterable[_Case]) -> None:
    """Every case in a folder of its own, some beside each other: they mostly wait. Raises the first failure."""

    def one(numbered: tuple[int, _Case]) -> None:
        mine = folder / str(numbered[0])
        mine.mkdir()
        fn(mine, numbered[1])

    with ThreadPoolExecutor(BESIDE) as pool:
        for _ in pool.map(one, enumerate(cases)):
            pass


def left_whole(run: Run) -> None:
    """What was finished is there: every line of the events, and of the guardian's own journal, is whole."""
    (folder,) = [path for path in run.out.iterdir() if path.is_dir()]
    for name in ("events.jsonl", "guardian.jsonl"):
        rows = [json.loads(line) for line in (folder / name).read_text().splitlines()]
        assert [row["t_s"] for row in rows] == sorted(row["t_s"] for row in rows)
