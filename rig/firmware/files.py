"""Files of firmware on disk: opened only where they are plain files, hashed in pieces, written whole or not at all.

Knows no format.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from rig.errors import InputError, Where
from rig.whole_file import replace_whole, sync_folder, write_synced

_CHUNK_BYTES = 1 << 20


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """A plain file, open for reading. Raises InputError for anything else: a pipe or a device is never waited for.

    A fault of the disk while it is read is an InputError too.
    """
    where = Where(file=str(path))
    try:
        with _open(path, where) as source:
            if not stat.S_ISREG(os.fstat(source.fileno()).st_mode):
                raise InputError("not a plain file", where)
            yield source
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where) from error


def _open(path: Path, where: Where) -> BinaryIO:
    def without_waiting(name: str, flags: int) -> int:
        return os.open(name, flags | os.O_NONBLOCK)

    try:
        return open(path, "rb", opener=without_waiting)
    except (FileNotFoundError, NotADirectoryError):
        raise InputError("no such file", where) from None
    except IsADirectoryError:
        raise InputError("not a plain file", Where(file=str(path), found="a folder")) from None
    except ValueError:
        raise InputError("no file can have this name", where) from None


def sha256_of(source: BinaryIO, stretches: Sequence[tuple[int, int]]) -> list[str]:
    """The SHA-256 of each stretch (offset, end), lower-case hex. One pass; the memory does not grow with the file."""
    sums = [hashlib.sha256() for _ in stretches]
    at = source.seek(min((start for start, _ in stretches), default=0))
    last = max((end for _, end in stretches), default=0)
    while at < last:
        chunk = memoryview(source.read(min(_CHUNK_BYTES, last - at)))
        if not chunk:
            raise InputError("the file became shorter while it was read")
        for (start, end), digest in zip(stretches, sums, strict=True):
            if start < at + len(chunk) and end > at:
                digest.update(chunk[max(0, start - at) : end - at])
        at += len(chunk)
    return [digest.hexdigest() for digest in sums]


def write_folders(folders: Mapping[Path, Mapping[str, bytes]], *, force: bool) -> list[str]:
    """Write files into folders; says of each folder whether it was `made`, `replaced` or `unchanged`.

    Where a file is there with other content, raises InputError before anything is touched; with `force` it is replaced,
    whole or not at all. A new folder appears whole or not at all. Other files in a folder stay.
    """
    if not force:
        for folder, files in folders.items():
            _refuse_to_replace(folder, files)
    return [_write_folder(folder, files) for folder, files in folders.items()]


def _refuse_to_replace(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        if os.path.lexists(folder / name) and not _holds(folder / name, content):
            where = Where(file=str(folder / name), expected="--force to replace it")
            raise InputError("is there already, with another content", where)


def _write_folder(folder: Path, files: Mapping[str, bytes]) -> str:
    try:
        if not folder.is_dir():
            _new_folder(folder, files)
            return "made"
        different = [name for name, content in files.items() if not _holds(folder / name, content)]
        for name in different:
            replace_whole(folder / name, files[name])
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", Where(file=str(folder))) from error
    return "replaced" if different else "unchanged"


def _new_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = folder.with_name(f".{folder.name}.{os.getpid()}.partial")
    partial.mkdir()
    try:
        for name, content in files.items():
            write_synced(partial / name, content)
        sync_folder(partial)
        partial.rename(folder)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    sync_folder(folder.parent)


def _holds(path: Path, content: bytes) -> bool:
    """Whether a plain file of that name is there with this content."""
    if not path.is_file():
        return False
    with opened(path) as source:
        return source.read(len(content) + 1) == content
