"""Whatever is wrong with a file is one line that says where, and costs neither time nor memory."""

from __future__ import annotations

import gzip
import io
import os
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from rig.errors import InputError
from rig.waveforms import channels, read

HEAD = "time (s),CH1 (V)\n"
ROWS = [f"{at * 0.001:.3f},12.0" for at in range(200)]


def refused(path: Path, **options: object) -> InputError:
    """The one error, told in one line that begins with the file."""
    with pytest.raises(InputError) as told:
        read(path, **options)  # type: ignore[arg-type]
    line = told.value.one_line()
    assert "\n" not in line
    assert line.startswith(str(path))
    return told.value


def file(folder: Path, data: str | bytes, name: str = "scope.csv") -> Path:
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def rows_with(at: int, text: str) -> str:
    return HEAD + "\n".join([*ROWS[:at], text, *ROWS[at + 1 :]]) + "\n"


@pytest.mark.parametrize("engine", ["pyarrow", "numpy"])
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0.100", "a row with a missing field"),
        ("0.100,", "a row with a missing field"),
        (",12.0", "a row with a missing field"),
        ("0.100,12.0,5", "a row with too many fields"),
        ("0.100,12.0V", "not a number"),
        ("0.100,0x1f", "not a number"),
        ("abc,12.0", "not a number"),
        ("inf,12.0", "not a time"),
        ("1e300,12.0", "not a time"),
        ("0.099,12.0", "the time repeats"),
        ("0.042,12.0", "the time goes backwards"),
    ],
)
def test_a_bad_row_is_told_by_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str, text: str, message: str
) -> None:
    if engine == "numpy":
        monkeypatch.setattr("rig.waveforms.rows._arrow", lambda _: None)
    error = refused(file(tmp_path, rows_with(100, text)))
    assert error.message == message
    assert error.where.line == 102


def test_the_line_of_a_bad_time_counts_blank_lines(tmp_path: Path) -> None:
    assert refused(file(tmp_path, HEAD + "\n\n0,1\n\n1,1\n\r\n0.5,1\n")).where.line == 8


def test_a_file_cut_inside_a_row_is_told_by_the_line(tmp_path: Path) -> None:
    error = refused(file(tmp_path, (HEAD + "\n".join(ROWS))[: -len(",12.0")]))
    assert (error.message, error.where.line) == ("a row with a missing field", 201)


def test_a_value_that_may_be_cut_short_is_unknown(tmp_path: Path) -> None:
    wave = read(file(tmp_path, (HEAD + "\n".join(ROWS))[:-3]))
    assert wave.values[-2] == 12.0
    assert np.isnan(wave.values[-1])
    assert any("no line end" in note for note in wave.notes)


@pytest.mark.parametrize(
    "head",
    [
        "Record Length,Analog:300\nSample Interval,Analog:0.001\nSecond,Value\n",
        "Model,MSO58\nSample Interval,0.001\nRecord Length,300\nTIME,CH1\n",
        '"Number of Data points =","300"\n,CH1\nSecond,Volt\n',
    ],
)
def test_fewer_rows_than_the_header_declares_is_a_file_cut_short(tmp_path: Path, head: str) -> None:
    error = refused(file(tmp_path, head + "\n".join(ROWS) + "\n"))
    assert error.message == "the file is cut short"
    assert error.where.found == "200 rows"


def test_a_missing_row_shows_in_the_counter(tmp_path: Path) -> None:
    error = refused(file(tmp_path, "X,CH1,Start,Increment\nSequence,Volt,0,1e-3\n0,1\n1,1\n3,1\n"))
    assert (error.message, error.where.line, error.where.expected) == ("the counter does not go up by one", 5, "2")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("", "the file is empty"),
        ("\n\n\n", "no samples"),
        (HEAD, "no samples after the header"),
        (HEAD + "0,1\n", "only one sample"),
        ("one\ntwo\nthree\n", "the dialect cannot be told"),
        ("1,2,3\n4,5,6\n7,8,9\n", "the dialect cannot be told"),
        ("frequency,gain\n1,2\n3,4\n", "the dialect cannot be told"),
        ("7\n8\n9\n", "no times in the rows: the sample interval must be given"),
        (HEAD + "0,1\r1,1\r2,1\r", "a carriage return inside a line"),
        ("time (days),volts\n0,1\n1,1\n", "the dialect cannot be told"),
        ("x-axis,1\nhertz,Volt\n0,1\n1,1\n", "not a unit of time"),
        ("X,CH1,Start,Increment\nSequence,Volt,,\n0,1\n1,1\n", "no start and increment"),
        ("X,CH1,Start,Increment\nSequence,Volt,0,0\n0,1\n1,1\n", "no usable sample interval"),
        ("X,CH1,Start,Increment\nSequence,Volt,nan,1\n0,1\n1,1\n", "no start and increment"),
        ("X,CH1,Start,Increment\nSequence,Volt,1e300,1\n0,1\n1,1\n", "no usable sample interval"),
        ("time,CH1 (A)\n0,1\n1,1\n", "no channel in volts"),
        ("time,volts,amps\n0,1\n1,1\n", "the rows have fewer columns than the header names"),
        ("\ufeff".encode("utf-16") + HEAD.encode("utf-16"), "text in UTF-16 is not read"),
        (b"\x7fELF\x02\x01\x01\x00\x00", "not text: a zero byte"),
        (b"PK\x03\x04not a zip", "the session is damaged or cut short"),
        (b"\x89HDF\r\n\x1a\nnot one", "the capture is damaged or cut short"),
        (b"\x1f\x8bnot gzip", "the compressed file is damaged or cut short"),
    ],
)
def test_what_is_no_record_is_refused_for_what_it_is(tmp_path: Path, data: str | bytes, message: str) -> None:
    assert refused(file(tmp_path, data)).message == message


