"""Thresholds are proposed only where there really are two levels."""

from __future__ import annotations

import numpy as np
import pytest

from rig.rail.levels import levels_of


def _rail(noise_v: float, seed: int = 1) -> np.ndarray:  # type: ignore[type-arg]
    volts = np.concatenate([np.full(3000, 12.0), np.full(900, 0.0), np.full(3000, 12.0)])
    return volts + np.random.default_rng(seed).normal(0, noise_v, len(volts))


@pytest.mark.parametrize("noise_v", [0.0, 0.02, 0.3])
def test_two_levels_propose_the_benches_own_thresholds(noise_v: float) -> None:
    levels = levels_of(_rail(noise_v))
    assert levels is not None
    assert levels.two
    down, up = levels.thresholds()
    assert down == pytest.approx(6.0, abs=0.05)
    assert up == pytest.approx(10.0, abs=0.05)
    assert 2.5 * noise_v <= levels.noise_v <= 5 * noise_v


@pytest.mark.parametrize("seed", range(10))
def test_one_level_with_noise_is_not_two(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for volts in (12 + rng.normal(0, 0.1, 5000), 12 + rng.uniform(-0.3, 0.3, 5000)):
        levels = levels_of(volts)
        assert levels is not None
        assert not levels.two


def test_a_constant_or_unknown_signal_has_no_levels() -> None:
    assert levels_of(np.full(100, 12.0)) is None
    assert levels_of(np.full(100, np.nan)) is None
    assert levels_of(np.array([])) is None


def test_the_noise_of_one_level_is_its_own_steps() -> None:
    levels = levels_of(12.0 + 0.01 * (np.arange(6000) % 3))
    assert levels is not None
    assert not levels.two
    assert levels.noise_v == pytest.approx(0.02 / np.sqrt(2))
