"""The uncertainty budget agrees with GTC, an independent implementation of the GUM; and it decides nothing."""

from __future__ import annotations

import math
from fractions import Fraction

import GTC
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.rail import Crossing, Crossings, Intervals, RailSettings, Source, merge, outages
from rig.rail.estimate import Estimate, budget, expanded_ns
from rig.rail.samples import Accuracy, Bins, Grid, source_of, volt_limits

S = 10**9
WIDTHS = st.integers(0, 10**8)


def in_gtc(start: Estimate, end: Estimate, ppm: float, one_source: bool) -> float:
    """The expanded uncertainty (k = 2) of the length, as the model is written down, by GTC's own propagation."""

    def rectangular(half: float) -> object:
        return GTC.ureal(0.0, half / math.sqrt(3.0)) if half > 0 else 0.0

    timing = [rectangular(e.half_width_ns - e.level_ns - e.shift_ns) for e in (start, end)]
    level = rectangular(start.level_ns + end.level_ns)
    shifts = [rectangular(e.shift_ns) for e in (start, end)]
    if one_source:
        shifts[1] = shifts[0]
    rate = rectangular(ppm * 1e-6)
    begins = start.at_ns + timing[0] + shifts[0]  # type: ignore[operator]
    ends = end.at_ns + timing[1] + shifts[1]  # type: ignore[operator]
    length = (ends - begins + level) * (1 + rate)  # type: ignore[operator]
    return 2.0 * float(GTC.uncertainty(length))


@given(
    st.integers(-(10**12), 10**12), st.integers(0, 10**13), WIDTHS, WIDTHS, WIDTHS, WIDTHS, WIDTHS, WIDTHS,
    st.sampled_from([0.0, 25.0, 200.0]), st.booleans(),
)  # fmt: skip
def test_the_expanded_uncertainty_is_that_of_gtc(
    at: int, length: int, t0: int, t1: int, v0: int, v1: int, s0: int, s1: int, ppm: float, one: bool
) -> None:
    if one:
        s1 = s0
    start = Estimate(at, t0 + v0 + s0, v0, s0, "scope")
    end = Estimate(at + length, t1 + v1 + s1, v1, s1, "scope" if one else "other")
    found = expanded_ns(start, end, ppm)
    lines = budget(start, end, ppm)
    assert found == math.ceil(2 * math.hypot(*(x.sensitivity * x.standard_ns for x in lines)))
    assert found == pytest.approx(in_gtc(start, end, ppm, one), rel=1e-9, abs=1.0)


def test_every_line_of_the_budget_has_its_value_distribution_and_sensitivity() -> None:
    lines = budget(Estimate(10 * S, 300), Estimate(55 * S, 600), 100.0)
    assert [(x.name, x.value_ns, x.half_width_ns, x.distribution, x.sensitivity) for x in lines] == [
        ("start of the outage", 10.0 * S, 300.0, "rectangular", -1.0),
        ("end of the outage", 55.0 * S, 600.0, "rectangular", 1.0),
        ("rate of the clock", 0.0, 4_500_000.0, "rectangular", 1.0),
    ]
    assert [x.standard_ns for x in lines] == pytest.approx([300 / 3**0.5, 600 / 3**0.5, 4_500_000 / 3**0.5])


def ramp(offset_v: float, volts_error: float = 0.0) -> tuple[Source, int]:
    """12 V to 0 in 2 s from 5 s on, back in 1 s from 60 s on, read with a constant error; the true length at 8 V."""
    t = np.arange(0, 90, 0.001)
    volts = np.interp(t, [5, 7, 60, 61], [12, 0, 0, 12]) + volts_error
    limits = volt_limits(Accuracy(0.0, offset_v, 0.0), 6.0, 10.0)
    source = source_of("scope", "rail", volts, Grid(0.0, 0.001), limits, RailSettings())
    return source, round((60 + 8 / 12 - 5 - 4 / 6) * S)


