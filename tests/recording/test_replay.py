"""A recording becomes a test: strictly in a transcript, and as a face that other programs may ask."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rig.cli import main
from rig.clock.virtual import VirtualClock
from rig.errors import InputError, LinkError
from rig.instruments.catalogue import supply
from rig.instruments.link import VisaLink
from rig.instruments.ports import SupplyLimits, SupplySettings
from rig.recording import Recorder, read_recording
from rig.twin.replay import Replay
from tests.instruments.wire_peers import Instrument, SocketPeer
from tests.transcript import RecordedWire, TranscriptError, recorded

SETTINGS = SupplySettings(12.0, 1.5, 13.2, 2.0)


def dp832(link: VisaLink) -> object:
    psu = supply("rigol-dp800").open("psu", link, 1, SupplyLimits(14.0, 2.5))
    psu.identify()
    psu.apply(SETTINGS)
    return psu.make_safe()


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the driver and the twin's supply said to each other, as `rig record` writes it."""
    from rig.twin.supplies.rigol_dp800 import TwinDP800
    from rig.twin.wire import LineServer

    file = tmp_path_factory.mktemp("recorded") / "dp832.txt"
    clock = VirtualClock()
    import threading
    from types import SimpleNamespace

    hardware = SimpleNamespace(
        program=lambda volts, amps: None,
        switch=lambda on: None,
        terminals=lambda: (0.0, 0.0),
        constant_current=lambda: False,
    )
    server = LineServer("psu", TwinDP800(hardware, 1).handle, clock, threading.RLock())  # type: ignore[arg-type]
    recorder = Recorder(file)
    link = VisaLink(server.address, clock, 2.0, "psu", tap=recorder.tap("psu", clock.now))
    dp832(link)
    link.close()
    server.close()
    assert recorder.close()
    return file


def changed(recording: Path, tmp_path: Path, old: str, new: str) -> Path:
    text = recording.read_text()
    assert old in text
    file = tmp_path / "changed.txt"
    file.write_text(text.replace(old, new, 1))
    return file


def played(file: Path) -> None:
    with recorded(file, "psu", VirtualClock()) as link:
        dp832(link)


def test_the_same_driver_plays_its_recording_to_the_end(recording: Path) -> None:
    played(recording)


def test_a_driver_that_sends_something_else_is_told_by_the_line(recording: Path, tmp_path: Path) -> None:
    file = changed(recording, tmp_path, ":SOUR1:VOLT 12.000", ":SOUR1:VOLT 12.5")
    with pytest.raises(TranscriptError, match=r"changed.txt:\d+: sent b':SOUR1:VOLT 12.000\\n', the recording says"):
        played(file)


def test_a_part_of_a_command_is_told(recording: Path, tmp_path: Path) -> None:
    file = changed(recording, tmp_path, r":SOUR1:VOLT 12.000\n", r":SOUR1:VOLT 12.000\n and more")
    with pytest.raises(TranscriptError, match=r"a part of it is sent: b':SOUR1:VOLT 12.000"):
        played(file)


def test_a_command_that_was_not_sent_is_told(recording: Path, tmp_path: Path) -> None:
    file = tmp_path / "longer.txt"
    text = recording.read_text()
    last = text.splitlines()[-1]
    file.write_text(text.removesuffix(f"{last}\n") + f"{last.split()[0]} psu > :NEVER\\n\n")
    with pytest.raises(TranscriptError, match=r"longer.txt:\d+: b':NEVER\\n' was never sent"):
        played(file)


def test_a_reply_that_was_not_read_is_told(recording: Path, tmp_path: Path) -> None:
    text = recording.read_text().splitlines()
    reply = next(number for number, line in enumerate(text) if " < " in line)
    text.insert(reply + 1, f"{text[reply].split()[0]} psu < unread\\n")
    file = tmp_path / "unread.txt"
    file.write_text("\n".join(text) + "\n")
    with pytest.raises(TranscriptError, match=r"unread.txt:\d+: .* is sent, and b'unread\\n' was not read"):
        played(file)


