"""Programs that do not outlive this one, however it ends: with SIGKILL, too, when it can do nothing more about them."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import IO


@contextmanager
def child(
    words: Sequence[str],
    *,
    output: IO[bytes],
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
    last: signal.Signals = signal.SIGTERM,
) -> Iterator[subprocess.Popen[bytes]]:
    """`words`, going on: sent the signal `last` when this block ends, or this process, of whose main thread it is."""
    dying = ["setpriv", "--pdeathsig", last.name.removeprefix("SIG"), *words]
    process = subprocess.Popen(
        dying, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
    )
    try:
        yield process
    finally:
        process.send_signal(last)
        process.wait()


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """SIGTERM and SIGHUP end this process as Ctrl-C does, by an exception: what it left half done is taken away."""

    def stop(number: int, _: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
