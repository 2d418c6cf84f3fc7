"""What is said to a DLMS meter is recorded, and plays back; nothing of a secret is in it, however frames cut it."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rig.bench.dlms_opening import open_dlms
from rig.bench.dlms_table import DlmsPart
from rig.clock.system import SystemClock
from rig.errors import LinkError
from rig.recording import Recorder, Struck, read_recording
from rig.twin.dlms.association import LOW, MD5, SHA1, SHA256, Client, Security
from rig.twin.dlms.face import TITLE, LinkSettings
from rig.twin.replay import Replay
from rig.twin.system_time import SystemTimeline
from tests.meters.dlms.lab import Lab, lab

NAMES = {LOW: "low", MD5: "high-md5", SHA1: "high-sha1", SHA256: "high-sha256"}
PIECE = 3
"""So many characters of a secret in a row are a part of it; nothing else that is said has three of these letters."""


@contextmanager
def recorded(file: Path, password: str, mechanism: int, **options: object) -> Iterator[Lab]:
    with pytest.MonkeyPatch.context() as patch, lab_state() as state:
        patch.setenv("RIG_METER_PASSWORD", password)
        recorder = Recorder(file, full=True)
        security = Security({1: Client(mechanism, password.encode())}, TITLE)
        how = {"authentication": NAMES[mechanism], "title": "5249470000000001", "taps": recorder}
        with lab(state, security=security, **how, **options) as it:
            yield it
        recorder.close()


@contextmanager
def lab_state() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def pieces_in(file: Path, secret: bytes) -> list[bytes]:
    """Which pieces of the secret stand in the file, as they are, in hexadecimal or among what was said."""
    text = file.read_bytes()
    said = b"".join(
        each for event in read_recording(file).of("meter") for each in event.data if isinstance(each, bytes)
    )
    pieces = [secret[at : at + PIECE] for at in range(len(secret) - PIECE + 1)]
    return [
        piece
        for piece in pieces
        if any(
            form in where
            for form in (piece, piece.hex().encode(), piece.hex().upper().encode())
            for where in (text, said)
        )
    ]


def echoing(it: Lab, how: str) -> None:
    """The line brings back what was sent: before each answer, in place of every third one, or one answer late."""
    heard: list[bytes] = []
    hear, count = it.wire._request, itertools.count(1)

    def request(data: bytes) -> None:
        heard.append(data)
        hear(data)

    def garble(answer: bytes) -> bytes:
        if how == "before":
            return heard[-1] + answer
        if how == "instead" and next(count) % 3 == 0:
            return heard[-1]
        return heard[-2] + answer if how == "late" and len(heard) > 1 else answer

    it.wire._request, it.wire.garble = request, garble


def spoken_to(it: Lab) -> None:
    for _ in range(2):
        try:
            it.meter.version()
        except LinkError:
            it.meter.close()


@settings(max_examples=25, deadline=None)
@given(
    st.text("QXZJKWVY", min_size=8, max_size=60),
    st.sampled_from(sorted(NAMES)),
    st.sampled_from([1, 2, 5, 11, 32, 128]),
    st.integers(1, 7),
    st.sampled_from(["", "before", "instead", "late"]),
)
def test_no_part_of_a_secret_is_recorded_however_frames_cut_it(
    password: str, mechanism: int, frame_bytes: int, window: int, echo: str
) -> None:
    with lab_state() as folder:
        file = folder / "r.txt"
        link = LinkSettings(frame_bytes, window)
        with recorded(file, password, mechanism, link=link, window=window) as it:
            if echo:
                echoing(it, echo)
            spoken_to(it)
        assert pieces_in(file, password.encode()) == []


def test_without_the_striking_out_a_cut_password_would_be_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test above can fail: this is what it looks for."""
    monkeypatch.setattr("rig.recording.recorder._FileTap.hide", lambda *_: None)
    file = tmp_path / "r.txt"
    with recorded(file, "QXZJKWVYQXZJKWVY", LOW, link=LinkSettings(7, 1)) as it:
        assert it.meter.version() == "1.0.0"
    assert pieces_in(file, b"QXZJKWVYQXZJKWVY")


@pytest.mark.parametrize("wire", ["hdlc", "tcp"])
def test_all_but_the_password_is_recorded(tmp_path: Path, wire: str) -> None:
    file = tmp_path / "r.txt"
    with recorded(file, "QXZJKWVY", LOW, wire=wire) as it:
        assert it.meter.version() == "1.0.0"
    events = read_recording(file).of("meter")
    assert [event.kind for event in events][:3] == ["open", ">", "<"]
    assert events[-1].kind == "close"
    struck = [event for event in events if Struck() in event.data]
    assert [(event.kind, len(event.data)) for event in struck] == [(">", 1), ("<", 1)], "the association, both ways"
    assert any(b"1.0.0" in each for event in events for each in event.data if isinstance(each, bytes))


@pytest.mark.parametrize("wire", ["hdlc", "tcp"])
def test_a_recording_without_secrets_answers_our_driver_again(tmp_path: Path, wire: str) -> None:
    file = tmp_path / "r.txt"
    recorder = Recorder(file, full=True)
    with lab(tmp_path, wire=wire, taps=recorder) as it:
        told = told_by(it)
    recorder.close()
    timeline = SystemTimeline(1.0)
    replay = Replay(read_recording(file), timeline)
    try:
        _, host, port, _ = replay.addresses()["meter"].split("::")
        place = (
            {"address": f"{host}:{port}"} if wire == "tcp" else {"port": f"socket://{host}:{port}", "sign_on": "direct"}
        )
        part = DlmsPart(driver="dlms", profile="synthetic-esme-dlms", timeout_s=30.0, **place)  # type: ignore[arg-type]
        meter = open_dlms("meter", part, SystemClock(), tmp_path)
        assert (meter.version(), meter.identity(), meter.image_state()) == told
        meter.close()
    finally:
        replay.close()
        timeline.close()


def told_by(it: Lab) -> tuple[object, ...]:
    asked: tuple[Callable[[], object], ...] = (it.meter.version, it.meter.identity, it.meter.image_state)
    return tuple(ask() for ask in asked)
