"""The CSV dialects in the order in which they are asked, and the one without a maker. Reads no samples."""

from __future__ import annotations

from collections.abc import Sequence

from rig.errors import InputError, Where
from rig.waveforms.layout import TIME_WORDS, Column, Layout, Recogniser, Sheet, TimeAxis, layout_of
from rig.waveforms.makers import keysight, picoscope, rigol, rohde_schwarz, siglent, sigrok_csv, tektronix
from rig.waveforms.makers.columns import is_time, named_columns
from rig.waveforms.units import per_second, per_volt

GENERIC = "generic"


def generic(sheet: Sheet) -> Layout | None:
    """One line of names, the first of them a time: `time,volts`, `Time (ms),CH1 (mV)`; a line of units may follow."""
    told = [line for line in sheet.header if any(line.cells[1:]) or is_time(line.cell(0))]
    for names, units in ([(told[-2], told[-1])] if len(told) > 1 else []) + [(line, None) for line in told[-1:]]:
        if not is_time(names.cell(0)) and not (units and names.cell(0).lower() in TIME_WORDS):
            continue
        if units is None or _are_units(units.cells):
            return named_columns(sheet, GENERIC, names, units.cells if units else ())
    return None


def plain_columns(sheet: Sheet) -> Layout:
    """Rows without a header, for a reader who said that it is so: seconds, then volts."""
    if sheet.header or sheet.fields < 2:
        raise InputError(
            "not a file as generic writes it",
            Where(sheet.file, line=1, expected="a line of names such as time,volts, or rows of seconds and volts"),
        )
    held = tuple(Column(f"column {at + 1}", at, "V", 1.0) for at in sheet.filled if at)
    return layout_of(sheet, GENERIC, TimeAxis(0), held, None, (rigol.NO_HEADER,))


def volts_only(sheet: Sheet, dialect: str) -> Layout:
    """One column of volts without times: when they were sampled must be given."""
    return layout_of(sheet, dialect, TimeAxis(None), (Column("column 1", 0, "V", 1.0),), None, ("volts assumed",))


CSV_DIALECTS: tuple[tuple[str, Recogniser], ...] = (
    (sigrok_csv.DIALECT, sigrok_csv.sigrok_csv),
    (siglent.DIALECT, siglent.siglent),
    (rohde_schwarz.DIALECT, rohde_schwarz.rohde_schwarz),
    (tektronix.DIALECT, tektronix.tektronix),
    (keysight.DIALECT, keysight.keysight),
    (picoscope.DIALECT, picoscope.picoscope),
    (rigol.DIALECT, rigol.rigol),
    (GENERIC, generic),
)


def _are_units(cells: Sequence[str]) -> bool:
    bare = [cell.strip("()[] ") for cell in cells]
    return per_second(bare[0]) is not None and any(per_volt(cell) is not None for cell in bare[1:])
