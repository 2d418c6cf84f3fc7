"""sigrok sessions, with the parts and the keys that sigrok-cli writes."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from rig.errors import InputError
from rig.rail.samples import Grid
from rig.waveforms import channels, read

METADATA = (
    "[global]\nsigrok version=0.5.2\n\n[device 1]\ncapturefile=logic-1\ntotal probes=4\nsamplerate=100 kHz\n"
    "total analog=2\nprobe1=D0\nprobe2=D1\nprobe3=D2\nprobe4=D3\nanalog5=A0\nanalog6=Rail\nunitsize=1\n"
)


def session(path: Path, metadata: str = METADATA, version: str = "2", **parts: list[float] | bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("version", version)
        archive.writestr("metadata", metadata)
        for name, part in parts.items():
            data = part if isinstance(part, bytes) else np.array(part, "<f4").tobytes()
            archive.writestr(name.replace("_", "-"), data)
    return path


def test_the_pieces_of_an_analogue_channel_are_joined_in_order(tmp_path: Path) -> None:
    parts = {f"analog_1_6_{at}": [float(at), at + 0.5] for at in range(1, 12)}
    path = session(tmp_path / "a.sr", analog_1_5_1=[9.0, 9.0], **parts)
    assert channels(path) == ("A0", "Rail")
    wave = read(path, channel="Rail")
    assert wave.values.tolist() == [at / 2 for at in range(2, 24)]
    assert wave.values.dtype == np.float32
    assert wave.grid == Grid(0.0, 1e-5)
    assert (wave.dialect, wave.scale, wave.times_ns) == ("sigrok", None, None)


def test_samples_that_are_not_finite_are_unknown(tmp_path: Path) -> None:
    path = session(tmp_path / "a.sr", analog_1_5_1=[1.0, float("inf"), float("nan"), 2.0])
    wave = read(path, channel="A0")
    assert np.isnan(wave.values).tolist() == [False, True, True, False]
    assert any(note.startswith("2 samples") for note in wave.notes)


@pytest.mark.parametrize(
    ("rate", "interval_s"),
    [("1 MHz", 1e-6), ("500000000 Hz", 2e-9), ("200000", 5e-6), ("2.5 kHz", 4e-4), ("1 GHz", 1e-9)],
)
def test_the_sample_rate_is_read_with_its_unit(tmp_path: Path, rate: str, interval_s: float) -> None:
    metadata = f"[device 1]\nsamplerate={rate}\ntotal analog=1\nanalog1=CH1\n"
    wave = read(session(tmp_path / "a.sr", metadata, analog_1_1_1=[1.0, 2.0]))
    assert wave.grid == Grid(0.0, interval_s)


def test_a_session_without_a_rate_needs_the_sample_interval(tmp_path: Path) -> None:
    path = session(tmp_path / "a.sr", "[device 1]\ntotal analog=1\nanalog1=CH1\n", analog_1_1_1=[1.0, 2.0])
    with pytest.raises(InputError, match="sample interval must be given"):
        read(path)
    assert read(path, interval_s=0.5, start_s=-1.0).grid == Grid(-1.0, 0.5)


def test_logic_is_no_voltage(tmp_path: Path) -> None:
    metadata = "[device 1]\ncapturefile=logic-1\ntotal probes=1\nsamplerate=1 MHz\ntotal analog=0\nprobe1=D0\n"
    with pytest.raises(InputError, match="no analogue channel") as told:
        read(session(tmp_path / "a.sr", metadata, logic_1_1=b"\0\1"))
    assert told.value.where.found == "1 logic channels"


@pytest.mark.parametrize(
    ("metadata", "version", "part", "message"),
    [
        (METADATA, "3", [1.0, 2.0], "a version that is not read"),
        ("", "2", [1.0, 2.0], "not a sigrok session"),
        ("[device 1", "2", [1.0, 2.0], "not a sigrok session"),
        ("[device 1]\nanalog1=A\nanalog5=A0\n", "2", [1.0, 2.0], "no usable sample rate"),
        (METADATA, "2", b"123456789", "a piece is cut short"),
        (METADATA, "2", [1.0], "no samples"),
    ],
)
def test_a_session_that_is_wrong_is_refused_for_what_it_is(
    tmp_path: Path, metadata: str, version: str, part: list[float] | bytes, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        read(session(tmp_path / "a.sr", metadata, version, analog_1_5_1=part), channel="A0")


def test_a_session_cut_anywhere_is_refused(tmp_path: Path) -> None:
    whole = session(tmp_path / "a.sr", analog_1_5_1=[1.0] * 500).read_bytes()
    for length in range(4, len(whole), 7):
        path = tmp_path / "cut.sr"
        path.write_bytes(whole[:length])
        with pytest.raises(InputError):
            read(path, channel="A0")


def test_a_session_with_a_flipped_byte_gives_the_samples_or_an_error(tmp_path: Path) -> None:
    path = session(tmp_path / "a.sr", analog_1_5_1=[1.0, 2.0, 3.0] * 20)
    whole = path.read_bytes()
    for at in range(4, len(whole)):
        flipped = bytearray(whole)
        flipped[at] ^= 0xFF
        path.write_bytes(flipped)
        try:
            wave = read(path, channel="A0")
        except InputError:
            continue
        assert wave.values.tolist() == [1.0, 2.0, 3.0] * 20
