"""Kernels that end: with their exit code, without it, and with the program that started them, however that ends."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import kernel_bench.__main__
from kernel_bench import boot
from kernel_bench.boot import Ended, Patience, Program, room, run
from kernel_bench.source import CannotBuildError

pytestmark = pytest.mark.skipif(shutil.which("setpriv") is None, reason="no setpriv (util-linux), and so no kernel")

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60.0
"""How long a test waits for what must come: far longer than any machine takes."""
PROGRAM = Program(["true"], {}, ROOT)
INIT = 'for word; do case $word in init=*) init=${word#init=};; esac; done; place=$(dirname "$init")'
"""A fake kernel finds its own folder by its words, as the real one finds its first program."""


def fake(folder: Path, script: str) -> Path:
    """A program in place of the kernel."""
    linux = folder / "linux"
    linux.write_text(f"#!/bin/bash\n{INIT}\n{script}\n")
    linux.chmod(0o755)
    return linux


def test_what_it_said_and_its_code_are_told(tmp_path: Path) -> None:
    told: list[tuple[int, str]] = []
    linux = fake(tmp_path, 'printf "one\\ntwo"; printf 7 > "$place/code"')
    assert run(linux, PROGRAM, 1, lambda number, line: told.append((number, line))) == [Ended(7)]
    assert told == [(0, "one"), (0, "two")]


def test_a_kernel_that_dies_does_not_keep_the_others_from_their_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boot, "room", lambda most, _: (tmp_path, most))
    told: list[tuple[int, str]] = []
    script = 'if [ "$(basename "$place")" = 0 ]; then echo panic; exit 9; fi; echo fine; printf 0 > "$place/code"'
    ended = run(fake(tmp_path, script), PROGRAM, 2, lambda number, line: told.append((number, line)))
    assert ended == [Ended(None, "the kernel ended before the program did (exit code 9)"), Ended(0)]
    assert sorted(told) == [(0, "panic"), (1, "fine")]


@contextmanager
def started(linux: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A process that runs this kernel, which says its process id; and the kernel's own, as a descriptor of it."""
    program = f"""
        import signal
        from pathlib import Path
        from kernel_bench.boot import Program, run
        from kernel_bench.children import stopped_by_signals
        signal.signal(signal.SIGINT, signal.default_int_handler)  # what a shell starts beside itself ignores it
        with stopped_by_signals():
            run(Path({str(linux)!r}), Program(["true"], {{}}, Path("/")), 1, lambda _, line: print(line, flush=True))
    """
    words = [sys.executable, "-c", textwrap.dedent(program)]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        kernel = os.pidfd_open(int(process.stdout.readline()))
        try:
            yield process, kernel
        finally:
            os.close(kernel)
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_whatever_ends_the_program_ends_its_kernel(number: signal.Signals, tmp_path: Path) -> None:
    with started(fake(tmp_path, 'trap "" INT TERM HUP; echo $$; exec tail -f /dev/null')) as (process, kernel):
        process.send_signal(number)
        assert select.select([kernel], [], [], PATIENCE_S)[0], "it goes on"
        process.wait(PATIENCE_S)


def test_a_slow_machine_is_waited_for_and_one_that_spins_or_stands_is_not() -> None:
    slow = Patience()
    assert not any(slow.lost(look / 100, spoke=False) for look in range(10_000)), (
        "a hundredth of a processor is something"
    )
    talks = Patience()
    assert not any(talks.lost(look * 100.0, spoke=True) for look in range(1000))
    spins = Patience()
    assert "spins" in str([spins.lost(look * 1.0, spoke=False) for look in range(1802)][-1])
    stands = Patience()
    whys = [stands.lost(5.0, spoke=False) for _ in range(602)]
    assert whys[-2] is None
    assert "stands still" in str(whys[-1])


def test_a_kernel_that_is_lost_is_ended_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Patience, "lost", lambda *_, **__: "it stands still")
    linux = fake(tmp_path, "exec tail -f /dev/null")
    assert run(linux, PROGRAM, 1, lambda *_: None) == [Ended(None, "it stands still")]


class Disk:
    """What `statvfs` says of a file system with so many gigabytes."""

    f_frsize = 1 << 30

    def __init__(self, gigabytes: int, *, executable: bool = True) -> None:
        self.f_bavail = gigabytes
        self.f_flag = 0 if executable else os.ST_NOEXEC


def test_memory_goes_where_there_is_room_and_programs_may_be_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disks = {Path("/dev/shm"): Disk(9), Path("/tmp"): Disk(9), tmp_path: Disk(1)}
    monkeypatch.setattr(boot.tempfile, "gettempdir", lambda: "/tmp")
    monkeypatch.setattr(boot.os, "statvfs", disks.__getitem__)
    monkeypatch.setattr(boot, "_free_memory", lambda: 9 << 30)
    assert room(2, tmp_path) == (Path("/dev/shm"), 2)
    disks[Path("/dev/shm")] = Disk(9, executable=False)  # as in a container
    assert room(2, tmp_path) == (Path("/tmp"), 2)
    disks[Path("/tmp")] = Disk(0)
    assert room(2, tmp_path) == (tmp_path, 1)
    disks[tmp_path] = Disk(0)
    with pytest.raises(
        CannotBuildError, match=r"1\.1 GB for files that may be executed are in none of /dev/shm, /tmp, "
    ):
        room(2, tmp_path)


def test_a_machine_with_little_memory_runs_one_kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boot.os, "statvfs", lambda _: Disk(9))
    monkeypatch.setattr(boot, "_free_memory", lambda: 1 << 29)
    assert room(4, tmp_path)[1] == 1


@pytest.mark.parametrize(
    ("ended", "code"),
    [
        ([Ended(0), Ended(0)], 0),
        ([Ended(0), Ended(1)], 1),
        ([Ended(3), Ended(0)], 1),  # pytest's own error
        ([Ended(139), Ended(0)], 1),
        ([Ended(None, "a panic"), Ended(1)], 4),
    ],
)
def test_a_failure_in_a_kernel_is_never_taken_for_a_machine_without_one(
    ended: list[Ended], code: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(kernel_bench.__main__, "run", lambda *_: ended)
    monkeypatch.setattr(kernel_bench.__main__.compileall, "compile_dir", lambda *_, **__: True)
    assert kernel_bench.__main__._test(tmp_path / "linux", {}, []) == code