@pytest.mark.parametrize("error", [-0.5, 0.0, 0.5])
def test_a_slow_ramp_read_wrongly_stays_within_the_uncertainty(error: float) -> None:
    source, true = ramp(0.5, error)
    (outage,) = outages(merge([source]), RailSettings(rate_ppm=0.0), 0, 89 * S).outages
    assert outage.estimate_ns is not None
    assert outage.expanded_uncertainty_ns is not None
    limits = [x.half_width_ns for x in budget(outage.start, outage.end, 0.0)]  # type: ignore[arg-type]
    assert abs(outage.estimate_ns - true) <= sum(limits)
    assert abs(outage.estimate_ns - true) <= outage.expanded_uncertainty_ns
    assert outage.lower_ns <= outage.estimate_ns <= outage.upper_ns  # type: ignore[operator]


def test_a_clean_reading_is_interpolated_between_its_samples() -> None:
    source, true = ramp(0.0)
    (outage,) = outages(merge([source]), RailSettings(rate_ppm=0.0), 0, 89 * S).outages
    assert abs((outage.estimate_ns or 0) - true) < 2_000
    assert (outage.expanded_uncertainty_ns or 0) < 3_000_000


def test_bins_and_readings_with_holes_are_estimated_too() -> None:
    limits = volt_limits(Accuracy(0.0, 0.0, 0.0), 6.0, 10.0)
    low = np.array([12.0] * 300 + [0.0] * 200 + [12.0] * 300)
    high = low.copy()
    high[300], high[499] = 12.0, 12.0
    peaks = source_of("peaks", "rail", Bins(low, high), Grid(0.0, 0.01), limits, RailSettings())
    holes = low.copy()
    holes[298:303] = np.nan
    file = source_of("file", "rail", holes, Grid(0.0, 0.01), limits, RailSettings())
    for source, true in ((peaks, 2.0), (file, 2.0)):
        (outage,) = outages(merge([source]), RailSettings(), 0, 799 * 10**7).outages
        assert abs((outage.estimate_ns or 0) / S - true) < 0.04
        assert (outage.expanded_uncertainty_ns or 0) > 0


@given(st.integers(1, 10**6), st.integers(1, 10**6), st.integers(0, 10**6))
def test_the_estimate_lies_between_the_bounds_and_moves_neither(fall: int, rise: int, crossing: int) -> None:
    up = Intervals.of([(0, 10 * S), (10 * S + fall + 30 * S + rise, 100 * S)])
    down = Intervals.of([(10 * S + fall, 10 * S + fall + 30 * S)])
    bare = Source("lines", "rail", up, down, up.union(down))
    history = outages(merge([bare]), RailSettings(), 0, 99 * S)
    (outage,) = history.outages
    assert outage.lower_ns <= (outage.estimate_ns or 0) <= (outage.upper_ns or 0)
    told = Source(
        **{**vars(bare), "crossings": Crossings.of([Crossing(10 * S + crossing, True, 1), Crossing(0, False, 1)])}
    )
    again = outages(merge([told]), RailSettings(), 0, 99 * S)
    assert (again.lower_ns, again.upper_ns) == (history.lower_ns, history.upper_ns)
    assert again.outages[0].lower_ns <= (again.outages[0].estimate_ns or 0) <= (again.outages[0].upper_ns or 0)


def test_lengths_are_widened_exactly() -> None:
    for lower, upper, ppm in ((180 * S, 180 * S, 200.0), (1, 1, 200.0), (1 << 61, 1 << 61, 0.1), (7, 9, 0.0)):
        rate = Fraction(ppm) / 1_000_000
        assert RailSettings(rate_ppm=ppm).widened(lower, upper) == (
            math.floor(lower * (1 - rate)),
            math.ceil(upper / (1 - rate)),
        )


def test_an_open_outage_has_no_estimate() -> None:
    down = Intervals.of([(0, 50 * S)])
    source = Source("lines", "rail", Intervals.of([(51 * S, 99 * S)]), down, down)
    (outage,) = outages(merge([source]), RailSettings(), 0, 99 * S).outages
    assert (outage.open, outage.estimate_ns, outage.expanded_uncertainty_ns) == ("start", None, None)
