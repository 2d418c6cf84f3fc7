"""The format of recordings: every byte comes back, bad files are told by their line, secrets never reach the disk."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.errors import InputError
from rig.recording import Elided, Recorder, Struck, read_recording
from rig.recording.format import escaped, unescaped

HEAD = "rig.record/1\n1 psu open TCPIP::h::1::SOCKET\n"


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "r.txt"
    file.write_bytes(text.encode("latin-1"))
    return file


@given(st.binary(min_size=1, max_size=300))
def test_all_bytes_come_back_from_one_printable_line(data: bytes) -> None:
    text = escaped(data)
    assert text.isascii()
    assert text.isprintable()
    assert text == text.strip()
    assert unescaped(text) == (data,)


def test_what_was_said_is_read_back_in_its_order(tmp_path: Path) -> None:
    file, times = tmp_path / "r.txt", iter(range(100))
    recorder = Recorder(file)
    psu, scope = (recorder.tap(name, lambda: next(times)) for name in ("psu", "scope"))
    psu.opened("TCPIP::h::1::SOCKET")
    scope.opened("ASRL/dev/ttyUSB0::INSTR")
    psu.sent(b"*IDN?\n")
    scope.sent(b":D?\n")
    psu.received(bytearray(b" half a reply\xff\x00"))
    psu.received(b"")
    psu.closed()
    psu.closed()
    scope.cleared()
    assert recorder.close()
    found = read_recording(file)
    assert found.names() == ("psu", "scope")
    assert [(event.kind, event.data or event.text) for event in found.of("psu")] == [
        ("open", "TCPIP::h::1::SOCKET"),
        (">", (b"*IDN?\n",)),
        ("<", (b" half a reply\xff\x00",)),
        ("close", ""),
    ]
    assert [event.kind for event in found.of("scope")] == ["open", ">", "clear"]
    with pytest.raises(InputError, match="no such link"):
        found.of("meter")


@pytest.mark.parametrize("full", [False, True])
def test_a_long_block_is_kept_by_its_sum_or_in_full(tmp_path: Path, full: bool) -> None:
    data = bytes(range(256)) * 8
    recorder = Recorder(tmp_path / "r.txt", full=full)
    tap = recorder.tap("scope", lambda: 1)
    tap.opened("x")
    tap.received(data)
    recorder.close()
    event = read_recording(tmp_path / "r.txt").events[1]
    if full:
        assert event.whole() == data
    else:
        assert event.data == (Elided(2048, hashlib.sha256(data).hexdigest()),)
        with pytest.raises(InputError, match="2048 bytes were not kept: record with --full"):
            event.whole()


def test_a_secret_is_struck_out_before_it_reaches_the_disk_wherever_it_stands(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "r.txt")
    tap = recorder.tap("meter", lambda: 1, secrets=(b"hunter", b"hunter22", b""))
    tap.opened("x")
    tap.sent(b"P1(hunter22)\x03")
    tap.received(b"no: hunter22 and hunter22" + bytes(2000))
    recorder.close()
    assert b"hunter" not in (tmp_path / "r.txt").read_bytes()
    sent, received = read_recording(tmp_path / "r.txt").events[1:]
    assert sent.data == (b"P1(", Struck(), b")\x03")
    assert sent.matches(b"P1(anything)\x03")
    assert not sent.matches(b"P2(anything)\x03")
    assert received.data[1] == Struck()
    with pytest.raises(InputError, match="struck out"):
        sent.whole()


def test_each_line_is_in_the_file_before_the_next_thing_happens(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "r.txt")
    tap = recorder.tap("psu", lambda: 7)
    tap.opened("x")
    tap.sent(b":OUTP CH1,OFF\n")
    assert (tmp_path / "r.txt").read_text().splitlines()[-1] == r"7 psu > :OUTP CH1,OFF\n"
    recorder.close()


def test_a_recording_is_never_overwritten_and_an_empty_one_is_not_kept(tmp_path: Path) -> None:
    file = written(tmp_path, "mine")
    with pytest.raises(InputError, match="there is such a file already"):
        Recorder(file)
    assert file.read_text() == "mine"
    assert not Recorder(tmp_path / "new.txt").close()
    assert not (tmp_path / "new.txt").exists()
    with pytest.raises(InputError, match="cannot be written"):
        Recorder(tmp_path / "no" / "folder.txt")


def test_a_disk_that_is_full_ends_the_recording_and_not_the_run() -> None:
    recorder = Recorder.__new__(Recorder)
    recorder._fd, recorder.broken, recorder._lines = -1, None, 2
    recorder._full, recorder._file = False, Path("nowhere")
    tap = recorder.tap("psu", lambda: 1)
    tap.sent(b"x")
    tap.sent(b"y")
    assert recorder.broken == "Bad file descriptor"


BAD = [
    ("", 1, "this is no recording"),
    ("rig.run/1\n", 1, "this is no recording"),
    ("rig.record/1\n1 psu open x", 2, "cut off"),
    (HEAD + "nonsense\n", 3, "no line of a recording"),
    (HEAD + "x psu > a\n", 3, "no line of a recording"),
    (HEAD + "2 psu ? a\n", 3, "no line of a recording"),
    (HEAD + "2 psu > a\\q\n", 3, "no escaped data"),
    (HEAD + "2 psu > a\\x4\n", 3, "no escaped data"),
    (HEAD + "2 psu > \\[12 abc]\n", 3, "no escaped data"),
    (HEAD + "2 psu >\n", 3, "'>' with nothing behind it"),
    (HEAD + "2 psu close now\n", 3, "'close' with more behind it"),
    (HEAD + "0 psu > a\n", 3, "time goes back"),
    (HEAD + "2 scope > a\n", 3, "scope was not open"),
    (HEAD + "2 psu open x\n", 3, "psu is opened, and was open"),
    (HEAD + "2 psu close\n3 psu < a\n", 4, "psu was not open"),
    (HEAD + "2 psu > \xe9\n", 3, "no ASCII text"),
    (HEAD + "99999999999999999999 psu > a\n", 3, "no line of a recording"),
]


@pytest.mark.parametrize(("text", "line", "told"), BAD)
def test_a_bad_file_is_told_by_its_line(tmp_path: Path, text: str, line: int, told: str) -> None:
    file = written(tmp_path, text)
    with pytest.raises(InputError) as caught:
        read_recording(file)
    assert told in caught.value.one_line()
    assert (caught.value.where.file, caught.value.where.line) == (str(file), line)


def test_comments_and_empty_lines_are_a_persons(tmp_path: Path) -> None:
    found = read_recording(written(tmp_path, HEAD + "# the supply was off here\n\n2 psu > a\n"))
    assert [event.line for event in found.events] == [2, 5]


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: No such file"):
        read_recording(tmp_path / "none.txt")
