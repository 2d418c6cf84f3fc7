"""The keeper: what is left of a guardian whose work is done. It holds relay lines where they are, and does no more.

What a line does that nobody holds is the kernel's and the board's affair: it may stay driven, or fall to its pull, and
a pull may energise a relay. Where the bench file says `keeps_lines`, a small process therefore goes on holding the
lines, until the next guardian (or `rig safe`) takes them over. That ends it, and the lines are nobody's for a moment,
far shorter than a relay takes to move.

A keeper is found by its file in `<state>/keepers`, which it holds locked: a dead one holds nothing.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import signal
import sys
from collections.abc import Iterable, Mapping, Sequence

from rig.clock.system import SystemClock
from rig.errors import BenchError, Refused, RigError
from rig.guardian.charge import RelaySpec
from rig.guardian.strict import from_json, to_json

_FOLDER = "keepers"
_ENDING_MS = 5000
_START_S = 20.0


def pins(relays: Iterable[RelaySpec]) -> tuple[int, ...]:
    """The header's lines among these relays."""
    return tuple(sorted(spec.gpio.pin for spec in relays if spec.gpio is not None))


def stay(state: str, lines: Sequence[int], leave: Iterable[int] = ()) -> None:
    """Fork a keeper of all lines that this process holds now; it closes `leave`. Returns in this process alone.

    The copy of a descriptor holds a line as the original does: when this process ends, nothing is given back. Raises
    OSError when that cannot be done.
    """
    folder = os.path.join(state, _FOLDER)  # noqa: PTH118 - pathlib would cost a tenth of the guardian's start
    os.makedirs(folder, exist_ok=True)  # noqa: PTH103
    file = os.open(os.path.join(folder, _name(lines)), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)  # noqa: PTH118
    hear, tell = os.pipe()
    if (child := os.fork()) == 0:
        _keep(file, tell, (hear, *leave))
    os.close(tell)
    os.close(file)
    kept = os.read(hear, 1)
    os.close(hear)
    if not kept:
        os.waitpid(child, 0)
        raise OSError("nobody keeps the relay lines")


def take(state: str, lines: Iterable[int]) -> None:
    """End whoever keeps one of these lines, so that they are free. Raises BenchError when one does not end."""
    folder = os.path.join(state, _FOLDER)  # noqa: PTH118
    wanted = set(lines)
    with contextlib.suppress(FileNotFoundError):
        for name in os.listdir(folder):  # noqa: PTH208
            if wanted & _pins(name):
                _end(os.path.join(folder, name))  # noqa: PTH118


def holder(state: str, line: int) -> int | None:
    """The process that keeps this line; None: nobody does."""
    folder = os.path.join(state, _FOLDER)  # noqa: PTH118
    with contextlib.suppress(FileNotFoundError):
        for name in os.listdir(folder):  # noqa: PTH208
            if line in _pins(name):
                with contextlib.closing(_File(os.path.join(folder, name))) as file:  # noqa: PTH118
                    return file.pid()
    return None


