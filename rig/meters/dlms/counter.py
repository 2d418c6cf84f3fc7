"""The invocation counter of one client's system title: it never gives a number twice, whatever ends the process.

Numbers are reserved ahead in a file, under a lock and with fsync: those that a process did not use are skipped. One
number used twice with one key would give the key's secrets away (NIST SP 800-38D, 8), and a meter refuses it.
"""

from __future__ import annotations

import fcntl
import os
import re
from pathlib import Path

from rig.errors import InputError, Where

_AHEAD = 256
_MOST = 0xFFFF_FFFF
_LONGEST = 16


class FrameCounter:
    """`file` is made with the first number."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._next = self._end = 0

    def take(self, least: int = 0, count: int = 16) -> int:
        """A number from which `count` are ours, none of them below `least`. Raises InputError for a file that is no
        counter, or one that is used up."""
        if max(self._next, least) + count > self._end:
            self._reserve(least, max(count, _AHEAD))
        return max(self._next, least)

    def used(self, following: int) -> None:
        """All numbers below this one are used."""
        self._next = max(self._next, following)

    def _reserve(self, least: int, count: int) -> None:
        where = Where(file=str(self._file))
        try:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            fd = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise InputError(f"the invocation counter cannot be kept: {error.strerror}", where) from None
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            text = os.read(fd, _LONGEST + 1)
            if text and re.fullmatch(rb"[0-9]{1,10}\n", text) is None:
                raise InputError("is no invocation counter", Where(str(self._file), expected="one number"))
            start = max(int(text or b"1"), least, self._next)
            if start + count > _MOST:
                raise InputError("the invocation counter is used up: the meter needs new keys", where)
            os.pwrite(fd, b"%010d\n" % (start + count), 0)
            os.fsync(fd)
        finally:
            os.close(fd)
        self._next, self._end = start, start + count