def test_a_reply_that_never_came_is_told(recording: Path, tmp_path: Path) -> None:
    text = [line for line in recording.read_text().splitlines() if "< 12.000" not in line]
    file = tmp_path / "silent.txt"
    file.write_text("\n".join(text) + "\n")
    with pytest.raises(TranscriptError, match="a line is read, and nothing more came then"):
        played(file)


def test_a_wire_of_its_own_can_be_played_too(recording: Path) -> None:
    wire = RecordedWire(read_recording(recording), "psu")
    wire.write(b"*CLS\n")
    with pytest.raises(TranscriptError, match="was never sent"):
        wire.finish()


# -- a face --------------------------------------------------------------------------------------------------------


@contextmanager
def replay(file: Path) -> Iterator[dict[str, str]]:
    served = Replay(read_recording(file), VirtualClock())
    try:
        yield served.addresses()
    finally:
        served.close()


def test_who_asks_what_was_asked_gets_what_was_answered(recording: Path) -> None:
    with replay(recording) as links:
        for _ in range(2):  # and again from the beginning
            link = VisaLink(links["psu"], VirtualClock(), 2.0, "psu")
            assert dp832(link).output_on is False  # type: ignore[attr-defined]
            link.close()


def test_what_was_never_asked_closes_the_connection(recording: Path) -> None:
    with replay(recording) as links:
        link = VisaLink(links["psu"], VirtualClock(), 2.0, "psu")
        with pytest.raises(LinkError, match="the link broke"):
            link.query(":NEVER:SENT?")
        link.close()


def test_a_block_that_was_not_kept_is_told_before_anything_is_served(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "r.txt")
    clock = VirtualClock()
    peer = SocketPeer(Instrument({"*IDN?": b"A,B,C,D\n", ":D?": b"#42000" + bytes(2000) + b"\n"}, clock))
    link = VisaLink(peer.address, clock, 2.0, "scope", tap=recorder.tap("scope", clock.now))
    link.query_block(":D?")
    link.close()
    peer.close()
    recorder.close()
    with pytest.raises(InputError) as caught:
        Replay(read_recording(tmp_path / "r.txt"), VirtualClock())
    assert "2000 bytes were not kept: record with --full to play this back" in caught.value.one_line()
    assert caught.value.where.line == 9


# -- the command ---------------------------------------------------------------------------------------------------


def test_a_look_at_the_twin_is_recorded_checked_and_served_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "look.txt"
    assert main(["record", "--out", str(file), "--", "doctor", "--bench", "twin", "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["schema"] == "rig.doctor/1"
    assert err == f"recorded: {file}\n"
    assert main(["record", "--check", str(file)]) == 0
    assert "a whole recording of 3 links" in capsys.readouterr().out
    assert main(["record", "--check", str(file), "--json"]) == 0
    assert [link["name"] for link in json.loads(capsys.readouterr().out)["links"]] == ["psu", "scope", "meter"]
    command = [sys.executable, "-m", "rig", "twin", "serve", "--replay", str(file), "--until-eof"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as it:
        assert it.stdout is not None
        links = json.loads(it.stdout.readline())["links"]
        link = VisaLink(links["scope"], VirtualClock(), 5.0, "scope", clears=False)
        assert link.reopen().model == "DS1104Z"
        link.close()
        it.communicate()
    assert it.returncode == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "not a verb that can be recorded"),
        (["--", "wiring", "x"], "not a verb that can be recorded"),
        (["--check", "nowhere.txt"], "cannot be read"),
        (["--check", "nowhere.txt", "--", "run"], "records nothing"),
        (["--", "run", "--firmware", "no-such"], "no-such"),
        (["--", "run", "--nonsense"], "nonsense"),
    ],
)
def test_wrong_words_are_one_line_and_leave_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["record", *words]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert told in lines[-1]
    assert list(tmp_path.iterdir()) == []
