"""A file is there whole or not at all, and its name is durable."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from rig import whole_file
from rig.whole_file import replace_whole, write_synced


@pytest.mark.parametrize("fails", ["fsync", "rename"])
def test_a_write_that_fails_leaves_what_was_there_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    file = tmp_path / "book.json"
    replace_whole(file, b"before")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(*((os, "fsync", full) if fails == "fsync" else (Path, "replace", full)))
        with pytest.raises(OSError, match="No space left"):
            replace_whole(file, b"after")
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("book.json", b"before")]


def test_file_and_folder_are_fsynced_in_this_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    plain_fsync, plain_replace = os.fsync, Path.replace

    def fsync(descriptor: int) -> None:
        done.append("folder" if os.path.samestat(os.fstat(descriptor), tmp_path.stat()) else "file")
        plain_fsync(descriptor)

    def replace(self: Path, target: Path) -> Path:
        done.append("rename")
        return plain_replace(self, target)

    monkeypatch.setattr(whole_file.os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)
    replace_whole(tmp_path / "a", b"1")
    assert done == ["file", "rename", "folder"]


def test_a_new_file_never_replaces_one(tmp_path: Path) -> None:
    write_synced(tmp_path / "a", b"1")
    with pytest.raises(FileExistsError):
        write_synced(tmp_path / "a", b"2")
