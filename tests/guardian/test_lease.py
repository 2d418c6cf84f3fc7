"""One owner for each piece of a bench; a dead owner is noticed, and a bench marked unsafe is not used."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from rig.bench.guarding import pieces
from rig.errors import BenchError, InputError
from rig.guardian.lease import Lease, state_folder
from tests.bench.files import GOOD, checked

SINCE = "2026-11-22T22:53:03+00:00"
PIECES = pieces(checked())


def take(folder: Path, some: tuple[str, ...] = PIECES, *, marked: bool = False) -> Lease:
    return Lease.take(folder, "lab-1", some, SINCE, marked=marked)


def locks(folder: Path) -> list[Path]:
    return sorted((folder / "locks").iterdir())


def test_a_bench_is_known_by_its_instruments_and_lines_not_by_its_file_or_name() -> None:
    assert "supply tcpip::192.0.2.10::5555::socket" in PIECES
    assert {"relay line GPIO 17", "relay line GPIO 27", "relay line GPIO 22", "meter 192.0.2.12:502 unit 1"} < set(
        PIECES
    )
    assert pieces(checked(GOOD.replace('name = "twin"', 'name = "other"').replace("TCPIP", "tcpip"))) == PIECES


def test_the_second_rig_on_a_bench_is_refused_by_name(tmp_path: Path) -> None:
    first = take(tmp_path)
    with pytest.raises(InputError) as caught:
        take(tmp_path)
    assert caught.value.message == "this bench is in use"
    assert caught.value.where.found == f"process {os.getpid()} (bench 'lab-1', since {SINCE})"
    first.release()
    take(tmp_path).release()
    assert locks(tmp_path) == []


def test_two_benches_that_share_one_supply_are_one_bench_as_far_as_that_goes(tmp_path: Path) -> None:
    first = take(tmp_path, ("supply a", "relay 1"))
    with pytest.raises(InputError) as caught:
        take(tmp_path, ("oscilloscope", "supply a"))
    assert caught.value.where.key == "supply a"
    take(tmp_path, ("oscilloscope", "supply b")).release()
    assert len(locks(tmp_path)) == 2, "who was refused leaves nothing behind"
    first.release()


def test_what_a_dead_owner_left_is_told_to_the_next(tmp_path: Path) -> None:
    first = take(tmp_path, ("supply a",))
    first.proven = False  # it fed the rail, and died
    first.release()
    second = take(tmp_path, ("supply a", "supply b"))
    (left,) = second.left_behind
    assert (left.resource, left.state, left.pid, left.since_utc) == ("supply a", "in use", os.getpid(), SINCE)
    second.release()
    assert take(tmp_path, ("supply a",)).left_behind == ()


def test_a_marked_bench_is_not_used_until_it_is_cleared(tmp_path: Path) -> None:
    first = take(tmp_path)
    first.mark("rail discharged: not below 5.5 V")
    first.release()
    with pytest.raises(BenchError) as caught:
        take(tmp_path)
    assert "not to be used: rail discharged: not below 5.5 V" in caught.value.message
    assert "'rig safe' clears it" in caught.value.message
    with pytest.raises(BenchError):
        take(tmp_path, (PIECES[0],))
    second = take(tmp_path, marked=True)
    assert all(record.marked for record in second.left_behind)
    second.release()
    with pytest.raises(BenchError, match="not to be used"):
        take(tmp_path)
    third = take(tmp_path, marked=True)
    third.clear()
    third.release()
    take(tmp_path).release()
    assert locks(tmp_path) == []


def test_the_first_reason_of_a_mark_stays(tmp_path: Path) -> None:
    first = take(tmp_path)
    first.mark("the first")
    first.mark("the second")
    first.release()
    with pytest.raises(BenchError, match="the first"):
        take(tmp_path)


def test_a_guardian_that_inherited_the_locks_holds_them_after_its_controller(tmp_path: Path) -> None:
    first = take(tmp_path, ("supply a",))
    guardian = subprocess.Popen(["cat"], stdin=subprocess.PIPE, pass_fds=first.fds)
    first.proven = False
    first.release()
    with pytest.raises(InputError, match="in use"):
        take(tmp_path, ("supply a",))
    assert guardian.stdin is not None
    guardian.stdin.close()
    guardian.wait()
    take(tmp_path, ("supply a",)).release()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": "rig.owner/1"}', "\0" * 100])
def test_a_lock_file_that_says_nothing_sensible_is_nobodys(tmp_path: Path, text: str) -> None:
    lease = take(tmp_path, ("supply a",))
    (path,) = locks(tmp_path)
    lease.release()
    path.write_text(text)
    again = take(tmp_path, ("supply a",))
    assert again.left_behind == ()
    again.release()


def test_a_state_folder_that_cannot_be_written_is_bad_input(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="the state folder cannot be written"):
        take(tmp_path / "file")


def test_the_state_folder_is_the_environments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ICHIS_RIG_STATE", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", "/x/state")
    assert state_folder() == Path("/x/state/ichis-rig")
    monkeypatch.delenv("XDG_STATE_HOME")
    assert state_folder() == Path.home() / ".local/state/ichis-rig"
    monkeypatch.setenv("ICHIS_RIG_STATE", "/var/lib/ichis-rig")
    assert state_folder() == Path("/var/lib/ichis-rig")
