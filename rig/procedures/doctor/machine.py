"""The machine that controls the bench, as its files, commands and libraries show it. Reads only; decides nothing.

Everything that differs between machines comes through `Machine`, so that tests can be any machine. Paths are written as
on the machine (`/sys/...`), whatever its root.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import util
from pathlib import Path

from rig.instruments.chips import OpenChip, load_open_chip

COMMAND_S = 3.0
"""How long one command may take."""


@dataclass(frozen=True)
class Ran:
    """What a command said. `problem` says why there is no answer; `here` is False where there is no such command."""

    out: str
    problem: str | None = None
    here: bool = True


@dataclass(frozen=True)
class SerialPort:
    """`by_id` is a name that stays the same after unplugging, None where the system gives none."""

    device: str
    description: str
    by_id: str | None


@dataclass(frozen=True)
class User:
    name: str
    uid: int
    gids: frozenset[int]


Run = Callable[[tuple[str, ...], float], Ran]
"""Runs these words as a command for at most so many seconds."""


def run_command(words: tuple[str, ...], timeout_s: float) -> Ran:
    """No shell, nothing on its input. Its time-out is the child's own and kills it: no clock of the rig can do that."""
    try:
        done = subprocess.run(  # noqa: S603 - the words are this package's own, and no shell reads them
            words,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
            check=False,
            env={**os.environ, "LC_ALL": "C"},
        )
    except FileNotFoundError:
        return Ran("", f"{words[0]} is not here", here=False)
    except subprocess.TimeoutExpired:
        return Ran("", f"{words[0]} did not end within {timeout_s:g} s")
    except OSError as error:
        return Ran("", f"{words[0]}: {error.strerror}")
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip() or f"exit code {done.returncode}").splitlines()[-1]
        return Ran(done.stdout, f"{words[0]}: {said}")
    return Ran(done.stdout)


def list_serial_ports() -> list[SerialPort]:
    from serial.tools.list_ports import comports

    stable: dict[str, str] = {}
    for link in sorted(Path("/dev/serial/by-id").glob("*")):
        stable.setdefault(os.path.realpath(link), str(link))
    found = sorted(comports(), key=lambda port: str(port.device))
    return [SerialPort(p.device, p.description or "", stable.get(os.path.realpath(p.device))) for p in found]


def this_user() -> User:
    import pwd

    uid = os.geteuid()
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        name = str(uid)
    return User(name, uid, frozenset((*os.getgroups(), os.getegid())))


def version_of(distribution: str) -> str | None:
    """The version of an installed Python distribution, None where it is not installed."""
    from importlib import metadata

    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def own_requirements() -> list[str]:
    """What this package requires, as its metadata says it: `pyarrow>=17; extra == 'csv'`."""
    from importlib import metadata

    return metadata.requires("ichis-rig") or []


def has_module(name: str) -> bool:
    return util.find_spec(name) is not None


def _usable(path: Path) -> bool:
    return os.access(path, os.R_OK | os.W_OK)


def _free_bytes(path: Path) -> int:
    import shutil

    return shutil.disk_usage(path).free


@dataclass(frozen=True)
class Machine:
    """This machine; tests put another in its place, part by part."""

    root: Path = Path("/")
    run: Run = run_command
    serial_ports: Callable[[], list[SerialPort]] = list_serial_ports
    user: Callable[[], User] = this_user
    version_of: Callable[[str], str | None] = version_of
    own_requirements: Callable[[], list[str]] = own_requirements
    has_module: Callable[[str], bool] = has_module
    python: tuple[int, int, int] = sys.version_info[:3]
    access: Callable[[Path], bool] = _usable
    free_bytes: Callable[[Path], int] = _free_bytes
    open_chip: OpenChip | None = None

    def read(self, path: str) -> str | None:
        """The text of a small file, without white space and zero bytes around it; None where it cannot be read."""
        try:
            return self._at(path).read_text(encoding="utf-8", errors="replace").strip("\0 \n\t")
        except OSError:
            return None

    def glob(self, pattern: str) -> list[str]:
        """Paths, sorted."""
        return sorted(f"/{found.relative_to(self.root)}" for found in self.root.glob(pattern.lstrip("/")))

    def exists(self, path: str) -> bool:
        return self._at(path).exists()

    def real(self, path: str) -> str:
        """The path without symbolic links."""
        return str(Path("/") / self._at(path).resolve().relative_to(self.root.resolve()))

    def usable(self, path: str) -> bool:
        """Whether this user may read and write it."""
        return self.access(self._at(path))

    def chips(self) -> OpenChip:
        """`gpiod.Chip`. Raises BenchError where there is no gpiod."""
        return self.open_chip or load_open_chip()

    def model(self) -> str | None:
        """The board's name from its device tree: `Raspberry Pi 5 Model B Rev 1.0`; None on a PC."""
        return self.read("/proc/device-tree/model")

    def is_pi(self) -> bool:
        return (self.model() or "").startswith("Raspberry Pi")

    def _at(self, path: str) -> Path:
        return self.root / path.lstrip("/")
