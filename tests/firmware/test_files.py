"""Firmware on disk: only plain files are opened, hashes are right, and what is written is whole or not there."""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.errors import InputError
from rig.firmware import files
from rig.firmware.files import opened, sha256_of, write_folders


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing", "no such file"),
        ("plain/inside", "no such file"),
        ("folder", "not a plain file"),
        ("pipe", "not a plain file"),
        ("nul\0", "no file can have this name"),
        ("x" * 300, "cannot be read: File name too long"),
    ],
)
def test_what_is_no_plain_file_is_refused_in_one_line(name: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "plain").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError) as error, opened(tmp_path / name):
        pass
    assert (error.value.message, error.value.where.file) == (message, str(tmp_path / name))


def test_an_endless_device_is_refused() -> None:
    with pytest.raises(InputError, match="not a plain file"), opened(Path("/dev/zero")):
        pass


def test_a_fault_of_the_disk_while_it_is_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "plain").write_bytes(b"")
    with pytest.raises(InputError, match="cannot be read: Input/output error"), opened(tmp_path / "plain"):
        raise OSError(5, "Input/output error")


@given(st.binary(max_size=300), st.data(), st.sampled_from([1, 7, 1 << 20]))
def test_each_stretch_has_the_hash_of_its_bytes(data: bytes, drawn: st.DataObject, chunk: int) -> None:
    ends = st.tuples(st.integers(0, len(data)), st.integers(0, len(data))).map(lambda pair: (min(pair), max(pair)))
    stretches = drawn.draw(st.lists(ends, max_size=5))
    expected = [hashlib.sha256(data[start:end]).hexdigest() for start, end in stretches]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "_CHUNK_BYTES", chunk)
        assert sha256_of(io.BytesIO(data), stretches) == expected


def test_a_file_that_becomes_shorter_while_it_is_read_has_no_hash() -> None:
    with pytest.raises(InputError, match="became shorter"):
        sha256_of(io.BytesIO(b"abc"), [(0, 4)])


def test_a_new_folder_holds_its_files(tmp_path: Path) -> None:
    assert write_folders({tmp_path / "deep" / "new": {"a": b"1", "b": b"2"}}, force=False) == ["made"]
    assert {p.name: p.read_bytes() for p in (tmp_path / "deep" / "new").iterdir()} == {"a": b"1", "b": b"2"}
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["new"]


def test_the_same_content_again_changes_nothing(tmp_path: Path) -> None:
    write_folders({tmp_path / "x": {"a": b"1"}}, force=False)
    os.utime(tmp_path / "x" / "a", (1, 1))
    assert write_folders({tmp_path / "x": {"a": b"1"}}, force=True) == ["unchanged"]
    assert (tmp_path / "x" / "a").stat().st_mtime == 1


def test_another_content_is_replaced_with_force_only_and_nothing_is_touched_before(tmp_path: Path) -> None:
    write_folders({tmp_path / "x": {"a": b"old"}}, force=False)
    (tmp_path / "x" / "mine").write_bytes(b"mine")
    both = {tmp_path / "new": {"a": b"1"}, tmp_path / "x": {"a": b"new", "b": b"2"}}
    with pytest.raises(InputError, match="is there already, with another content") as error:
        write_folders(both, force=False)
    assert error.value.where.file == str(tmp_path / "x" / "a")
    assert not (tmp_path / "new").exists()
    assert (tmp_path / "x" / "a").read_bytes() == b"old"
    assert write_folders(both, force=True) == ["made", "replaced"]
    assert {p.name: p.read_bytes() for p in (tmp_path / "x").iterdir()} == {"a": b"new", "b": b"2", "mine": b"mine"}


@pytest.mark.parametrize("there", [False, True])
def test_a_disk_that_fills_leaves_no_half_of_anything(
    there: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if there:
        write_folders({tmp_path / "x": {"a": b"old", "b": b"old"}}, force=False)
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match="cannot be written: No space left on device"):
        write_folders({tmp_path / "x": {"a": b"new", "b": b"new"}}, force=True)
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before
    assert [p.name for p in tmp_path.iterdir()] == (["x"] if there else [])


def test_a_place_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written") as error:
        write_folders({tmp_path / "file" / "x": {"a": b"1"}}, force=False)
    assert "\n" not in error.value.one_line()


def test_a_pipe_in_the_way_is_never_waited_for(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    os.mkfifo(tmp_path / "x" / "a")
    with pytest.raises(InputError, match="is there already"):
        write_folders({tmp_path / "x": {"a": b"1"}}, force=False)
