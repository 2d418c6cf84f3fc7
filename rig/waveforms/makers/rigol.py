"""Rigol, by generation: a counter with start and increment (DS1000Z, DS2000A, DS4000), times over `Second,Volt`
(DS1000B/D/E), volts or times under `t0 =` and `tInc =` (MSO5000, DHO), and quoted keys."""

from __future__ import annotations

import re

from rig.errors import InputError, Where
from rig.waveforms.layout import Column, Layout, Line, Sheet, TimeAxis, channel_columns, layout_of
from rig.waveforms.makers.columns import channel_name, is_channel, is_time, line_after, named_columns

DIALECT = "rigol"
NO_HEADER = "no header: seconds and volts assumed"
_TIME = re.compile(r"^t(0|inc)\s*=\s*(\S+?)\s*s?$", re.IGNORECASE)


def rigol(sheet: Sheet) -> Layout | None:
    quoted = [line for line in sheet.header if "=" in line.cell(0) and not _TIME.match(line.cell(0))]
    declared = _quoted_count(sheet)
    for line in sheet.header:
        lower = [cell.lower() for cell in line.cells]
        if "start" in lower and "increment" in lower:
            return _counted(sheet, line, lower.index("start"), lower.index("increment"), declared)
        if any(_TIME.match(cell) for cell in line.cells):
            return _start_and_step(sheet, line, declared)
    if sheet.header and sheet.header[-1].cell(0).lower() in ("second", "s"):
        units = sheet.header[-1]
        names = sheet.header[-2] if len(sheet.header) > 1 else None
        named = names is not None and names not in quoted and names.cell(0).lower() in ("", "x", "time")
        if named and names is not None:
            return named_columns(sheet, DIALECT, names, units.cells, declared)
        if quoted:
            return named_columns(sheet, DIALECT, units, units.cells, declared)
    if sheet.header and sheet.header[-1].cell(0) == "Time(s)" and is_channel(sheet.header[-1].cell(1)):
        return named_columns(sheet, DIALECT, sheet.header[-1], (), declared)
    if quoted and len(quoted) == len(sheet.header) and sheet.fields >= 2:
        return layout_of(sheet, DIALECT, TimeAxis(0), (Column("column 2", 1, "V", 1.0),), declared, (NO_HEADER,))
    return None


def _quoted_count(sheet: Sheet) -> float | None:
    """`"Number of Data points =","1200"`, or all of it in one cell."""
    for line in sheet.header:
        key, mark, rest = line.cell(0).partition("=")
        if mark and key.strip().lower() == "number of data points":
            return sheet.number(rest or line.cell(1))
    return None


def _counted(sheet: Sheet, names: Line, start: int, increment: int, declared: float | None) -> Layout:
    values = line_after(sheet, names)
    start_s = sheet.number(values.cell(start)) if values else None
    interval_s = sheet.number(values.cell(increment)) if values else None
    if values is None or start_s is None or interval_s is None:
        line = values.number if values else names.number + 1
        raise InputError(
            "no start and increment", Where(sheet.file, line=line, expected="Sequence,Volt,START,INCREMENT")
        )
    channels, notes = channel_columns(names.cells[1:start], values.cells[1:start], 1)
    axis = TimeAxis(0, counts=True, start_s=start_s, interval_s=interval_s)
    return layout_of(sheet, DIALECT, axis, channels, declared, notes, len(names.cells))


def _start_and_step(sheet: Sheet, line: Line, declared: float | None) -> Layout:
    """`CH1(V),t0 = -25s, tInc = 2e-06s,`: volts only; with `Time(s)` before them, the times are in the rows."""
    found = {mark.group(1).lower(): sheet.number(mark.group(2)) for mark in map(_TIME.match, line.cells) if mark}
    start_s, interval_s = found.get("0"), found.get("inc")
    if start_s is None or interval_s is None:
        raise InputError("no start and increment", Where(sheet.file, line=line.number, expected="t0 = ..s, tInc = ..s"))
    timed = is_time(line.cell(0))
    cells = [channel_name(cell) for cell in line.cells[int(timed) :] if not _TIME.match(cell)]
    channels, notes = channel_columns(cells, (), int(timed))
    axis = TimeAxis(0 if timed else None, start_s=start_s, interval_s=interval_s)
    return layout_of(sheet, DIALECT, axis, channels, declared, notes, len(line.cells))
