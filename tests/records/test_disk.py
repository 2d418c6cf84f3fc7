"""Whether a night fits: what is said of a bundle is never less than what it takes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.clock.virtual import VirtualClock
from rig.instruments.ports import Capture
from rig.records.bundle import Bundle
from rig.records.capture_file import MOST_BINS, load_capture
from rig.records.disk import CapturePolicy, Keep, Room, bundle_bytes, capture_bytes, room_for, used_bytes
from tests.records.samples import PICTURES, passed

KEEPS: tuple[Keep, ...] = ("full", "envelope", "none")


def noise(samples: int) -> Capture:
    """What no compression makes smaller."""
    codes = np.random.default_rng(1).integers(-32_768, 32_767, samples, np.int16)
    return Capture(codes, 1e-4, 0.0, 0.0004, 0.0, -32_769, 32_768, 0.01, 0.05, 25.0, 1e-5)


@pytest.mark.parametrize("keep", KEEPS)
def test_a_bundle_of_incompressible_captures_is_no_larger_than_was_said(tmp_path: Path, keep: Keep) -> None:
    bundle = Bundle.create(tmp_path, VirtualClock())
    for name, samples in (("activation", 300_000), ("control", 5_000)):
        bundle.save_capture(name, noise(samples), None, keep)
    folder = bundle.finish(passed(), PICTURES["passed"][1])
    assert used_bytes(folder) <= bundle_bytes((300_000, 5_000), keep)
    kept = {"full": ["activation.h5", "control.h5"], "envelope": ["activation-envelope.h5", "control.h5"], "none": []}
    assert sorted(path.name for path in folder.glob("*.h5")) == kept[keep]


def test_a_capture_no_longer_than_its_envelope_is_kept_whole(tmp_path: Path) -> None:
    bundle = Bundle.create(tmp_path, VirtualClock())
    path = bundle.save_capture("activation", noise(2 * MOST_BINS), None, "envelope")
    assert path is not None
    assert len(load_capture(path).codes) == 2 * MOST_BINS


def test_the_figures_of_the_module_are_what_it_computes() -> None:
    twelve_million = (12_000_000, 120_000, 120_000)
    assert 60 * bundle_bytes(twelve_million, "full") == pytest.approx(1.5e9, rel=0.05)
    assert capture_bytes(12_000_000, "envelope") == pytest.approx(2 * 131e3, rel=0.1)


def test_a_policy_keeps_what_it_says_of_a_pass_and_of_any_other() -> None:
    policy = CapturePolicy("none", "full")
    assert [policy.of(verdict) for verdict in ("PASS", "FAIL", "INCONCLUSIVE", "ERROR")] == ["none", *["full"] * 3]


@given(
    cycles=st.integers(0, 5_000),
    depth=st.integers(1_000, 24_000_000),
    keep=st.tuples(st.sampled_from(KEEPS), st.sampled_from(KEEPS)),
    free=st.integers(0, 10**12),
    stay=st.integers(0, 10**10),
    measured=st.sampled_from([0, 10**6]),
)
def test_a_night_that_surely_fits_fits_and_more_room_never_hurts(
    cycles: int, depth: int, keep: tuple[Keep, Keep], free: int, stay: int, measured: int
) -> None:
    def room(more: int) -> tuple[bool, bool]:
        found = room_for(cycles, (depth,), CapturePolicy(*keep), free + more, stay, measured)
        return found.fits, found.surely_fits

    fits, surely = room(0)
    assert fits or not surely
    assert room(10**9) >= (fits, surely)
    assert room(10**14) == (True, True)
    if surely and not measured:
        assert free - stay >= cycles * bundle_bytes((depth,), keep[0])


def test_room_is_told_as_a_range_only_where_it_is_one() -> None:
    told = Room(75_000_000, 75_400_000, 200_000_000, 100_000_000).words
    assert told == "75 MB are needed, 200 MB are free, of which 100 MB must stay so"
    assert Room(1_000_000, 25_000_000, 0, 0).words.startswith("1 to 25 MB are needed")
