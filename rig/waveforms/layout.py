"""What the head of a CSV file says of its columns: the cells of its lines, and the layout that a dialect makes of them.

Knows no maker's dialect and reads no samples.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from rig.errors import InputError, Where
from rig.waveforms.rows import decoded, number, unquoted
from rig.waveforms.units import name_and_unit, per_second, per_volt

TIME_WORDS = frozenset({"", "x", "x-axis", "time", "t", "times", "zeit", "temps", "tiempo", "tempo", "tid", "tijd"})
_LOGIC = re.compile(r"^(?:D\d+(?:-D\d+)?|POD ?\d+)$", re.IGNORECASE)
_HEX = re.compile(r"^0x[0-9a-fA-F]+$")
_SEPARATOR = re.compile(rb"^\s*\"?sep=.\"?\s*$")
_TAIL_LINES = 20
_FIRST = 50


@dataclass(frozen=True)
class Line:
    """One line that is not blank, taken apart; `number` counts from 1."""

    number: int
    cells: tuple[str, ...]

    def cell(self, index: int) -> str:
        return self.cells[index] if index < len(self.cells) else ""


@dataclass(frozen=True)
class Sheet:
    """The first lines of a file, as far as read: `header` up to the first row of numbers, `rows` from there on."""

    file: str
    delimiter: str
    decimal: str
    header: tuple[Line, ...]
    rows: tuple[Line, ...]

    @property
    def fields(self) -> int:
        """How many fields a row has: what most of the first rows have."""
        return Counter(len(row.cells) for row in self.rows[:_FIRST]).most_common(1)[0][0] if self.rows else 0

    @property
    def filled(self) -> tuple[int, ...]:
        """The columns that hold anything in the first rows."""
        return tuple(at for at in range(self.fields) if any(row.cell(at) for row in self.rows[:_FIRST]))

    def number(self, text: str) -> float | None:
        """A finite number, or None."""
        value = number(text, self.decimal)
        return value if value is not None and math.isfinite(value) else None

    def line_of(self, key: str) -> Line | None:
        """The first header line whose first cell is `key`, whatever its case or a closing colon."""
        return next((line for line in self.header if _key(line.cell(0)) == key.lower()), None)

    def value(self, key: str) -> float | None:
        """The number beside `key`: the first cell after it that holds one, `Analog:` or the like before it aside."""
        line = self.line_of(key)
        found = (self.number(cell.rpartition(":")[2]) for cell in line.cells[1:]) if line else ()
        return next((value for value in found if value is not None), None)


@dataclass(frozen=True)
class Column:
    """A channel's column. `per_volt`: how many of its unit make a volt; None: `unit` is no voltage.

    `times` is the column of its own times, where it has other ones than the layout's axis.
    """

    name: str
    index: int
    unit: str
    per_volt: float | None
    times: int | None = None


@dataclass(frozen=True)
class TimeAxis:
    """When the rows were sampled.

    `index` is the column of times (`per_second` of its unit make a second) or, where `counts`, of a counter that goes
    up by one. Without a column, or with a counter, row i is at `start_s` + i * `interval_s`. With times, `interval_s`
    is what the header declares, to be believed only if the times agree. `starts` are (rows, start) where the start
    hangs on how many rows there turn out to be; any other number of rows is then a file cut short.
    """

    index: int | None = None
    per_second: float = 1.0
    counts: bool = False
    start_s: float = 0.0
    interval_s: float | None = None
    starts: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True)
class Layout:
    """How to read the rows, which begin in line `first_line` and have `fields` fields each."""

    dialect: str
    delimiter: str
    decimal: str
    fields: int
    first_line: int
    axis: TimeAxis
    channels: tuple[Column, ...]
    declared_rows: int | None
    notes: tuple[str, ...]


Recogniser = Callable[[Sheet], Layout | None]


def sheet_of(file: str, head: bytes) -> Sheet:
    """Take the head apart. The delimiter is the one of `;`, tab and comma that the last of its lines have."""
    numbered = [(at, raw) for at, raw in enumerate(head.split(b"\n"), 1) if raw.strip() and not _SEPARATOR.match(raw)]
    texts = [(at, decoded(raw).rstrip("\r")) for at, raw in numbered]
    tail = [text for _, text in texts[-_TAIL_LINES:] if not text.startswith((";", "#"))] or [""]
    delimiter = next((d for d in ";\t," if sum(d in text for text in tail) * 2 > len(tail)), ",")
    decimal = "," if delimiter != "," and any("," in text for text in tail) else "."
    lines = [Line(at, tuple(unquoted(cell) for cell in text.split(delimiter))) for at, text in texts]
    first = next((at for at, line in enumerate(lines) if _is_row(line, decimal)), len(lines))
    header = tuple(Line(line.number, (line.cell(0).lstrip("#"), *line.cells[1:])) for line in lines[:first])
    return Sheet(file, delimiter, decimal, header, tuple(lines[first:]))


def layout_of(
    sheet: Sheet,
    dialect: str,
    axis: TimeAxis,
    channels: Sequence[Column],
    declared_rows: float | None = None,
    notes: Sequence[str] = (),
    named: int | None = None,
) -> Layout:
    """The layout of rows that begin after the header, which names `named` columns (None = it does not say).

    Raises `InputError` where the rows have no such columns, or others too: a decimal comma that was taken for the
    delimiter shows so.
    """
    if not sheet.rows:
        raise InputError("no samples after the header", Where(sheet.file, expected=f"rows as {dialect} writes them"))
    held = max(sheet.filled, default=0) + 1
    if named is not None and held > named:
        raise InputError(
            "the rows have more columns than the header names",
            Where(sheet.file, line=sheet.rows[0].number, found=str(held), expected=str(named)),
        )
    used = max([column.index for column in channels] + [axis.index or 0])
    if used >= sheet.fields:
        raise InputError(
            "the rows have fewer columns than the header names",
            Where(sheet.file, line=sheet.rows[0].number, found=str(sheet.fields), expected=f"at least {used + 1}"),
        )
    rows = int(declared_rows) if declared_rows is not None and 0 < declared_rows < 1e12 else None
    return Layout(
        dialect,
        sheet.delimiter,
        sheet.decimal,
        sheet.fields,
        sheet.rows[0].number,
        axis,
        _distinct(channels),
        rows,
        tuple(notes),
    )


def channel_columns(
    names: Sequence[str], units: Sequence[str], first: int
) -> tuple[tuple[Column, ...], tuple[str, ...]]:
    """Columns from `first` on, with what had to be assumed. A unit in the name serves where `units` has none."""
    found, assumed = [], []
    for at, (cell, given) in enumerate(zip_longest(names, units, fillvalue="")):
        name, unit = name_and_unit(cell)
        unit = given.strip("()[] ") or unit
        if not name and not unit:
            continue
        if not unit and per_volt(name) is not None:
            unit = name
        if _LOGIC.match(name):
            unit = "logic"
        elif not unit:
            unit = "V"
            assumed.append(name)
        found.append(Column(name or f"column {first + at + 1}", first + at, unit, per_volt(unit)))
    notes = (f"no unit given for {', '.join(assumed)}: volts assumed",) if assumed else ()
    return tuple(found), notes


def time_unit(cell: str, unit: str = "") -> float | None:
    """How many of the time column's unit make a second, from its unit, its name or both; None if it is no time."""
    name, inside = name_and_unit(cell)
    unit = unit.strip("()[] ") or inside
    if unit:
        return per_second(unit) if name.lower() in TIME_WORDS or per_second(name) else None
    return per_second(name)


def _distinct(columns: Sequence[Column]) -> tuple[Column, ...]:
    seen = Counter(column.name for column in columns)
    return tuple(
        replace(column, name=f"{column.name} (column {column.index + 1})") if seen[column.name] > 1 else column
        for column in columns
    )


def _is_row(line: Line, decimal: str) -> bool:
    kinds = [number(cell, decimal) for cell in line.cells]
    wrong = any(kind is None and cell and not _HEX.match(cell) for kind, cell in zip(kinds, line.cells, strict=True))
    return not wrong and any(kind is not None for kind in kinds)


def _key(cell: str) -> str:
    return cell.strip(": =").lower()
