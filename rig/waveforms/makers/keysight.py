"""Keysight (Agilent) InfiniiVision, and the keys of Infiniium.

Infiniium writes some twenty keys, `Revision` to `Min Bandwidth`, above the rows: `XInc,1e-9`, `XInc:,1e-9`, `XInc:1e-9`
or `XInc:     1e-9`; with several sources a value for each. The rows hold volts alone, time and volts, or both for each
source. Sources: the Infiniium 90000 programmer's reference ('CSV and TSV Header Format'), and public programs that read
and write such files. Without the header there is nothing to tell such a file by.
"""

from __future__ import annotations

from rig.errors import InputError, Where
from rig.waveforms.layout import TIME_WORDS, Column, Layout, Sheet, TimeAxis, channel_columns, layout_of
from rig.waveforms.makers.columns import line_after, named_columns

DIALECT = "keysight"
_INTERVAL, _ORIGIN = "xinc", "xorg"


def keysight(sheet: Sheet) -> Layout | None:
    """`x-axis,1,2` over `second,Volt,Volt` (`points/segment = 1000` may stand above), or Infiniium's keys."""
    names = sheet.line_of("x-axis")
    if names is None:
        return _infiniium(sheet)
    units = line_after(sheet, names)
    return named_columns(sheet, DIALECT, names, units.cells if units else ())


def _infiniium(sheet: Sheet) -> Layout | None:
    """Raises `InputError` for segments side by side: one alone would be judged."""
    keys = _keys(sheet)
    if _INTERVAL not in keys or _ORIGIN not in keys:
        return None
    names = _names(sheet, keys)
    if len(set(names)) < len(names) or (_first(sheet, keys, "segments") or 1) > 1:
        raise InputError("several segments in one file are not read", Where(sheet.file, found=", ".join(names)))
    first, step = _placed(sheet, len(names))
    units = keys.get("yunits", [])
    found, notes = channel_columns(names, units * len(names) if len(units) == 1 else units[: len(names)], 0)
    channels = tuple(_column(channel, first, step) for channel in found)
    axis = TimeAxis(
        0 if first else None,
        start_s=_shared(sheet, keys, _ORIGIN, needed=not first) or 0.0,
        interval_s=_shared(sheet, keys, _INTERVAL, needed=not first),
    )
    return layout_of(sheet, DIALECT, axis, channels, _first(sheet, keys, "points"), notes)


def _keys(sheet: Sheet) -> dict[str, list[str]]:
    """The values of each key, whatever stands between them."""
    keys: dict[str, list[str]] = {}
    for line in sheet.header:
        key, _, rest = line.cell(0).partition(":")
        keys.setdefault(key.strip().lower(), [value for value in (rest.strip(), *line.cells[1:]) if value])
    return keys


def _names(sheet: Sheet, keys: dict[str, list[str]]) -> list[str]:
    """From the titles of the columns, the title of the file, or the key `Source`; `1` without any."""
    title, last = sheet.header[0], sheet.header[-1]
    if len(last.cells) > 1 and last.cell(0).lower() in TIME_WORDS - {""}:
        return [cell for cell in last.cells[1:] if cell]
    if not title.cell(0) or (len(title.cells) == 1 and ":" not in title.cell(0)):
        return [cell for cell in title.cells if cell]
    return keys.get("source") or ["1"]


def _placed(sheet: Sheet, count: int) -> tuple[int, int]:
    """Where the first channel's volts stand, and how far it is to the next channel's; 0 first = there are no times."""
    held = len(sheet.filled)
    for first, step, columns in ((0, 1, count), (1, 2, 2 * count), (1, 1, count + 1)):
        if held == columns:
            return first, step
    line = sheet.rows[0].number if sheet.rows else None
    raise InputError(
        "the rows do not have the columns that the header names",
        Where(sheet.file, line=line, found=str(held), expected=f"times and volts of {count}"),
    )


def _column(channel: Column, first: int, step: int) -> Column:
    index = first + channel.index * step
    return Column(channel.name, index, channel.unit, channel.per_volt, index - 1 if step > 1 else None)


def _first(sheet: Sheet, keys: dict[str, list[str]], key: str) -> float | None:
    numbers = (sheet.number(value) for value in keys.get(key, ()))
    return next((number for number in numbers if number is not None), None)


def _shared(sheet: Sheet, keys: dict[str, list[str]], key: str, *, needed: bool) -> float | None:
    """The value that all sources share; where they share none it is None, or refused if it is `needed`."""
    values = {sheet.number(value) for value in keys[key]}
    if len(values) == 1:
        return values.pop()
    if needed and values:
        raise InputError("the sources were not sampled together", Where(sheet.file, key, found=", ".join(keys[key])))
    return None
