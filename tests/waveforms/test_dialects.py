"""Each dialect: small files of the makers' header forms, with made-up numbers, read to exact values and times."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from rig.errors import InputError
from rig.rail.samples import Grid
from rig.waveforms import Waveform, channels, dialects, read
from tests.waveforms.files import (
    INFINIIUM,
    KEYSIGHT,
    PARAMETERS,
    PICO,
    RIGOL_COUNTED,
    RIGOL_LOGIC,
    RIGOL_MEMORY,
    RIGOL_NAMELESS,
    RIGOL_QUOTED,
    RIGOL_SCREEN,
    RIGOL_TIMES,
    SIGLENT,
    SIGLENT_OLD,
    TEK_MSO,
    left_hand_file,
)

VOLTS = [12.0, 12.04, 0.12]


def file(folder: Path, text: str, name: str = "scope.csv", encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def expect(wave: Waveform, dialect: str, channel: str, volts: list[float], grid: Grid) -> None:
    assert (wave.dialect, wave.channel) == (dialect, channel)
    assert wave.values.tolist() == volts
    assert wave.grid == grid
    assert wave.times_ns is None
    assert wave.scale is None
    assert wave.notes[0] == f"read as {dialect}"


@pytest.mark.parametrize(
    ("text", "channel", "grid"),
    [
        pytest.param(RIGOL_COUNTED, "CH1", Grid(-6e-3, 4e-6), id="start and increment in the second row"),
        pytest.param(RIGOL_LOGIC, "CH1", Grid(-1.144e-3, 2e-6), id="with logic beside it"),
        pytest.param(RIGOL_TIMES, "CH2", Grid(-1.2e-3, 1e-4), id="times, and X() around the channel"),
        pytest.param(RIGOL_NAMELESS, "CH2", Grid(-1.6384e-2, 4e-6), id="a nameless first column"),
        pytest.param(RIGOL_QUOTED, "CH1", Grid(0.0, 1e-3), id="quoted keys"),
        pytest.param(RIGOL_MEMORY, "CH1", Grid(-25.0, 2e-6), id="start and step in the first row"),
        pytest.param(RIGOL_SCREEN, "CH1", Grid(-0.5, 0.25), id="one row of names"),
    ],
)
def test_every_generation_of_rigol_is_read(tmp_path: Path, text: str, channel: str, grid: Grid) -> None:
    expect(read(file(tmp_path, text)), "rigol", channel, VOLTS, grid)


def test_rigol_rows_may_hold_one_field_more_than_the_row_of_names(tmp_path: Path) -> None:
    text = "X,CH1,CH2,Start,Increment,\nSequence,Volt,Volt,-3.0e-07,5.0e-10\n0,3.28,0.96,\n1,3.2,0.96,\n"
    wave = read(file(tmp_path, text), channel="CH2")
    expect(wave, "rigol", "CH2", [0.96, 0.96], Grid(-3e-7, 5e-10))


def test_keysight_infiniivision_is_read_by_channel_number(tmp_path: Path) -> None:
    path = file(tmp_path, KEYSIGHT)
    assert channels(path) == ("1", "2")
    expect(read(path, channel="1"), "keysight", "1", VOLTS, Grid(-1e-4, 5e-5))
    expect(read(path, channel="2"), "keysight", "2", [0.001, 0.002, 0.003], Grid(-1e-4, 5e-5))


def test_keysight_infiniium_without_times_takes_them_from_its_long_header(tmp_path: Path) -> None:
    wave = read(file(tmp_path, INFINIIUM + "12\n12.04\n0.12\n"))
    expect(wave, "keysight", "1", VOLTS, Grid(-5e-6, 2.5e-9))


def test_keysight_infiniium_with_times_reads_them(tmp_path: Path) -> None:
    wave = read(file(tmp_path, INFINIIUM + "-5.0000E-06,12\n-4.9975E-06,12.04\n-4.9950E-06,0.12\n"))
    expect(wave, "keysight", "1", VOLTS, Grid(-5e-6, 2.5e-9))


def test_siglent_is_read_with_its_channel_from_the_vertical_scale(tmp_path: Path) -> None:
    expect(read(file(tmp_path, SIGLENT_OLD)), "siglent", "CH1", VOLTS, Grid(-7e-5, 1e-8))


@pytest.mark.parametrize("names", ["Second,Value,Value", "Time,CH2,CH3", "Second,Volt,Volt"])
def test_newer_siglent_names_its_sources_and_their_units(tmp_path: Path, names: str) -> None:
    path = file(tmp_path, SIGLENT.format(names=names))
    expect(read(path, channel="CH2"), "siglent", "CH2", VOLTS, Grid(-1e-3, 1e-3))
    assert channels(path) == ("CH2", "CH3")


@pytest.mark.parametrize("sign", ["", "+"])
def test_tektronix_tds_is_read_from_beside_its_keys(tmp_path: Path, sign: str) -> None:
    wave = read(file(tmp_path, left_hand_file(["CH1"], sign)))
    expect(wave, "tektronix", "CH1", [float(at) for at in range(20)], Grid(-40e-6, 4e-6))


def test_tektronix_tds_with_two_channels_side_by_side_is_read_by_name(tmp_path: Path) -> None:
    path = file(tmp_path, left_hand_file(["CH1", "CH2"]))
    expect(read(path, channel="CH2"), "tektronix", "CH2", [100.0 + at for at in range(20)], Grid(-40e-6, 4e-6))


@pytest.mark.parametrize("time", ["TIME", "Time"])
def test_tektronix_mso_takes_the_only_voltage_beside_a_current(tmp_path: Path, time: str) -> None:
    path = file(tmp_path, TEK_MSO.format(time=time))
    expect(read(path), "tektronix", "CH1", VOLTS, Grid(-1e-6, 1e-6))
    with pytest.raises(InputError, match="not a voltage"):
        read(path, channel="CH2")


@pytest.mark.parametrize(("names", "channel"), [("in s,C1 in V", "C1"), ("in s,CH1 in V", "CH1")])
def test_rohde_schwarz_rtb_is_read_by_its_units(tmp_path: Path, names: str, channel: str) -> None:
    text = f"{names}\n-5.9999832E-01,12\n-4.9999832E-01,12.04\n-3.9999832E-01,0.12\n"
    wave = read(file(tmp_path, text))
    assert wave.grid is not None
    expect(wave, "rohde-schwarz", channel, VOLTS, Grid(-0.59999832, 0.1))


@pytest.mark.parametrize("named", ["pulse.csv", "pulse.Wfm.csv"])
@pytest.mark.parametrize(("rows", "start_s"), [([12.0, 12.04, 0.12], -0.5), ([12.0, 12.04, 0.12, 1.0], -0.501)])
def test_rohde_schwarz_rto_is_read_from_either_file_of_the_pair(
    tmp_path: Path, named: str, rows: list[float], start_s: float
) -> None:
    file(tmp_path, PARAMETERS, "pulse.csv")
    file(tmp_path, "".join(f"{value}\n" for value in rows), "pulse.Wfm.csv")
    expect(read(tmp_path / named), "rohde-schwarz", "Ch2", rows, Grid(start_s, 1e-3))


def test_rohde_schwarz_samples_without_any_header_need_the_sample_interval(tmp_path: Path) -> None:
    path = file(tmp_path, "12\n12.04\n0.12\n", "alone.Wfm.csv")
    with pytest.raises(InputError, match="sample interval must be given") as told:
        read(path)
    assert "--interval" in (told.value.where.expected or "")
    assert "alone.csv" in (told.value.where.expected or "")
    expect(read(path, interval_s=1e-4, start_s=-0.5), "rohde-schwarz", "column 1", VOLTS, Grid(-0.5, 1e-4))


def test_picoscope_is_scaled_from_its_units(tmp_path: Path) -> None:
    expect(read(file(tmp_path, PICO)), "picoscope", "Channel A", VOLTS, Grid(-5e-4, 5e-4))


def test_picoscope_with_decimal_commas_in_another_language_is_read(tmp_path: Path) -> None:
    text = "Zeit;Kanal A;Kanal B\n(µs);(V);(kV)\n\n-0,5;12,0;1\n0,0;12,04;2\n0,5;0,12;3\n"
    for encoding in ("utf-8", "cp1252"):
        path = file(tmp_path, text, encoding=encoding)
        expect(read(path, channel="Kanal A"), "picoscope", "Kanal A", VOLTS, Grid(-5e-7, 5e-7))
        expect(read(path, channel="kanal b"), "picoscope", "Kanal B", [1000.0, 2000.0, 3000.0], Grid(-5e-7, 5e-7))


def test_an_over_range_sample_of_picoscope_is_unknown(tmp_path: Path) -> None:
    wave = read(file(tmp_path, PICO.replace("12040.00", "∞")))
    assert np.isnan(wave.values).tolist() == [False, True, False]
    assert "1 samples are infinite, over-range or not a number: unknown" in wave.notes


@pytest.mark.parametrize("token", ["9.9E+37", "-9.9E+37", "NaN", "inf", "-inf", "-∞", "Infinity"])
def test_a_sample_that_is_not_finite_is_unknown_and_no_other(tmp_path: Path, token: str) -> None:
    wave = read(file(tmp_path, KEYSIGHT.replace("12.04E+00", token)), channel="1")
    assert np.isnan(wave.values).tolist() == [False, True, False]
    assert wave.values[[0, 2]].tolist() == [12.0, 0.12]


@pytest.mark.parametrize(
    ("head", "divisor"),
    [
        ("time,volts", 1.0),
        ("Time (ms),CH1 (V)", 1e3),
        ("time_us,voltage_V", 1e6),
        ("t [ns],u [V]", 1e9),
        ("time,volts\nks,V", 1e-3),
        ("#exported\n#today\nTime (s),Channel 1 (V)", 1.0),
    ],
)
def test_a_generic_file_is_read_in_its_units(tmp_path: Path, head: str, divisor: float) -> None:
    wave = read(file(tmp_path, f"{head}\n0,12\n2,12.04\n4,0.12\n"))
    assert wave.dialect == "generic"
    assert wave.values.tolist() == VOLTS
    assert wave.grid == Grid(0.0, 2.0 / divisor)


def test_units_that_are_missing_are_assumed_and_said(tmp_path: Path) -> None:
    wave = read(file(tmp_path, "time,supply\n0,12\n1,12\n"))
    assert "no unit given for the time: seconds assumed" in wave.notes
    assert "no unit given for supply: volts assumed" in wave.notes


def test_rows_without_header_are_read_only_when_the_dialect_is_forced(tmp_path: Path) -> None:
    path = file(tmp_path, "0,12\n1,12.04\n2,0.12\n")
    with pytest.raises(InputError, match="the dialect cannot be told"):
        read(path)
    expect(read(path, dialect="generic"), "generic", "column 2", VOLTS, Grid(0.0, 1.0))


def test_a_forced_dialect_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    for dialect in dialects():
        if dialect not in ("keysight", "generic"):
            with pytest.raises(InputError, match=f"not a file as {dialect} writes it"):
                read(file(tmp_path, KEYSIGHT), channel="1", dialect=dialect)
    assert read(file(tmp_path, KEYSIGHT), channel="1", dialect="keysight").dialect == "keysight"
    assert read(file(tmp_path, KEYSIGHT), channel="1", dialect="generic").dialect == "generic"


def test_a_dialect_with_a_typing_error_is_told_the_nearest_name(tmp_path: Path) -> None:
    with pytest.raises(InputError) as told:
        read(file(tmp_path, KEYSIGHT), dialect="keysigth")
    assert (told.value.where.expected or "").startswith("keysight ")


def test_a_compressed_file_is_read_like_the_plain_one(tmp_path: Path) -> None:
    path = tmp_path / "scope.csv.gz"
    path.write_bytes(gzip.compress(RIGOL_COUNTED.encode()))
    expect(read(path), "rigol", "CH1", VOLTS, Grid(-6e-3, 4e-6))


@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_line_ends_and_a_byte_order_mark_change_nothing(tmp_path: Path, end: str) -> None:
    path = file(tmp_path, SIGLENT_OLD.replace("\n", end), encoding="utf-8-sig")
    expect(read(path), "siglent", "CH1", VOLTS, Grid(-7e-5, 1e-8))
    headerless = file(tmp_path, f"0,12{end}1,12.04{end}2,0.12{end}", encoding="utf-8-sig")
    expect(read(headerless, dialect="generic"), "generic", "column 2", VOLTS, Grid(0.0, 1.0))


def test_tabs_separate_as_commas_do(tmp_path: Path) -> None:
    expect(
        read(file(tmp_path, "Time (s)\tCH1 (V)\n0,0\t12,0\n0,1\t12,04\n0,2\t0,12\n")),
        "generic",
        "CH1",
        VOLTS,
        Grid(0.0, 0.1),
    )


def test_several_voltages_and_none_chosen_is_an_error_that_names_them(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="several channels, none chosen") as told:
        read(file(tmp_path, KEYSIGHT))
    assert told.value.where.expected == "one of 1, 2"


def test_an_unknown_channel_is_told_the_nearest_names(tmp_path: Path) -> None:
    path = file(tmp_path, SIGLENT.format(names="Time,CH2,CH3"))
    with pytest.raises(InputError, match="no such channel") as told:
        read(path, channel="CHAN2")
    assert told.value.where.expected == "CH2 or CH3 (there are CH2, CH3)"


def test_two_channels_of_one_name_are_told_apart_by_their_columns(tmp_path: Path) -> None:
    path = file(tmp_path, "time,volts,volts\n0,1,2\n1,1,2\n")
    assert channels(path) == ("volts (column 2)", "volts (column 3)")
    assert read(path, channel="volts (column 3)").values.tolist() == [2.0, 2.0]