def keep_safe(state: str, relays: Sequence[RelaySpec]) -> Mapping[str, bool | str]:
    """Have a new process take these lines, move each relay to its safe position, and keep them.

    Returns, by name, whether each line reads safe, or why that could not be told: one that fails keeps nobody from the
    others. Raises BenchError when it could not begin.
    """
    import subprocess  # not needed by a guardian, whose start counts

    words = json.dumps({"state": state, "relays": [to_json(spec) for spec in relays]})
    own = [os.path.abspath(entry) for entry in sys.path if entry]  # noqa: PTH100
    try:
        done = subprocess.run(
            [sys.executable, "-S", "-P", "-m", "rig.guardian.keeper"],
            input=words.encode(),
            capture_output=True,
            timeout=_START_S,
            check=False,
            cwd="/",
            env={**os.environ, "PYTHONPATH": os.pathsep.join(own)},
            start_new_session=True,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BenchError(f"nobody keeps the relay lines: {error}") from error
    try:
        told = json.loads(done.stdout)
    except ValueError:
        raise BenchError(f"nobody keeps the relay lines: {done.stderr.decode(errors='replace')[-200:]}") from None
    if "failed" in told:
        raise BenchError(told["failed"])
    found: dict[str, bool | str] = told["safe"]
    return found


def main() -> int:
    """The process of `keep_safe`: what it did goes to standard output, as one JSON object."""
    from rig.instruments.relays import load_gpio

    try:
        asked = json.loads(sys.stdin.buffer.read())
        state, specs = str(asked["state"]), tuple(from_json(RelaySpec, each) for each in asked["relays"])
        load_gpio()  # before the lines are taken, so that they are nobody's for a shorter time
        take(state, pins(specs))
        safe = {spec.name: _made_safe(spec) for spec in specs}
        stay(state, pins(specs), (0, 1, 2))
    except (RigError, OSError) as error:
        print(json.dumps({"failed": error.one_line() if isinstance(error, RigError) else str(error)}))  # noqa: T201
        return 4
    print(json.dumps({"safe": safe}))  # noqa: T201
    return 0


def _made_safe(spec: RelaySpec) -> bool | str:
    from rig.guardian.hands import open_relay

    try:
        relay = open_relay(spec, SystemClock(), {})
        safe = relay.make_safe()
        if spec.gpio is None:
            relay.close()
    except RigError as error:
        return error.one_line()
    return safe


class Kept:
    """Relays that a keeper was made to hold: safe where their lines say so, and nothing can be asked of them."""

    def __init__(self, state: str, relays: Sequence[RelaySpec]) -> None:
        """Raises BenchError when no keeper could begin."""
        self._safe = keep_safe(state, relays)
        self._names = {spec.role: spec.name for spec in relays}

    def closed(self, role: str) -> bool:
        return self._safe[self._names[role]] is not True

    def make_safe(self) -> dict[str, bool]:
        return {name: safe is True for name, safe in self._safe.items()}

    def stand_down(self) -> None:
        """Raises Refused unless every line read safe."""
        for name, safe in self._safe.items():
            if safe is not True:
                raise Refused(f"the keeper does not stand down: relay {name} is not proven safe")

    def close(self) -> list[BenchError]:
        return []


class _File:
    """A keeper's file, as others see it."""

    def __init__(self, path: str) -> None:
        self._fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)

    def pid(self) -> int | None:
        """Who holds it locked; None: nobody does."""
        try:
            fcntl.flock(self._fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return int(os.pread(self._fd, 20, 0) or b"0") or None
        return None

    def close(self) -> None:
        os.close(self._fd)


def _keep(file: int, tell: int, leave: Iterable[int]) -> None:
    """In the forked process, which never returns: a signal ends it, and gives the lines back."""
    try:
        for number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
            signal.signal(number, signal.SIG_IGN)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        for fd in leave:
            with contextlib.suppress(OSError):
                os.close(fd)
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        text = str(os.getpid()).encode()
        os.pwrite(file, text, 0)
        os.ftruncate(file, len(text))
        os.write(tell, b"k")
        os.close(tell)
        while True:
            signal.pause()
    finally:
        os._exit(1)


def _end(path: str) -> None:
    """End the keeper whose file this is, and take the file away."""
    try:
        file = _File(path)
    except FileNotFoundError:
        return
    with contextlib.closing(file):
        pid = file.pid()
        if pid is not None:
            _terminate(pid)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)  # noqa: PTH108


def _terminate(pid: int) -> None:
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(fd, number)
            if poll.poll(_ENDING_MS):
                return
    except PermissionError as error:
        raise BenchError(f"another user's process {pid} keeps the relay lines") from error
    finally:
        os.close(fd)
    raise BenchError(f"process {pid} keeps the relay lines and does not end")


def _name(lines: Sequence[int]) -> str:
    return "gpio-" + "-".join(str(line) for line in lines)


def _pins(name: str) -> set[int]:
    words = name.removeprefix("gpio-").split("-")
    return {int(word) for word in words if word.isdecimal()}


if __name__ == "__main__":
    sys.exit(main())
