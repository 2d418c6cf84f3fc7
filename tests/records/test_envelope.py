"""The envelope of a capture: what is known from it is never more than what the whole capture proves."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rig
from rig.errors import InputError
from rig.instruments.ports import Capture
from rig.records import capture_file
from rig.records.analysis import Analysis
from rig.records.capture_file import extremes, save_capture, save_envelope
from rig.waveforms import open_capture

DT_S = 1e-3
UP, DOWN, BETWEEN, CLIPPED = 150, 10, 100, 255
SETTINGS = {"down_v": 6.0, "up_v": 10.0, "noise_v": 0.05, "limit_s": 0.5, "restore_min_s": 0.05}


def capture(codes: np.ndarray) -> Capture:
    return Capture(codes.astype(np.uint8), DT_S, -0.05, 0.08, 0.0, 0, 255, 0.01, 0.05, 25.0, 1e-5)


def rails() -> st.SearchStrategy[np.ndarray]:
    """Up at its start; then pieces of any level, down to single samples, some of them off the screen."""
    piece = st.tuples(st.sampled_from([UP, DOWN, BETWEEN, CLIPPED, UP, DOWN]), st.integers(1, 90))
    return st.lists(piece, min_size=1, max_size=12).map(
        lambda pieces: np.concatenate([np.full(30, UP), *(np.full(n, level) for level, n in pieces)])
    )


def analysed(file: Path) -> Analysis:
    return rig.analyse(file, **SETTINGS)  # type: ignore[arg-type]


def both(folder: Path, codes: np.ndarray, bins: int) -> tuple[Analysis, Analysis]:
    """What the whole capture says, and what its envelope of at most so many bins does."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(capture_file, "MOST_BINS", bins)
        save_capture(folder / "whole.h5", capture(codes))
        save_envelope(folder / "envelope.h5", capture(codes))
    return analysed(folder / "whole.h5"), analysed(folder / "envelope.h5")


@given(codes=rails(), bins=st.integers(1, 80))
def test_its_bounds_contain_those_of_the_whole_capture(codes: np.ndarray, bins: int) -> None:
    if len(set(codes.tolist())) == 1:  # a constant signal proves nothing, whole or not
        codes = np.concatenate([codes, np.full(5, DOWN)])
    with tempfile.TemporaryDirectory() as folder:
        whole, less = both(Path(folder), codes, bins)
    assert less.longest_outage.lower_s <= whole.longest_outage.lower_s
    if less.longest_outage.upper_s is not None:
        assert whole.longest_outage.upper_s is not None
        assert less.longest_outage.upper_s >= whole.longest_outage.upper_s
    assert whole.coverage.from_s == less.coverage.from_s
    assert whole.coverage.to_s == less.coverage.to_s
    assert less.verdict in (whole.verdict, "INCONCLUSIVE")


