"""What all dialects share: units, delimiters, decimal commas, the names of channels and of dialects."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from rig.errors import InputError
from rig.rail.samples import Grid
from rig.waveforms import channels, dialects, read
from tests.waveforms.files import (
    KEYSIGHT,
    RIGOL_COUNTED,
    SIGLENT,
    SIGLENT_OLD,
    VOLTS,
    expect,
    file,
)


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


def test_rows_with_more_columns_than_names_are_refused(tmp_path: Path) -> None:
    text = "Zeit,Kanal A\n(s),(V)\n\n0,00000000,12,12598419\n1,00000000,12,12598419\n2,00000000,0,1\n"
    with pytest.raises(InputError, match="the rows have more columns than the header names") as told:
        read(file(tmp_path, text))
    assert (told.value.where.line, told.value.where.found, told.value.where.expected) == (4, "4", "2")


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
