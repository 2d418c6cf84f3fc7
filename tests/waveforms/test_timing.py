"""When samples count as uniform: within the digits printed, and not beyond."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.errors import InputError
from rig.rail.samples import Grid
from rig.waveforms import read
from rig.waveforms.timing import digits_of, uniform


def grid_of(printed: list[str], declared_s: float | None = None) -> Grid | None:
    times = np.array([float(text) for text in printed])
    return uniform(times, declared_s, digits_of(printed, 1.0))


def test_the_interval_is_the_decimal_that_was_meant_not_the_quotient() -> None:
    assert grid_of([f"{-0.006 + at * 4e-6:.9f}" for at in range(1000)]) == Grid(-0.006, 4e-6)


@given(
    digits=st.integers(3, 9),
    mantissa=st.integers(1, 999),
    first=st.integers(-10_000, 10_000),
    count=st.integers(2, 400),
)
def test_times_printed_on_a_grid_are_given_back_within_half_a_digit(
    digits: int, mantissa: int, first: int, count: int
) -> None:
    interval = Fraction(mantissa, 10**digits) * Fraction(7, 3)
    unit = 10.0**-digits
    printed = [f"{float(first * Fraction(1, 100) + at * interval):.{digits}f}" for at in range(count)]
    times = np.array([float(text) for text in printed])
    if np.any(np.diff(times) <= 0):
        return
    grid = uniform(times, None, digits_of(printed, 1.0))
    assert grid is not None
    meant = grid.first_s + grid.dt_s * np.arange(count)
    assert np.abs(meant - times).max() <= unit * 0.501 + 1e-12


@given(st.lists(st.integers(1, 50), min_size=2, max_size=60), st.integers(-1000, 1000))
def test_a_grid_never_moves_a_sample_by_more_than_half_a_digit(steps: list[int], first: int) -> None:
    whole = np.cumsum([first, *steps])
    printed = [f"{value / 1000:.3f}" for value in whole]
    grid = grid_of(printed)
    if grid is not None:
        moved = grid.first_s + grid.dt_s * np.arange(len(whole)) - np.array([float(text) for text in printed])
        assert np.abs(moved).max() <= 0.00050001


def test_a_dropped_stretch_is_not_uniform() -> None:
    printed = [f"{at * 0.001:.6f}" for at in (*range(100), *range(150, 250))]
    assert grid_of(printed) is None


def test_one_sample_too_few_is_not_uniform() -> None:
    assert grid_of([f"{at * 1e-5:.7f}" for at in range(1000) if at != 500]) is None


def test_times_in_single_precision_are_uniform() -> None:
    times = np.float32(-1.2e-3) + np.arange(1200, dtype=np.float32) * np.float32(4e-6)
    grid = grid_of([f"{value:.7e}" for value in times])
    assert grid is not None
    assert grid.dt_s == 4e-6


def test_digits_that_show_only_later_count_too() -> None:
    printed = ["0.1", "0.2", "0.3", "0.4", "0.50", "0.63"]
    times = np.array([float(text) for text in printed])
    assert uniform(times, None, digits_of(printed[:4], 1.0)) is None


def test_samples_that_are_not_uniform_keep_their_times(tmp_path: Path) -> None:
    path = tmp_path / "polled.csv"
    path.write_text("time (ms),volts\n0.0,12\n10.1,12\n20.3,0\n30.2,0\n")
    wave = read(path)
    assert wave.grid is None
    assert wave.times_ns is not None
    assert wave.times_ns.tolist() == [0, 10_100_000, 20_300_000, 30_200_000]
    assert wave.times_ns.dtype == np.int64
    assert "the samples are not uniform in time" in wave.notes


def test_samples_closer_than_a_nanosecond_are_refused_unless_uniform(tmp_path: Path) -> None:
    path = tmp_path / "fast.csv"
    path.write_text("time (ns),volts\n0.0,12\n0.4,12\n1.5,0\n")
    with pytest.raises(InputError, match="closer than a nanosecond") as told:
        read(path)
    assert told.value.where.line == 3
    path.write_text("time (ns),volts\n0.0,12\n0.4,12\n0.8,0\n")
    assert read(path).grid == Grid(0.0, 4e-10)


def coarse(path: Path, declared: str = "") -> Path:
    rows = "".join(f"{at * 1.5e-6:.5f},{12.0 if at < 50 else 0.0}\n" for at in range(100))
    path.write_text(f"{declared}Time(s),CH1(V)\n{rows}" if not declared else f"{declared}{rows}")
    return path


def test_times_printed_too_coarsely_repeat_and_need_the_sample_interval(tmp_path: Path) -> None:
    path = coarse(tmp_path / "scope.csv")
    with pytest.raises(InputError, match="the time repeats") as told:
        read(path)
    assert told.value.where.line == 3
    assert "--interval where too few digits were printed: here about 1.5e-06" in (told.value.where.expected or "")
    wave = read(path, interval_s=1.5e-6)
    assert wave.grid is not None
    assert wave.grid.dt_s == 1.5e-6


def test_a_sample_interval_that_does_not_fit_the_times_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not fit"):
        read(coarse(tmp_path / "scope.csv"), interval_s=2e-6)


def test_a_declared_interval_explains_times_that_repeat(tmp_path: Path) -> None:
    head = "Record Length,Analog:100\nSample Interval,Analog:1.5e-6\nSource,CH1\nSecond,Value\n"
    wave = read(coarse(tmp_path / "scope.csv", head))
    assert wave.grid is not None
    assert wave.grid.dt_s == 1.5e-6


def test_a_repeated_time_that_the_declared_interval_does_not_explain_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "scope.csv"
    path.write_text(
        "Record Length,Analog:4\nSample Interval,Analog:0.001\nSecond,Value\n0.000,1\n0.001,1\n0.001,1\n0.003,1\n"
    )
    with pytest.raises(InputError, match="the time repeats") as told:
        read(path)
    assert told.value.where.line == 6


def test_a_declared_interval_that_the_times_contradict_is_said_and_not_used(tmp_path: Path) -> None:
    path = tmp_path / "scope.csv"
    path.write_text("Record Length,Analog:3\nSample Interval,Analog:0.5\nSecond,Value\n0.000,1\n0.001,1\n0.002,1\n")
    wave = read(path)
    assert wave.grid == Grid(0.0, 0.001)
    assert any("the times say 0.001 s" in note for note in wave.notes)


@pytest.mark.parametrize("option", [{"interval_s": 1.0}, {"start_s": 1.0}])
def test_what_the_file_itself_knows_is_not_overridden(tmp_path: Path, option: dict[str, float]) -> None:
    path = tmp_path / "scope.csv"
    path.write_text("X,CH1,Start,Increment\nSequence,Volt,0,0.5\n0,1\n1,1\n")
    with pytest.raises(InputError, match="has its own"):
        read(path, **option)


def test_the_digits_printed_bound_how_far_a_time_may_be_off(tmp_path: Path) -> None:
    path = tmp_path / "scope.csv"
    path.write_text("time (ms),volts\n-10.00,1\n-9.50,1\n-9.00,1\n")
    assert read(path).time_error_s == pytest.approx(5e-6)
    path.write_text("Second,Volt\n-1.00e-02,1\n-9.50e-03,1\n-9.00e-03,1\n")
    assert read(path).time_error_s == pytest.approx(5e-5)


def five_significant_digits(path: Path, interval_s: float, count: int, first_s: float) -> Path:
    """As the Rigol DHO800 prints its times: trailing zeros left out, and no way to tell neighbours apart."""
    rows = "".join(f"{first_s + at * interval_s:.5g},{12.0 if at % 100 else 0.0}\n" for at in range(count))
    path.write_text(f"Time(s),CH1(V)\n{rows}")
    return path


def test_times_of_five_significant_digits_are_read_with_the_interval_that_the_message_proposes(tmp_path: Path) -> None:
    path = five_significant_digits(tmp_path / "scope.csv", 1.5e-6, 100_000, -0.03182)
    with pytest.raises(InputError, match="the time repeats") as told:
        read(path)
    assert "--interval where too few digits were printed: here about 1.5e-06" in (told.value.where.expected or "")
    wave = read(path, interval_s=1.5e-6)
    assert wave.grid is not None
    assert wave.grid.dt_s == 1.5e-6
    assert wave.grid.first_s == pytest.approx(-0.03182, abs=1e-6)
    assert wave.time_error_s == pytest.approx(5e-6)  # half of the fifth digit at 0.118 s
    with pytest.raises(InputError, match="does not fit") as told:
        read(path, interval_s=1.501e-6)
    assert told.value.where.expected == "about 1.5e-06"


@pytest.mark.parametrize("first_s", [-1.06, -3616 * 2.4 / 8192])
def test_the_interval_proposed_for_three_digits_is_one_that_fits(tmp_path: Path, first_s: float) -> None:
    times = [first_s + at * 2.4 / 8192 for at in range(8192)]  # as UltraScope writes a DS1102E's record
    path = tmp_path / "scope.csv"
    path.write_text(
        "X,CH1\nSecond,Voltage\n" + "".join(f"{time:.2E},{at % 2}.00E00\n" for at, time in enumerate(times))
    )
    with pytest.raises(InputError, match="the time repeats") as told:
        read(path)
    proposed = float((told.value.where.expected or "").rpartition(" ")[2])
    wave = read(path, interval_s=proposed)
    assert wave.grid is not None
    assert wave.grid.dt_s == pytest.approx(2.4 / 8192, rel=1e-5)


@pytest.mark.parametrize(
    ("printed", "floating", "count", "settled"),
    [
        (["-0.010", "0.000", "12.345"], False, 3, True),
        (["-1.00e-02", "9.99e-03", "0.00e+00"], True, 3, True),
        (["-84.48E-06", "0.0E+00", "1.20E-06"], False, 8, True),
        (["-0.03182", "-0.0318", "0.1"], True, 4, False),
        (["10", "11", "12"], False, 0, True),
        (["1e99999", "x", ""], True, 1, True),
        (["1e9999999999"], False, 0, True),
    ],
)
def test_how_times_are_printed_is_told_from_places_and_significant_digits(
    printed: list[str], floating: bool, count: int, settled: bool
) -> None:
    digits = digits_of(printed, 1.0)
    assert (digits.floating, digits.count, digits.settled) == (floating, count, settled)


def test_digits_that_show_only_further_down_bound_the_error_too(tmp_path: Path) -> None:
    path = tmp_path / "scope.csv"
    path.write_text("time (s),volts\n" + "".join(f"{at / 100!r},1\n" for at in range(20_000)))
    assert read(path).time_error_s == pytest.approx(0.005)
