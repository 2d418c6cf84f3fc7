"""Whatever ends a sitting, the next one goes on: nothing finished is lost or done twice, what was lost is named."""

from __future__ import annotations

import errno
import os
import resource
from dataclasses import replace
from pathlib import Path

import pytest

from rig.errors import InputError
from rig.procedures.soak.progress import CycleRow
from rig.records import bundle as bundles
from rig.records.bundle import sums_text
from rig.records.journal import Cycle, Journal, Process, State
from rig.records.journal.rebuilding import rebuild
from tests.soak.nights import Night, Told
from tests.soak.plans import GOOD


class Dies(BaseException):
    """The process is gone, and does nothing any more."""


def died(night: Night, at: int, where: str = "capture") -> None:
    """A sitting that ends in the middle of cycle `at`, as if by SIGKILL."""
    told = Told()

    def step(name: str, _: str) -> None:
        if name == where and len(told.rows) == at - 1:
            raise Dies

    told.step = step  # type: ignore[method-assign]
    with pytest.raises(Dies):
        night.sit(told)
    of_a_process_that_is_gone(night)


def of_a_process_that_is_gone(night: Night) -> None:
    """What has no end was begun by a process that does not live any more, and that could not say anything."""
    with Journal.open(night.out) as journal:
        for trigger in ("begun_no_update", "lost_no_delete"):
            journal._db.execute(f"DROP TRIGGER IF EXISTS {trigger}")
        journal._db.execute("DELETE FROM lost")
        journal._db.execute(
            "UPDATE begun SET pid = 4194305, started = 1, boot_id = 'another' WHERE run_id NOT IN"
            " (SELECT run_id FROM ended)"
        )


def numbers(night: Night) -> list[tuple[int, str | None]]:
    return [(a.begun.cycle.number, a.ended.verdict if a.ended else None) for a in night.attempts() if a.begun.cycle]


def whole(night: Night) -> None:
    """Every attempt that has ended has its bundle, and every bundle its row; none is there twice."""
    ended = [a.begun.run_id for a in night.attempts() if a.state is State.ENDED]
    assert len(ended) == len(set(ended))
    assert set(ended) == night.bundles()


# -- goes on -----------------------------------------------------------------------------------------------------------


def test_a_soak_that_was_killed_goes_on_with_the_next_cycle_and_names_the_one_that_was_lost(night: Night) -> None:
    died(night, 2)
    outcome = night.sit(resume="last")
    assert numbers(night) == [(1, "PASS"), (2, None), (3, "PASS"), (4, "PASS")]
    assert outcome.ending.reason == "cycles"
    (lost,) = [text for kind, text in night.told.events if kind == "lost"]
    assert lost.startswith("cycle 2 (back-45s) was lost; what it left is in .")
    assert (night.out / lost.rpartition(" ")[2]).is_dir()
    assert [e.kind.value for e in night.events()] == ["lost", "resumed"]
    whole(night)


def test_a_soak_that_was_stopped_goes_on_where_it_was(night: Night) -> None:
    told = Told()
    prepared = night.prepared()

    def stop(row: CycleRow) -> None:
        assert prepared.clock is not None
        if row.number == 2:
            prepared.clock.cancel("SIGTERM")

    told.after = stop
    first = prepared.run(told)
    assert (first.ending.reason, first.cancelled) == ("interrupted", "SIGTERM")
    night.sit(resume=first.record.labels.soak_id[:15])
    assert [n for n, _ in numbers(night)] == [1, 2, 3, 4]
    assert [end.reason for end in night.ends()] == ["interrupted", "cycles"]
    whole(night)


def test_a_bundle_that_was_whole_and_whose_row_was_missing_is_not_lost(night: Night) -> None:
    """The power went between the renaming of the folder and the commit of its row."""
    night.text = GOOD.replace("cycles = 4", "cycles = 2")
    night.sit()
    before = night.attempts()[-1].ended
    begun = replace(night.attempts()[-1].begun, process=Process(2**22 + 1, 1, "another boot"))
    with Journal.open(night.out) as journal:
        for table in ("ended", "begun"):
            journal._db.execute(f"DROP TRIGGER {table}_no_delete")
        journal._db.execute("DELETE FROM ended WHERE run_id = ?", (begun.run_id,))
        journal._db.execute("DELETE FROM begun WHERE run_id = ?", (begun.run_id,))
        journal.add(begun)
    again = night.sit(resume="last")
    assert numbers(night) == [(1, "PASS"), (2, "PASS")]
    assert again.ending.reason == "cycles"
    assert night.told.rows == []
    after = night.attempts()[-1].ended
    assert before is not None
    assert after is not None
    assert after == before
    whole(night)


