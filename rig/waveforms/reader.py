"""Any file that a bench has, as a waveform: what it is shows in its first bytes. Knows where each format is read."""

from __future__ import annotations

import stat
from pathlib import Path

from rig.errors import InputError, Where
from rig.waveforms import capture, sigrok
from rig.waveforms.choice import unknown_dialect
from rig.waveforms.csv_file import Given, csv_layout, read_csv
from rig.waveforms.dialects import CSV_DIALECTS
from rig.waveforms.waveform import Waveform

_HDF5 = b"\x89HDF\r\n\x1a\n"
_ZIP = b"PK\x03\x04"


def dialects() -> tuple[str, ...]:
    """The names that `dialect` may have."""
    return (*sorted(name for name, _ in CSV_DIALECTS), sigrok.DIALECT, capture.DIALECT)


def read(
    path: Path,
    *,
    channel: str | None = None,
    dialect: str | None = None,
    interval_s: float | None = None,
    start_s: float | None = None,
) -> Waveform:
    """One channel of `path` as a waveform.

    `channel` may be left out where the file has one voltage only. `dialect` (one of `dialects()`) forces how the file
    is read. `interval_s` and `start_s` (seconds) serve files that do not say when they sampled; `interval_s` also
    serves times printed with too few digits, and must fit them. Raises `InputError`: one line, the file, the place.
    """
    kind = _kind(path, dialect)
    if kind == capture.DIALECT:
        if interval_s is not None or start_s is not None:
            raise InputError(
                "a capture has its own times", Where(str(path), "--start" if interval_s is None else "--interval")
            )
        return capture.read_capture(path, channel)
    if kind == sigrok.DIALECT:
        return sigrok.read_sigrok(path, channel, interval_s, start_s)
    return read_csv(path, channel, Given(dialect, interval_s, start_s))


def channels(path: Path, *, dialect: str | None = None, interval_s: float | None = None) -> tuple[str, ...]:
    """The names that `channel` may have: those of voltages only. Raises `InputError` like `read`."""
    kind = _kind(path, dialect)
    if kind == capture.DIALECT:
        with capture.open_capture(path):
            return (capture.CHANNEL,)
    if kind == sigrok.DIALECT:
        return sigrok.sigrok_channels(path)
    _, layout, _ = csv_layout(path, Given(dialect, interval_s))
    return tuple(column.name for column in layout.channels if column.per_volt is not None)


def _kind(path: Path, dialect: str | None) -> str:
    """`capture`, `sigrok` or `csv`, from the first bytes; a forced dialect must agree."""
    if dialect is not None and dialect not in dialects():
        raise unknown_dialect(str(path), dialect, dialects())
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            found = "a directory" if stat.S_ISDIR(mode) else "a device or a pipe"
            raise InputError("not a file", Where(str(path), found=found))
        with path.open("rb") as file:
            first = file.read(len(_HDF5))
    except (OSError, ValueError) as error:
        found = getattr(error, "strerror", None) or str(error)
        raise InputError("cannot be read", Where(str(path), found=found)) from error
    kind = capture.DIALECT if first == _HDF5 else sigrok.DIALECT if first[:4] == _ZIP else "csv"
    own = (capture.DIALECT, sigrok.DIALECT)
    if dialect is not None and first and (dialect in own or kind in own) and dialect != kind:
        raise InputError(f"not a file as {dialect} writes it", Where(str(path), "--dialect", found=kind))
    return kind
