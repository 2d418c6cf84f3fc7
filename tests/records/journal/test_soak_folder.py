"""The folder of a soak says all that the journal knows of it, line before row."""

from __future__ import annotations

import errno
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rig.clock import NS
from rig.clock.virtual import VirtualClock
from rig.errors import BenchError, InputError
from rig.records.journal import EventKind, Journal
from rig.records.journal.soak_folder import SoakFolder, is_soak, soak_in

START = datetime(2026, 11, 24, 18, 0, 0, tzinfo=UTC)
PLAN = '# a night\r\n[end]\ncycles = 60  # "ü"\n'


def start(journal: Journal, out: Path) -> SoakFolder:
    clock = VirtualClock(5 * NS, START)
    return SoakFolder.start(
        journal, out, clock, plan_text=PLAN, bench="twin", bench_from="mine.toml", meter="EIG Shark 7", seed=3
    )


def test_folder_and_journal_tell_the_same(tmp_path: Path) -> None:
    with Journal.open(tmp_path) as journal:
        folder = start(journal, tmp_path)
        assert soak_in(folder.path).soak == journal.soak(folder.soak.soak_id) == folder.soak
        gap = folder.note(EventKind.GAP, "the oscilloscope was away", cycle=3, seconds=12.5)
        mark = folder.note(EventKind.MARK, "line\nbreak")
        end = folder.end("cycles", "60 of 60")
        found = soak_in(folder.path)
        assert found.facts == (gap, mark, end)
        assert journal.events(folder.soak.soak_id) == (gap, mark)
        assert journal.ends(folder.soak.soak_id) == (end,)
    assert (folder.path / "plan.toml").read_bytes() == PLAN.encode()
    assert not found.sealed
    assert is_soak(folder.path)


def test_a_sealed_folder_is_one_that_sha256sum_agrees_with(tmp_path: Path) -> None:
    with Journal.open(tmp_path) as journal:
        folder = start(journal, tmp_path)
        folder.end("cycles", "done")
        folder.seal({"soak.json": "{}\n", "report.html": "<p>\n"})
        folder.seal({"soak.json": '{"again": 1}\n'})
    check = ["sha256sum", "--strict", "-c", "SHA256SUMS"]
    done = subprocess.run(check, cwd=folder.path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    names = ["begun.json", "events.jsonl", "plan.toml", "report.html", "soak.json"]
    assert [line.split(": ")[0] for line in done.stdout.splitlines()] == names
    assert soak_in(folder.path).sealed


def test_a_resumed_soak_is_not_sealed_and_goes_on(tmp_path: Path) -> None:
    with Journal.open(tmp_path) as journal:
        folder = start(journal, tmp_path)
        folder.seal({})
        again = SoakFolder.resume(journal, tmp_path, VirtualClock(0, START), folder.soak)
        again.note(EventKind.RESUMED, "from cycle 4")
        found = soak_in(folder.path)
        assert not found.sealed
        assert [fact.text for fact in found.facts] == ["from cycle 4"]


def test_a_line_without_its_row_and_half_a_line_are_put_right_by_resume(tmp_path: Path) -> None:
    """Killed between a line and its row, and in the middle of the next line."""
    with Journal.open(tmp_path) as journal:
        folder = start(journal, tmp_path)
        folder.note(EventKind.MARK, "one")
        events = folder.path / "events.jsonl"
        line = events.read_bytes()
        events.write_bytes(line + line.replace(b"one", b"two") + line[:20])
        assert soak_in(folder.path).half_a_line
        SoakFolder.resume(journal, tmp_path, VirtualClock(0, START), folder.soak).note(EventKind.RESUMED, "three")
        found = soak_in(folder.path)
        assert not found.half_a_line
        assert [event.text for event in journal.events(folder.soak.soak_id)] == ["one", "two", "three"]
        assert journal.events(folder.soak.soak_id) == found.facts


def test_a_full_disk_leaves_no_half_line_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Journal.open(tmp_path) as journal:
        folder = start(journal, tmp_path)

        def full(descriptor: int) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", full)
            with pytest.raises(BenchError, match="cannot be noted") as caught:
                folder.note(EventKind.MARK, "not there")
        assert caught.value.where.found == "No space left on device"
        folder.note(EventKind.MARK, "there")
        assert [fact.text for fact in soak_in(folder.path).facts] == ["there"]
        assert [event.text for event in journal.events(folder.soak.soak_id)] == ["there"]


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("begun.json", "{", "not JSON"),
        ("begun.json", "{}", "not the beginning of a soak"),
        ("begun.json", '{"schema": "rig.soak-begun/1", "seed": "x"}', "not as this rig writes it"),
        ("events.jsonl", '{"event": {}}\n', "not as this rig writes it"),
        ("events.jsonl", "nothing\n", "not the events of a soak"),
    ],
)
def test_a_folder_that_was_changed_by_hand_is_one_line(tmp_path: Path, name: str, content: str, told: str) -> None:
    with Journal.open(tmp_path) as journal:
        folder = start(journal, tmp_path)
    (folder.path / name).write_text(content)
    with pytest.raises(InputError, match=told) as caught:
        soak_in(folder.path)
    assert str(folder.path / name) in caught.value.one_line()