def test_a_bundle_that_was_damaged_is_never_taken_for_a_finished_cycle(night: Night) -> None:
    died(night, 2)
    with Journal.open(night.out) as journal:
        (lost,) = [a for a in journal.attempts() if a.ended is None]
        (good,) = [a for a in journal.attempts() if a.ended is not None]
    fake = night.out / lost.begun.run_id
    fake.mkdir()
    for file in (night.out / good.begun.run_id).iterdir():
        (fake / file.name).write_bytes(file.read_bytes())
    (fake / "run.json").write_text((fake / "run.json").read_text().replace("PASS", "PASS ", 1))
    night.sit(resume="last")
    assert numbers(night)[1] == (2, None)


def test_a_meter_that_did_activate_in_the_cycle_that_was_lost_is_taken_back_and_not_sent_there_again(
    night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    died(night, 1)
    from rig.twin.meter import TwinMeter

    began = TwinMeter.__init__

    def there_already(self: TwinMeter, *words: object, **named: object) -> None:
        began(self, *words, **named)  # type: ignore[arg-type]
        self.version = "1.1.0"

    monkeypatch.setattr(TwinMeter, "__init__", there_already)
    night.sit(resume="last")
    assert [r.fixture for r in night.told.rows][:2] == ["back-45s", "double-reboot"]
    assert all(r.verdict == "PASS" for r in night.told.rows)


def test_an_unexpected_version_stops_the_soak_and_says_so(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    from rig.twin.meter import TwinMeter

    monkeypatch.setattr(TwinMeter, "_new_version", lambda self, _: setattr(self, "version", "6.6.6"))
    outcome = night.sit()
    assert (outcome.ending.reason, outcome.ending.failed) == ("version", True)
    assert outcome.ending.text.startswith("the meter runs 6.6.6, and nothing in this plan starts from there")


# -- refused -----------------------------------------------------------------------------------------------------------


def refused(night: Night, **request: object) -> str:
    with pytest.raises(InputError) as caught:
        night.sit(**request)
    return caught.value.one_line()


def test_another_plans_soak_another_benchs_and_another_seeds_are_refused_in_one_line(night: Night) -> None:
    night.text = GOOD.replace("cycles = 4", "cycles = 1")
    night.sit()
    assert "--seed: that soak has another seed (found 3, expected 0)" in refused(night, resume="last", seed=3)
    other = refused(night, resume="last", bench="twin-polyphase")
    assert other == "--resume: that soak is of another bench (found twin-polyphase, expected twin)"
    night.text += "# changed\n"
    assert "that soak is of another plan, or this plan was changed since" in refused(night, resume="last")


@pytest.mark.parametrize(("word", "told"), [("20", "more than one soak begins so"), ("19", "no such soak"), ("", "no")])
def test_a_resume_that_means_no_soak_or_two_is_refused(word: str, told: str, night: Night) -> None:
    night.text = GOOD.replace("cycles = 4", "cycles = 1")
    night.sit()
    night.sit()
    assert told in refused(night, resume=word)


def test_there_is_nothing_to_resume_in_an_empty_folder(night: Night) -> None:
    assert "no folder of results" in refused(night, resume="last")
    assert not night.out.exists()


def test_a_soak_that_another_process_is_at_is_refused(night: Night) -> None:
    night.text = GOOD.replace("cycles = 4", "cycles = 1")
    outcome = night.sit()
    now = night.attempts()[0].begun
    with Journal.open(night.out) as journal:
        cycle = Cycle(outcome.record.labels.soak_id, 2)
        journal.add(replace(now, run_id="20261124T000000Z-0000", cycle=cycle, process=Process(1, _started(1), _boot())))
    assert "this soak is going on (found process 1, expected nobody at it)" in refused(night, resume="last", cycles=3)


def _started(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])


def _boot() -> str:
    return Process.this().boot_id


def test_a_soak_whose_end_has_passed_meanwhile_is_summed_up_and_goes_on_only_when_told_to(night: Night) -> None:
    night.text = GOOD.replace("cycles = 4", "duration_h = 0.2")
    from datetime import timedelta

    first = night.sit()
    late = night.sit(resume="last", utc=night.prepared().now() + timedelta(hours=3))
    assert (late.ending.reason, late.record.cycles) == ("time", first.record.cycles)
    assert (late.folder / "report.html").is_file()
    assert night.sit(resume="last", cycles=3).ending.reason == "cycles"
    assert first.record.cycles < 3


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ('[end]\ntimezone = "Europe/Lundun"\n', "14: end.timezone: no such time zone on this machine"),
        ("[end]\nuntil = 2020-01-01T08:00:00\n", "14: end.until: the end lies in the past"),
        ("[between]\npower_cycle_every = 2\n[end]\n", "14: between.power_cycle_every: this bench has no K1"),
    ],
)
def test_what_is_found_wrong_beyond_the_plan_names_its_line_too(more: str, told: str, night: Night) -> None:
    night.text = GOOD.replace("[end]\n", more)
    assert f"plan.toml:{told}" in refused(night, bench="twin-hot-shoe")


