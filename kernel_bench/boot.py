"""Boots kernels on this machine's file system; each runs one program, whose output and exit code come here.

A kernel is an ordinary process. Its time travels: while everything inside waits, its clock jumps to the next moment at
which something happens. What goes wrong inside is therefore told by limits on *its* clock, within seconds; here is only
noticed what it cannot notice itself: a program that spins, and a kernel that stands still. Real time is no sign of
either, since a machine may be slow: processor time is.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from kernel_bench.children import child
from kernel_bench.source import CannotBuildError

MEMORY_BYTES = 1 << 30
SPINS_S = 1800.0
"""Processor time without a word: the longest test takes a tenth of it."""
STANDS_LOOKS = 600
"""So many looks in a row, a second or more apart, without any processor time: it waits for nothing that could come."""
_LOOK_S = 0.1
_LOOKS_A_CHECK = 10
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Program:
    """What a kernel runs: `words` in `folder`, with this environment and no other."""

    words: Sequence[str]
    environment: Mapping[str, str]
    folder: Path


@dataclass(frozen=True)
class Ended:
    """The program's exit code; None where the kernel ended before the program did, and `why`."""

    code: int | None
    why: str = ""


Hear = Callable[[int, str], None]
"""Is told each line of a console, and the number of its kernel."""


def run(linux: Path, program: Program, most: int, hear: Hear) -> list[Ended]:
    """One kernel, or `most` side by side where there is room for them, each with this program, until all have ended.

    Raises CannotBuildError where there is no room for one.
    """
    memory, kernels = room(most, linux.parent)
    with tempfile.TemporaryDirectory(prefix="ichis-rig-kernel-") as place, ExitStack() as stack:
        places = [Path(place) / str(number) for number in range(kernels)]
        booted = [stack.enter_context(_booted(linux, program, each, memory)) for each in places]
        while True:
            running = [kernel for kernel in booted if kernel.goes_on()]
            for number, kernel in enumerate(booted):
                for line in kernel.lines():
                    hear(number, line)
            if not running:
                return [kernel.ended() for kernel in booted]
            time.sleep(_LOOK_S)


def room(most: int, cache: Path) -> tuple[Path, int]:
    """Where the memory of kernels goes, and for how many of `most` there is enough.

    It is a file that is mapped to be executed: containers often have a `/dev/shm` that is small, or not for programs.
    """
    kernels = max(1, min(most, _free_memory() // MEMORY_BYTES))
    found = [(min(kernels, _room(folder)), folder) for folder in (Path("/dev/shm"), Path(tempfile.gettempdir()), cache)]
    fit, folder = max(found, key=lambda each: each[0])  # of equal ones the first
    if not fit:
        tried = ", ".join(str(folder) for _, folder in found)
        raise CannotBuildError(f"{MEMORY_BYTES / 1e9:.1f} GB for files that may be executed are in none of {tried}")
    return folder, fit


def _room(folder: Path) -> int:
    try:
        status = os.statvfs(folder)
    except OSError:
        return 0
    usable = not status.f_flag & os.ST_NOEXEC and os.access(folder, os.W_OK)
    return status.f_bavail * status.f_frsize // MEMORY_BYTES if usable else 0


def _free_memory() -> int:
    """What this machine has, and this container may have."""
    lines = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    free = int(lines["MemAvailable"].split()[0]) << 10
    try:
        limit, used = (int(Path("/sys/fs/cgroup", name).read_text()) for name in ("memory.max", "memory.current"))
    except (OSError, ValueError):  # no such file, or "max"
        return free
    return min(free, limit - used)


class Patience:
    """Whether a kernel still gets on, from its processor time and its words."""

    def __init__(self) -> None:
        self._used_s = 0.0
        self._spoke_at_s = 0.0
        self._looks = 0

    def lost(self, used_s: float, spoke: bool) -> str | None:
        """After each look: why to wait no longer, if so."""
        self._looks = 0 if used_s > self._used_s or spoke else self._looks + 1
        self._used_s = used_s
        if spoke:
            self._spoke_at_s = used_s
        if used_s - self._spoke_at_s > SPINS_S:
            return f"it used {SPINS_S:g} s of processor time without a word: something in it spins"
        if self._looks > STANDS_LOOKS:
            return "it stands still: it used no processor time for ten minutes"
        return None


class _Kernel:
    """A kernel that was started, its console in the file `output`."""

    def __init__(self, process: subprocess.Popen[bytes], output: IO[bytes], code: Path) -> None:
        self._process = process
        self._output = output
        self._code = code
        self._rest = b""
        self._spoke = False
        self._done = False
        self._looks = 0
        self._patience = Patience()
        self._lost: str | None = None

    def goes_on(self) -> bool:
        self._done = self._process.poll() is not None or self._lost is not None
        if self._done:
            return False
        self._looks += 1
        if self._looks % _LOOKS_A_CHECK == 0:
            self._lost = self._patience.lost(_used_s(self._process.pid), self._spoke)
            self._spoke = False
        return self._lost is None

    def lines(self) -> Iterator[str]:
        """What it said since the last time, in whole lines; with the end, the rest."""
        new = self._output.read()
        self._spoke = self._spoke or bool(new)
        *whole, self._rest = (self._rest + new).split(b"\n")
        if self._rest and self._done:
            whole, self._rest = [*whole, self._rest], b""
        for line in whole:
            yield line.decode(errors="replace").rstrip("\r")

    def ended(self) -> Ended:
        if self._lost:
            return Ended(None, self._lost)
        try:
            return Ended(int(self._code.read_text()))
        except (OSError, ValueError):
            return Ended(None, f"the kernel ended before the program did (exit code {self._process.returncode})")


@contextmanager
def _booted(linux: Path, program: Program, place: Path, memory: Path) -> Iterator[_Kernel]:
    place.mkdir()
    code = place / "code"
    told = {
        "words": list(program.words),
        "environment": dict(program.environment),
        "folder": str(program.folder),
        "code": str(code),
    }
    job = place / "job.json"
    job.write_text(json.dumps(told), encoding="utf-8")
    init = place / "init"
    libraries = shlex.quote(os.environ.get("LD_LIBRARY_PATH", ""))
    words = shlex.join([sys.executable, "-I", "-S", str(Path(__file__).with_name("guest.py")), str(job)])
    init.write_text(f"#!/bin/sh\nexport LD_LIBRARY_PATH={libraries}\nexec {words}\n", encoding="utf-8")
    init.chmod(0o755)
    environment = {**os.environ, "TMPDIR": str(memory)}
    console = place / "console"
    with (
        console.open("wb") as output,
        console.open("rb") as heard,
        child(_words(linux, init, place), output=output, environment=environment, last=signal.SIGKILL) as process,
    ):
        yield _Kernel(process, heard, code)


def _words(linux: Path, init: Path, place: Path) -> list[str]:
    return [
        str(linux),
        f"mem={MEMORY_BYTES >> 20}M",
        "root=host",
        "rootfstype=hostfs",
        "rootflags=/",
        "rw",
        f"init={init}",
        "time-travel=inf-cpu",
        "con=null",
        "con0=fd:0,fd:1",
        "ssl=null",
        f"uml_dir={place}",
        "quiet",
        "panic=-1",
    ]


def _used_s(session: int) -> float:
    """The processor time of a kernel and of all that runs in it: it makes a session of its own."""
    ticks = 0
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = file.read_text().rpartition(")")[2].split()
        except OSError:  # it ended just now
            continue
        if int(fields[3]) == session:
            ticks += sum(int(field) for field in fields[11:15])
    return ticks / _TICKS
