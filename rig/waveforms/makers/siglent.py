"""Siglent SDS (and the ADS that were built alike): keys, then `Second,Volt`, `Second,Value` or `Time,CH1`."""

from __future__ import annotations

import re

from rig.waveforms.layout import Layout, Line, Sheet, TimeAxis, channel_columns, layout_of, time_unit
from rig.waveforms.makers.columns import is_time

DIALECT = "siglent"
_SPACE = re.compile(r":\s+")


def siglent(sheet: Sheet) -> Layout | None:
    """`Record Length,Analog:14000` and other keys; the shortest header is `Source,CH1` over `Second,Volt`."""
    if len(sheet.header) < 2 or not is_time(sheet.header[-1].cell(0)):
        return None
    last, source = sheet.header[-1], sheet.line_of("source")
    if source is not sheet.header[-2] and not _analog(sheet):
        return None
    units = _by_channel(sheet.line_of("vertical units"))
    told = units or _by_channel(sheet.line_of("vertical scale")) or _by_channel(sheet.line_of("vertical offset"))
    count = sum(1 for cell in last.cells[1:] if cell)
    names = list(source.cells[1:]) if source else list(told)
    names = names[:count] if len(names) >= count else list(last.cells[1:])
    channels, notes = channel_columns(names, [units.get(name, "") or "V" for name in names], 1)
    interval, rate = sheet.value("sample interval"), sheet.value("sample rate")
    interval = interval or (1 / rate if rate else None)
    axis = TimeAxis(0, time_unit(last.cell(0)) or 1.0, interval_s=interval)
    return layout_of(sheet, DIALECT, axis, channels, sheet.value("record length"), notes, len(last.cells))


def _analog(sheet: Sheet) -> bool:
    return any(cell.startswith("Analog:") for line in sheet.header for cell in line.cells[1:])


def _by_channel(line: Line | None) -> dict[str, str]:
    """`CH1:V, CH2:V`, in one cell or in several, and `CH1: 0.05`: by channel."""
    text = _SPACE.sub(":", " ".join(line.cells[1:])) if line else ""
    parts = [part.partition(":") for part in text.split()]
    return {name: value for name, mark, value in parts if mark}
