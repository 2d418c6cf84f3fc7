"""A text file in bounded pieces: its head, and blocks of whole lines; `.gz` is unpacked on the way. Knows no columns.

Every refusal names the file and the line or the offset. Nothing here holds more than a block and a line of the file.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from rig.errors import InputError, Where

HEAD_BYTES = 1 << 16
MAX_LINE_BYTES = 1 << 14
_FREE_BYTES = 1 << 22
_MAX_RATIO = 30
_BOM = b"\xef\xbb\xbf"
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class Block:
    """Whole lines; `first_line` counts from 1. `ended` is False for a last line without a line end."""

    first_line: int
    data: bytes
    ended: bool


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        with path.open("rb") as file:
            packed = file.read(2) == _GZIP
            file.seek(0)
            if not packed:
                yield file
                return
            with closing(gzip.GzipFile(fileobj=file)) as unpacked:
                yield cast(BinaryIO, unpacked)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputError("the compressed file is damaged or cut short", Where(str(path), found=str(error))) from error
    except OSError as error:
        raise InputError("cannot be read", Where(str(path), found=error.strerror or str(error))) from error


def read_head(path: Path) -> bytes:
    """The whole lines among the first 64 KiB, without a byte order mark. Raises `InputError` for what is not text."""
    with _opened(path) as file:
        head = file.read(HEAD_BYTES)
    if not head:
        raise InputError("the file is empty", Where(str(path)))
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise InputError("text in UTF-16 is not read", Where(str(path), expected="UTF-8, or Windows' one-byte text"))
    _check(path, head, 0)
    if len(head) == HEAD_BYTES:
        if b"\n" not in head[-MAX_LINE_BYTES:]:
            raise _too_long(path, head.count(b"\n") + 1)
        head = head[: head.rfind(b"\n") + 1]
    return head.removeprefix(_BOM)


def blocks(path: Path, first_line: int, size: int) -> Iterator[Block]:
    """The lines from `first_line` on, in blocks of about `size` bytes. Raises `InputError` when a block is not text."""
    with _opened(path) as file:
        stored = path.stat().st_size
        for _ in range(first_line - 1):
            file.readline(MAX_LINE_BYTES + 1)
        line, offset = first_line, file.tell()
        while data := file.read(size):
            _check(path, data, offset)
            if not data.endswith(b"\n"):
                rest = file.readline(MAX_LINE_BYTES + 1)
                if len(rest) > MAX_LINE_BYTES or (len(data) > MAX_LINE_BYTES and b"\n" not in data):
                    raise _too_long(path, line + data.count(b"\n"))
                _check(path, rest, offset + len(data))
                data += rest
            offset += len(data)
            if offset > _FREE_BYTES + _MAX_RATIO * stored:
                raise InputError(
                    "the file unpacks to more than an oscilloscope's file would",
                    Where(
                        str(path),
                        found=f"over {offset} bytes from {stored}",
                        expected=f"at most {_MAX_RATIO} times as many; if it is genuine, unpack it",
                    ),
                )
            whole = data.removeprefix(_BOM) if line == 1 else data
            yield Block(line, whole, ended=data.endswith(b"\n"))
            line += data.count(b"\n")


def nth_row_line(path: Path, first_line: int, row: int) -> int:
    """The number of the line that holds row `row` (from 0), blank lines not counted: only for messages."""
    left = row
    for block in blocks(path, first_line, 1 << 22):
        lines = block.data.split(b"\n")
        for at, text in enumerate(lines):
            if text.strip():
                if left == 0:
                    return block.first_line + at
                left -= 1
    return first_line + row


def _check(path: Path, piece: bytes, offset: int) -> None:
    nul = piece.find(b"\0")
    if nul >= 0:
        raise InputError(
            "not text: a zero byte", Where(str(path), found=f"it at offset {offset + nul}", expected="CSV")
        )
    if b"\r" in piece:
        ends = piece.count(b"\r\n") + piece.endswith(b"\r")
        if piece.count(b"\r") != ends:
            raise InputError(
                "a carriage return inside a line",
                Where(
                    str(path),
                    found=f"bytes {offset} to {offset + len(piece)}",
                    expected="lines that end with LF or CR LF",
                ),
            )


def _too_long(path: Path, line: int) -> InputError:
    return InputError("the line is too long", Where(str(path), line=line, expected=f"at most {MAX_LINE_BYTES} bytes"))
