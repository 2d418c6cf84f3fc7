"""Builds the kernel, once, into a folder outside of the clone; and notices whatever an earlier build left half done.

A finished kernel is a folder named by its key, moved there whole: `linux`, `config` and `built.json`, which has the
checksum of `linux`. All else in the cache is somebody's unfinished work, and is told and taken away.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from kernel_bench.children import child
from kernel_bench.source import ALSO, CHANGES, OPTIONS, UNUSED, CannotBuildError, Change, Source

NEEDED_BYTES = 1_200_000_000
"""The source takes 0.7 GB unpacked, what is built of it 0.1 GB."""
MOST_COMPILERS = 8
"""Each takes a hundred megabytes of memory, and a container may have fewer processors than it sees."""
_TAIL_LINES = 30
_SITE = ("lgpio", "rpi-lgpio")
"""The libraries of a Pi's header. Not in the project's environment: there, a machine without a header has none."""

Say = Callable[[str], None]


class BuildError(Exception):
    """The build failed, and why."""


def cache_folder(say: Say) -> Path:
    """`$ICHIS_RIG_CACHE`; else `ichis-rig` in `$XDG_CACHE_HOME` or `~/.cache`, or a folder of temporary files."""
    if own := os.environ.get("ICHIS_RIG_CACHE"):
        return Path(own).absolute()
    try:
        home = os.environ.get("XDG_CACHE_HOME")
        folder = (Path(home) if home else Path.home() / ".cache").absolute() / "ichis-rig"
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            return folder
        why = f"{folder} cannot be written"
    except OSError as error:
        why = f"{error.filename}: {error.strerror}"
    except RuntimeError as error:  # there is no home
        why = str(error)
    other = Path(tempfile.gettempdir()) / f"ichis-rig-{os.getuid()}"
    other.mkdir(mode=0o700, exist_ok=True)
    if other.is_symlink() or other.stat().st_uid != os.getuid():
        raise BuildError(f"{why}, and {other} is another user's (ICHIS_RIG_CACHE names another place)")
    say(f"{why}: the kernel is kept in {other}")
    return other


def kernel(source: Source, say: Say, cache: Path) -> Path:
    """The folder of the kernel built from `source`: at once where it is there, else in minutes. Raises BuildError."""
    folder = cache / "kernel"
    with _told_when_full(folder), _alone(folder, say):
        done = folder / source.key
        if is_whole(done):
            return done
        _tidy(folder, source.key, say)
        _check_space(folder)
        say(f"building a kernel from {source.archive.name} ({source.version}), once: 2 to 5 minutes ...")
        work = folder / f"building-{source.key}"
        work.mkdir()
        try:
            _build(source, work)
            _finish(work, done, source)
        finally:
            shutil.rmtree(work, ignore_errors=True)
        say(f"built: {done}")
        return done


def is_whole(folder: Path) -> bool:
    """Whether a finished kernel is there, byte for byte as it was built."""
    try:
        told = json.loads((folder / "built.json").read_text(encoding="utf-8"))
        return bool(told["sha256"] == _sha256(folder / "linux"))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def site(say: Say, cache: Path, constraints: Path) -> Path:
    """A folder with the header's libraries in it, for `PYTHONPATH`. Raises CannotBuildError where there are none."""
    pins = [line for line in constraints.read_text().splitlines() if line.partition("==")[0] in _SITE]
    if len(pins) != len(_SITE):
        raise BuildError(f"{constraints} does not pin {' and '.join(_SITE)}")
    key = hashlib.sha256("\n".join([sys.version, *pins]).encode()).hexdigest()[:16]
    parent = cache / "header"
    with _told_when_full(parent), _alone(parent, say):
        folder, draft = parent / key, parent / f"building-{key}"
        if folder.is_dir():
            return folder
        _tidy(parent, key, say)
        words = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        try:
            with tempfile.TemporaryFile() as output:
                with child([*words, "--target", str(draft), *pins], output=output) as process:
                    process.wait()
                output.seek(0)
                told = output.read().decode(errors="replace")
            if process.returncode != 0:
                raise CannotBuildError(f"{' and '.join(pins)} could not be installed:\n{_tail(told)}")
            draft.rename(folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        return folder


# -- one build ---------------------------------------------------------------------------------------------------------


def _build(source: Source, work: Path) -> None:
    log = work / "log"
    top = source.archive.name.removesuffix(".tar.xz")
    left_out = [f"--exclude={top}/{pattern}" for pattern in UNUSED]
    unpack = ["tar", "-xf", str(source.archive), "--strip-components=1", "-C", str(work), "--anchored", *left_out]
    _step(log, work, "unpacking the source", unpack)
    for change in CHANGES:
        _change(work, change)
    asked = work / "asked.config"
    asked.write_text("".join(f"CONFIG_{option}=y\n" for option in (*OPTIONS, *ALSO)), encoding="utf-8")
    make = ["make", "ARCH=um", f"-j{min(MOST_COMPILERS, len(os.sched_getaffinity(0)))}"]
    _step(log, work, "configuring", [*make, f"KCONFIG_ALLCONFIG={asked}", "allnoconfig"])
    config = (work / ".config").read_text(encoding="utf-8").splitlines()
    if missing := [option for option in OPTIONS if f"CONFIG_{option}=y" not in config]:
        raise BuildError(f"this source cannot be configured with {', '.join(missing)}")
    _step(log, work, "compiling", [*make, "linux"])
    _step(log, work, "stripping", ["strip", "linux"])


def _change(work: Path, change: Change) -> None:
    file = work / change.file
    text, count = re.subn(change.pattern, change.text, file.read_text(encoding="utf-8"), flags=re.MULTILINE)
    if not count:
        raise BuildError(f"{change.file} of this source is not as expected: nothing there is {change.pattern}")
    file.write_text(text, encoding="utf-8")


def _step(log: Path, work: Path, what: str, words: list[str]) -> None:
    with log.open("ab") as file, child(words, output=file, folder=work) as process:
        process.wait()
    if process.returncode == 0:
        return
    told = log.read_text(encoding="utf-8", errors="replace")
    if "No space left on device" in told:
        raise BuildError(f"{what}: the disk is full ({work})")
    raise BuildError(f"{what} failed:\n{_tail(told)}\nexit code {process.returncode}")


def _finish(work: Path, done: Path, source: Source) -> None:
    """Whole or not at all: written beside, on the disk, then moved."""
    draft = work / "finished"
    draft.mkdir()
    shutil.copy2(work / "linux", draft / "linux")
    shutil.copy2(work / ".config", draft / "config")
    told = {"version": source.version, "key": source.key, "sha256": _sha256(draft / "linux")}
    (draft / "built.json").write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    for path in (*draft.iterdir(), draft):
        _on_disk(path)
    draft.rename(done)
    _on_disk(done.parent)


def _tidy(folder: Path, key: str, say: Say) -> None:
    """Everything that is no whole kernel of this key goes, and is told."""
    for path in sorted(folder.iterdir()):
        if not path.is_dir():
            continue
        if path.name.startswith("building-"):
            say(f"an interrupted build is taken away: {path.name}")
        elif path.name == key:
            say(f"a half-written {folder.name} is taken away: {path.name}")
        else:
            say(f"what was built of another source or configuration is taken away: {path.name}")
        shutil.rmtree(path)


def _check_space(folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < NEEDED_BYTES:
        wanted = f"{NEEDED_BYTES / 1e9:.1f} GB"
        raise BuildError(f"{folder}: {free / 1e9:.1f} GB free, expected {wanted} (ICHIS_RIG_CACHE names another place)")


@contextmanager
def _alone(folder: Path, say: Say) -> Iterator[None]:
    """One build at a time. Whoever comes later finds the kernel there."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another build is going on: waiting for it ...")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _told_when_full(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise BuildError(f"the disk is full ({folder})") from error
        raise BuildError(f"{error.filename or folder}: {error.strerror}") from error


def _on_disk(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _tail(text: str) -> str:
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    return "\n".join(lines[-_TAIL_LINES:]) if lines else "it said nothing"


__all__ = ["BuildError", "CannotBuildError", "cache_folder", "is_whole", "kernel", "site"]
