"""Rows of numbers out of blocks of text: fast with pyarrow or numpy, and exactly where they balk. Knows no dialect.

The exact parser defines what a row is; the fast ones only ever agree with it, or hand a block back. Values that are
not finite, or as large as the 9.9E+37 that oscilloscopes print for a clipped sample, come out as they stand.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

import numpy as np
import numpy.typing as npt

from rig.errors import InputError, Where

Array = npt.NDArray[np.float64]
Parser = Callable[[bytes], list[Array] | None]

INFINITE = ("∞", "-∞", "+∞")
BLOCK_BYTES = 1 << 22
"""What the fast parsers like to be fed: larger blocks cost memory and gain nothing."""

_SMALL = 1 << 15
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_UNKNOWN = re.compile(r"[+-]?(?:nan|inf|infinity|∞)|-{2,}|\*{2,}", re.IGNORECASE)


@dataclass(frozen=True)
class RowFormat:
    """`fields` in every row; the columns `wanted` hold numbers, and no others are looked at."""

    delimiter: str
    decimal: str
    fields: int
    wanted: tuple[int, ...]


def number(text: str, decimal: str = ".") -> float | None:
    """The field as a number: NaN for what stands for 'unknown', None for what is not a number (blank too)."""
    text = text.strip()
    if decimal != ".":
        if "." in text:
            return None
        text = text.replace(decimal, ".")
    if _NUMBER.fullmatch(text):
        return float(text)
    return float("nan") if _UNKNOWN.fullmatch(text) else None


class Rows:
    """Turns blocks into columns. `engine` says which fast parser serves."""

    def __init__(self, file: str, form: RowFormat) -> None:
        self._file, self._form = file, form
        arrow = _arrow(form)
        self.engine = "pyarrow" if arrow else "numpy"
        self._fast: Parser = arrow or _numpy(form)

    def columns(self, data: bytes, first_line: int) -> list[Array]:
        """One array for each column wanted. Raises `InputError` naming the line that is not a row."""
        parts: list[list[Array]] = []
        waiting = [(data, first_line)]
        while waiting:
            block, line = waiting.pop()
            got = self._fast(block)
            if got is None and len(block) > _SMALL:
                middle = block.find(b"\n", len(block) // 2) + 1
                if 0 < middle < len(block):
                    waiting.append((block[middle:], line + block.count(b"\n", 0, middle)))
                    waiting.append((block[:middle], line))
                    continue
            parts.append(self._exact(block, line) if got is None else got)
        return parts[0] if len(parts) == 1 else [np.concatenate(column) for column in zip(*parts, strict=True)]

    def _exact(self, data: bytes, first_line: int) -> list[Array]:
        form = self._form
        columns: list[list[float]] = [[] for _ in form.wanted]
        for line, text in enumerate(decoded(data).split("\n"), first_line):
            if not text.strip():
                continue
            cells = text.rstrip("\r").split(form.delimiter)
            if len(cells) != form.fields:
                what = "a row with a missing field" if len(cells) < form.fields else "a row with too many fields"
                raise InputError(
                    what, Where(self._file, line=line, found=f"{len(cells)} fields", expected=str(form.fields))
                )
            for column, index in zip(columns, form.wanted, strict=True):
                value = number(unquoted(cells[index]), form.decimal)
                if value is None:
                    raise self._no_number(line, index, cells[index])
                column.append(value)
        return [np.array(column, np.float64) for column in columns]

    def _no_number(self, line: int, index: int, cell: str) -> InputError:
        if not cell.strip():
            return InputError(
                "a row with a missing field", Where(self._file, f"field {index + 1}", line, "nothing", "a number")
            )
        return InputError(
            "not a number", Where(self._file, f"field {index + 1}", line, repr(cell.strip()[:40]), "a number")
        )


def decoded(data: bytes) -> str:
    """UTF-8, or the one-byte text of Windows where it is not; never fails."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def unquoted(cell: str) -> str:
    cell = cell.strip()
    return cell[1:-1].strip() if len(cell) > 1 and cell[0] == cell[-1] == '"' else cell


def _arrow(form: RowFormat) -> Parser | None:
    try:
        pyarrow, reader = import_module("pyarrow"), import_module("pyarrow.csv")
    except ImportError:
        return None
    names = [str(index) for index in range(form.fields)]
    wanted = [names[index] for index in form.wanted]
    parse = reader.ParseOptions(delimiter=form.delimiter, quote_char=False)
    convert = reader.ConvertOptions(
        column_types={name: pyarrow.float64() for name in wanted},
        include_columns=wanted,
        null_values=list(INFINITE),
        strings_can_be_null=False,
        check_utf8=False,
        decimal_point=form.decimal,
    )
    options = reader.ReadOptions(column_names=names, block_size=BLOCK_BYTES // 2)
    pool = pyarrow.system_memory_pool()  # gives memory back at once: the default pool keeps what a block needed

    def parser(data: bytes) -> list[Array] | None:
        # A copy that Arrow owns: its threads let go of the data when they please, and one that then has to ask Python
        # for a buffer of Python's, while Python is ending, aborts the process.
        own = pyarrow.allocate_buffer(len(data), pool)
        np.frombuffer(own, np.uint8)[:] = np.frombuffer(data, np.uint8)
        try:
            table = reader.read_csv(own, options, parse, convert, pool)
        except pyarrow.ArrowException:
            return None
        return [column.to_numpy() for column in table.columns]

    return parser


def _numpy(form: RowFormat) -> Parser:
    mark = form.delimiter.encode()

    def parser(data: bytes) -> list[Array] | None:
        if not data.strip() or not _every_row_has(data, mark, form.fields):
            return None
        if form.decimal != ".":
            if b"." in data:
                return None
            data = data.replace(form.decimal.encode(), b".")
        try:
            table = np.loadtxt(
                io.StringIO(decoded(data)), delimiter=form.delimiter, comments=None, usecols=form.wanted, ndmin=2
            )
        except ValueError:
            return None
        return [np.ascontiguousarray(column) for column in table.T]

    return parser


def _every_row_has(data: bytes, mark: bytes, fields: int) -> bool:
    """Whether each line has exactly that many fields, none of it blank: counted, not parsed."""
    codes = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(codes == ord("\n"))
    if len(ends) == 0 or ends[-1] != len(codes) - 1:
        ends = np.append(ends, len(codes))
    counted = np.searchsorted(np.flatnonzero(codes == ord(mark)), ends)
    return bool(np.all(np.diff(counted, prepend=0) == fields - 1))
