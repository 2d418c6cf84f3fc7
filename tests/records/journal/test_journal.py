"""The journal: what was added is there, and stays; what resume asks is answered; what is wrong is one line."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from rig.errors import BenchError, InputError
from rig.records.journal import (
    Attempt,
    EventKind,
    Filter,
    Journal,
    Lost,
    Process,
    Reader,
    SoakEnd,
    SoakEvent,
    State,
    store,
)
from tests.records.journal.facts import GONE, SOAK, begun, ended


def test_what_was_added_is_read_back_to_the_last_bit(tmp_path: Path) -> None:
    with Journal.open(tmp_path) as journal:
        journal.add(begun(1))
        journal.add(ended(1, reasons=("unseen_gap", "cause_unknown"), verdict="INCONCLUSIVE", upper_s=None))
        journal.add(begun(2, cycle=7))
    with Reader.open(tmp_path) as reader:
        one, two = reader.attempts()
    assert one == Attempt(
        begun(1), ended(1, reasons=("unseen_gap", "cause_unknown"), verdict="INCONCLUSIVE", upper_s=None), None
    )
    assert two == Attempt(begun(2, cycle=7), None, None)


def test_a_soak_its_events_and_its_ends_are_read_back(tmp_path: Path) -> None:
    events = (
        SoakEvent(SOAK.soak_id, "2026-11-24T19:00:00Z", EventKind.GAP, "scope was away", 3, 12.5),
        SoakEvent(SOAK.soak_id, "2026-11-24T19:01:00Z", EventKind.MARK, "a note"),
    )
    end = SoakEnd(SOAK.soak_id, "2026-11-25T02:00:00Z", "cycles", "60 of 60 cycles")
    with Journal.open(tmp_path) as journal:
        for fact in (SOAK, *events, end):
            journal.add(fact)
        assert journal.soaks() == (SOAK,)
        assert journal.soak(SOAK.soak_id) == SOAK
        assert journal.soak("another") is None
        assert journal.events(SOAK.soak_id) == events
        assert journal.ends(SOAK.soak_id) == (end,)


def test_a_soak_stands_where_its_attempts_say(tmp_path: Path) -> None:
    quarantined = SoakEvent(SOAK.soak_id, "2026-11-24T19:00:00Z", EventKind.QUARANTINE, "cut-181s", 2)
    with Journal.open(tmp_path) as journal:
        journal.add(SOAK)
        for n in (1, 2):
            journal.add(begun(n, cycle=n, process=GONE))
            journal.add(ended(n))
        journal.add(quarantined)
        journal.add(begun(3, cycle=3, process=GONE))
        journal.add(begun(4, cycle=4))
        standing = journal.standing(SOAK.soak_id)
        assert standing is not None
        assert (standing.finished, standing.next_cycle) == ((1, 2), 5)
        assert [a.begun.run_id for a in standing.lost] == [begun(3).run_id]
        assert [a.begun.run_id for a in standing.running] == [begun(4).run_id]
        assert standing.quarantined == (quarantined,)
        assert journal.standing("another") is None


def test_an_attempt_that_was_given_up_is_lost_while_its_process_lives(tmp_path: Path) -> None:
    with Journal.open(tmp_path) as journal:
        journal.add(begun(1))
        assert journal.attempts()[0].state is State.RUNNING
        journal.add(Lost(begun(1).run_id, "2026-11-24T19:00:00Z", "disk full while writing the evidence"))
        assert journal.attempts()[0].state is State.LOST


def test_an_attempt_of_a_killed_process_is_lost(tmp_path: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", "import sys; print('ready', flush=True); sys.stdin.read()"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert child.stdout is not None
    child.stdout.readline()
    its = Process(child.pid, store_started(child.pid), Process.this().boot_id)
    with Journal.open(tmp_path) as journal:
        journal.add(begun(1, process=its))
        assert journal.attempts()[0].state is State.RUNNING
        child.kill()
        child.communicate()
        assert journal.attempts()[0].state is State.LOST


def store_started(pid: int) -> int:
    from rig.guardian.record import started

    return started(pid)


@pytest.mark.parametrize("other", [{"started": 1}, {"boot_id": "before"}, {"pid": 1}])
def test_another_process_of_that_number_is_not_the_one_that_began(other: dict[str, object]) -> None:
    assert Process.this().lives()
    assert not replace(Process.this(), **other).lives()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("which", "expected"),
    [
        (Filter(), [1, 2, 3, 4]),
        (Filter(soak=SOAK.soak_id), [3, 4]),
        (Filter(verdict="FAIL"), [2]),
        (Filter(fixture="cut-181s"), [2, 4]),
        (Filter(bench="other"), [1]),
        (Filter(kind="controls"), []),
        (Filter(since="2026-11-24T18:00:02Z", until="2026-11-24T18:00:03Z"), [2, 3]),
        (Filter(soak=SOAK.soak_id, fixture="cut-181s"), [4]),
    ],
)
def test_attempts_are_chosen_by_every_filter(tmp_path: Path, which: Filter, expected: list[int]) -> None:
    with Journal.open(tmp_path) as journal:
        journal.add(begun(1, bench="other"))
        journal.add(ended(1))
        journal.add(begun(2, fixture="cut-181s"))
        journal.add(ended(2, verdict="FAIL"))
        journal.add(begun(3, cycle=1))
        journal.add(ended(3))
        journal.add(begun(4, cycle=2, fixture="cut-181s"))
        found = journal.attempts(which)
        assert [a.begun.run_id for a in found] == [begun(n).run_id for n in expected]
        assert journal.attempts(which, newest=1) == found[-1:]
        counts = journal.verdicts(which)
        for verdict in ("PASS", "FAIL"):
            assert counts.get(verdict, 0) == sum(a.ended is not None and a.ended.verdict == verdict for a in found)


def test_no_row_is_ever_changed_removed_or_replaced(tmp_path: Path) -> None:
    with Journal.open(tmp_path) as journal:
        for fact in (
            SOAK,
            begun(1, cycle=1),
            ended(1),
            Lost(begun(1).run_id, "now", "why"),
            SoakEvent(SOAK.soak_id, "now", EventKind.MARK, "x"),
            SoakEnd(SOAK.soak_id, "now", "cycles", "x"),
        ):
            journal.add(fact)
    foreign = sqlite3.connect(store.path_in(tmp_path))
    for table in ("begun", "ended", "lost", "soak", "soak_event", "soak_end"):
        for attack in (
            f"DELETE FROM {table}",
            f"UPDATE {table} SET n = n + 1",
            f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}",
        ):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                foreign.execute(attack)
    twin = (
        "INSERT OR REPLACE INTO begun (run_id, kind, utc, bench, soak, cycle, attempt)"
        " VALUES ('x', 'run', '', '', ?, 1, 1)"
    )
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        foreign.execute(twin, [SOAK.soak_id])
    foreign.close()


def test_one_cycle_is_never_begun_twice_and_one_run_never_ends_twice(tmp_path: Path) -> None:
    with Journal.open(tmp_path) as journal:
        journal.add(begun(1, cycle=1))
        journal.add(ended(1))
        for again in (begun(2, cycle=1), begun(1), ended(1)):
            with pytest.raises(BenchError, match="has this already"):
                journal.add(again)
        with pytest.raises(BenchError, match="has this already"):
            journal.add(ended(9))  # never began
        assert len(journal.attempts()) == 1


def test_a_journal_from_a_newer_version_is_one_line_and_stays_as_it_is(tmp_path: Path) -> None:
    Journal.open(tmp_path).close()
    foreign = sqlite3.connect(store.path_in(tmp_path))
    foreign.execute("PRAGMA user_version=99")
    foreign.close()
    for opened in (Journal.open, Reader.open):
        with pytest.raises(InputError, match="newer version") as caught:
            opened(tmp_path)
        assert (caught.value.where.found, caught.value.where.expected) == ("99", f"at most {len(store.MIGRATIONS)}")


@pytest.mark.parametrize("open_it", [Journal.open, Reader.open])
def test_an_older_journal_is_brought_up_with_its_rows(
    tmp_path: Path, open_it: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(store, "MIGRATIONS", store.MIGRATIONS[:1])
        with Journal.open(tmp_path) as journal:
            journal.add(begun(1))
            journal.add(ended(1))
    with open_it(tmp_path) as journal:  # type: ignore[operator]
        assert journal.attempts() == (Attempt(begun(1), ended(1), None),)
        assert journal.soaks() == ()
    with Journal.open(tmp_path) as journal:
        journal.add(SOAK)
        assert journal.soaks() == (SOAK,)


DAMAGES = {
    "empty": b"",
    "another file": b"not a database at all" * 300,
    "cut off": None,
}


@pytest.mark.parametrize("content", DAMAGES.values(), ids=DAMAGES.keys())
@pytest.mark.parametrize("open_it", [Journal.open, Reader.open])
def test_a_damaged_journal_is_one_line_that_names_the_way_out(
    tmp_path: Path, content: bytes | None, open_it: object
) -> None:
    path = store.path_in(tmp_path)
    Journal.open(tmp_path).close()
    path.write_bytes(path.read_bytes()[:9000] if content is None else content)
    before = path.read_bytes()
    with pytest.raises(InputError, match="the journal is damaged") as caught:
        open_it(tmp_path).attempts()  # type: ignore[operator]
    assert str(path) in caught.value.one_line()
    assert f"'rig runs rebuild --out {tmp_path}'" in caught.value.one_line()
    assert path.read_bytes() == before


def test_no_journal_is_one_line_and_none_is_made(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no journal here"):
        Reader.open(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_second_writer_that_waits_in_vain_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "BUSY_S", 0.0)
    with Journal.open(tmp_path) as one, Journal.open(tmp_path) as other:
        one._db.execute("BEGIN IMMEDIATE")
        with pytest.raises(BenchError, match="another process") as caught:
            other.add(begun(1))
        assert "\n" not in caught.value.one_line()
        assert other.attempts() == ()  # a reader waits for nobody
        one._db.execute("ROLLBACK")
        other.add(begun(1))


def test_two_writers_take_turns(tmp_path: Path) -> None:
    with Journal.open(tmp_path) as one, Journal.open(tmp_path) as other, Reader.open(tmp_path) as reader:
        for n in range(6):
            (one, other)[n % 2].add(begun(n))
            assert len(reader.attempts()) == n + 1
