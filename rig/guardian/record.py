"""What stands in a lock file: who owns a piece of a bench, and whether it may be used. Written through its descriptor.

The guardian inherits the descriptors: it holds the locks as long as it lives, and can mark the bench when the
controller is dead. Who takes and gives back locks is `rig.guardian.lease`.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from typing import Any

from rig.errors import InputError
from rig.guardian.strict import from_json, to_json

SCHEMA = "rig.owner/1"
_LARGEST = 1 << 16


@dataclass(frozen=True)
class Record:
    """`state`: 'in use', or 'not to be used' (a safe state could not be proven; `why`). `started` in clock ticks."""

    schema: str
    state: str
    resource: str
    bench: str
    pid: int
    started: int
    boot_id: str
    since_utc: str
    why: str

    @property
    def marked(self) -> bool:
        return self.state == "not to be used"


def read(fd: int) -> Record | None:
    """What is written there; None for nothing, or for what no rig wrote."""
    try:
        return from_json(Record, json.loads(os.pread(fd, _LARGEST, 0)))
    except (ValueError, InputError, OSError):
        return None


def write(fd: int, record: Record, *, sync: bool) -> None:
    """Replace it. Raises OSError."""
    data = (json.dumps(to_json(record), ensure_ascii=False) + "\n").encode()
    os.pwrite(fd, data, 0)
    os.ftruncate(fd, len(data))
    if sync:
        os.fsync(fd)


def mark(fd: int, why: str) -> None:
    """This piece is not to be used until somebody proves it safe; durable when this returns. Raises OSError."""
    record = read(fd)
    if record is not None and not record.marked:
        write(fd, replace(record, state="not to be used", why=why), sync=True)


def identity() -> dict[str, Any]:
    """This process: pid, start time in clock ticks since boot (proc(5), stat, field 22), and the boot's id."""
    from rig.instruments.line_client import boot_id

    return {"pid": os.getpid(), "started": started(os.getpid()), "boot_id": boot_id()}


def started(pid: int) -> int:
    """When a process began, in clock ticks since boot; 0 for one that is not there."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123 - pathlib would cost a tenth of the start
            return int(file.read().rpartition(b")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return 0
