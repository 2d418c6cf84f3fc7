"""The twin's noise: bounded, centred, and the same in whatever order it is asked for."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rig.twin.noise import triangular

INSTANTS = np.arange(200_000, dtype=np.int64) * 50_000 + 1_000_000_000_000


@given(seed=st.integers(-(2**70), 2**70), channel=st.integers(0, 4), start=st.integers(0, 2**61))
def test_noise_never_leaves_its_bounds(seed: int, channel: int, start: int):
    noise = triangular(seed, channel, np.arange(start, start + 100, dtype=np.int64))
    assert np.all(np.abs(noise) <= 1.0)


def test_noise_is_triangular_around_zero_and_not_correlated():
    noise = triangular(1, 1, INSTANTS)
    assert abs(noise.mean()) < 0.005
    assert abs(noise.std() - 6**-0.5) < 0.005
    assert abs(np.corrcoef(noise[1:], noise[:-1])[0, 1]) < 0.01


def test_noise_does_not_depend_on_how_it_is_asked_for():
    whole = triangular(1, 1, INSTANTS)
    assert np.array_equal(whole[500:], triangular(1, 1, INSTANTS[500:]))
    assert np.array_equal(whole[::-1], triangular(1, 1, INSTANTS[::-1]))


def test_another_seed_or_channel_is_other_noise():
    base = triangular(1, 1, INSTANTS)
    for other in (triangular(2, 1, INSTANTS), triangular(1, 2, INSTANTS)):
        assert abs(np.corrcoef(base, other)[0, 1]) < 0.01
