"""An attempt from its beginning to its end: bundle and journal tell the same, and neither loses the other."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rig.clock import NS
from rig.clock.virtual import VirtualClock
from rig.errors import BenchError
from rig.records.bundle import Bundle, json_text
from rig.records.journal import CONTROLS, RUN, Cycle, Journal, Reader, State, store
from rig.records.journal.attempt import AttemptLog, InSoak, settle
from rig.records.journal.bundles import begun_in, ended_in
from rig.whole_file import sync_folder
from tests.records.journal.facts import GONE, SOAK, begun
from tests.records.samples import PICTURES, passed

PICTURE = PICTURES["passed"][1]
START = datetime(2026, 11, 24, 18, 0, 0, tzinfo=UTC)
UTC_LABEL = "2026-11-24T18:00:00Z"


class Attempt:
    """A run on no bench: its bundle, its log, and what people were told."""

    def __init__(self, out: Path, place: InSoak | None = None) -> None:
        self.clock = VirtualClock(5 * NS, START)
        self.bundle = Bundle.create(out, self.clock)
        self.told: list[str] = []
        self.log = AttemptLog(self.bundle, out, self.clock, place, self.told.append)

    def begin(self) -> None:
        self.log.begin(RUN, "twin", UTC_LABEL, "cut-45s", ("1.0.0", "1.1.0"))

    def finish(self) -> Path:
        self.clock.sleep(2.5)
        self.bundle.event("verdict")
        body = passed().to_json()
        body["labels"]["run_id"] = self.bundle.run_id
        return self.bundle.keep({"run.json": json_text(body)})


def test_a_run_is_in_the_journal_before_it_begins_and_after_its_bundle_is_there(tmp_path: Path) -> None:
    run = Attempt(tmp_path)
    with run.log as log:
        run.begin()
        with Reader.open(tmp_path) as reader:
            (attempt,) = reader.attempts()
        assert attempt.state is State.RUNNING
        assert begun_in(run.bundle.path) == attempt.begun
        folder = run.finish()
        ended = log.end(folder)
    with Reader.open(tmp_path) as reader:
        (attempt,) = reader.attempts()
    assert attempt.ended == ended == ended_in(folder)
    assert (ended.elapsed_s, ended.upper_s) == (2.5, passed().longest_outage.upper_s)
    assert attempt.begun == begun_in(folder)
    assert run.told == []


def test_a_run_that_ends_with_an_error_is_lost_and_says_why(tmp_path: Path) -> None:
    run = Attempt(tmp_path)

    def fail() -> None:
        with run.log:
            run.begin()
            raise BenchError("disk full while writing the evidence")

    with pytest.raises(BenchError, match="disk full"):
        fail()
    with Reader.open(tmp_path) as reader:
        (attempt,) = reader.attempts()
    assert attempt.state is State.LOST
    assert attempt.lost is not None
    assert attempt.lost.why == "disk full while writing the evidence"


@pytest.mark.parametrize("damaged_at", ["begin", "end"])
def test_a_damaged_journal_loses_no_bundle_and_is_told(tmp_path: Path, damaged_at: str) -> None:
    journal = store.path_in(tmp_path)
    run = Attempt(tmp_path)
    if damaged_at == "begin":
        journal.write_bytes(b"no database")
    with run.log as log:
        run.begin()
        if damaged_at == "end":
            journal.write_bytes(b"no database")
        folder = run.finish()
        log.end(folder)
    assert (folder / "SHA256SUMS").exists()
    assert len(run.told) == {"begin": 2, "end": 1}[damaged_at]
    assert all(line.startswith("not in the journal: ") and "rig runs rebuild" in line for line in run.told)
    events = [json.loads(line)["event"] for line in (folder / "events.jsonl").read_text().splitlines()]
    assert events == (["journal", "verdict"] if damaged_at == "begin" else ["verdict"])


def test_a_journal_that_comes_back_during_a_run_gets_both_rows(tmp_path: Path) -> None:
    journal = store.path_in(tmp_path)
    journal.mkdir()
    run = Attempt(tmp_path)
    with run.log as log:
        run.begin()
        journal.rmdir()
        log.end(run.finish())
    with Reader.open(tmp_path) as reader:
        (attempt,) = reader.attempts()
    assert attempt.state is State.ENDED
    assert len(run.told) == 1


def test_a_cycle_that_the_journal_cannot_note_does_not_begin(tmp_path: Path) -> None:
    with Journal.open(tmp_path) as journal:
        journal.add(SOAK)
        journal.add(begun(1, cycle=1))
        run = Attempt(tmp_path, InSoak(journal, Cycle(SOAK.soak_id, 1)))
        with pytest.raises(BenchError, match="has this already"), run.log:
            run.begin()
        assert len(journal.attempts()) == 1


def test_what_ended_on_the_disk_while_its_process_died_is_settled_once(tmp_path: Path) -> None:
    """Killed between the bundle's name and the journal's row: the cycle is finished, not lost."""
    run = Attempt(tmp_path)
    with Journal.open(tmp_path) as journal:
        its = begun(1, cycle=4, process=GONE, run_id=run.bundle.run_id)
        journal.add(its)
        folder = run.finish()
        assert settle(journal, tmp_path) == (ended_in(folder),)
        assert settle(journal, tmp_path) == ()
        standing = journal.standing(SOAK.soak_id)
        assert journal.attempts()[0].state is State.ENDED
    assert standing is None  # no row of the soak itself


def test_what_runs_and_what_is_not_as_its_sums_say_is_not_settled(tmp_path: Path) -> None:
    run = Attempt(tmp_path)
    with Journal.open(tmp_path) as journal:
        journal.add(begun(1), begun(2, process=GONE), begun(3, process=GONE, run_id=run.bundle.run_id))
        (tmp_path / begun(1).run_id).mkdir()
        (tmp_path / begun(2).run_id).mkdir()
        (run.finish() / "events.jsonl").write_text('{"t_s": 0.0, "event": "another"}\n')
        assert settle(journal, tmp_path) == ()
        assert [a.state for a in journal.attempts()] == [State.RUNNING, State.LOST, State.LOST]
        assert journal.unended() == journal.attempts()


def test_the_beginning_of_an_attempt_survives_a_loss_of_power(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file, the hidden folder and the folder of results are all fsynced before the journal has its row."""
    synced: list[Path] = []

    def sync(folder: Path) -> None:
        synced.append(folder)
        sync_folder(folder)

    monkeypatch.setattr("rig.records.bundle.sync_folder", sync)
    run = Attempt(tmp_path)
    with run.log:
        run.begin()
        assert synced[-2:] == [run.bundle.path, tmp_path]
        run.log.end(run.finish())


def test_a_round_of_controls_is_an_attempt_too(tmp_path: Path) -> None:
    run = Attempt(tmp_path)
    with run.log as log:
        log.begin(CONTROLS, "twin", UTC_LABEL)
        run.clock.sleep(1.0)
        run.bundle.event("verdict", valid=False)
        body = {
            "schema": "rig.controls/1", "valid": False, "bench": "twin", "interrupted": "SIGINT",
            "identities": {"meter": {"maker": "EIG", "model": "Shark", "serial": "7"}},
            "safe_state": {"proven": True, "checks": []},
            "labels": {"run_id": run.bundle.run_id, "started_utc": UTC_LABEL, "elapsed_real_s": 0.25},
        }  # fmt: skip
        ended = log.end(run.bundle.keep({"controls.json": json_text(body)}))
    assert (ended.verdict, ended.reasons, ended.meter) == ("INVALID", ("interrupted",), "EIG Shark 7")
    assert (ended.rail_verdict, ended.lower_s, ended.elapsed_s) == (None, None, 1.0)
