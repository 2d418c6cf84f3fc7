"""One analogue channel of a sigrok session (`.sr`, version 2): a zip with `metadata` and 32-bit floats in pieces.

Logic-only sessions are refused: a logic level is no voltage. Sources: the sigrok wiki's *File format:Sigrok/v2*, and
sessions written by sigrok-cli.
"""

from __future__ import annotations

import configparser
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rig.errors import InputError, Where
from rig.waveforms.choice import choose
from rig.waveforms.layout import Column
from rig.waveforms.units import hertz
from rig.waveforms.waveform import BLOCK_SAMPLES, MAX_SAMPLES, Waveform, checked_grid

DIALECT = "sigrok"
_METADATA_BYTES = 1 << 16
_MOST_PIECES = 1 << 20


@dataclass(frozen=True)
class _Session:
    """`channels` are the analogue ones; `Column.index` is the number in their pieces' names."""

    channels: tuple[Column, ...]
    rate_hz: float | None


def sigrok_channels(path: Path) -> tuple[str, ...]:
    with _opened(path) as archive:
        return tuple(channel.name for channel in _session(path, archive).channels)


def read_sigrok(path: Path, channel: str | None, interval_s: float | None, start_s: float | None) -> Waveform:
    """Samples as stored (float32 volts). Raises `InputError` for a damaged archive, and for logic only."""
    file = str(path)
    with _opened(path) as archive:
        session = _session(path, archive)
        chosen, notes = choose(file, session.channels, channel)
        pieces = _pieces(path, archive, f"analog-1-{chosen.index}")
    if session.rate_hz:
        if interval_s not in (None, 1.0 / session.rate_hz):
            raise InputError("the file has its own sample interval", Where(file, "--interval", found=f"{interval_s} s"))
        interval_s = 1.0 / session.rate_hz
    if interval_s is None:
        raise InputError("no usable sample rate: the sample interval must be given", Where(file, "--interval"))
    count = sum(size for _, size in pieces) // 4
    grid = checked_grid(file, start_s or 0.0, interval_s, count)
    blocks = partial(_samples, path, pieces)
    unknown = sum(int(np.isnan(block).sum()) for block in blocks())
    told = [f"read as {DIALECT}", "volts assumed", *notes]
    if unknown:
        told.append(f"{unknown} samples are infinite or not a number: unknown")
    return Waveform(file, chosen.name, DIALECT, count, blocks, None, grid, None, tuple(told))


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, EOFError) as error:
        raise InputError(
            "the session is damaged or cut short", Where(str(path), found=str(error), expected="a zip")
        ) from error


@contextmanager
def _read_from(path: Path, name: str) -> Iterator[None]:
    try:
        yield
    except KeyError as error:
        raise InputError("not a sigrok session", Where(str(path), name, found="no such part")) from error
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, NotImplementedError, ValueError) as error:
        raise InputError("the session is damaged", Where(str(path), name, found=str(error))) from error


def _bytes(path: Path, archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    with _read_from(path, name), archive.open(name) as member:
        data = member.read(most + 1)
    if len(data) > most:
        raise InputError("the session is damaged", Where(str(path), name, found=f"over {most} bytes"))
    return data


def _session(path: Path, archive: zipfile.ZipFile) -> _Session:
    version = _bytes(path, archive, "version", 16).decode("ascii", "replace").strip()
    if version != "2":
        raise InputError("a version that is not read", Where(str(path), "version", found=repr(version), expected="2"))
    metadata = configparser.ConfigParser(interpolation=None, strict=False, delimiters=("=",))
    try:
        metadata.read_string(_bytes(path, archive, "metadata", _METADATA_BYTES).decode("utf-8", "replace"))
        device = metadata["device 1"]
    except (configparser.Error, KeyError) as error:
        raise InputError(
            "not a sigrok session", Where(str(path), "metadata", expected="a section [device 1]")
        ) from error
    found = [(re.fullmatch(r"analog([0-9]{1,6})", key), name) for key, name in device.items()]
    channels = tuple(Column(name or mark[0], int(mark[1]), "V", 1.0) for mark, name in found if mark)
    if not channels:
        logic = device.get("total probes", "0")
        raise InputError("no analogue channel", Where(str(path), "metadata", found=f"{logic} logic channels"))
    return _Session(channels, hertz(device.get("samplerate", "")))


def _pieces(path: Path, archive: zipfile.ZipFile, stem: str) -> tuple[tuple[str, int], ...]:
    """The names of a channel's parts in order, and their sizes in bytes."""
    sizes = {entry.filename: entry.file_size for entry in archive.infolist()}
    names: list[str] = []
    while len(names) < _MOST_PIECES and (name := f"{stem}-{len(names) + 1}") in sizes:
        names.append(name)
    if not names and stem in sizes:
        names = [stem]
    total = sum(sizes[name] for name in names)
    if total < 8:
        raise InputError("no samples", Where(str(path), stem))
    if total > 4 * MAX_SAMPLES:
        raise InputError("too many samples", Where(str(path), stem, expected=f"at most {MAX_SAMPLES}"))
    cut = next((name for name in names if sizes[name] % 4), None)
    if cut:
        raise InputError("a piece is cut short", Where(str(path), cut, found=f"{sizes[cut]} bytes"))
    return tuple((name, sizes[name]) for name in names)


def _samples(path: Path, pieces: tuple[tuple[str, int], ...]) -> Iterator[npt.NDArray[np.float32]]:
    """The samples in blocks, unpacked on the way."""
    with _opened(path) as archive:
        for name, size in pieces:
            left = size
            with _read_from(path, name), archive.open(name) as member:
                while left:
                    data = member.read(min(left, 4 * BLOCK_SAMPLES))
                    left -= len(data)
                    if len(data) % 4 or not data:
                        raise InputError("a piece is cut short", Where(str(path), name, found=f"{size - left} bytes"))
                    values = np.frombuffer(data, "<f4").astype(np.float32)
                    values[np.isinf(values)] = np.nan
                    yield values
                if member.read(1):
                    raise InputError("a piece is longer than it says", Where(str(path), name, expected=f"{size} bytes"))
