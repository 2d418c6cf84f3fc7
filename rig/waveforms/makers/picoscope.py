"""PicoScope 6 and 7: names over bracketed units, in the user's language, with comma or semicolon."""

from __future__ import annotations

from rig.waveforms.layout import Layout, Sheet, TimeAxis, channel_columns, layout_of
from rig.waveforms.units import per_second

DIALECT = "picoscope"


def picoscope(sheet: Sheet) -> Layout | None:
    """`Time,Channel A` over `(ms),(V)`."""
    if len(sheet.header) < 2:
        return None
    names, units = sheet.header[-2:]
    if not all(cell.startswith("(") and cell.endswith(")") for cell in units.cells if cell) or not units.cell(0):
        return None
    divisor = per_second(units.cell(0).strip("() "))
    if divisor is None:
        return None
    channels, notes = channel_columns(names.cells[1:], units.cells[1:], 1)
    return layout_of(sheet, DIALECT, TimeAxis(0, divisor), channels, None, notes, len(names.cells))
