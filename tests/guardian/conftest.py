"""The guardian in tests: lines on files, a supply on a socket, and clients that are ended whatever happens."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rig.clock.system import SystemClock
from rig.guardian.client import GuardianClient
from rig.guardian.strict import to_json
from tests.guardian.peers import FAKE_GPIO, EndedEarly, Lines, Supply, charge

START = Callable[..., GuardianClient]


@pytest.fixture
def lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lines]:
    folder = tmp_path / "gpio"
    folder.mkdir()
    monkeypatch.setenv("RIG_FAKE_GPIO", str(folder))
    monkeypatch.syspath_prepend(str(FAKE_GPIO))
    found = Lines(folder)
    yield found
    found.close()
    for name in ("RPi.GPIO", "RPi"):  # this process took the lines over
        sys.modules.pop(name, None)


@pytest.fixture
def supply() -> Iterator[Supply]:
    found = Supply()
    yield found
    found.server.close()


@pytest.fixture
def clock() -> SystemClock:
    return SystemClock()


@pytest.fixture
def start(tmp_path: Path, lines: Lines, supply: Supply, clock: SystemClock) -> Iterator[START]:
    del lines
    begun: list[GuardianClient] = []

    def begin(locks: tuple[int, ...] = (), **how: object) -> GuardianClient:
        begun.append(GuardianClient.start(charge(tmp_path / "state", supply, **how), clock, locks))  # type: ignore[arg-type]
        return begun[-1]

    yield begin
    for client in begun:
        client._end_process()


CONTROLLER = """
import json, os, sys, time
from pathlib import Path
from rig.clock.system import SystemClock
from rig.guardian.charge import Charge
from rig.guardian.client import GuardianClient
from rig.guardian.strict import from_json
client = GuardianClient.start(from_json(Charge, json.loads(sys.argv[1])), SystemClock())
client.arm()
client.set("mains", True)
client.set("meter-feed", True)
print(client.pid, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def controller(
    tmp_path: Path, lines: Lines, supply: Supply
) -> Iterator[Callable[..., tuple[subprocess.Popen[str], int]]]:
    del lines
    begun: list[subprocess.Popen[str]] = []

    def begin(**how: object) -> tuple[subprocess.Popen[str], int]:
        """A controller that feeds the hub and waits; it, and its guardian's process id. Raises EndedEarly."""
        words = json.dumps(to_json(charge(tmp_path / "state", supply, **how)))  # type: ignore[arg-type]
        process = subprocess.Popen(
            [sys.executable, "-c", CONTROLLER, words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        begun.append(process)
        assert process.stdout is not None
        if not (line := process.stdout.readline()):
            raise EndedEarly
        return process, int(line)

    yield begin
    for process in begun:
        process.kill()
        with process:  # closes its pipes, and waits for it
            pass