@given(codes=rails(), size=st.integers(1, 5))
def test_where_the_whole_capture_bounds_an_outage_so_do_short_bins(codes: np.ndarray, size: int) -> None:
    """Levels that last longer than two bins are seen in them: the bounds are wider by a bin at each end, no more."""
    codes = np.repeat(np.concatenate([codes, np.full(60, UP)]), 10)
    if len(set(codes.tolist())) == 1:
        return
    with tempfile.TemporaryDirectory() as folder:
        whole, less = both(Path(folder), codes, -(-(len(codes) - 1) // size))
    assert (less.longest_outage.upper_s is None) == (whole.longest_outage.upper_s is None)
    if len(whole.outages) == len(less.outages) == 1 and whole.outages[0].upper_s and less.outages[0].upper_s:
        assert less.outages[0].upper_s - whole.outages[0].upper_s <= 2 * size * DT_S + 1e-5


def test_an_envelope_of_one_sample_a_bin_and_a_cut_that_fills_its_bins_says_nearly_the_same(tmp_path: Path) -> None:
    codes = np.concatenate([np.full(200, UP), np.full(300, DOWN), np.full(200, UP)])
    whole, less = both(tmp_path, codes, 70)
    assert whole.longest_outage.upper_s is not None
    assert less.longest_outage.upper_s is not None
    assert less.longest_outage.upper_s - whole.longest_outage.upper_s <= 2 * 10 * DT_S + 1e-6
    assert whole.longest_outage.lower_s - less.longest_outage.lower_s <= 2 * 10 * DT_S + 1e-6
    assert less.verdict == whole.verdict == "PASS"
    assert any(
        "an envelope: the least and the greatest of every 10 samples (0.01 s)" in row.notes for row in less.files
    )


@given(st.lists(st.integers(0, 255), min_size=2, max_size=60), st.integers(1, 20))
def test_each_bin_holds_the_extremes_of_its_samples_and_of_the_next_one(values: list[int], size: int) -> None:
    low, high = extremes(np.array(values, np.uint8), size)
    parts = [values[at : at + size + 1] for at in range(0, len(low) * size, size)]
    assert low.tolist() == [min(part) for part in parts]
    assert high.tolist() == [max(part) for part in parts]
    assert parts[-1][-1] == values[-1]


def test_another_program_reads_what_it_is_and_what_it_holds(tmp_path: Path) -> None:
    file = tmp_path / "e.h5"
    codes = np.concatenate([np.full(70_000, UP), np.full(70_000, DOWN), [UP]])
    save_envelope(file, capture(codes), 2.5)
    read = (
        "import h5py, json, sys; f = h5py.File(sys.argv[1]);"
        "print(json.dumps([f.attrs['schema'].decode(), int(f.attrs['bin_samples']), int(f.attrs['samples']),"
        " f['low'].shape[0], int(f['low'][0]), int(f['high'][-1]), float(f.attrs['trigger_from_zero_s'])]))"
    )
    done = subprocess.run([sys.executable, "-c", read, str(file)], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == ["rig.envelope/1", 3, 140_001, 46_667, UP, UP, 2.5]


def test_twelve_million_samples_become_a_file_that_a_night_has_room_for(tmp_path: Path) -> None:
    codes = np.full(12_000_000, UP, np.uint8)
    codes[3_000_000:4_000_000] = DOWN
    save_envelope(tmp_path / "e.h5", capture(codes))
    assert (tmp_path / "e.h5").stat().st_size < 2 * capture_file.MOST_BINS + 20_000
    with open_capture(tmp_path / "e.h5") as stored:
        assert (stored.count, stored.bin_samples) == (12_000_000, 184)
        assert stored.bins <= capture_file.MOST_BINS


def test_the_same_capture_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        save_envelope(tmp_path / name, capture(np.arange(200)), 1.0)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_samples_too_far_apart_are_refused_in_one_line(tmp_path: Path) -> None:
    save_envelope(tmp_path / "e.h5", capture(np.repeat([UP, DOWN], 100)))
    with pytest.raises(InputError, match="too far apart to prove anything") as caught:
        rig.analyse(tmp_path / "e.h5", down_v=6.0, up_v=10.0, noise_v=0.05, ride_through_s=1e-4)
    assert (caught.value.where.found, caught.value.where.expected) == ("0.001 s", "at most 0.0001 s")


@pytest.mark.parametrize(
    ("attribute", "value"),
    [("bin_samples", 0), ("bin_samples", 7), ("bin_samples", 1.5), ("samples", 3), ("samples", 1e300), ("dt_s", 0.0)],
)
def test_an_envelope_that_contradicts_itself_is_one_line(tmp_path: Path, attribute: str, value: float) -> None:
    save_envelope(tmp_path / "e.h5", capture(np.repeat([UP, DOWN], 100)))
    with h5py.File(tmp_path / "e.h5", "r+") as file:
        file.attrs[attribute] = value
    with pytest.raises(InputError) as caught:
        analysed(tmp_path / "e.h5")
    assert str(tmp_path / "e.h5") in caught.value.one_line()


def test_an_envelope_with_one_side_gone_is_one_line(tmp_path: Path) -> None:
    save_envelope(tmp_path / "e.h5", capture(np.repeat([UP, DOWN], 100)))
    with h5py.File(tmp_path / "e.h5", "r+") as file:
        del file["high"]
    with pytest.raises(InputError, match="no samples"):
        analysed(tmp_path / "e.h5")


def peaks(codes: np.ndarray, size: int) -> Capture:
    """What peak detect keeps of a rail that was `codes` at every instant: bins of `size` of them."""
    low, high = extremes(codes.astype(np.uint8), size)
    return replace(capture(low), highs=high, dt_s=size * DT_S)


@settings(max_examples=25)
@given(codes=rails(), size=st.integers(1, 40), bins=st.integers(1, 80))
def test_a_capture_with_peak_detect_bounds_the_rail_however_few_bins_are_kept(
    codes: np.ndarray, size: int, bins: int
) -> None:
    codes = codes[: (len(codes) - 1) // size * size + 1]
    if len(codes) < 2 or len(set(codes.tolist())) == 1:
        return
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        files = [Path(folder) / name for name in ("whole.h5", "bins.h5", "few.h5")]
        save_capture(files[0], capture(codes))
        save_capture(files[1], peaks(codes, size))
        patch.setattr(capture_file, "MOST_BINS", bins)
        save_envelope(files[2], peaks(codes, size))
        whole, *less = [analysed(file) for file in files]
    for found in less:
        assert found.longest_outage.lower_s <= whole.longest_outage.lower_s
        if found.longest_outage.upper_s is not None:
            assert whole.longest_outage.upper_s is not None
            assert found.longest_outage.upper_s >= whole.longest_outage.upper_s
        assert found.verdict in (whole.verdict, "INCONCLUSIVE")


def test_bins_that_are_longer_than_ride_through_still_prove_the_rail_up(tmp_path: Path) -> None:
    """As far apart, samples prove nothing: not what was between them."""
    codes = np.full(1501, UP)
    codes[400:440] = DOWN
    save_capture(tmp_path / "bins.h5", peaks(codes, 100))
    with open_capture(tmp_path / "bins.h5") as stored:
        assert (stored.bins, stored.bin_samples, stored.peak_detect) == (15, 1, True)
    found = rig.analyse(tmp_path / "bins.h5", down_v=6.0, up_v=10.0, noise_v=0.05, restore_min_s=0.05)
    assert found.verdict == "PASS"
    assert found.longest_outage.upper_s == pytest.approx(0.2, abs=0.01)
    assert "peak detect: the least and the greatest of every 0.1 s" in found.files[0].notes
    save_capture(tmp_path / "samples.h5", replace(capture(codes[::100]), dt_s=0.1))
    assert rig.analyse(tmp_path / "samples.h5", **{**SETTINGS, "limit_s": 180.0}).longest_outage.upper_s is None
