"""One channel of a CSV export as a waveform. Knows the dialects' layouts, judges nothing.

The file is read in bounded blocks; what stays is one number for each sample and one for its time, and the latter only
until the times are shown to be uniform.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rig.errors import InputError, Where
from rig.rail.samples import Grid
from rig.waveforms.choice import choose, unknown_dialect
from rig.waveforms.dialects import CSV_DIALECTS, GENERIC, plain_columns, volts_only
from rig.waveforms.layout import Column, Layout, Sheet, TimeAxis, sheet_of
from rig.waveforms.makers.parameter_file import parameters_of, waveform_pair
from rig.waveforms.makers.rohde_schwarz import DIALECT as ROHDE_SCHWARZ
from rig.waveforms.rows import BLOCK_BYTES, Array, RowFormat, Rows
from rig.waveforms.text import blocks, nth_row_line, read_head
from rig.waveforms.timing import Digits, digits_of, likely_interval, uniform
from rig.waveforms.waveform import LATEST_S, MAX_SAMPLES, Waveform, checked_grid, in_memory

OVER_RANGE_V = 9.9e36
"""What oscilloscopes print for a sample that they could not convert is 9.9E+37 (Keysight InfiniiVision, Siglent)."""
_FIRST_ROWS = 1 << 20
_MANY_ROWS = 2_000_000


@dataclass(frozen=True)
class Given:
    """What the caller supplies: `interval_s` and `start_s` (default 0) for files that do not say when they sampled."""

    dialect: str | None = None
    interval_s: float | None = None
    start_s: float | None = None


def csv_layout(path: Path, given: Given) -> tuple[Path, Layout, Sheet]:
    """The file that holds the rows, how to read it, and its head. Raises `InputError` where no dialect can be told."""
    sheet = sheet_of(str(path), read_head(path))
    pair = waveform_pair(path, sheet, given.dialect)
    if pair:
        return pair
    if given.dialect is not None:
        return path, _forced(sheet, given), sheet
    for _, recognise in CSV_DIALECTS:
        layout = recognise(sheet)
        if layout:
            return path, layout, sheet
    if not sheet.header and sheet.rows and _one_column(sheet):
        return path, volts_only(sheet, ROHDE_SCHWARZ if parameters_of(path) else GENERIC), sheet
    if not sheet.header and not sheet.rows:
        raise InputError("no samples", Where(str(path), found="blank lines"))
    first = (sheet.header or sheet.rows)[0]
    found = sheet.delimiter.join(first.cells)[:60]
    told = "a header that names the columns, or --dialect (generic: rows of seconds and volts without a header)"
    raise InputError("the dialect cannot be told", Where(str(path), None, first.number, repr(found), told))


def read_csv(path: Path, channel: str | None, given: Given) -> Waveform:
    """Raises `InputError` naming file and line for everything that is not a whole, ordered record."""
    rows_path, layout, sheet = csv_layout(path, given)
    file = str(rows_path)
    column, chosen = choose(file, layout.channels, channel)
    if column.times is not None:
        layout = replace(layout, axis=replace(layout.axis, index=column.times))
    layout = _with_given(file, layout, given)
    digits = digits_of((row.cell(layout.axis.index or 0) for row in sheet.rows), layout.axis.per_second)
    record = _Record(rows_path, layout, column, digits, _expected_rows(rows_path, layout, sheet))
    values, times = record.read()
    digits = digits if times is None else digits.of_all(times)
    notes = [f"read as {layout.dialect}", *layout.notes, *chosen, *record.notes]
    _whole(file, layout, len(values), notes)
    grid = _grid(file, layout.axis, len(values), times, digits, given, notes)
    times_ns = None if grid or times is None else _instants(rows_path, layout, times)
    error_s = 0.0 if times is None else float(digits.unit(times[[0, -1]]).max()) / 2
    count, blocks_of = len(values), in_memory(values)
    told = tuple(notes)
    return Waveform(
        file, column.name, layout.dialect, count, blocks_of, None, grid, times_ns, told, time_error_s=error_s
    )


class _Record:
    """The samples and times of one channel, gathered block by block."""

    def __init__(self, path: Path, layout: Layout, column: Column, digits: Digits, expected: int) -> None:
        self._path, self._layout, self._column, self._digits = path, layout, column, digits
        axis = layout.axis
        self._timed = axis.index is not None and not axis.counts
        self._values = np.empty(expected)
        self._times = np.empty(expected if self._timed else 0)
        self._count = self._unknown = 0
        self._last: float | None = None
        self._origin = 0.0
        self.notes: list[str] = []

    def read(self) -> tuple[Array, Array | None]:
        """Volts (NaN = unknown), and seconds where the rows have them."""
        layout, axis = self._layout, self._layout.axis
        wanted = (self._column.index,) if axis.index is None else (axis.index, self._column.index)
        rows = Rows(str(self._path), RowFormat(layout.delimiter, layout.decimal, layout.fields, wanted))
        for block in blocks(self._path, layout.first_line, BLOCK_BYTES):
            columns = rows.columns(block.data, block.first_line)
            if len(columns[0]) == 0:
                continue
            times = self._checked(columns[0]) if axis.index is not None else None
            values = self._volts(columns[-1])
            if not block.ended and self._column.index == layout.fields - 1:
                values[-1] = np.nan
                self.notes.append("the last line has no line end: its value may be cut short, so it is unknown")
            self._keep(values, times)
        if rows.engine != "pyarrow" and self._count > _MANY_ROWS:
            self.notes.append("read without pyarrow: with it (the extra csv) large files are read faster")
        if self._origin:
            self.notes.append(f"the counter begins at {self._origin:.15g}: that row is taken to be at the start")
        if self._unknown:
            self.notes.append(f"{self._unknown} samples are infinite, over-range or not a number: unknown")
        self._values.resize(self._count, refcheck=False)
        self._times.resize(self._count if self._timed else 0, refcheck=False)
        return self._values, self._times if self._timed else None

    def _volts(self, values: Array) -> Array:
        with np.errstate(invalid="ignore"):
            wrong = ~(np.abs(values) < OVER_RANGE_V)
        if wrong.any() or not values.flags.writeable:
            values = np.where(wrong, np.nan, values)
            self._unknown += int(wrong.sum())
        if self._column.per_volt not in (None, 1.0):
            values = values / self._column.per_volt
        return values

    def _checked(self, column: Array) -> Array:
        """The counter, each one more than the last; or the times in seconds, each later than the last."""
        axis = self._layout.axis
        if axis.counts:
            if self._count == 0:
                self._origin = float(column[0])
            wrong = column != self._origin + np.arange(self._count, self._count + len(column))
            if wrong.any():
                at = int(np.argmax(wrong))
                expected = self._origin + self._count + at
                raise self._at(at, "the counter does not go up by one", f"{column[at]:.15g}", f"{expected:.15g}")
            return column
        times = column / axis.per_second if axis.per_second != 1.0 else column
        with np.errstate(invalid="ignore"):
            wild = ~(np.abs(times) < LATEST_S)
        if wild.any():
            at = int(np.argmax(wild))
            raise self._at(at, "not a time", f"{column[at]:.15g}", f"less than {LATEST_S:g} s")
        steps = np.diff(times, prepend=times[0] - 1 if self._last is None else self._last)
        if not steps.min() > 0:
            self._out_of_order(times, steps)
        self._last = float(times[-1])
        return times

    def _out_of_order(self, times: Array, steps: Array) -> None:
        if steps.min() < 0:
            at = int(np.argmax(steps < 0))
            raise self._at(
                at, "the time goes backwards", f"{times[at]:.15g} s", f"more than {times[at] - steps[at]:.15g} s"
            )
        declared = self._layout.axis.interval_s
        repeats = np.flatnonzero(steps == 0)
        if declared is None or not np.all(declared < self._digits.unit(times[repeats])):
            at = int(repeats[0])
            told = "times that rise"
            if np.all(steps[1::2] == 0) and np.all(steps[2::2] > 0):
                told = "single samples: each time stands twice, as for the minima and maxima of an envelope"
            elif times[-1] > times[0]:
                likely_s = likely_interval(times, self._digits.of_all(times))
                told = f"times that rise, or --interval where too few digits were printed: here about {likely_s:.12g}"
            raise self._at(at, "the time repeats", f"{times[at]:.15g} s again", told)

    def _at(self, row: int, message: str, found: str, expected: str) -> InputError:
        line = nth_row_line(self._path, self._layout.first_line, self._count + row)
        return InputError(message, Where(str(self._path), None, line, found, expected))

    def _keep(self, values: Array, times: Array | None) -> None:
        end = self._count + len(values)
        if end > MAX_SAMPLES:
            raise InputError("too many samples", Where(str(self._path), expected=f"at most {MAX_SAMPLES}"))
        if end > len(self._values):
            room = max(end, len(self._values) * 5 // 4)
            self._values.resize(room, refcheck=False)
            self._times.resize(room if self._timed else 0, refcheck=False)
        self._values[self._count : end] = values
        if self._timed and times is not None:
            self._times[self._count : end] = times
        self._count = end


def _forced(sheet: Sheet, given: Given) -> Layout:
    recognise = dict(CSV_DIALECTS).get(given.dialect or "")
    if recognise is None:
        raise unknown_dialect(sheet.file, given.dialect or "", tuple(name for name, _ in CSV_DIALECTS))
    layout = recognise(sheet)
    if layout:
        return layout
    if given.dialect in (GENERIC, ROHDE_SCHWARZ) and sheet.rows and not sheet.header and _one_column(sheet):
        return volts_only(sheet, given.dialect)
    if given.dialect == GENERIC:
        return plain_columns(sheet)
    raise InputError(f"not a file as {given.dialect} writes it", Where(sheet.file, "--dialect", found=given.dialect))


def _one_column(sheet: Sheet) -> bool:
    return all(not cell for row in sheet.rows for cell in row.cells[1:])


def _with_given(file: str, layout: Layout, given: Given) -> Layout:
    """The layout with the caller's interval and start, refused where the file itself knows better."""
    axis = layout.axis
    timeless = axis.index is None or axis.counts
    own = axis.interval_s
    if timeless and own is None and given.interval_s is None:
        parameters = parameters_of(Path(file)) if layout.dialect == ROHDE_SCHWARZ else None
        or_file = f", or its file of parameters {parameters.name}" if parameters else ""
        told = f"--interval, the seconds from sample to sample (and --start, the first one's time, if not 0){or_file}"
        raise InputError("no times in the rows: the sample interval must be given", Where(file, expected=told))
    if timeless and own is not None and given.interval_s not in (None, own):
        raise InputError(
            "the file has its own sample interval", Where(file, "--interval", found=f"{given.interval_s} s")
        )
    known = axis.index is not None or own is not None
    if given.start_s is not None and known and not (timeless and given.start_s == axis.start_s):
        raise InputError("the file has its own start", Where(file, "--start", found=f"{given.start_s} s"))
    start_s = axis.start_s if known or given.start_s is None else given.start_s
    interval_s = own if timeless and own is not None else given.interval_s if given.interval_s is not None else own
    if timeless:
        checked_grid(file, start_s, interval_s, 2)
    return replace(layout, axis=replace(axis, start_s=start_s, interval_s=interval_s))


