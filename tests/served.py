"""`rig twin serve` as a process of its own for a test: started, waited for by its line, and ended with the test."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


@dataclass
class Served:
    """A running twin, and the line that it printed."""

    process: subprocess.Popen[str]
    line: dict[str, Any]

    @property
    def bench_file(self) -> Path:
        return Path(self.line["bench_file"])

    def port(self, key: str) -> int:
        """The TCP port of `supply`, `oscilloscope`, `modbus`, `relays` or `sense`."""
        return int(str(self.line[key]).removesuffix("::SOCKET").replace("::", ":").rsplit(":", 1)[1])

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait()


def rig(*words: str) -> list[str]:
    """The command, from this checkout."""
    return [sys.executable, "-m", "rig", *words]


def quick(text: str, window_s: float = 1.2, silent_s: float = 60.0) -> str:
    """The bench file of a twin at scale 0.01 with a small capture: the verdict is the same, sooner.

    The machine may be busy: nobody is taken for silent for that, but the meter, which is silent while it restarts.
    """
    changes = (
        ("window_s = 6.0", f"window_s = {window_s}"),
        ("depth = 1200000", f"depth = {round(10_000 * window_s)}"),
        ("silent_s = 5.0", f"silent_s = {silent_s}"),
        *((f"\ntimeout_s = {seconds}\n", "\ntimeout_s = 30.0\n") for seconds in (1.0, 3.0, 5.0)),
    )
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


@contextmanager
def served(*words: str) -> Iterator[Served]:
    """It also ends when this process dies, whatever kills it: its standard input is ours."""
    process = subprocess.Popen(
        rig("twin", "serve", "--until-eof", "--json", *words),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        text = process.stdout.readline()
        assert text, f"the twin ended with {process.wait()}"
        yield Served(process, json.loads(text))
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()
