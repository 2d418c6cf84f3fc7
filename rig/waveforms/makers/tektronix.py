"""Tektronix: TDS and TBS with keys in the columns left of the samples; DPO, MDO, MSO and TBS1000C with keys above."""

from __future__ import annotations

from dataclasses import replace

from rig.errors import InputError, Where
from rig.waveforms.layout import Column, Layout, Sheet, TimeAxis, channel_columns, layout_of
from rig.waveforms.makers.columns import keys_above, no_envelope
from rig.waveforms.units import per_second

DIALECT = "tektronix"
_KEY_LINES = 40


def tektronix(sheet: Sheet) -> Layout | None:
    """`Record Length,2500,,-0.01,1.2,` or `"Record Length",500,"Points",...`; `Model,MSO58` to `TIME,CH1`."""
    if not sheet.header:
        return None
    first, names = sheet.header[0], sheet.line_of("time")
    if first.cell(0) == "Record Length" and sheet.number(first.cell(3)) is not None:
        return _keys_at_the_left(sheet)
    if names and any(sheet.line_of(key) for key in ("model", "sample interval", "point format")):
        return keys_above(sheet, DIALECT, names)
    return None


def _keys_at_the_left(sheet: Sheet) -> Layout:
    """Each channel takes six columns: key, value, blank, time, volts, blank."""
    whole = Sheet(sheet.file, sheet.delimiter, sheet.decimal, (), (*sheet.header, *sheet.rows))
    lines = whole.rows[:_KEY_LINES]
    channels: list[Column] = []
    notes: tuple[str, ...] = ()
    for at, cell in enumerate(lines[0].cells):
        if cell != "Record Length":
            continue
        keys = {line.cell(at): line.cell(at + 1) for line in lines if line.cell(at)}
        no_envelope(sheet, [keys.get("Pt Fmt", "")])
        name = keys.get("Source") or f"column {at + 5}"
        found, told = channel_columns([name], [keys.get("Vertical Units", "")], at + 4)
        channels += [replace(column, times=at + 3) for column in found]
        notes = (*notes, *told)
    unit = next((line.cell(1) for line in lines if line.cell(0) == "Horizontal Units"), "s")
    divisor = per_second(unit)
    if divisor is None:
        raise InputError("not a unit of time", Where(sheet.file, "Horizontal Units", found=repr(unit), expected="s"))
    axis = TimeAxis(3, divisor, interval_s=sheet.value("sample interval"))
    return layout_of(whole, DIALECT, axis, channels, sheet.value("record length"), notes)
