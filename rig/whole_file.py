"""A file is there whole or not at all, and is on the disk when the call returns. Knows no format.

A rename is durable only when its folder was fsynced too (rename(2), fsync(2)): so that is done here, once for all.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from io import RawIOBase
from pathlib import Path


def write_synced(path: Path, data: bytes) -> None:
    """Write a new file and fsync it; its name is durable after `sync_folder`. Raises OSError, also where it exists."""
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def write_all(file: RawIOBase, data: bytes) -> None:
    """All of `data` to an unbuffered file, however the kernel cuts it up. Raises OSError."""
    while data:
        data = data[file.write(data) or 0 :]


def replace_whole(path: Path, data: bytes) -> None:
    """Write `path`, new or anew. Raises OSError; then what was there is there still, and nothing else stays."""
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.partial")
    try:
        write_synced(partial, data)
        partial.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """What was made, renamed or removed in `folder` stays so. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
