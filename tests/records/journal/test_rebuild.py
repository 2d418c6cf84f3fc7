"""The journal made anew from the bundles is the one that was lost; what is damaged is named, and the rest is there."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from rig.clock.virtual import VirtualClock
from rig.errors import BenchError, InputError
from rig.records.journal import Cycle, EventKind, Journal, Lost, Process, Reader, State, store
from rig.records.journal.attempt import InSoak
from rig.records.journal.rebuilding import rebuild
from rig.records.journal.soak_folder import SoakFolder
from tests.records.journal.facts import GONE
from tests.records.journal.test_attempt import START
from tests.records.journal.test_attempt import Attempt as Run

Content = tuple[tuple[object, ...], ...]


def content(out: Path) -> Content:
    with Reader.open(out) as reader:
        soaks = reader.soaks()
        parts = ((reader.events(s.soak_id), reader.ends(s.soak_id), reader.standing(s.soak_id)) for s in soaks)
        return (reader.attempts(), soaks, *parts)


def a_night(out: Path) -> list[Path]:
    """A run of its own, and a soak of three cycles, all by this process; the bundles."""
    run = Run(out)
    with run.log as log:
        run.begin()
        folders = [run.finish()]
        log.end(folders[0])
    with Journal.open(out) as journal:
        soak = SoakFolder.start(
            journal, out, VirtualClock(0, START), plan_text="cycles = 3\n", bench="twin", bench_from="twin",
            meter=None, seed=0,
        )  # fmt: skip
        for number in (1, 2, 3):
            cycle = Run(out, InSoak(journal, Cycle(soak.soak.soak_id, number)))
            with cycle.log as log:
                cycle.begin()
                folders.append(cycle.finish())
                log.end(folders[-1])
            soak.note(EventKind.MARK, f"after {number}", number)
        soak.end("cycles", "done")
        soak.seal({"soak.json": "{}\n"})
    return folders


def test_the_journal_made_anew_is_the_one_that_was_lost(tmp_path: Path) -> None:
    a_night(tmp_path)
    before = content(tmp_path)
    store.path_in(tmp_path).unlink()
    made = rebuild(tmp_path)
    assert content(tmp_path) == before
    assert (made.attempts, made.soaks, made.damaged, made.half_written, made.unsealed) == (4, 1, (), (), ())
    assert made.kept is None


def test_the_old_journal_is_kept_with_what_only_its_log_holds(tmp_path: Path) -> None:
    """A writer that was killed leaves commits in the log; they stay with the old file, and never meet the new one."""
    a_night(tmp_path)
    before = content(tmp_path)
    path, copy = store.path_in(tmp_path), tmp_path / "copy"
    with Journal.open(tmp_path) as journal:
        journal.add(Lost(journal.attempts()[0].begun.run_id, "now", "only here"))
        copy.mkdir()
        for name in (path.name, store.log_of(path).name):
            shutil.copy(tmp_path / name, copy / name)
    for name in (path.name, store.log_of(path).name):
        shutil.copy(copy / name, tmp_path / name)
    shutil.rmtree(copy)
    assert rebuild(tmp_path).kept == "journal.sqlite3.1"
    assert content(tmp_path) == before
    assert not store.log_of(path).exists() or store.log_of(path).stat().st_size == 0
    old = tmp_path / "old"
    old.mkdir()
    (tmp_path / "journal.sqlite3.1").rename(old / path.name)
    (tmp_path / "journal.sqlite3.1-wal").rename(old / store.log_of(path).name)
    with Reader.open(old) as reader:
        assert reader.attempts()[0].lost is not None
    assert rebuild(tmp_path).kept == "journal.sqlite3.1"
    assert rebuild(tmp_path).kept == "journal.sqlite3.2"


def test_a_damaged_journal_is_replaced_and_kept(tmp_path: Path) -> None:
    a_night(tmp_path)
    before = content(tmp_path)
    store.path_in(tmp_path).write_bytes(b"no database")
    made = rebuild(tmp_path)
    assert content(tmp_path) == before
    assert (tmp_path / str(made.kept)).read_bytes() == b"no database"


DAMAGES = {
    "a record changed": ("run.json", "run.json: was changed (found sha256 "),
    "a file gone": ("events.jsonl", "events.jsonl: cannot be read (found No such file or directory, expected sha256 "),
    "a file more": ("more.txt", "more.txt: is not in SHA256SUMS"),
    "no sums": ("SHA256SUMS", "SHA256SUMS: cannot be read: No such file or directory"),
}


@pytest.mark.parametrize("what", DAMAGES)
def test_a_damaged_bundle_is_named_and_its_attempt_is_not_what_it_was(tmp_path: Path, what: str) -> None:
    folders = a_night(tmp_path)
    before = content(tmp_path)
    name, told = DAMAGES[what]
    if what in ("a file gone", "no sums"):
        (folders[1] / name).unlink()
    else:
        (folders[1] / name).write_text("{}")
    made = rebuild(tmp_path)
    (damaged,) = made.damaged
    assert damaged.folder == folders[1].name
    assert damaged.why.startswith(told)
    with Reader.open(tmp_path) as reader:
        found = {attempt.begun.run_id: attempt for attempt in reader.attempts()}
    assert found.pop(folders[1].name).state is State.LOST
    assert tuple(found.values()) == tuple(a for a in before[0] if a.begun.run_id != folders[1].name)  # type: ignore[attr-defined]


def test_a_beginning_that_was_changed_is_not_believed(tmp_path: Path) -> None:
    folders = a_night(tmp_path)
    file = folders[1] / "attempt.json"
    file.write_text(file.read_text().replace("cut-45s", "cut-181s"))
    assert [damaged.folder for damaged in rebuild(tmp_path).damaged] == [folders[1].name]
    with Reader.open(tmp_path) as reader:
        assert folders[1].name not in {attempt.begun.run_id for attempt in reader.attempts()}


def test_a_copy_of_a_bundle_under_another_name_is_named_and_counts_once(tmp_path: Path) -> None:
    folders = a_night(tmp_path)
    shutil.copytree(folders[0], tmp_path / "copy")
    made = rebuild(tmp_path)
    (damaged,) = made.damaged
    assert damaged.folder == "copy"
    assert f"it is of another run (found {folders[0].name}, expected copy)" in damaged.why
    assert made.attempts == 4


def test_a_sealed_soak_that_was_changed_is_named_and_its_cycles_stay(tmp_path: Path) -> None:
    a_night(tmp_path)
    (soak,) = tmp_path.glob("soak-*")
    (soak / "plan.toml").write_text("cycles = 1\n")
    made = rebuild(tmp_path)
    assert [damaged.folder for damaged in made.damaged] == [soak.name]
    assert (made.attempts, made.soaks) == (4, 0)


def test_a_soak_that_was_killed_is_named_as_not_sealed(tmp_path: Path) -> None:
    a_night(tmp_path)
    (soak,) = tmp_path.glob("soak-*")
    (soak / "SHA256SUMS").unlink()
    made = rebuild(tmp_path)
    assert (made.unsealed, made.damaged, made.soaks) == ((soak.name,), (), 1)


def test_half_written_folders_are_named_and_their_attempts_are_lost_or_running(tmp_path: Path) -> None:
    run = Run(tmp_path)
    run.begin()
    assert rebuild(tmp_path).half_written == (f".{run.bundle.run_id}.partial",)
    with Reader.open(tmp_path) as reader:
        assert [attempt.state for attempt in reader.attempts()] == [State.RUNNING]
    file = run.bundle.path / "attempt.json"
    file.write_text(file.read_text().replace(Process.this().boot_id, GONE.boot_id).replace('"pid": ', '"pid": 9'))
    rebuild(tmp_path)
    with Reader.open(tmp_path) as reader:
        assert [attempt.state for attempt in reader.attempts()] == [State.LOST]


def test_a_run_that_goes_on_meanwhile_still_ends_in_the_new_journal(tmp_path: Path) -> None:
    run = Run(tmp_path)
    with run.log as log:
        run.begin()
        rebuild(tmp_path)
        ended = log.end(run.finish())
    with Reader.open(tmp_path) as reader:
        assert [attempt.ended for attempt in reader.attempts()] == [ended]
    assert run.told == []


def test_a_bundle_from_before_there_was_a_journal_is_indexed_by_its_record(tmp_path: Path) -> None:
    (folder, *_) = a_night(tmp_path)
    with Reader.open(tmp_path) as reader:
        before = reader.attempt(folder.name)
    assert before is not None
    (folder / "attempt.json").unlink()
    sums = folder / "SHA256SUMS"
    sums.write_text("".join(line for line in sums.read_text().splitlines(True) if "attempt.json" not in line))
    assert rebuild(tmp_path).damaged == ()
    with Reader.open(tmp_path) as reader:
        after = reader.attempt(folder.name)
    assert after is not None
    assert after.ended is not None
    assert before.ended is not None
    assert (after.ended.upper_s, after.ended.verdict) == (before.ended.upper_s, before.ended.verdict)
    assert (after.begun.process, after.begun.cycle, after.state) == (None, None, State.ENDED)


def test_a_journal_in_use_is_not_made_anew_and_nobody_opens_one_that_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_night(tmp_path)
    with Journal.open(tmp_path) as journal:
        with pytest.raises(BenchError, match="in use"):
            rebuild(tmp_path)
        assert len(journal.attempts()) == 4

    def meanwhile(out: Path) -> None:
        with pytest.raises(BenchError, match="being made anew"):
            Journal.open(out)

    monkeypatch.setattr("rig.records.journal.rebuilding.make_anew", lambda draft: meanwhile(tmp_path) or plain(draft))
    plain = store.make_anew
    assert rebuild(tmp_path).attempts == 4


def test_a_rebuild_that_fails_leaves_the_journal_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_night(tmp_path)
    before, files = content(tmp_path), sorted(p.name for p in tmp_path.iterdir())

    def full(draft: Path, path: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("rig.records.journal.rebuilding._put_in_place", full)
    with pytest.raises(BenchError, match="cannot be written"):
        rebuild(tmp_path)
    assert content(tmp_path) == before
    assert sorted(p.name for p in tmp_path.iterdir()) == files


def test_no_folder_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no folder of results"):
        rebuild(tmp_path / "none")
