"""Writes a recording while it happens: each line is with the operating system before the next byte goes over the wire.

A disk that fails ends the recording, and never the run: `broken` says why. Secrets are struck out before anything is
written. Knows no instrument and no wire.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from rig.errors import InputError, Where
from rig.recording.format import HEADER, SECRET_MARK, escaped

LONG = 1024
"""Pieces of more bytes than this stand in the file by length and sum, unless all is wanted."""


class Tap(Protocol):
    """Hears one link. Never raises, never waits."""

    def opened(self, address: str) -> None: ...
    def sent(self, data: bytes) -> None: ...
    def received(self, data: bytes | bytearray) -> None: ...
    def cleared(self) -> None: ...
    def closed(self) -> None: ...
    def hide(self, hidden: bool) -> None:
        """Whether what is said from now on is a secret as a whole: cut over messages, none is found by its bytes."""


class Taps(Protocol):
    """Who hears the links of a bench."""

    def tap(self, name: str, now: Callable[[], int], secrets: Sequence[bytes] = ()) -> Tap:
        """For the link `name`. `now`: nanoseconds on the run's line. `secrets`: what is struck out, as it is sent."""


class Recorder:
    """Implements `Taps` into a file, which must not be there yet. Raises InputError. Close it at the end."""

    def __init__(self, file: Path, *, full: bool = False) -> None:
        try:
            self._fd = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
        except FileExistsError:
            where = Where(str(file), expected="a new file: a recording is never overwritten")
            raise InputError("there is such a file already", where) from None
        except OSError as error:
            raise InputError(f"the recording cannot be written: {error.strerror}", Where(str(file))) from None
        self._full = full
        self._file = file
        self._lines = 0
        self.broken: str | None = None
        self.write(HEADER)

    def tap(self, name: str, now: Callable[[], int], secrets: Sequence[bytes] = ()) -> Tap:
        return _FileTap(self, name, now, tuple(sorted((s for s in secrets if s), key=len, reverse=True)), self._full)

    def write(self, line: str) -> None:
        """One line, in one call to the system: lines of several links never mix."""
        if self.broken is not None:
            return
        data = f"{line}\n".encode("ascii")
        self._lines += 1
        try:
            if os.write(self._fd, data) != len(data):
                self.broken = "the disk took only a part of a line"
        except OSError as error:
            self.broken = error.strerror or str(error)

    def close(self) -> bool:
        """On the disk, as far as it can be; a file in which nothing stands is taken away again: False then."""
        if self._lines == 1:
            os.close(self._fd)
            self._file.unlink(missing_ok=True)
            return False
        try:
            os.fsync(self._fd)
        except OSError as error:
            self.broken = self.broken or error.strerror
        os.close(self._fd)
        return True


class _FileTap:
    def __init__(
        self, recorder: Recorder, name: str, now: Callable[[], int], secrets: tuple[bytes, ...], full: bool
    ) -> None:
        self._recorder = recorder
        self._name = name
        self._now = now
        self._secrets = secrets
        self._full = full
        self._is_open = False
        self._hidden = False

    def opened(self, address: str) -> None:
        self._is_open = True
        self._tell("open", address)

    def sent(self, data: bytes) -> None:
        self._tell(">", self._shown(bytes(data)))

    def received(self, data: bytes | bytearray) -> None:
        if data:
            self._tell("<", self._shown(bytes(data)))

    def cleared(self) -> None:
        self._tell("clear")

    def closed(self) -> None:
        if self._is_open:
            self._is_open = False
            self._tell("close")

    def hide(self, hidden: bool) -> None:
        self._hidden = hidden

    def _tell(self, kind: str, rest: str = "") -> None:
        self._recorder.write(f"{self._now()} {self._name} {kind} {rest}".rstrip())

    def _shown(self, data: bytes, at: int = 0) -> str:
        """Cut at the secrets first: no sum is made of one either."""
        if self._hidden:
            return SECRET_MARK
        if at < len(self._secrets):
            return SECRET_MARK.join(self._shown(part, at + 1) for part in data.split(self._secrets[at]))
        if len(data) > LONG and not self._full:
            return f"\\[{len(data)} {hashlib.sha256(data).hexdigest()}]"
        return escaped(data)
