"""What is seen of a waveform in one pass, block by block, is what is in it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.procedures import surveying
from rig.procedures.surveying import survey
from rig.rail.samples import Grid, Scale
from rig.waveforms import Waveform
from rig.waveforms.waveform import Values


def wave(values: Values, cuts: list[int], scale: Scale | None = None) -> Waveform:
    """A waveform whose blocks end at `cuts`."""

    def blocks() -> Iterator[Values]:
        edges = sorted({0, *(cut % (len(values) + 1) for cut in cuts), len(values)})
        yield from (values[a:b] for a, b in pairwise(edges))

    return Waveform("file", "CH1", "generic", len(values), blocks, scale, Grid(0.0, 1.0), None, ())


@given(
    st.lists(st.one_of(st.floats(-20, 20), st.just(float("nan"))), min_size=1, max_size=300),
    st.lists(st.integers(0, 400), max_size=5),
    st.integers(1, 40),
    st.integers(1, 60),
)
def test_columns_and_samples_do_not_depend_on_the_blocks(
    samples: list[float], cuts: list[int], columns: int, most: int
) -> None:
    values = np.array(samples)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(surveying, "_COLUMNS", columns)
        patch.setattr(surveying, "MOST_SAMPLES", most)
        seen = survey(wave(values, cuts))
    assert len(seen.volts) <= most
    step = -(-len(values) // most)
    assert np.array_equal(seen.volts, values[::step], equal_nan=True)
    known = values[np.isfinite(values)]
    if len(known) == 0:
        assert seen.columns == ()
        return
    starts = [first for first, _, _ in seen.columns]
    assert starts == sorted(set(starts))
    assert len(starts) <= columns
    assert min(low for _, low, _ in seen.columns) == known.min()
    assert max(high for _, _, high in seen.columns) == known.max()
    for first, low, high in seen.columns:
        assert any(low <= value <= high for value in values[first:])


def test_codes_are_told_in_volts() -> None:
    codes = np.array([27, 177, 177, 27], np.uint8)
    seen = survey(wave(codes, [1, 3], Scale(0.08, 27.0, 0, 255, 0.03, 0.1, 0.0)))
    assert seen.volts.tolist() == [0.0, 12.0, 12.0, 0.0]
    assert seen.columns == ((0, 0.0, 0.0), (1, 12.0, 12.0), (2, 12.0, 12.0), (3, 0.0, 0.0))