def test_a_soak_does_not_go_on_upon_a_bundle_that_was_damaged(night: Night) -> None:
    died(night, 3)
    run = min(night.bundles())
    events = night.out / run / "events.jsonl"
    kept = events.read_bytes()
    events.write_bytes(kept.replace(b"preflight", b"postflight"))
    told = refused(night, resume="last")
    assert told.startswith(
        f"{night.out / run}: a bundle of this soak is damaged: events.jsonl: was changed (found sha256"
    )
    assert "'rig runs rebuild --out" in told
    sums = night.out / run / "SHA256SUMS"
    sums.write_text(sums_text(night.out / run))  # whoever changes both is seen by the journal
    assert "damaged: SHA256SUMS: is not the one that the journal knows" in refused(night, resume="last")
    assert len(night.attempts()) == 3


def test_a_damaged_bundle_counts_as_lost_once_the_journal_was_made_anew(night: Night) -> None:
    night.sit(cycles=2)
    (night.out / min(night.bundles()) / "run.json").unlink()
    rebuild(night.out)
    outcome = night.sit(resume="last", cycles=3)
    assert [(n, v) for n, v in numbers(night)] == [(1, None), (2, "PASS"), (3, "PASS")]
    assert outcome.record.statistics.counts.errors == 1


# -- the disk ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "told_of"), [("preflight", "the journal cannot be"), ("capture", "disk full while writing the evidence")]
)
def test_a_disk_that_is_full_in_the_middle_of_a_cycle_stops_the_soak_safe_and_it_goes_on_later(
    step: str, told_of: str, night: Night
) -> None:
    told = Told()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def full(name: str, _: str) -> None:
        if len(told.rows) == 2 and name == step:
            resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, hard))  # no file grows beyond it: EFBIG

    def one_more(row: CycleRow) -> None:
        if row.number == 2 and step == "preflight":
            resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, hard))  # before the row of the third

    told.step, told.after = full, one_more  # type: ignore[method-assign]
    try:
        outcome = night.sit(told)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (outcome.ending.reason, outcome.ending.failed) == ("error", True)
    assert told_of in outcome.ending.text
    of_a_process_that_is_gone(night)
    night.sit(resume="last")
    assert [n for n, verdict in numbers(night) if verdict == "PASS"] == (
        [1, 2, 3, 4] if step == "preflight" else [1, 2, 4]
    )
    whole(night)


def test_a_file_system_that_became_read_only_stops_the_soak_in_one_line(
    night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = Told()

    def read_only(*_: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    with monkeypatch.context() as patch:
        told.after = lambda row: patch.setattr(bundles, "_claim", read_only) if row.number == 2 else None
        outcome = night.sit(told)
    assert (outcome.ending.reason, outcome.ending.failed) == ("error", True)
    assert "Read-only file system" in outcome.ending.text
    night.sit(resume="last")
    assert [n for n, _ in numbers(night)] == [1, 2, 3, 4]
    whole(night)


def test_a_fault_of_the_rigs_own_ends_the_night_in_good_order_and_it_goes_on_later(
    night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = Told()

    def broken(*_: object) -> str:
        raise ZeroDivisionError("a fault of ours")

    with monkeypatch.context() as patch:
        told.after = lambda row: patch.setattr(bundles, "render", broken) if row.number == 2 else None
        outcome = night.sit(told)
    assert (outcome.ending.reason, outcome.ending.failed) == ("error", True)
    assert outcome.ending.text == "the rig failed: ZeroDivisionError: a fault of ours"
    night.sit(resume="last")
    assert numbers(night) == [(1, "PASS"), (2, "PASS"), (3, None), (4, "PASS")]
    whole(night)
