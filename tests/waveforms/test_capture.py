"""This rig's own captures: codes and scale as stored, block by block, and nothing from a file that misleads."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import h5py
import numpy as np
import pytest

from rig.errors import InputError
from rig.rail.samples import Codes, Grid, Scale
from rig.waveforms import channels, open_capture, read

ATTRIBUTES: dict[str, float | int | str] = {
    "schema": "rig.capture/1",
    "dt_s": 2e-6,
    "first_s": -0.5,
    "volts_per_code": 0.08,
    "zero_code": 27.0,
    "low_code": 0,
    "high_code": 255,
    "gain_error_fraction": 0.03,
    "offset_error_v": 0.1,
    "time_base_ppm": 25.0,
    "trigger_error_s": 1e-6,
}


def stored(path: Path, codes: Codes | None = None, **changed: float | str | None) -> Path:
    with h5py.File(path, "w", libver=("v108", "v110")) as file:
        codes = np.array([0, 27, 177, 255], np.uint8) if codes is None else codes
        file.create_dataset("codes", data=codes, chunks=(min(len(codes), 1 << 20),), compression="lzf")
        for name, value in {**ATTRIBUTES, **changed}.items():
            if value is not None:
                file.attrs[name] = value
    return path


def test_a_capture_is_read_as_codes_with_their_scale(tmp_path: Path) -> None:
    path = stored(tmp_path / "a.h5")
    wave = read(path)
    assert wave.values.tolist() == [0, 27, 177, 255]
    assert wave.values.dtype == np.uint8
    assert wave.scale == Scale(0.08, 27.0, 0, 255, 0.03, 0.1, 0.0)
    assert wave.grid == Grid(-0.5, 2e-6)
    assert (wave.dialect, wave.channel, wave.times_ns, wave.time_base_ppm) == ("capture", "codes", None, 25.0)
    assert channels(path) == ("codes",)


def test_what_the_records_write_is_what_is_read(tmp_path: Path) -> None:
    from rig.instruments.ports import Capture
    from rig.records.capture_file import save_capture

    codes = np.arange(-300, 300, dtype=np.int16)
    save_capture(tmp_path / "a.h5", Capture(codes, 1e-3, -0.1, 0.01, 5.0, -512, 511, 0.02, 0.05, 25.0, 1e-4), 1.25)
    with open_capture(tmp_path / "a.h5") as capture:
        assert np.array_equal(np.concatenate(list(capture.blocks(100))), codes)
        assert capture.scale == Scale(0.01, 5.0, -512, 511, 0.02, 0.05, 0.0)
        assert capture.grid == Grid(-0.1, 1e-3)
        assert (capture.time_base_ppm, capture.trigger_error_s, capture.from_zero_s) == (25.0, 1e-4, 1.25)


def test_a_long_capture_is_streamed_in_little_memory(tmp_path: Path) -> None:
    codes = np.tile(np.arange(200, dtype=np.uint8), 100_000)
    path = stored(tmp_path / "a.h5", codes)
    with open_capture(path) as capture:
        tracemalloc.start()
        at = 0
        for block in capture.blocks(1 << 18):
            assert np.array_equal(block, codes[at : at + len(block)])
            at += len(block)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert at == capture.count == len(codes)
    assert peak < 8_000_000


@pytest.mark.parametrize(
    ("changed", "key"),
    [
        ({"schema": "rig.capture/2"}, "schema"),
        ({"schema": None}, "schema"),
        ({"dt_s": None}, "dt_s"),
        ({"dt_s": 0.0}, "dt_s"),
        ({"dt_s": 1e9, "first_s": 4e9}, "dt_s"),
        ({"first_s": float("nan")}, "first_s"),
        ({"volts_per_code": -0.08}, "volts_per_code"),
        ({"volts_per_code": "much"}, "volts_per_code"),
        ({"low_code": 255}, "low_code"),
        ({"high_code": 257}, "low_code"),
        ({"gain_error_fraction": -0.1}, "gain_error_fraction"),
        ({"time_base_ppm": float("inf")}, "time_base_ppm"),
    ],
)
def test_an_attribute_that_is_wrong_is_named(tmp_path: Path, changed: dict[str, float | str | None], key: str) -> None:
    with pytest.raises(InputError) as told:
        read(stored(tmp_path / "a.h5", **changed))
    assert told.value.where.key == key


@pytest.mark.parametrize(
    "kind", ["none", "float", "table", "group", "external link", "soft link", "virtual", "unwritten", "one"]
)
def test_samples_of_another_kind_or_from_elsewhere_are_refused(tmp_path: Path, kind: str) -> None:
    path, other = stored(tmp_path / "a.h5"), stored(tmp_path / "b.h5")
    with h5py.File(path, "r+") as file:
        del file["codes"]
        if kind == "float":
            file["codes"] = [1.0, 2.0]
        elif kind == "table":
            file["codes"] = np.zeros((2, 2), np.uint8)
        elif kind == "group":
            file.create_group("codes")
        elif kind == "external link":
            file["codes"] = h5py.ExternalLink(str(other), "codes")
        elif kind == "soft link":
            file["codes"] = h5py.SoftLink("/nowhere")
        elif kind == "virtual":
            layout = h5py.VirtualLayout((4,), np.uint8)
            layout[:] = h5py.VirtualSource(str(other), "codes", (4,))
            file.create_virtual_dataset("codes", layout)
        elif kind == "unwritten":
            file.create_dataset("codes", (100_000_000,), np.uint8, chunks=(1 << 20,))
        elif kind == "one":
            file["codes"] = np.zeros(1, np.uint8)
    with pytest.raises(InputError) as told:
        read(path)
    assert told.value.where.key == "codes"


def test_a_capture_cut_anywhere_is_refused(tmp_path: Path) -> None:
    whole = stored(tmp_path / "a.h5", np.arange(2000, dtype=np.int16)).read_bytes()
    for length in range(8, len(whole), 97):
        path = tmp_path / "cut.h5"
        path.write_bytes(whole[:length])
        with pytest.raises(InputError):
            read(path)


def test_a_capture_has_its_own_times_and_one_channel(tmp_path: Path) -> None:
    path = stored(tmp_path / "a.h5")
    with pytest.raises(InputError, match="has its own times"):
        read(path, interval_s=1.0)
    with pytest.raises(InputError, match="no such channel"):
        read(path, channel="CH1")
    with pytest.raises(InputError, match="not a file as rigol writes it"):
        read(path, dialect="rigol")
