"""What the guardian did, line by line (JSON): in the run's folder while it has one, and in the state folder.

Lines in the run's folder count seconds from the start of the run; those in the state folder carry UTC. A line that
cannot be written is dropped: nothing keeps the guardian from its work.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable
from typing import Any

FILE = "guardian.jsonl"


class Journal:
    """`utc` and `state_file` are None where there is no state folder (the in-process twin)."""

    def __init__(
        self, now: Callable[[], int], state_file: str | None = None, utc: Callable[[], str] | None = None, **common: Any
    ) -> None:
        self._now = now
        self._utc = utc
        self._common = common
        self._state = -1 if state_file is None else _opened(state_file)
        self._run = -1
        self._zero_ns = 0

    def follow(self, folder: str, zero_ns: int) -> None:
        """From now on also into this run's folder."""
        self.leave()
        self._zero_ns = zero_ns
        self._run = _opened(os.path.join(folder, FILE))  # noqa: PTH118 - pathlib would cost a tenth of the start

    def leave(self) -> None:
        """The run's folder is closed by who owns it: nothing more is written there."""
        if self._run >= 0:
            os.close(self._run)
            self._run = -1

    def note(self, event: str, /, **fields: Any) -> None:
        """An everyday event: into the run's folder."""
        self._line(self._run, {"t_s": (self._now() - self._zero_ns) / 1e9, "event": event, **fields}, sync=False)

    def tell(self, event: str, /, **fields: Any) -> None:
        """What must not be lost: into both, and on the disk when this returns."""
        self._line(self._run, {"t_s": (self._now() - self._zero_ns) / 1e9, "event": event, **fields}, sync=True)
        if self._utc is not None:
            line = {"utc": self._utc(), **self._common, "event": event, **fields}
            self._line(self._state, line, sync=True)

    def _line(self, fd: int, body: dict[str, Any], *, sync: bool) -> None:
        if fd < 0:
            return
        with contextlib.suppress(OSError):
            os.write(fd, (json.dumps(body, ensure_ascii=False) + "\n").encode())
            if sync:
                os.fsync(fd)


def _opened(path: str) -> int:
    try:
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
    except OSError:
        return -1
