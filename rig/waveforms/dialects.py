"""The CSV dialects by maker: each looks at a file's head, says whether it wrote it, and where the columns are.

Header forms are those of real exports: Rigol DS1000B/E/Z, DS2000A, MSO5000 and DHO; Keysight InfiniiVision and
Infiniium; Siglent SDS1000X and later; Tektronix TDS/TBS and DPO/MSO; Rohde & Schwarz HMO, RTB and RTM; PicoScope 6
and 7. Reads no samples.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rig.errors import InputError, Where
from rig.waveforms.layout import (
    TIME_WORDS,
    Column,
    Layout,
    Line,
    Recogniser,
    Sheet,
    TimeAxis,
    channel_columns,
    layout_of,
    time_unit,
)
from rig.waveforms.units import name_and_unit, per_second, per_volt

_RIGOL_TIME = re.compile(r"^t(0|inc)\s*=\s*(\S+?)\s*s?$", re.IGNORECASE)
_RIGOL_CHANNEL = re.compile(r"^(?:X\((CH\d+|MATH\d*)\)|(CH\d+|MATH\d*)(?:\(V\)|V))$", re.IGNORECASE)
_KEY_LINES = 40
_NO_HEADER = "no header: seconds and volts assumed"


def keysight(sheet: Sheet) -> Layout | None:
    """InfiniiVision: `x-axis,1,2` over `second,Volt,Volt`. Infiniium: keys `XInc`, `XOrg` ... `Data`, then the rows."""
    if sheet.line_of("xinc") and sheet.line_of("xorg"):
        return _infiniium(sheet)
    names = sheet.line_of("x-axis")
    if names is None:
        return None
    units = _line_after(sheet, names)
    return _columns(sheet, "keysight", names, units.cells if units else ())


def siglent(sheet: Sheet) -> Layout | None:
    """`Record Length,Analog:14000` and other keys, then `Second,Volt`, `Second,Value` or `Time,CH1`."""
    if not any(cell.startswith("Analog:") for line in sheet.header for cell in line.cells[1:]):
        return None
    last = sheet.header[-1]
    if not _is_time(last.cell(0)):
        return None
    source, units = sheet.line_of("source"), sheet.line_of("vertical units")
    named = units or sheet.line_of("vertical scale") or sheet.line_of("vertical offset")
    count = sum(1 for cell in last.cells[1:] if cell)
    per_name = [cell.partition(":") for cell in named.cells[1:]] if named else []
    names = list(source.cells[1:]) if source else [name for name, mark, _ in per_name if mark]
    names = names[:count] if len(names) >= count else list(last.cells[1:])
    of_unit = {name.strip(): unit.strip() for name, _, unit in per_name} if units else {}
    channels, notes = channel_columns(names, [of_unit.get(name, "") or "V" for name in names], 1)
    interval, rate = sheet.value("sample interval"), sheet.value("sample rate")
    interval = interval or (1 / rate if rate else None)
    axis = TimeAxis(0, time_unit(last.cell(0)) or 1.0, interval_s=interval)
    return layout_of(sheet, "siglent", axis, channels, sheet.value("record length"), notes)


def tektronix(sheet: Sheet) -> Layout | None:
    """TDS and TBS: keys in the columns left of the samples. DPO and MSO: keys above, then `TIME,CH1`."""
    if (
        sheet.header
        and sheet.header[0].cell(0) == "Record Length"
        and sheet.number(sheet.header[0].cell(3)) is not None
    ):
        return _left_hand_keys(sheet)
    names = sheet.line_of("time")
    if names is None or not any(sheet.line_of(key) for key in ("model", "sample interval", "point format")):
        return None
    units, gating = sheet.line_of("vertical units"), sheet.line_of("gating")
    channels, notes = channel_columns(names.cells[1:], units.cells[1 : len(names.cells)] if units else (), 1)
    whole = gating is None or gating.cell(1).replace(" ", "") in ("", "0.0%to100.0%")
    axis = TimeAxis(0, interval_s=sheet.value("sample interval"))
    return layout_of(sheet, "tektronix", axis, channels, sheet.value("record length") if whole else None, notes)


def rohde_schwarz(sheet: Sheet) -> Layout | None:
    """`in s,C1 in V,C2 in V`."""
    for line in sheet.header:
        unit = re.match(r"^in (\S+)$", line.cell(0))
        if unit and per_second(unit.group(1)):
            channels, notes = channel_columns(line.cells[1:], (), 1)
            return layout_of(
                sheet, "rohde-schwarz", TimeAxis(0, per_second(unit.group(1)) or 1.0), channels, None, notes
            )
    return None


def picoscope(sheet: Sheet) -> Layout | None:
    """`Time,Channel A` over `(ms),(V)`, in the user's language, with comma or semicolon."""
    if len(sheet.header) < 2:
        return None
    names, units = sheet.header[-2:]
    if not all(cell.startswith("(") and cell.endswith(")") for cell in units.cells if cell) or not units.cell(0):
        return None
    divisor = per_second(units.cell(0).strip("() "))
    if divisor is None:
        return None
    channels, notes = channel_columns(names.cells[1:], units.cells[1:], 1)
    return layout_of(sheet, "picoscope", TimeAxis(0, divisor), channels, None, notes)


