"""Each maker: small files of its header forms, with made-up numbers, read to exact values and times."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rig.errors import InputError
from rig.rail.samples import Grid
from rig.waveforms import channels, read
from tests.waveforms.files import (
    INFINIIUM,
    INFINIIUM_TWO,
    KEYSIGHT,
    KEYSIGHT_SEGMENTS,
    PARAMETERS,
    PICO,
    RIGOL_BOTH,
    RIGOL_COUNTED,
    RIGOL_COUNTED_FROM_22,
    RIGOL_DHO_MEMORY,
    RIGOL_LOGIC,
    RIGOL_MEMORY,
    RIGOL_NAMELESS,
    RIGOL_QUOTED,
    RIGOL_SCREEN,
    RIGOL_TIMES,
    ROHDE_SCHWARZ_RTH,
    ROHDE_SCHWARZ_RTM20,
    SIGLENT,
    SIGLENT_ADS,
    SIGLENT_OLD,
    SIGLENT_SHORT,
    SIGROK_HEAD,
    SIGROK_NAMES,
    SIGROK_TIMES,
    SIGROK_VOLTS,
    TEK_MIXED,
    TEK_MSO,
    TEK_MSO44,
    TEK_QUOTED,
    VOLTS,
    expect,
    file,
    infiniium_file,
    left_hand_file,
)


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
        pytest.param(RIGOL_BOTH, "CH1", Grid(-4.996e-7, 4e-10), id="times, and start and step too"),
        pytest.param(RIGOL_DHO_MEMORY, "CH1", Grid(-0.03182, 1.5e-6), id="start and step without units"),
        pytest.param(RIGOL_COUNTED_FROM_22, "CH1", Grid(-1.4e-3, 2e-6), id="a counter that does not begin at 0"),
    ],
)
def test_every_generation_of_rigol_is_read(tmp_path: Path, text: str, channel: str, grid: Grid) -> None:
    path = file(tmp_path, text)
    expect(read(path, channel=channel if len(channels(path)) > 1 else None), "rigol", channel, VOLTS, grid)


def test_a_counter_that_does_not_begin_at_0_is_said(tmp_path: Path) -> None:
    notes = read(file(tmp_path, RIGOL_COUNTED_FROM_22), channel="CH1").notes
    assert "the counter begins at 22: that row is taken to be at the start" in notes


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


@pytest.mark.parametrize(
    ("text", "channel"),
    [
        (infiniium_file("{key},{value}", tail="Data\n"), "1"),
        (infiniium_file("{key}:{value}", tail="Data:\n"), "1"),
        (infiniium_file("{key}:,{value}", ",Channel 2\n", "Data:,\n"), "Channel 2"),
        (infiniium_file("{key}:    {value}", "Channel 2\n", "Time,  Channel 2\n"), "Channel 2"),
        (infiniium_file("{key}:\t{value}", rows="-5.0E-06\t12\n-4.9975E-06\t12.04\n-4.995E-06\t0.12\n"), "1"),
        (infiniium_file("{key}:{value}").replace("Second", "Seconds").replace("Volt", "Volts"), "1"),
    ],
)
def test_the_keys_of_infiniium_are_read_however_they_stand(tmp_path: Path, text: str, channel: str) -> None:
    expect(read(file(tmp_path, text)), "keysight", channel, VOLTS, Grid(-5e-6, 2.5e-9))


def test_each_channel_of_infiniium_has_its_own_times(tmp_path: Path) -> None:
    path = file(tmp_path, INFINIIUM_TWO)
    assert channels(path) == ("Channel 1", "Channel 3")
    expect(read(path, channel="Channel 1"), "keysight", "Channel 1", VOLTS, Grid(-5e-6, 2.5e-9))
    expect(read(path, channel="Channel 3"), "keysight", "Channel 3", [1.0, 2.0, 3.0], Grid(-4e-6, 2.5e-9))


def test_segments_side_by_side_are_never_judged_by_the_first_alone(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="several segments in one file are not read"):
        read(file(tmp_path, INFINIIUM_TWO.replace("Channel 3", "Channel 1")))
    with pytest.raises(InputError, match="the rows do not have the columns that the header names"):
        read(file(tmp_path, INFINIIUM_TWO.replace(",Channel 3", "")))


def test_segments_of_infiniivision_below_each_other_leave_a_gap(tmp_path: Path) -> None:
    wave = read(
        file(tmp_path, KEYSIGHT_SEGMENTS + "5.000000E-03,1,1\n5.005000E-03,1,1\n5.010000E-03,1,1\n"), channel="1"
    )
    assert wave.times_ns is not None
    assert wave.times_ns.tolist() == [-1_000_000, -995_000, -990_000, 5_000_000, 5_005_000, 5_010_000]


@pytest.mark.parametrize(
    ("text", "grid"),
    [
        pytest.param(SIGLENT_SHORT, Grid(-7e-5, 1e-8), id="two lines of header"),
        pytest.param(SIGLENT_ADS, Grid(-1e-8, 1e-8), id="names and units in one cell"),
    ],
)
def test_siglent_headers_without_the_word_analog_are_read(tmp_path: Path, text: str, grid: Grid) -> None:
    path = file(tmp_path, text)
    expect(read(path, channel="CH1"), "siglent", "CH1", VOLTS, grid)


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


def test_tektronix_with_quoted_keys_is_read(tmp_path: Path) -> None:
    wave = read(file(tmp_path, TEK_QUOTED))
    expect(wave, "tektronix", "column 5", [*VOLTS, 12.0, 12.0, 12.0], Grid(-6e-8, 1.6e-9))


def test_tektronix_mso44_is_read(tmp_path: Path) -> None:
    expect(read(file(tmp_path, TEK_MSO44)), "tektronix", "CH1", VOLTS, Grid(-1e-6, 1e-6))


def test_columns_after_a_second_time_are_read_by_it(tmp_path: Path) -> None:
    path = file(tmp_path, TEK_MIXED)
    assert channels(path) == ("CH1", "REF1")
    expect(read(path, channel="CH1"), "tektronix", "CH1", VOLTS, Grid(-1e-6, 1e-6))
    assert read(path, channel="REF1").grid == Grid(-2e-6, 2e-6)
    with pytest.raises(InputError, match="not a voltage"):
        read(path, channel="D11")


ENVELOPES = (
    TEK_MSO44.replace("Label,\n", "Point Format,ENV\n", 1),
    left_hand_file(["CH1"]).replace(",Y,", ",ENV,"),
)


@pytest.mark.parametrize("text", ENVELOPES)
def test_minima_and_maxima_are_not_taken_for_samples(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match="an envelope is not read"):
        read(file(tmp_path, text))


def test_rohde_schwarz_rth_is_read_from_under_its_keys(tmp_path: Path) -> None:
    expect(read(file(tmp_path, ROHDE_SCHWARZ_RTH)), "rohde-schwarz", "CH1", VOLTS, Grid(-2.7504e-6, 8e-10))


def test_rohde_schwarz_rtm20_is_read(tmp_path: Path) -> None:
    expect(read(file(tmp_path, ROHDE_SCHWARZ_RTM20)), "rohde-schwarz", "CH1", VOLTS, Grid(-1.1996e-2, 4e-6))


def test_pairs_of_minimum_and_maximum_at_one_time_are_refused_for_what_they_are(tmp_path: Path) -> None:
    text = "[s],CH1[V]\n-2.9980E+00,2.0E-05\n-2.9980E+00,1.4E-04\n-2.9960E+00,-1.8E-04\n-2.9960E+00,1.4E-04\n"
    with pytest.raises(InputError, match="the time repeats") as told:
        read(file(tmp_path, text))
    assert "minima and maxima" in (told.value.where.expected or "")


def test_a_multi_channel_export_of_rohde_schwarz_names_its_channels(tmp_path: Path) -> None:
    told = "MultiChannelExport:On:\nMultiChannelExportState:4:On:Off:On:Off:\n"
    file(tmp_path, PARAMETERS + told, "pulse.csv")
    path = file(tmp_path, "1,12\n2,12.04\n3,0.12\n", "pulse.Wfm.csv")
    assert channels(path) == ("Ch1", "Ch3")
    expect(read(path, channel="Ch3"), "rohde-schwarz", "Ch3", VOLTS, Grid(-0.5, 1e-3))
    file(tmp_path, "-0.5,1,12\n-0.499,2,12.04\n-0.498,3,0.12\n", "pulse.Wfm.csv")
    expect(read(path, channel="Ch3"), "rohde-schwarz", "Ch3", VOLTS, Grid(-0.5, 1e-3))


@pytest.mark.parametrize(
    ("parameters", "rows", "message"),
    [
        ("InterleavedTraceCount:2:\n", "1,2\n3,4\n5,6\n", "an envelope is not read"),
        ("", "1,2,3\n3,4,5\n5,6,7\n", "not the columns of the parameters"),
    ],
)
def test_values_of_which_the_parameters_tell_otherwise_are_refused(
    tmp_path: Path, parameters: str, rows: str, message: str
) -> None:
    file(tmp_path, PARAMETERS + parameters, "pulse.csv")
    with pytest.raises(InputError, match=message):
        read(file(tmp_path, rows, "pulse.Wfm.csv"))


@pytest.mark.parametrize(
    ("text", "grid"),
    [
        pytest.param(SIGROK_VOLTS, Grid(0.0, 1 / 300e3), id="no times"),
        pytest.param(SIGROK_TIMES, Grid(1 / 300e3, 1 / 300e3), id="times, logic and triggers"),
        pytest.param(SIGROK_NAMES, Grid(0.5, 0.5), id="names for labels"),
    ],
)
def test_the_csv_of_sigrok_is_timed_by_its_rate_not_by_its_rounded_times(tmp_path: Path, text: str, grid: Grid) -> None:
    path = file(tmp_path, text)
    wave = read(path, channel="Rail" if len(channels(path)) > 1 else None)
    assert (wave.dialect, wave.channel) == ("sigrok-csv", "Rail")
    assert wave.values.tolist() == VOLTS
    assert wave.grid is not None
    assert wave.grid.first_s == pytest.approx(grid.first_s, rel=1e-12)
    assert wave.grid.dt_s == pytest.approx(grid.dt_s, rel=1e-12)


def test_the_csv_of_sigrok_without_a_rate_needs_the_sample_interval(tmp_path: Path) -> None:
    path = file(tmp_path, SIGROK_VOLTS.replace("; Samplerate: 300 kHz\n", ""))
    with pytest.raises(InputError, match="the sample interval must be given"):
        read(path, channel="Rail")
    expect(read(path, channel="Rail", interval_s=0.5), "sigrok-csv", "Rail", VOLTS, Grid(0.0, 0.5))
    with pytest.raises(InputError, match="no usable sample rate"):
        read(file(tmp_path, SIGROK_TIMES.replace("; Samplerate: 300 kHz\n", "")))


def test_rows_that_sigrok_left_out_because_they_repeat_are_a_gap(tmp_path: Path) -> None:
    text = SIGROK_HEAD.format(count=1, names="Rail", rate="1 kHz") + "milliseconds,V DC\n1,12\n2,12\n9,0\n"
    wave = read(file(tmp_path, text))
    assert wave.times_ns is not None
    assert wave.times_ns.tolist() == [1_000_000, 2_000_000, 9_000_000]


def test_sigrok_labels_that_are_missing_are_asked_for(tmp_path: Path) -> None:
    text = SIGROK_HEAD.format(count=1, names="Rail", rate="1 kHz") + "1,12\n2,12\n3,0\n"
    with pytest.raises(InputError, match="no labels over the columns"):
        read(file(tmp_path, text))


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
