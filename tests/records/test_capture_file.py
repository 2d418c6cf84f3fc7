"""Captures on disk: nothing is lost, the bytes repeat, and a damaged file is named."""

from __future__ import annotations

import errno
import os
import struct
import time
import tracemalloc
from dataclasses import fields, replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.errors import InputError
from rig.instruments.ports import Capture, Codes
from rig.records.capture_file import envelope, load_capture, load_from_zero_s, save_capture


def capture(codes: Codes) -> Capture:
    return Capture(
        codes=codes,
        dt_s=2e-05,
        first_s=-10.0,
        volts_per_code=0.08,
        zero_code=101.5,
        low_code=0,
        high_code=255,
        gain_error=0.03,
        offset_error_v=0.15,
        time_base_ppm=25.0,
        trigger_error_s=1e-05,
    )


def noise(dtype: type[np.uint8] | type[np.int16], count: int = 300_001) -> Capture:
    codes: Codes = np.random.default_rng(1).integers(0, 250, count).astype(dtype)  # type: ignore[assignment]
    return capture(codes)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16])
def test_a_capture_comes_back_as_it_was(tmp_path: Path, dtype: type[np.uint8] | type[np.int16]) -> None:
    before = noise(dtype)
    save_capture(tmp_path / "a.h5", before, 12.25)
    after = load_capture(tmp_path / "a.h5")
    assert after.codes.dtype == dtype
    assert np.array_equal(after.codes, before.codes)
    for field in fields(Capture):
        if field.name != "codes":
            assert getattr(after, field.name) == getattr(before, field.name)
            assert type(getattr(after, field.name)) is type(getattr(before, field.name))
    assert load_from_zero_s(tmp_path / "a.h5") == 12.25
    assert [p.name for p in tmp_path.iterdir()] == ["a.h5"]


def test_a_capture_without_samples_and_without_time_zero_is_kept_too(tmp_path: Path) -> None:
    save_capture(tmp_path / "a.h5", capture(np.empty(0, np.uint8)))
    assert len(load_capture(tmp_path / "a.h5").codes) == 0
    assert load_from_zero_s(tmp_path / "a.h5") is None


@pytest.mark.parametrize("dtype", [np.uint8, np.int16])
def test_the_same_capture_gives_the_same_bytes(tmp_path: Path, dtype: type[np.uint8] | type[np.int16]) -> None:
    save_capture(tmp_path / "a.h5", noise(dtype), 1.0)
    save_capture(tmp_path / "b.h5", noise(dtype), 1.0)
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()


def test_the_file_holds_no_stamp_of_the_wall_clock(tmp_path: Path) -> None:
    before = int(time.time())
    save_capture(tmp_path / "a.h5", capture(np.zeros(1000, np.uint8)))
    held = (tmp_path / "a.h5").read_bytes()
    assert not [t for t in range(before, int(time.time()) + 1) if struct.pack("<I", t) in held]


def test_the_file_speaks_for_itself(tmp_path: Path) -> None:
    save_capture(tmp_path / "a.h5", noise(np.int16, 3_000_000), 1.0)
    with h5py.File(tmp_path / "a.h5") as file:
        assert file.attrs["schema"] == b"rig.capture/1"
        assert file.attrs["gain_error_fraction"] == 0.03
        codes = file["codes"]
        assert (codes.compression, codes.shuffle, codes.chunks) == ("gzip", True, (524_288,))


def test_single_bytes_are_not_shuffled(tmp_path: Path) -> None:
    save_capture(tmp_path / "a.h5", noise(np.uint8))
    with h5py.File(tmp_path / "a.h5") as file:
        assert file["codes"].shuffle is False


def test_a_write_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(fd: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        save_capture(tmp_path / "a.h5", noise(np.uint8))
    assert list(tmp_path.iterdir()) == []


def test_codes_of_another_kind_are_a_programming_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="uint8 or int16"):
        save_capture(tmp_path / "a.h5", replace(noise(np.uint8), codes=np.zeros(3)))  # type: ignore[arg-type]


def test_a_file_that_is_no_capture_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with pytest.raises(InputError, match="not a capture") as told:
        load_capture(path)
    assert "No such file" in told.value.one_line()
    path.write_text("time,volts\n")
    with pytest.raises(InputError, match="not a capture") as told:
        load_capture(path)
    assert str(path) in told.value.one_line()


@pytest.mark.parametrize(
    ("attribute", "value"),
    [("schema", "rig.capture/2"), ("dt_s", 0.0), ("dt_s", np.nan), ("volts_per_code", "0.08"), ("low_code", None)],
)
def test_a_wrong_attribute_is_named(tmp_path: Path, attribute: str, value: object) -> None:
    path = tmp_path / "a.h5"
    save_capture(path, noise(np.uint8))
    with h5py.File(path, "r+") as file:
        del file.attrs[attribute]
        if value is not None:
            file.attrs[attribute] = value
    with pytest.raises(InputError) as told:
        load_capture(path)
    assert told.value.where.key == attribute
    assert told.value.where.file == str(path)


def test_samples_of_another_shape_are_named(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    save_capture(path, noise(np.uint8))
    with h5py.File(path, "r+") as file:
        del file["codes"]
        file["codes"] = np.zeros((2, 2))
    with pytest.raises(InputError) as told:
        load_capture(path)
    assert told.value.where.key == "codes"


@given(st.lists(st.integers(0, 255), max_size=60), st.integers(0, 70), st.sampled_from([0.08, -0.08]))
def test_the_envelope_is_the_least_and_greatest_volts_of_each_part(
    codes: list[int], columns: int, volts_per_code: float
) -> None:
    one = replace(capture(np.array(codes, np.uint8)), volts_per_code=volts_per_code)
    rows = envelope(one, columns)
    assert len(rows) == min(columns, len(codes))
    volts = [(c - one.zero_code) * one.volts_per_code for c in codes]
    times = [one.first_s + i * one.dt_s for i in range(len(codes))]
    if len(rows):
        assert min(r[1] for r in rows) == min(volts)
        assert max(r[2] for r in rows) == max(volts)
        assert all(low <= high for _, low, high in rows)
        assert times[0] <= rows[0][0] <= rows[-1][0] <= times[-1] + 1e-9
    if len(rows) == len(codes):
        assert [r[1] for r in rows] == [r[2] for r in rows] == volts


def test_the_envelope_counts_from_time_zero_when_told() -> None:
    one = noise(np.uint8, 100)
    assert envelope(one, 1, 50.0)[0][0] == pytest.approx(envelope(one, 1)[0][0] + 50.0)


def test_the_envelope_of_24_million_samples_needs_little_memory() -> None:
    one = capture(np.zeros(24_000_000, np.int16))
    one.codes[23_000_000] = 100
    tracemalloc.start()
    try:
        rows = envelope(one, 2000)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8_000_000
    assert sum(high > low for _, low, high in rows) == 1
