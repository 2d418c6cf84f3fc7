"""A command of the lab's own: an argument list, no shell, an exit code, a time-out on the injected clock.

Its standard output may be asked for; its standard error goes where the rig's own goes, and is kept nowhere: nobody
knows what it holds.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from rig.clock import Clock
from rig.errors import InputError, LinkError, Where

_LONGEST_OUTPUT = 65_536


@dataclass(frozen=True)
class Ran:
    """How a command ran, between these two instants (ns). `exit_code` None: it did not end in time, and was killed;
    negative: a signal of somebody else's ended it."""

    before_ns: int
    after_ns: int
    exit_code: int | None
    output: bytes


def checked_command(words: Sequence[str], key: str) -> tuple[str, ...]:
    """The command with the path of its program. Raises InputError when that is not there or cannot be run."""
    program = shutil.which(words[0])
    if program is None:
        raise InputError(
            "no such program", Where(key=f"{key}[0]", found=repr(words[0]), expected="one that can be run")
        )
    return (program, *words[1:])


def run_command(words: Sequence[str], clock: Clock, timeout_s: float, *, keep_output: bool) -> Ran:
    """Run it to its end, or kill it (and what it started) when the time is over or the run is asked to stop.

    Raises LinkError when it cannot be started: then nothing was done.
    """
    before = clock.now()
    try:
        process = subprocess.Popen(  # noqa: S603 - the lab's own command, from its own bench file, without a shell
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if keep_output else subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        raise LinkError(f"{os.path.basename(words[0])} cannot be started: {error.strerror}") from error  # noqa: PTH119
    ended, late, output = clock.flag(), clock.flag(), bytearray()

    def wait() -> None:
        with clock.shielded():
            try:
                output.extend(process.communicate(timeout=clock.real_timeout_s(timeout_s))[0] or b"")
            except subprocess.TimeoutExpired:
                late.set()
                _kill(process)
                process.communicate()
            ended.set()

    waiting = clock.spawn("command", wait)
    in_time = False
    try:
        in_time = clock.wait(ended, timeout_s)
    finally:
        if not ended.is_set():
            _kill(process)
        with clock.shielded():
            waiting.join()
    after = clock.now()
    if not in_time or late.is_set():
        return Ran(before, after, None, b"")
    return Ran(before, after, process.returncode, bytes(output[:_LONGEST_OUTPUT]))


def _kill(process: subprocess.Popen[bytes]) -> None:
    """It, and all that it started: they are one session."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
