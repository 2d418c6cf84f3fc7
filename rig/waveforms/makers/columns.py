"""What several makers' headers share: a line of names over a line of units, and keys above the names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from rig.errors import InputError, Where
from rig.waveforms.layout import TIME_WORDS, Layout, Line, Sheet, TimeAxis, channel_columns, layout_of, time_unit
from rig.waveforms.units import name_and_unit

_CHANNEL = re.compile(r"^(?:X\((CH\d+|MATH\d*)\)|(CH\d+|MATH\d*)(?:\(V\)|V))$", re.IGNORECASE)
_WHOLE = ("", "0.0%to100.0%")


def named_columns(
    sheet: Sheet, dialect: str, names: Line, units: Sequence[str], declared_rows: float | None = None
) -> Layout:
    """A line of names, the first of them a time, and the cells of a line of units, where there is one."""
    unit = units[0] if units else ""
    divisor = time_unit(names.cell(0), unit)
    cells = [channel_name(cell) for cell in names.cells[1:]]
    channels, notes = channel_columns([] if names.cells == tuple(units) else cells, units[1:], 1)
    if divisor is None and unit:
        raise InputError(
            "not a unit of time", Where(sheet.file, names.cell(0), names.number + 1, repr(unit), "s, ms, us or ns")
        )
    if divisor is None:
        notes = ("no unit given for the time: seconds assumed", *notes)
    return layout_of(sheet, dialect, TimeAxis(0, divisor or 1.0), channels, declared_rows, notes, len(names.cells))


def keys_above(sheet: Sheet, dialect: str, names: Line) -> Layout:
    """Keys with a value for each column, then `TIME,CH1,CH2`; another `TIME` may stand before columns of its own."""
    formats = (sheet.line_of(key) for key in ("point format", "pt fmt"))
    no_envelope(sheet, [cell for line in formats if line for cell in line.cells[1:]])
    units = sheet.line_of("vertical units") or sheet.line_of("vertical unit")
    found, notes = channel_columns(names.cells[1:], units.cells[1 : len(names.cells)] if units else (), 1)
    again = [at for at, cell in enumerate(names.cells) if at and cell.lower() == names.cell(0).lower()]
    channels = [
        replace(column, times=max((at for at in again if at < column.index), default=None))
        for column in found
        if column.index not in again
    ]
    gating = sheet.line_of("gating")
    whole = gating is None or gating.cell(1).replace(" ", "") in _WHOLE
    axis = TimeAxis(0, interval_s=sheet.value("sample interval"))
    declared = sheet.value("record length") if whole else None
    return layout_of(sheet, dialect, axis, channels, declared, notes, len(names.cells))


def no_envelope(sheet: Sheet, formats: Sequence[str]) -> None:
    """Refuses a record of minima and maxima: read as samples it would claim an instant for each."""
    found = next((form for form in formats if form.upper().startswith("ENV")), None)
    if found:
        told = f"point format {found}: minima and maxima"
        raise InputError("an envelope is not read", Where(sheet.file, found=told, expected="samples"))


def line_after(sheet: Sheet, line: Line) -> Line | None:
    at = sheet.header.index(line) + 1
    return sheet.header[at] if at < len(sheet.header) else None


def channel_name(cell: str) -> str:
    """`CH1` of `X(CH1)`, and `CH1 (V)` of `CH1(V)` and `CH1V`."""
    found = _CHANNEL.match(cell)
    return (found.group(1) or f"{found.group(2)} (V)") if found else cell


def is_channel(cell: str) -> bool:
    return _CHANNEL.match(cell) is not None


def is_time(cell: str) -> bool:
    """Whether a column of this name holds times: `Time (ms)`, `Second`, `Zeit`."""
    name, _ = name_and_unit(cell)
    return bool(cell) and (time_unit(cell) is not None or (name == cell and cell.lower() in TIME_WORDS - {"x"}))
