"""The folder of one run: written under a hidden name, made durable, and only then given its own name.

Knows files and the clock. Decides nothing. A folder `<out>/<run-id>/` is always whole: every file in it was fsynced
and is in `SHA256SUMS`. What a killed run leaves is `<out>/.<run-id>.partial/`.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from rig.clock import NS, Clock
from rig.errors import BenchError, InputError, Where
from rig.instruments.ports import Capture
from rig.records.capture_file import MOST_BINS, save_capture, save_envelope
from rig.records.disk import Keep
from rig.records.report import render
from rig.records.run import Picture, RunRecord
from rig.whole_file import sync_folder, write_synced

EVENTS: Final = "events.jsonl"
SUMS: Final = "SHA256SUMS"
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_MB = 1_000_000
_LINE: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False)


def check_out(out: Path, need_bytes: int) -> None:
    """Prove that `out` can be written, by writing, and that `need_bytes` are free there. Creates `out` if needed.

    Raises `InputError` naming `out`; folders that this made are removed again then.
    """
    made = _make_folder(out)
    try:
        _try_writing(out)
        _check_free(out, need_bytes)
    except BaseException:
        _remove_empty(made)
        raise


def free_bytes(out: Path) -> int:
    """How much room is left where the evidence goes."""
    return shutil.disk_usage(out).free


def _check_free(out: Path, need_bytes: int) -> None:
    free = free_bytes(out)
    if free < need_bytes:
        where = Where(str(out), found=f"{free / _MB:.1f} MB", expected=f"{need_bytes / _MB:.1f} MB")
        raise InputError("disk full: too little free space for the evidence", where)


def _try_writing(out: Path) -> None:
    probe = out / f".{secrets.token_hex(8)}.probe"
    try:
        write_synced(probe, b"rig\n")
    except OSError as error:
        raise _unwritable(out, error) from error
    finally:
        with contextlib.suppress(OSError):
            probe.unlink(missing_ok=True)


def _make_folder(out: Path) -> list[Path]:
    """Make `out` and its parents; returns the folders that were made, deepest first."""
    try:
        missing = [p for p in (out, *out.parents) if not p.exists()]
    except OSError as error:
        raise _unwritable(out, error) from error
    made: list[Path] = []
    try:
        for folder in reversed(missing):
            with contextlib.suppress(FileExistsError):  # another run of the same lab may be making it too
                folder.mkdir()
                made.insert(0, folder)
                sync_folder(folder.parent)
        if not out.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(out))
    except OSError as error:
        _remove_empty(made)
        raise _unwritable(out, error) from error
    return made


def _remove_empty(folders: list[Path]) -> None:
    for folder in folders:
        with contextlib.suppress(OSError):
            folder.rmdir()


def _unwritable(out: Path, error: OSError) -> InputError:
    why = "disk full" if error.errno in _FULL else "the folder for results cannot be written"
    return InputError(why, Where(str(out), found=error.strerror or str(error), expected="a folder that can be written"))


def json_text(body: Mapping[str, Any]) -> str:
    """As the bundles hold it. Raises ValueError for what JSON cannot hold (NaN, infinity)."""
    return json.dumps(body, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def sums_text(folder: Path) -> str:
    """All files in `folder` as `sha256sum` prints them; each is made durable on the way, whoever wrote it.

    SHA256SUMS itself is left out. Raises OSError.
    """
    lines = []
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and p != folder / SUMS):
        with path.open("rb") as file:
            os.fsync(file.fileno())
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        lines.append(f"{digest}  {path.relative_to(folder).as_posix()}\n")
    return "".join(lines)


class Bundle:
    """One run's folder while it is being written. Make with `create`; end with `finish` or `discard`.

    After a write that failed, the folder is gone and was reported once, as a `BenchError`: later events are dropped in
    silence, so that making the bench safe is not disturbed, and everything else raises again.
    """

    def __init__(self, out: Path, run_id: str, partial: Path, clock: Clock) -> None:
        self._out = out
        self._run_id = run_id
        self._path = partial
        self._clock = clock
        self._start_ns = clock.now()
        self._open = True
        # One unbuffered append a line: two activities may write events, and a killed run keeps those written.
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        self._events = os.open(partial / EVENTS, flags, 0o644)

    @classmethod
    def create(cls, out: Path, clock: Clock) -> Bundle:
        """Start `<out>/.<run-id>.partial/`. Raises `InputError` naming `out` when it cannot be written."""
        made = _make_folder(out)
        partial: Path | None = None
        try:
            stamp = clock.utc().strftime("%Y%m%dT%H%M%SZ")
            run_id, partial = _claim(out, stamp)
            return cls(out, run_id, partial, clock)
        except OSError as error:
            _remove_empty([*([partial] if partial else []), *made])
            raise _unwritable(out, error) from error

    @property
    def run_id(self) -> str:
        """The name of the finished folder, e.g. `20261122T221530Z-3f2a`."""
        return self._run_id

    @property
    def start_ns(self) -> int:
        """The instant that its events count from."""
        return self._start_ns

    @property
    def path(self) -> Path:
        """Where the files are now: the hidden folder until `finish`, then the run's own."""
        return self._path

    def event(self, name: str, /, **fields: Any) -> None:
        """Append {"t_s": seconds since the start of the run, "event": name, fields in the order given}.

        Raises `BenchError` when it cannot be written, and `ValueError` for what JSON cannot hold (NaN, infinity).
        """
        if not self._open:
            return
        if not fields.keys().isdisjoint(("t_s", "event")):
            raise ValueError("an event's fields may not be called t_s or event")
        body = {"t_s": (self._clock.now() - self._start_ns) / NS, "event": name, **fields}
        line = _LINE.encode(body) + "\n"
        with self._writing(EVENTS):
            data = line.encode()
            while data:
                data = data[os.write(self._events, data) :]

    def put(self, name: str, text: str) -> None:
        """Write a file of the bundle now: it, and the hidden folder, survive a loss of power. Raises `BenchError`."""
        with self._writing(name):
            write_synced(self._path / name, text.encode())
            sync_folder(self._path)
            sync_folder(self._out)

    def save_capture(self, name: str, capture: Capture, from_zero_s: float | None, keep: Keep = "full") -> Path | None:
        """Write `<name>.h5`, or `<name>-envelope.h5` (see `rig.records.capture_file`), durable when this returns.

        A capture that is no longer than its envelope is kept whole. Returns None where nothing is to be kept. Raises
        `BenchError`.
        """
        if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", name):
            raise ValueError(f"not a file name for a capture: {name!r}")
        if keep == "none":
            return None
        small = keep == "envelope" and capture.points > 2 * MOST_BINS
        path = self._path / (f"{name}-envelope.h5" if small else f"{name}.h5")
        with self._writing(path.name):
            (save_envelope if small else save_capture)(path, capture, from_zero_s)
        return path

    def finish(self, record: RunRecord, picture: Picture) -> Path:
        """Write run.json, report.html and SHA256SUMS, make all durable, and give the folder its name.

        Returns `<out>/<run-id>`. Raises `BenchError`; then nothing of the run stays on the disk.
        """
        return self.keep({"run.json": json_text(record.to_json()), "report.html": render(record, picture)})

    def keep(self, files: Mapping[str, str]) -> Path:
        """`finish` with these texts, by file name."""
        final = self._out / self._run_id
        for name, text in files.items():
            with self._writing(name):
                write_synced(self._path / name, text.encode())
        with self._writing(SUMS):
            os.fsync(self._events)
            write_synced(self._path / SUMS, sums_text(self._path).encode())
        with self._writing(""):
            for folder in (*(p for p in self._path.rglob("*") if p.is_dir()), self._path):
                sync_folder(folder)
            self._path.rename(final)
            self._path = final  # from here on the folder is whole: `discard` must not touch it
            self._close()
            sync_folder(self._out)
        return final

    def discard(self) -> None:
        """Remove the hidden folder. Does nothing to a finished one; may be called twice."""
        if self._open:
            self._close()
            shutil.rmtree(self._path, ignore_errors=True)

    def _close(self) -> None:
        self._open = False
        os.close(self._events)

    @contextlib.contextmanager
    def _writing(self, name: str) -> Iterator[None]:
        if not self._open:
            raise BenchError("the run's folder is closed", Where(file=name))
        try:
            yield
        except OSError as error:
            kept = "nothing of this run was kept" if self._open else "it may not survive a loss of power"
            self.discard()
            why = "disk full while writing the evidence" if error.errno in _FULL else "the evidence cannot be written"
            where = Where(str(self._out / self._run_id / name), found=error.strerror or str(error))
            raise BenchError(f"{why}: {kept}", where) from error


def _claim(out: Path, stamp: str) -> tuple[str, Path]:
    """A run id that no other run in `out` has, and its hidden folder, made."""
    while True:
        run_id = f"{stamp}-{secrets.token_hex(2)}"
        partial = out / f".{run_id}.partial"
        try:
            partial.mkdir()
        except FileExistsError:
            continue
        # The folder is renamed, never copied: whoever holds the hidden name sees every finished run of that name.
        if not (out / run_id).exists():
            return run_id, partial
        partial.rmdir()