def rigol(sheet: Sheet) -> Layout | None:
    """A counter with start and increment in the second line, times over `Second,Volt`, or `t0 =` and `tInc =`."""
    quoted = [line for line in sheet.header if "=" in line.cell(0) and not _RIGOL_TIME.match(line.cell(0))]
    declared = _quoted_count(sheet)
    for line in sheet.header:
        lower = [cell.lower() for cell in line.cells]
        if "start" in lower and "increment" in lower:
            return _counted(sheet, line, lower.index("start"), lower.index("increment"), declared)
        if any(_RIGOL_TIME.match(cell) for cell in line.cells):
            return _start_and_step(sheet, line, declared)
    if sheet.header and sheet.header[-1].cell(0).lower() in ("second", "s"):
        units = sheet.header[-1]
        names = sheet.header[-2] if len(sheet.header) > 1 else None
        named = names is not None and names not in quoted and names.cell(0).lower() in ("", "x", "time")
        if named and names is not None:
            return _columns(sheet, "rigol", names, units.cells, declared)
        if quoted:
            return _columns(sheet, "rigol", units, units.cells, declared)
    if sheet.header and sheet.header[-1].cell(0) == "Time(s)" and _RIGOL_CHANNEL.match(sheet.header[-1].cell(1)):
        return _columns(sheet, "rigol", sheet.header[-1], (), declared)
    if quoted and len(quoted) == len(sheet.header) and sheet.fields >= 2:
        return layout_of(sheet, "rigol", TimeAxis(0), (Column("column 2", 1, "V", 1.0),), declared, (_NO_HEADER,))
    return None


def generic(sheet: Sheet) -> Layout | None:
    """One line of names, the first of them a time: `time,volts`, `Time (ms),CH1 (mV)`; a line of units may follow."""
    told = [line for line in sheet.header if any(line.cells[1:]) or _is_time(line.cell(0))]
    for names, units in ([(told[-2], told[-1])] if len(told) > 1 else []) + [(line, None) for line in told[-1:]]:
        if not _is_time(names.cell(0)) and not (units and names.cell(0).lower() in TIME_WORDS):
            continue
        if units is None or _are_units(units.cells):
            return _columns(sheet, "generic", names, units.cells if units else ())
    return None


def plain_columns(sheet: Sheet) -> Layout:
    """Rows without a header, for a reader who said that it is so: seconds, then volts."""
    if sheet.header or sheet.fields < 2:
        raise InputError(
            "not a file as generic writes it",
            Where(sheet.file, line=1, expected="a line of names such as time,volts, or rows of seconds and volts"),
        )
    channels = tuple(Column(f"column {index + 1}", index, "V", 1.0) for index in range(1, sheet.fields))
    held = tuple(column for column in channels if any(row.cell(column.index) for row in sheet.rows))
    return layout_of(sheet, "generic", TimeAxis(0), held, None, (_NO_HEADER,))


def volts_only(sheet: Sheet, dialect: str, start_s: float, interval_s: float) -> Layout:
    """One column of volts without times, sampled at an interval that was given."""
    axis = TimeAxis(None, start_s=start_s, interval_s=interval_s)
    return layout_of(sheet, dialect, axis, (Column("column 1", 0, "V", 1.0),), None, ("volts assumed",))


CSV_DIALECTS: tuple[tuple[str, Recogniser], ...] = (
    ("siglent", siglent),
    ("tektronix", tektronix),
    ("keysight", keysight),
    ("rohde-schwarz", rohde_schwarz),
    ("picoscope", picoscope),
    ("rigol", rigol),
    ("generic", generic),
)


def _columns(
    sheet: Sheet, dialect: str, names: Line, units: Sequence[str], declared_rows: float | None = None
) -> Layout:
    unit = units[0] if units else ""
    divisor = time_unit(names.cell(0), unit)
    cells = [_rigol_name(cell) for cell in names.cells[1:]]
    channels, notes = channel_columns([] if names.cells == tuple(units) else cells, units[1:], 1)
    if divisor is None and unit:
        raise InputError(
            "not a unit of time", Where(sheet.file, names.cell(0), names.number + 1, repr(unit), "s, ms, us or ns")
        )
    if divisor is None:
        notes = ("no unit given for the time: seconds assumed", *notes)
    return layout_of(sheet, dialect, TimeAxis(0, divisor or 1.0), channels, declared_rows, notes)


