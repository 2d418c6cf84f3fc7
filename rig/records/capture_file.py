"""A capture on disk: one HDF5 file with the raw codes and what they mean. Schema: `rig.capture/1`.

Knows no oscilloscope. The file holds the dataset `codes` and, as attributes of the root, the other fields of
`rig.instruments.ports.Capture` with their units in their names. The same capture gives the same bytes.

Where a plan says so, the envelope alone is kept (`rig.envelope/1`): the datasets `low` and `high` hold the least and
the greatest code of each bin, and beside the same attributes `bin_samples` and `samples` say how many samples a bin and
the capture had. A bin runs from its first sample to the first of the next one, both included, so that nothing between
two bins is left out; the last one ends with the last sample. So is a capture with peak detect kept, all of it or its
envelope: `peak_detect` says that the instrument itself looked at all of each bin, and a sample is then the edge of one
of its bins. 12 million samples take 12 MB before compression, their
envelope 131 kB; a crossing is then known to a bin, 9.2 ms of a window of 600 s.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from rig.errors import InputError, Where
from rig.instruments.ports import Capture, Codes
from rig.whole_file import replace_whole

if TYPE_CHECKING:
    import h5py

SCHEMA = "rig.capture/1"
ENVELOPE = "rig.envelope/1"
MOST_BINS = 1 << 16
_CHUNK_BYTES = 1 << 20
_FROM_ZERO = "trigger_from_zero_s"
_ATTRIBUTES = {
    "dt_s": "dt_s",
    "first_s": "first_s",
    "volts_per_code": "volts_per_code",
    "zero_code": "zero_code",
    "low_code": "low_code",
    "high_code": "high_code",
    "gain_error": "gain_error_fraction",
    "offset_error_v": "offset_error_v",
    "time_base_ppm": "time_base_ppm",
    "trigger_error_s": "trigger_error_s",
}
_WHOLE = ("low_code", "high_code")


def save_capture(path: Path, capture: Capture, from_zero_s: float | None = None) -> None:
    """Write `capture` to `path`, whole or not at all; durable when this returns. Raises `OSError`.

    `from_zero_s` is the trigger's instant in seconds from time zero; None = not known.
    """
    if capture.highs is None:
        replace_whole(path, _image(capture, from_zero_s))
    else:
        _save_bins(path, capture, 1, from_zero_s)


def save_envelope(path: Path, capture: Capture, from_zero_s: float | None = None) -> None:
    """Write the envelope of `capture`, of two samples at least: as `save_capture`, in at most `MOST_BINS` bins."""
    count = len(capture.codes)
    if capture.highs is not None:
        _save_bins(path, capture, -(-count // MOST_BINS), from_zero_s)
        return
    size = max(1, -(-(count - 1) // MOST_BINS))
    low, high = extremes(capture.codes, size)
    more = {"bin_samples": size, "samples": count}
    replace_whole(path, _hdf5(ENVELOPE, {"low": low, "high": high}, capture, from_zero_s, more))


def _save_bins(path: Path, capture: Capture, size: int, from_zero_s: float | None) -> None:
    """Bins of peak detect, `size` of them as one."""
    low, high = capture.extremes
    edges = np.arange(0, len(low), size)
    sets = {"low": np.minimum.reduceat(low, edges), "high": np.maximum.reduceat(high, edges)}
    more = {"bin_samples": size, "samples": len(low) + 1, "peak_detect": 1}
    replace_whole(path, _hdf5(ENVELOPE, sets, capture, from_zero_s, more))


def extremes(codes: Codes, size: int) -> tuple[Codes, Codes]:
    """The least and the greatest of each bin of `size` samples and the one after them; the last may be shorter.

    Raises ValueError for less than two samples.
    """
    if len(codes) < 2:
        raise ValueError(f"{len(codes)} samples make no bin")
    edges = np.arange(0, len(codes) - 1, size)
    inside, after = codes[:-1], codes[np.minimum(edges + size, len(codes) - 1)]
    return np.minimum(np.minimum.reduceat(inside, edges), after), np.maximum(np.maximum.reduceat(inside, edges), after)


def _image(capture: Capture, from_zero_s: float | None) -> bytes:
    codes = capture.codes
    if codes.ndim != 1 or codes.dtype not in (np.uint8, np.int16):
        raise ValueError(f"codes must be uint8 or int16 of shape (n,), not {codes.dtype} of shape {codes.shape}")
    return _hdf5(SCHEMA, {"codes": codes}, capture, from_zero_s, {})


def _hdf5(
    schema: str, sets: Mapping[str, Codes], capture: Capture, from_zero_s: float | None, more: Mapping[str, int]
) -> bytes:
    # Built in memory: a full disk then shows as a plain OSError of one write, never inside the HDF5 library's close.
    import h5py

    with h5py.File(
        "capture", "w", driver="core", backing_store=False, libver=("v108", "v110"), track_order=False
    ) as file:
        for name, codes in sets.items():
            file.create_dataset(
                name,
                data=codes,
                maxshape=(None,) if len(codes) == 0 else None,
                chunks=(max(1, min(len(codes), _CHUNK_BYTES // codes.itemsize)),),
                compression="gzip",  # the same bytes every time, which lzf does not promise
                compression_opts=1,
                shuffle=codes.itemsize > 1,
                fletcher32=True,  # a flipped byte is told, not read
                track_times=False,
            )
        file.attrs["schema"] = np.bytes_(schema)  # of fixed length: HDF5 may hang on a damaged variable one
        for field, attribute in _ATTRIBUTES.items():
            value = getattr(capture, field)
            file.attrs[attribute] = int(value) if field in _WHOLE else float(value)
        for name, value in more.items():
            file.attrs[name] = value
        if from_zero_s is not None:
            file.attrs[_FROM_ZERO] = float(from_zero_s)
        file.flush()
        return bytes(file.id.get_file_image())


def load_capture(path: Path) -> Capture:
    """Read what `save_capture` wrote. Raises `InputError` naming the file and the part that is wrong."""
    with _opened(path) as file:
        fields: dict[str, Any] = {name: _number(path, file, name) for name in _ATTRIBUTES}
        return Capture(codes=_codes(path, file), **fields)


def load_from_zero_s(path: Path) -> float | None:
    """The trigger's instant in seconds from time zero, or None where the file does not know it."""
    with _opened(path) as file:
        value = file.attrs.get(_FROM_ZERO)
        return None if value is None else float(value)