def test_a_binary_file_named_csv_is_told_by_the_offset(tmp_path: Path) -> None:
    error = refused(file(tmp_path, b"RG01" + bytes(range(1, 9)) + b"\0" * 100))
    assert error.where.found == "it at offset 12"


def test_random_bytes_are_refused(tmp_path: Path) -> None:
    data = bytes(value or 1 for value in os.urandom(200_000))
    refused(file(tmp_path, data))


def test_a_directory_a_pipe_and_no_file_at_all_are_refused(tmp_path: Path) -> None:
    assert refused(tmp_path).where.found == "a directory"
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    assert refused(pipe).where.found == "a device or a pipe"
    assert refused(tmp_path / "none.csv").message == "cannot be read"
    with pytest.raises(InputError):
        channels(tmp_path / "none.csv")


def test_ten_gigabytes_of_nothing_are_refused_by_their_first_block(tmp_path: Path) -> None:
    path = tmp_path / "sparse.csv"
    with path.open("wb") as sparse:
        sparse.truncate(10_000_000_000)
    assert refused(path).where.found == "it at offset 0"


def test_a_good_head_before_ten_gigabytes_of_nothing_does_not_help(tmp_path: Path) -> None:
    path = file(tmp_path, HEAD + "\n".join(f"{at},12" for at in range(20_000)) + "\n")
    size = path.stat().st_size
    with path.open("r+b") as sparse:
        sparse.truncate(10_000_000_000)
    tracemalloc.start()
    error = refused(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert error.where.found == f"it at offset {size}"
    assert peak < 700_000_000  # address space taken for the rows that the size promises; touched only as they come


@pytest.mark.parametrize("start", ["", HEAD + "0,1\n1,1\n"])
def test_a_line_without_end_is_refused_before_it_is_read_to_its_end(tmp_path: Path, start: str) -> None:
    path = file(tmp_path, start + "1" * 20_000_000)
    tracemalloc.start()
    error = refused(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert error.message == "the line is too long"
    assert error.where.line == start.count("\n") + 1
    assert peak < 200_000_000


def packed(piece: bytes, times: int, head: str = HEAD) -> bytes:
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=9, mtime=0) as file:
        file.write(head.encode())
        for _ in range(times):
            file.write(piece)
    return out.getvalue()


@pytest.mark.parametrize(
    ("head", "piece", "message"),
    [
        ("", b"\0" * 1_000_000, "not text: a zero byte"),
        (HEAD, b"0,12\n" * 200_000, "the time repeats"),
        (
            "CH1(V),t0 = 0s, tInc = 1e-6s\n",
            b"12\n" * 300_000,
            "the file unpacks to more than an oscilloscope's file would",
        ),
    ],
)
def test_a_compressed_bomb_is_refused_early(tmp_path: Path, head: str, piece: bytes, message: str) -> None:
    assert refused(file(tmp_path, packed(piece, 120, head), "bomb.csv.gz")).message == message


def test_a_compressed_file_cut_short_is_refused(tmp_path: Path) -> None:
    whole = gzip.compress(rows_with(0, ROWS[0]).encode())
    for length in range(3, len(whole), 40):
        assert "cut short" in refused(file(tmp_path, whole[:length], "cut.csv.gz")).message


def test_a_compressed_file_with_a_flipped_bit_is_refused(tmp_path: Path) -> None:
    whole = bytearray(gzip.compress(rows_with(0, ROWS[0]).encode()))
    whole[-6] ^= 1
    refused(file(tmp_path, bytes(whole), "flipped.csv.gz"))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ("Resolution:1e-3:\nXStart:0:\nRecordLength:1e400:\n", "no start"),
        ("Resolution:1e-3:\nXStart:0:\nRecordLength:3:\n", "the file is cut short"),
        ("Resolution:1e-3:\nXStart:0:\nRecordLength:1:\nNumberOfAcquisitions:2:\n", "several acquisitions in one file"),
        ("Source:Ch1:\n", "no sample interval"),
    ],
)
def test_parameters_that_do_not_fit_their_samples_are_refused(tmp_path: Path, parameters: str, message: str) -> None:
    file(tmp_path, parameters, "pulse.csv")
    assert message in refused_of_pair(file(tmp_path, "1\n2\n", "pulse.Wfm.csv"))


def refused_of_pair(path: Path) -> str:
    with pytest.raises(InputError) as told:
        read(path)
    return told.value.message


def test_parameters_without_their_samples_are_refused(tmp_path: Path) -> None:
    error = refused(file(tmp_path, "Resolution:1e-3:\nXStart:0:\nRecordLength:3:\n", "pulse.csv"))
    assert (error.message, error.where.expected) == ("the samples are missing", "pulse.Wfm.csv beside it")