def _quoted_count(sheet: Sheet) -> float | None:
    """`"Number of Data points =","1200"`, or all of it in one cell."""
    for line in sheet.header:
        key, mark, rest = line.cell(0).partition("=")
        if mark and key.strip().lower() == "number of data points":
            return sheet.number(rest or line.cell(1))
    return None


def _rigol_name(cell: str) -> str:
    found = _RIGOL_CHANNEL.match(cell)
    return (found.group(1) or f"{found.group(2)} (V)") if found else cell


def _is_time(cell: str) -> bool:
    name, _ = name_and_unit(cell)
    return bool(cell) and (time_unit(cell) is not None or (name == cell and cell.lower() in TIME_WORDS - {"x"}))


def _are_units(cells: Sequence[str]) -> bool:
    bare = [cell.strip("()[] ") for cell in cells]
    return per_second(bare[0]) is not None and any(per_volt(cell) is not None for cell in bare[1:])


def _line_after(sheet: Sheet, line: Line) -> Line | None:
    at = sheet.header.index(line) + 1
    return sheet.header[at] if at < len(sheet.header) else None


def _counted(sheet: Sheet, names: Line, start: int, increment: int, declared: float | None) -> Layout:
    values = _line_after(sheet, names)
    start_s = sheet.number(values.cell(start)) if values else None
    interval_s = sheet.number(values.cell(increment)) if values else None
    if values is None or start_s is None or interval_s is None:
        line = values.number if values else names.number + 1
        raise InputError(
            "no start and increment", Where(sheet.file, line=line, expected="Sequence,Volt,START,INCREMENT")
        )
    channels, notes = channel_columns(names.cells[1:start], values.cells[1:start], 1)
    axis = TimeAxis(0, counts=True, start_s=start_s, interval_s=interval_s)
    return layout_of(sheet, "rigol", axis, channels, declared, notes)


def _start_and_step(sheet: Sheet, line: Line, declared: float | None) -> Layout:
    """`CH1(V),t0 = -25s, tInc = 2e-06s,`: volts only; with `Time(s)` before them, the times are in the rows."""
    found = {mark.group(1).lower(): sheet.number(mark.group(2)) for mark in map(_RIGOL_TIME.match, line.cells) if mark}
    start_s, interval_s = found.get("0"), found.get("inc")
    if start_s is None or interval_s is None:
        raise InputError("no start and increment", Where(sheet.file, line=line.number, expected="t0 = ..s, tInc = ..s"))
    timed = _is_time(line.cell(0))
    cells = [_rigol_name(cell) for cell in line.cells[int(timed) :] if not _RIGOL_TIME.match(cell)]
    channels, notes = channel_columns(cells, (), int(timed))
    axis = TimeAxis(0 if timed else None, start_s=start_s, interval_s=interval_s)
    return layout_of(sheet, "rigol", axis, channels, declared, notes)


def _infiniium(sheet: Sheet) -> Layout:
    units = sheet.line_of("yunits")
    name = sheet.line_of("source")
    start_s, interval_s = sheet.value("xorg"), sheet.value("xinc")
    filled = max((at for row in sheet.rows[:50] for at, cell in enumerate(row.cells) if cell), default=0)
    axis = TimeAxis(0 if filled else None, start_s=start_s or 0.0, interval_s=interval_s)
    channels, notes = channel_columns(
        [name.cell(1) if name else "1"], [units.cell(1) if units else ""], 1 if filled else 0
    )
    return layout_of(sheet, "keysight", axis, channels, sheet.value("points"), notes)


def _left_hand_keys(sheet: Sheet) -> Layout:
    """Each channel takes six columns: key, value, blank, time, volts, blank."""
    whole = Sheet(sheet.file, sheet.delimiter, sheet.decimal, (), (*sheet.header, *sheet.rows))
    lines = whole.rows[:_KEY_LINES]
    channels: list[Column] = []
    notes: tuple[str, ...] = ()
    for at, cell in enumerate(lines[0].cells):
        if cell != "Record Length":
            continue
        keys = {line.cell(at): line.cell(at + 1) for line in lines if line.cell(at)}
        name = keys.get("Source") or f"column {at + 5}"
        found, told = channel_columns([name], [keys.get("Vertical Units", "")], at + 4)
        channels, notes = [*channels, *found], (*notes, *told)
    unit = next((line.cell(1) for line in lines if line.cell(0) == "Horizontal Units"), "s")
    divisor = per_second(unit)
    if divisor is None:
        raise InputError("not a unit of time", Where(sheet.file, "Horizontal Units", found=repr(unit), expected="s"))
    axis = TimeAxis(3, divisor, interval_s=sheet.value("sample interval"))
    return layout_of(whole, "tektronix", axis, channels, sheet.value("record length"), notes)
