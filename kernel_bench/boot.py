"""Boots the kernel on this machine's file system and runs one program inside: its output comes here, and its exit code.

The kernel is an ordinary process. Its time travels: while everything inside waits, its clock jumps to the next moment
at which something happens. A process inside that spins without ever waiting stands in the way of that, so there is a
limit in real time, too.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

MEMORY = "1G"


class BootError(Exception):
    """The kernel ended without the program's exit code."""


def run(
    linux: Path,
    words: Sequence[str],
    environment: Mapping[str, str],
    folder: Path,
    output: IO[bytes] | None = None,
    limit_s: float = 1800.0,
) -> int:
    """Run `words` in `folder`; its exit code. Raises BootError when the kernel died, or ran out of real time.

    `output`: where the kernel's console goes; None: where this process's own output goes.
    """
    with tempfile.TemporaryDirectory(prefix="ichis-rig-kernel-") as place:
        job = Path(place) / "job.json"
        code = Path(place) / "code"
        told = {"words": list(words), "environment": dict(environment), "folder": str(folder), "code": str(code)}
        job.write_text(json.dumps(told), encoding="utf-8")
        guest = Path(__file__).with_name("guest.py")
        init = Path(place) / "init"
        init.write_text(f'#!/bin/sh\nexec "{sys.executable}" -I -S "{guest}" "{job}"\n', encoding="utf-8")
        init.chmod(0o755)
        try:
            kernel = _words(linux, init, place)
            subprocess.run(kernel, stdin=subprocess.DEVNULL, stdout=output, stderr=output, timeout=limit_s, check=False)
        except subprocess.TimeoutExpired:
            raise BootError(f"nothing came of it in {limit_s:g} s") from None
        try:
            return int(code.read_text())
        except (OSError, ValueError):
            raise BootError("the kernel ended before the program did") from None


def _words(linux: Path, init: Path, place: str) -> list[str]:
    return [
        str(linux),
        f"mem={MEMORY}",
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
