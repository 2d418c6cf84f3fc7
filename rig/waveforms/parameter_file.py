"""Rohde & Schwarz RTO, RTE and RTP: a file of parameters `NAME.csv` beside the bare samples `NAME.Wfm.csv`.

Either of the two may be named. Only single acquisitions are read: the samples of several would look like one record.
"""

from __future__ import annotations

from pathlib import Path

from rig.errors import InputError, Where
from rig.waveforms.layout import Column, Layout, Sheet, TimeAxis, layout_of, sheet_of
from rig.waveforms.text import read_head

_SAMPLES = ".wfm.csv"
_DIALECT = "rohde-schwarz"


def waveform_pair(path: Path, sheet: Sheet, dialect: str | None) -> tuple[Path, Layout, Sheet] | None:
    """The file of samples and how to read it, when `path` is one of such a pair; else None."""
    if dialect not in (None, _DIALECT):
        return None
    if path.name.lower().endswith(_SAMPLES):
        parameters = path.with_name(path.name[: -len(_SAMPLES)] + path.name[-4:])
        if sheet.header or not parameters.is_file():
            return None
        return path, _layout(sheet_of(str(parameters), read_head(parameters)), sheet), sheet
    if not _keys(sheet, "Resolution", "SignalResolution"):
        return None
    for name in (f"{path.stem}.Wfm{path.suffix}", f"{path.stem}.wfm{path.suffix}"):
        samples = path.with_name(name)
        if samples.is_file():
            rows = sheet_of(str(samples), read_head(samples))
            return samples, _layout(sheet, rows), rows
    raise InputError("the samples are missing", Where(str(path), expected=f"{path.stem}.Wfm{path.suffix} beside it"))


def _layout(parameters: Sheet, rows: Sheet) -> Layout:
    if rows.header:
        raise InputError("not a file of samples", Where(rows.file, line=rows.header[0].number, expected="numbers only"))
    interval_s = _keys(parameters, "SignalResolution", "Resolution")
    if interval_s is None:
        raise InputError("no sample interval", Where(parameters.file, "SignalResolution", expected="seconds"))
    if (_keys(parameters, "NumberOfAcquisitions") or 1) != 1 or _text(parameters, "TimestampState").lower() == "on":
        raise InputError(
            "several acquisitions in one file are not read", Where(parameters.file, "NumberOfAcquisitions")
        )
    lengths = (
        ("SignalRecordLength", "XStart"),
        ("RecordLength", "XStart"),
        ("SignalHardwareRecordLength", "HardwareXStart"),
    )
    known = ((_keys(parameters, length), _keys(parameters, start)) for length, start in lengths)
    starts = tuple((int(rows), start_s) for rows, start_s in known if rows is not None and start_s is not None)
    if not starts:
        raise InputError("no start", Where(parameters.file, "XStart", expected="seconds, and SignalRecordLength"))
    held = [index for index in range(rows.fields) if any(row.cell(index) for row in rows.rows)]
    source = _text(parameters, "Source")
    names = [source] if source and len(held) == 1 else [f"column {index + 1}" for index in held]
    channels = tuple(Column(name, index, "V", 1.0) for name, index in zip(names, held, strict=True))
    axis = TimeAxis(None, interval_s=interval_s, starts=starts)
    return layout_of(rows, _DIALECT, axis, channels)


def _text(sheet: Sheet, key: str) -> str:
    for line in (*sheet.header, *sheet.rows):
        name, mark, rest = line.cell(0).partition(":")
        if mark and name.strip().lower() == key.lower():
            return rest.strip(": ")
    return ""


def _keys(sheet: Sheet, *keys: str) -> float | None:
    """The first of `keys` that holds a number."""
    return next((value for key in keys if (value := sheet.number(_text(sheet, key))) is not None), None)