def _expected_rows(path: Path, layout: Layout, sheet: Sheet) -> int:
    """How many rows the file's size promises: memory is taken for them at once, and used only as they come."""
    texts = [sum(len(cell) + 1 for cell in row.cells) for row in sheet.rows]
    guess = path.stat().st_size * len(texts) // max(1, sum(texts)) + 16
    return min(max(guess * 21 // 20, 16), 1 << 25, max(layout.declared_rows or 0, _FIRST_ROWS) + 16)


def _whole(file: str, layout: Layout, count: int, notes: list[str]) -> None:
    declared = layout.declared_rows or max((rows for rows, _ in layout.axis.starts), default=None)
    fits = count in [rows for rows, _ in layout.axis.starts] if layout.axis.starts else count >= (declared or 0)
    if not fits:
        raise InputError(
            "the file is cut short", Where(file, None, None, f"{count} rows", f"{declared}, as its header says")
        )
    if declared is not None and count > declared:
        notes.append(f"the header speaks of {declared} rows, the file has {count}")
    if count < 2:
        raise InputError("no samples" if count == 0 else "only one sample", Where(file, expected="two rows at least"))


def _grid(
    file: str, axis: TimeAxis, count: int, times: Array | None, digits: Digits, given: Given, notes: list[str]
) -> Grid | None:
    if times is None:
        start_s = next((start for rows, start in axis.starts if rows == count), axis.start_s)
        return checked_grid(file, start_s, axis.interval_s, count)
    grid = uniform(times, axis.interval_s, digits, only_declared=given.interval_s is not None)
    if grid is None and given.interval_s is not None:
        raise InputError(
            "the sample interval given does not fit the times in the file",
            Where(file, "--interval", None, f"{given.interval_s} s", f"about {likely_interval(times, digits):.12g}"),
        )
    if grid is None:
        notes.append("the samples are not uniform in time")
    elif axis.interval_s is not None and grid.dt_s != axis.interval_s:
        notes.append(
            f"the header speaks of {axis.interval_s:.12g} s from sample to sample, the times say {grid.dt_s:.12g} s"
        )
    return grid


def _instants(path: Path, layout: Layout, times: Array) -> npt.NDArray[np.int64]:
    instants = np.rint(times * 1e9).astype(np.int64)
    close = np.diff(instants) <= 0
    if close.any():
        line = nth_row_line(path, layout.first_line, int(np.argmax(close)) + 1)
        raise InputError(
            "samples that are not uniform are closer than a nanosecond",
            Where(str(path), None, line, expected="times that differ, or the sample interval"),
        )
    return instants
