"""One owner for a bench: a lock for each piece of it (supply, oscilloscope, meter, relay line), not for its file.

Two bench files that share one supply are one bench as far as that supply goes. The locks are `flock`s, so that a dead
owner holds none; what it wrote stays, and tells the next that the bench was left without a proof that it is safe.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from rig.errors import BenchError, InputError, Where
from rig.guardian import record
from rig.guardian.record import SCHEMA, Record


def state_folder() -> Path:
    """`$ICHIS_RIG_STATE`, or `ichis-rig` in `$XDG_STATE_HOME` (default `~/.local/state`). Not made by this."""
    own = os.environ.get("ICHIS_RIG_STATE")
    if own:
        return Path(own).absolute()
    home = os.environ.get("XDG_STATE_HOME")
    return (Path(home) if home else Path.home() / ".local" / "state").absolute() / "ichis-rig"


class Lease:
    """All pieces of one bench, held. Make with `take`; end with `release`."""

    def __init__(self, folder: Path, held: dict[str, tuple[Path, int]], left: tuple[Record, ...]) -> None:
        self.folder = folder
        self._held = held
        self.left_behind = left
        """What dead owners, or a mark, left in these locks."""
        self.proven = True
        """Whether nothing was fed since the bench was last proven safe (by this owner)."""

    @classmethod
    def take(cls, folder: Path, bench: str, pieces: Iterable[str], since_utc: str, *, marked: bool = False) -> Lease:
        """Lock every piece, or none.

        Raises InputError naming the owner where one is taken by somebody who lives (or cannot be written), and
        BenchError where one is marked *not to be used*, unless `marked`: then it is taken to be made safe.
        """
        held: dict[str, tuple[Path, int]] = {}
        left: list[Record] = []
        try:
            for piece in sorted(set(pieces)):
                path = folder / "locks" / _file_name(piece)
                held[piece] = (path, _locked(path, piece))
                found = record.read(held[piece][1])
                if found is not None:
                    _check_mark(found, marked)
                    left.append(found)
            for piece, (_, fd) in held.items():
                if not any(r.resource == piece and r.marked for r in left):
                    fresh = Record(SCHEMA, "in use", piece, bench, since_utc=since_utc, why="", **record.identity())
                    record.write(fd, fresh, sync=False)
        except OSError as error:
            _give_up(held)
            raise InputError(
                "the state folder cannot be written", Where(str(folder), found=error.strerror or str(error))
            ) from error
        except BaseException:
            _give_up(held)
            raise
        return cls(folder, held, tuple(left))

    @property
    def fds(self) -> tuple[int, ...]:
        """For the guardian to inherit."""
        return tuple(fd for _, fd in self._held.values())

    def mark(self, why: str) -> None:
        """The safe state could not be proven: nobody uses these pieces until it is. Durable when this returns."""
        for _, fd in self._held.values():
            try:
                record.mark(fd, why)
            except OSError as error:
                raise BenchError(f"the bench cannot be marked as not to be used: {error}") from error

    def release(self) -> None:
        """Give everything back. Where the bench is proven safe and not marked, nothing needs to be remembered."""
        for path, fd in self._held.values():
            found = record.read(fd)
            if self.proven and (found is None or not found.marked):
                path.unlink(missing_ok=True)
        _close(self._held)

    def clear(self) -> None:
        """The bench was proven safe: take back every mark. Does not give anything back."""
        self.proven = True
        for _, fd in self._held.values():
            found = record.read(fd)
            if found is not None and found.marked:
                record.write(fd, replace(found, state="in use", why="", **record.identity()), sync=True)


def _locked(path: Path, piece: str) -> int:
    """The locked descriptor of this file. A file that was removed while we waited for it is made anew."""
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(fd).st_ino == path.stat().st_ino:
                return fd
        except FileNotFoundError:  # its last owner removed it between our opening and locking it
            pass
        except OSError as error:
            owner = record.read(fd)
            os.close(fd)
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                raise _busy(piece, owner) from None
            raise
        except BaseException:
            os.close(fd)
            raise
        os.close(fd)


def _busy(piece: str, owner: Record | None) -> InputError:
    who = "another rig"
    if owner is not None:
        alive = record.started(owner.pid) == owner.started
        who = f"process {owner.pid} (bench '{owner.bench}', since {owner.since_utc})"
        if not alive:
            who = f"the guardian of {who}, which is making it safe"
    return InputError("this bench is in use", Where(key=piece, found=who, expected="nobody"))


def _check_mark(found: Record, marked: bool) -> None:
    if not found.marked or marked:
        return
    text = f"this bench is not to be used: {found.why} (bench '{found.bench}', {found.since_utc}); 'rig safe' clears it"
    raise BenchError(text, Where(key=found.resource))


def _give_up(held: dict[str, tuple[Path, int]]) -> None:
    """Nothing was taken: files that this made go again."""
    for path, fd in held.values():
        if record.read(fd) is None:
            path.unlink(missing_ok=True)
    _close(held)


def _close(held: dict[str, tuple[Path, int]]) -> None:
    for _, fd in held.values():
        os.close(fd)
    held.clear()


def _file_name(piece: str) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", piece.lower()).strip("-")[:40]
    return f"{slug}-{hashlib.sha256(piece.encode()).hexdigest()[:8]}.lock"
