"""A bench on a chip of the kernel: the twin in a process of its own, and the rig's own commands beside it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from rig.guardian.keeper import take
from tests.guardian.peers import gone
from tests.kernel.chips import PINS, Chip

ROOT = Path(__file__).parents[2]
PATIENCE_S = 600.0
QUICK_POINTS = 120_000
LOOK_S = 0.1
"""How often the twin looks at the relay lines: each look is real work here."""


@dataclass(frozen=True)
class Done:
    """A command of the rig that has ended."""

    code: int
    told: str
    errors: str

    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.told)
        return found


class Run:
    """A run that goes on."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.told = ""

    def step(self, name: str) -> None:
        """Wait until this step has begun."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.told += line
            if f" s  {name}: " in line:
                return
        raise AssertionError(f"the run ended before its step {name!r}:\n{self.told}{self.end()}")

    def guardian(self) -> int:
        """Its guardian's process id."""
        children = psutil.Process(self.process.pid).children()
        return next(child.pid for child in children if "rig.guardian" in child.cmdline())

    def kill(self) -> None:
        """SIGKILL, and wait for the end of its guardian's work."""
        guardian = self.guardian()
        self.process.kill()
        assert gone(guardian, PATIENCE_S), "the guardian's work has an end"

    def end(self) -> int:
        told, errors = self.process.communicate()
        self.told += told + errors
        return self.process.returncode

    def close(self) -> None:
        self.process.kill()
        with self.process:
            pass


class Bench:
    """One served twin on `chip`; `file` is its bench file, of a real bench's form."""

    def __init__(self, chip: Chip, folder: Path, *words: str) -> None:
        self.chip = chip
        self.folder = folder
        self.state = folder / "state"
        self.environment = {**os.environ, "ICHIS_RIG_STATE": str(self.state), "RPI_LGPIO_CHIP": str(chip.number)}
        serve = [sys.executable, "-m", "rig", "twin", "serve", "--chip", chip.device, "--out", str(folder / "bench")]
        looks = () if "--look-s" in words else ("--look-s", str(LOOK_S))
        self._twin = subprocess.Popen(
            [*serve, "--json", "--until-eof", *looks, *words],
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._twin.stdout is not None
        line = self._twin.stdout.readline()
        self.file = Path(json.loads(line)["bench_file"])
        self.out = folder / "runs"

    def with_depth(self, points: int) -> Bench:
        """The oscilloscope's record with so many points: each costs memory, which is what is slow in this kernel."""
        text = re.sub(r"(?m)^depth = .*$", f"depth = {points}", self.file.read_text())
        self.file.write_text(text)
        return self

    def quick(self) -> Bench:
        """As quick as runs are here: the next shorter window of the oscilloscope, which a run waits for."""
        text = self.with_depth(QUICK_POINTS // 2).file.read_text()
        self.file.write_text(re.sub(r"(?m)^window_s = .*$", "window_s = 240.0", text))
        return self

    def start(self, *words: str) -> subprocess.Popen[str]:
        """One of the rig's verbs on this bench, going on."""
        verb, *rest = words
        return subprocess.Popen(
            [sys.executable, "-m", "rig", verb, "--bench", str(self.file), *rest],
            cwd=self.folder,
            env={**self.environment, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def rig(self, *words: str) -> Done:
        """One of the rig's verbs on this bench, to its end."""
        process = self.start(*words)
        told, errors = process.communicate()
        return Done(process.returncode, told, errors)

    def rig_here(self, *words: str) -> Done:
        """One of the verbs that need no bench."""
        done = subprocess.run(
            [sys.executable, "-m", "rig", *words],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def run(self, firmware: str, *words: str) -> Done:
        return self.rig("run", "--firmware", firmware, "--json", "--out", str(self.out), *words)

    @contextmanager
    def running(self, firmware: str, *words: str) -> Iterator[Run]:
        """`rig run` going on, told in plain lines."""
        run = Run(self.start("run", "--firmware", firmware, "--out", str(self.out), *words))
        try:
            yield run
        finally:
            run.close()

    def record(self) -> dict[str, Any]:
        """The newest run.json."""
        newest = max(self.out.glob("*/run.json"), key=lambda path: path.stat().st_mtime_ns)
        found: dict[str, Any] = json.loads(newest.read_text())
        return found

    def close(self) -> None:
        take(str(self.state), PINS.values())
        self._twin.send_signal(signal.SIGTERM)
        self._twin.communicate()


@contextmanager
def served(chip: Chip, folder: Path, *words: str) -> Iterator[Bench]:
    bench = Bench(chip, folder, *words)
    try:
        yield bench
    finally:
        bench.close()
