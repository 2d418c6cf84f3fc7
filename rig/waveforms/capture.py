"""This rig's own captures (`rig.capture/1`, HDF5): raw codes, their scale and their limits; whole, or block by block.

A file from elsewhere may be made to mislead: links out of it, virtual and external storage, and a record that was
never written are refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rig.errors import InputError, Where
from rig.rail.samples import Codes, Grid, Scale
from rig.waveforms.waveform import BLOCK_SAMPLES, LATEST_S, MAX_SAMPLES, Waveform

if TYPE_CHECKING:
    import h5py

DIALECT = "capture"
CHANNEL = "codes"
SCHEMA = "rig.capture/1"
_PIECE_BYTES = 1 << 20
_CHECKSUMMED = 2


@dataclass(frozen=True)
class StoredCapture:
    """An open capture: what its codes mean and when they were taken; the codes themselves stay on disk.

    `noise_v` of `scale` is 0: the file does not state it. `trigger_error_s` is how far the trigger's true instant may
    lie from the grid's zero; `from_zero_s` is that instant in seconds from a run's time zero, None = not known.
    """

    file: str
    count: int
    scale: Scale
    grid: Grid
    time_base_ppm: float
    trigger_error_s: float
    from_zero_s: float | None
    _codes: h5py.Dataset

    def blocks(self, samples: int = BLOCK_SAMPLES) -> Iterator[Codes]:
        """The codes in order, `samples` at a time, each block shape (n,). Raises `InputError` for a damaged file."""
        for at in range(0, self.count, samples):
            yield self._part(at, min(at + samples, self.count))

    def _part(self, first: int, after: int) -> Codes:
        try:
            part: Codes = self._codes[first:after]
        except (OSError, RuntimeError, ValueError) as error:
            found = f"samples {first} to {after - 1} that cannot be read"
            raise InputError("the capture is damaged", Where(self.file, CHANNEL, found=found)) from error
        return part


@contextmanager
def open_capture(path: Path) -> Iterator[StoredCapture]:
    """Open a capture for reading in blocks. Raises `InputError` for what is not a whole capture."""
    import h5py

    try:
        opened = h5py.File(path, "r")
    except (OSError, RuntimeError, ValueError) as error:
        raise InputError("the capture is damaged or cut short", Where(str(path), expected="an HDF5 file")) from error
    with opened as file:
        try:
            stored = _stored(path, file)
        except (OSError, RuntimeError, ValueError, TypeError, KeyError, AttributeError, UnicodeError) as error:
            raise InputError("the capture is damaged", Where(str(path), found=str(error))) from error
        yield stored


def read_capture(path: Path, channel: str | None) -> Waveform:
    """The capture as a waveform of codes, which stay on disk."""
    if channel not in (None, CHANNEL):
        raise InputError("no such channel", Where(str(path), "--channel", found=repr(channel), expected=CHANNEL))

    def blocks() -> Iterator[Codes]:
        with open_capture(path) as stored:
            yield from stored.blocks()

    with open_capture(path) as stored:
        notes = (f"read as {DIALECT}", f"the trigger lies within {stored.trigger_error_s:g} s of zero")
        return Waveform(
            str(path),
            CHANNEL,
            DIALECT,
            stored.count,
            blocks,
            stored.scale,
            stored.grid,
            None,
            notes,
            stored.time_base_ppm,
        )


def _stored(path: Path, file: h5py.File) -> StoredCapture:
    _is_ours(path, file)
    codes = _dataset(path, file)

    def number(name: str) -> float:
        return _number(path, file, name)

    limits = np.iinfo(codes.dtype)
    scale = Scale(
        number("volts_per_code"),
        number("zero_code"),
        int(number("low_code")),
        int(number("high_code")),
        number("gain_error_fraction"),
        number("offset_error_v"),
        0.0,
    )
    grid = Grid(number("first_s"), number("dt_s"))
    checks = (
        ("volts_per_code", scale.volts_per_code > 0),
        ("low_code", limits.min - 1 <= scale.low_code < scale.high_code <= limits.max + 1),
        ("gain_error_fraction", scale.gain_error >= 0),
        ("offset_error_v", scale.offset_error_v >= 0),
        ("dt_s", grid.dt_s > 0 and abs(grid.first_s) + grid.dt_s * len(codes) < LATEST_S),
        ("time_base_ppm", number("time_base_ppm") >= 0),
        ("trigger_error_s", number("trigger_error_s") >= 0),
    )
    for name, good in checks:
        if not good:
            raise InputError("out of range", Where(str(path), name, found=str(number(name))))
    from_zero_s = number("trigger_from_zero_s") if "trigger_from_zero_s" in file.attrs else None
    ppm, trigger_error_s = number("time_base_ppm"), number("trigger_error_s")
    return StoredCapture(str(path), len(codes), scale, grid, ppm, trigger_error_s, from_zero_s, codes)


def _is_ours(path: Path, file: h5py.File) -> None:
    """The schema, and a format with checksums: HDF5 crashes or hangs on damage that it cannot see."""
    kind = file.attrs.get_id("schema") if "schema" in file.attrs else None
    if kind is None or kind.shape != () or not _stands_in(path, SCHEMA.encode()):
        raise InputError("not a capture of this rig", Where(str(path), "schema", expected=SCHEMA))
    if file.id.get_create_plist().get_version()[0] < _CHECKSUMMED:
        raise InputError("not a capture of this rig", Where(str(path), found="a format without checksums"))


def _stands_in(path: Path, text: bytes) -> bool:
    # The attribute is a string of variable length. HDF5 keeps those on a heap that has no checksum, so that reading it
    # from a damaged file may never end: the text is looked for in the file's own bytes.
    with path.open("rb") as file:
        before = b""
        while piece := file.read(_PIECE_BYTES):
            if text in before + piece:
                return True
            before = piece[-len(text) :]
    return False


def _number(path: Path, file: h5py.File, name: str) -> float:
    kind = file.attrs.get_id(name) if name in file.attrs else None
    plain = kind is not None and kind.shape == () and kind.dtype.kind in "iuf"
    value = float(file.attrs[name]) if plain else float("nan")
    if not np.isfinite(value):
        raise InputError("missing or wrong", Where(str(path), name, expected="a finite number"))
    return value


def _dataset(path: Path, file: h5py.File) -> h5py.Dataset:
    import h5py

    link = file.get(CHANNEL, getlink=True) if CHANNEL in file.keys() else None  # noqa: SIM118 `in` follows the link
    codes = file[CHANNEL] if isinstance(link, h5py.HardLink) else None
    expected = "uint8 or int16 of shape (n,)"
    if not isinstance(codes, h5py.Dataset) or codes.ndim != 1 or codes.dtype not in (np.uint8, np.int16):
        raise InputError("no samples", Where(str(path), CHANNEL, expected=expected))
    if codes.is_virtual or codes.external:
        raise InputError("samples in another file are not read", Where(str(path), CHANNEL))
    if len(codes) < 2:
        raise InputError("no samples", Where(str(path), CHANNEL, found=f"{len(codes)} codes", expected="two at least"))
    if len(codes) > MAX_SAMPLES:
        raise InputError(
            "too many samples", Where(str(path), CHANNEL, found=str(len(codes)), expected=str(MAX_SAMPLES))
        )
    chunk = codes.chunks[0] if codes.chunks else len(codes)
    written = codes.id.get_num_chunks() * chunk if codes.chunks else codes.id.get_storage_size() // codes.dtype.itemsize
    if written < len(codes):
        raise InputError("the capture was not written to its end", Where(str(path), CHANNEL, found=f"{written} codes"))
    return codes
