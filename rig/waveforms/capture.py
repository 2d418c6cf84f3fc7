"""This rig's own captures (`rig.capture/1`, HDF5): raw codes, their scale and their limits; whole, or block by block.

Also their envelopes (`rig.envelope/1`), of which the least and the greatest code of each bin are left.

A file from elsewhere may be made to mislead: links out of it, virtual and external storage, and a record that was
never written are refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rig.errors import InputError, Where
from rig.rail.samples import Codes, Grid, Scale
from rig.waveforms.waveform import BLOCK_SAMPLES, LATEST_S, MAX_SAMPLES, Binning, Waveform

if TYPE_CHECKING:
    import h5py

DIALECT = "capture"
CHANNEL = "codes"
SCHEMA = "rig.capture/1"
ENVELOPE = "rig.envelope/1"
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
    _high: h5py.Dataset | None = None
    bin_samples: int | None = None
    """Of an envelope: samples from one bin to the next. `count` and `grid` are those of the samples that there were."""
    peak_detect: bool = False
    """The instrument itself looked at all of each bin: a sample is then the edge of one."""

    @property
    def bins(self) -> int:
        """How many there are: of a whole capture, none."""
        return 0 if self._high is None else len(self._high)

    def blocks(self, samples: int = BLOCK_SAMPLES) -> Iterator[Codes]:
        """The codes in order, `samples` at a time, each block shape (n,). Raises `InputError` for a damaged file.

        Of an envelope the least and the greatest of each bin in turn, `samples` bins at a time.
        """
        for at in range(0, len(self._codes), samples):
            low = self._part(self._codes, at, at + samples)
            yield low if self._high is None else _in_turn(low, self._part(self._high, at, at + samples))

    def _part(self, codes: h5py.Dataset, first: int, after: int) -> Codes:
        after = min(after, len(codes))
        try:
            part: Codes = codes[first:after]
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
        notes = [f"read as {DIALECT}", f"the trigger lies within {stored.trigger_error_s:g} s of zero"]
        bins = None
        if stored.bin_samples is not None:
            bins = Binning(stored.bins, stored.bin_samples, stored.peak_detect)
            width_s = stored.bin_samples * stored.grid.dt_s
            notes.append(
                f"peak detect: the least and the greatest of every {width_s:g} s"
                if stored.peak_detect
                else f"an envelope: the least and the greatest of every {stored.bin_samples} samples ({width_s:g} s)"
            )
        return Waveform(
            str(path),
            CHANNEL,
            DIALECT,
            stored.count,
            blocks,
            stored.scale,
            stored.grid,
            None,
            tuple(notes),
            stored.time_base_ppm,
            time_error_s=0.0 if bins is None or _whole_ns(stored.grid) else 1e-9,
            bins=bins,
        )


def _whole_ns(grid: Grid) -> bool:
    """Whether the edges of bins are whole nanoseconds; else they are rounded, and so uncertain by one."""
    return (grid.dt_s * 1e9).is_integer()


def _in_turn(low: Codes, high: Codes) -> Codes:
    both = np.empty(2 * len(low), low.dtype)
    both[0::2], both[1::2] = low, high
    return both


def _stored(path: Path, file: h5py.File) -> StoredCapture:
    if _schema(path, file) == ENVELOPE:
        return _stored_envelope(path, file)
    codes = _dataset(path, file, CHANNEL)
    return _described(path, file, codes, len(codes))


def _stored_envelope(path: Path, file: h5py.File) -> StoredCapture:
    low, high = _dataset(path, file, "low"), _dataset(path, file, "high")
    size, samples = _number(path, file, "bin_samples"), _number(path, file, "samples")
    peak = _number(path, file, "peak_detect") if "peak_detect" in file.attrs else 0.0
    checks = (
        ("high", low.dtype == high.dtype and len(low) == len(high)),
        ("peak_detect", peak in (0.0, 1.0)),
        ("bin_samples", size == int(size) >= 1),
        ("samples", samples == int(samples) <= MAX_SAMPLES and -(-(samples - 1) // max(size, 1)) == len(low)),
    )
    for name, good in checks:
        if not good:
            raise InputError("does not fit the rest of the envelope", Where(str(path), name))
    whole = _described(path, file, low, int(samples))
    return replace(whole, _high=high, bin_samples=int(size), peak_detect=peak == 1.0)


def _described(path: Path, file: h5py.File, codes: h5py.Dataset, count: int) -> StoredCapture:

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
        ("dt_s", grid.dt_s > 0 and abs(grid.first_s) + grid.dt_s * count < LATEST_S),
        ("time_base_ppm", number("time_base_ppm") >= 0),
        ("trigger_error_s", number("trigger_error_s") >= 0),
    )
    for name, good in checks:
        if not good:
            raise InputError("out of range", Where(str(path), name, found=str(number(name))))
    from_zero_s = number("trigger_from_zero_s") if "trigger_from_zero_s" in file.attrs else None
    ppm, trigger_error_s = number("time_base_ppm"), number("trigger_error_s")
    return StoredCapture(str(path), count, scale, grid, ppm, trigger_error_s, from_zero_s, codes)


def _schema(path: Path, file: h5py.File) -> str:
    """Which of ours it is, in a format with checksums: HDF5 crashes or hangs on damage that it cannot see."""
    kind = file.attrs.get_id("schema") if "schema" in file.attrs else None
    found = next((name for name in (SCHEMA, ENVELOPE) if _stands_in(path, name.encode())), None)
    if kind is None or kind.shape != () or found is None:
        raise InputError("not a capture of this rig", Where(str(path), "schema", expected=f"{SCHEMA} or {ENVELOPE}"))
    if file.id.get_create_plist().get_version()[0] < _CHECKSUMMED:
        raise InputError("not a capture of this rig", Where(str(path), found="a format without checksums"))
    return found


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


def _dataset(path: Path, file: h5py.File, name: str) -> h5py.Dataset:
    import h5py

    link = file.get(name, getlink=True) if name in file.keys() else None  # noqa: SIM118 `in` follows the link
    codes = file[name] if isinstance(link, h5py.HardLink) else None
    expected = "uint8 or int16 of shape (n,)"
    if not isinstance(codes, h5py.Dataset) or codes.ndim != 1 or codes.dtype not in (np.uint8, np.int16):
        raise InputError("no samples", Where(str(path), name, expected=expected))
    if codes.is_virtual or codes.external:
        raise InputError("samples in another file are not read", Where(str(path), name))
    least = 2 if name == CHANNEL else 1
    if len(codes) < least:
        raise InputError(
            "no samples", Where(str(path), name, found=f"{len(codes)} codes", expected=f"{least} at least")
        )
    if len(codes) > MAX_SAMPLES:
        raise InputError("too many samples", Where(str(path), name, found=str(len(codes)), expected=str(MAX_SAMPLES)))
    chunk = codes.chunks[0] if codes.chunks else len(codes)
    written = codes.id.get_num_chunks() * chunk if codes.chunks else codes.id.get_storage_size() // codes.dtype.itemsize
    if written < len(codes):
        raise InputError("the capture was not written to its end", Where(str(path), name, found=f"{written} codes"))
    return codes