@contextlib.contextmanager
def _opened(path: Path) -> Any:
    import h5py

    try:
        file = h5py.File(path, "r")
    except OSError as error:
        found = os.strerror(error.errno) if error.errno else "something else, or a damaged file"
        raise InputError("not a capture", Where(str(path), found=found, expected="an HDF5 file")) from error
    with file:
        schema = file.attrs.get("schema")
        if schema != SCHEMA.encode():
            raise InputError(
                "not a capture of this rig", Where(str(path), "schema", found=str(schema), expected=SCHEMA)
            )
        yield file


def _codes(path: Path, file: h5py.File) -> Any:
    import h5py

    codes = file.get("codes")
    if not isinstance(codes, h5py.Dataset) or codes.ndim != 1 or codes.dtype not in (np.uint8, np.int16):
        found = f"{codes.dtype} of shape {codes.shape}" if isinstance(codes, h5py.Dataset) else "nothing"
        raise InputError("no samples", Where(str(path), "codes", found=found, expected="uint8 or int16 of shape (n,)"))
    try:
        return codes[:]
    except OSError as error:
        raise InputError("the samples cannot be read", Where(str(path), "codes", found="a damaged file")) from error


def _number(path: Path, file: h5py.File, field: str) -> float | int:
    attribute = _ATTRIBUTES[field]
    value = file.attrs.get(attribute)
    if not isinstance(value, np.number | int | float) or not np.isfinite(value) or (field == "dt_s" and value <= 0):
        expected = "a number above 0" if field == "dt_s" else "a finite number"
        raise InputError("missing or wrong", Where(str(path), attribute, found=str(value), expected=expected))
    return int(value) if field in _WHOLE else float(value)


def envelope(capture: Capture, columns: int, from_zero_s: float = 0.0) -> npt.NDArray[np.float64]:
    """Lowest and highest volts in at most `columns` equal parts, shape (n, 3).

    A row is (time_s of the part's middle, lowest_v, highest_v).

    Times are seconds after the trigger plus `from_zero_s`. Works on the raw codes, without a copy of them. A clipped
    sample counts at the code it was clipped to.
    """
    count = len(capture.codes)
    columns = min(columns, count)
    if columns <= 0:
        return np.empty((0, 3))
    edges = np.linspace(0, count, columns + 1).astype(np.int64)
    least, greatest = capture.extremes
    lowest = _volts(capture, np.minimum.reduceat(least, edges[:-1]))
    highest = _volts(capture, np.maximum.reduceat(greatest, edges[:-1]))
    middle = (edges[:-1] + edges[1:] - 1) / 2 * capture.dt_s + (capture.first_s + from_zero_s)
    low, high = np.minimum(lowest, highest), np.maximum(lowest, highest)  # an inverted probe swaps them
    return np.column_stack((middle, low, high))


def _volts(capture: Capture, codes: Any) -> Any:
    return (codes.astype(np.float64) - capture.zero_code) * capture.volts_per_code
