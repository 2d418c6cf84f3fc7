"""Rohde & Schwarz RTO, RTE and RTP: a file of parameters `NAME.csv` beside the bare samples `NAME.Wfm.csv`.

Either of the two may be named. Only single acquisitions of samples are read: several acquisitions, or the minima and
maxima of an envelope, would look like one record. Source: the RTO6 user manual, 'Waveform export files'.
"""

from __future__ import annotations

from pathlib import Path

from rig.errors import InputError, Where
from rig.waveforms.layout import Column, Layout, Sheet, TimeAxis, layout_of, sheet_of
from rig.waveforms.makers.rohde_schwarz import DIALECT
from rig.waveforms.text import read_head

_SAMPLES = ".wfm.csv"


def parameters_of(path: Path) -> Path | None:
    """Where the parameters of a file of samples are to be looked for; None when its name is none of such a file."""
    whole = path.name.lower().endswith(_SAMPLES)
    return path.with_name(path.name[: -len(_SAMPLES)] + path.name[-4:]) if whole else None


def waveform_pair(path: Path, sheet: Sheet, dialect: str | None) -> tuple[Path, Layout, Sheet] | None:
    """The file of samples and how to read it, when `path` is one of such a pair; else None."""
    if dialect not in (None, DIALECT):
        return None
    parameters = parameters_of(path)
    if parameters is not None:
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
    _is_one_record(parameters)
    lengths = (
        ("SignalRecordLength", "XStart"),
        ("RecordLength", "XStart"),
        ("SignalHardwareRecordLength", "HardwareXStart"),
    )
    known = ((_keys(parameters, length), _keys(parameters, start)) for length, start in lengths)
    starts = tuple((int(rows), start_s) for rows, start_s in known if rows is not None and start_s is not None)
    if not starts:
        raise InputError("no start", Where(parameters.file, "XStart", expected="seconds, and SignalRecordLength"))
    names = _names(parameters)
    timed = len(rows.filled) == len(names) + 1
    if len(rows.filled) != len(names) + int(timed):
        told = f"{len(rows.filled)} columns"
        raise InputError(
            "not the columns of the parameters", Where(rows.file, found=told, expected=f"volts of {', '.join(names)}")
        )
    channels = tuple(Column(name, at, "V", 1.0) for name, at in zip(names, rows.filled[int(timed) :], strict=True))
    axis = TimeAxis(0 if timed else None, interval_s=interval_s, starts=starts)
    return layout_of(rows, DIALECT, axis, channels)


def _is_one_record(parameters: Sheet) -> None:
    if (_keys(parameters, "NumberOfAcquisitions") or 1) != 1 or _text(parameters, "TimestampState").lower() == "on":
        raise InputError(
            "several acquisitions in one file are not read", Where(parameters.file, "NumberOfAcquisitions")
        )
    traces = _keys(parameters, "InterleavedTraceCount") or 1
    if traces != 1:
        told = f"{traces:g} values at each time: minima and maxima"
        raise InputError(
            "an envelope is not read", Where(parameters.file, "InterleavedTraceCount", found=told, expected="1")
        )


def _names(parameters: Sheet) -> list[str]:
    """The channels of a multi-channel export, `MultiChannelExportState:4:On:Off:On:Off:`, or the only source."""
    if _text(parameters, "MultiChannelExport").lower() == "on":
        states = _text(parameters, "MultiChannelExportState").lower().split(":")[1:]
        names = [f"Ch{number}" for number, state in enumerate(states, 1) if state == "on"]
        if names:
            return names
    return [_text(parameters, "Source") or "column 1"]


def _text(sheet: Sheet, key: str) -> str:
    for line in (*sheet.header, *sheet.rows):
        name, mark, rest = line.cell(0).partition(":")
        if mark and name.strip().lower() == key.lower():
            return rest.strip(": ")
    return ""


def _keys(sheet: Sheet, *keys: str) -> float | None:
    """The first of `keys` that holds a number."""
    return next((value for key in keys if (value := sheet.number(_text(sheet, key))) is not None), None)
