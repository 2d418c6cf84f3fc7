"""The Python face of `rig soak`: a plan on a bench, cycle after cycle, each kept before the next; and its resume.

The journal of `out` knows every attempt, and the bundles are beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from rig.api import Occasion, Outcome, Request, run_on
from rig.bench.config import BenchConfig
from rig.bench.control_book import HeldControls
from rig.bench.meter_table import OutsideTable
from rig.bench.opening import Bench
from rig.benches import ChosenBench
from rig.clock import Clock, to_ns
from rig.clock.system import SystemClock
from rig.errors import BenchError, InputError, Where
from rig.instruments.usb import SysfsUsb
from rig.meters.port import ImageState
from rig.notify import Notifier, open_notifier
from rig.procedures.soak.end import End, end_of, zone
from rig.procedures.soak.keeping import attempts_of, check_bundles, find, resume, standing_of
from rig.procedures.soak.plan import Plan, Turn, load_plan
from rig.procedures.soak.progress import SoakProgress
from rig.procedures.soak.room import check_room, full, measured, policy_of
from rig.procedures.soak.runner import Ending, SoakRunner, Tried
from rig.procedures.soak.schedule import ScheduleRow, schedule
from rig.procedures.soak.tally import Tally
from rig.procedures.soak.telling import Telling
from rig.recording import Taps
from rig.records.disk import Room
from rig.records.journal import Attempt, Cycle, Ended, Journal, Reader, Soak
from rig.records.journal.attempt import InSoak
from rig.records.journal.soak_folder import SoakFolder
from rig.records.soak import SoakRecord
from rig.records.soak_making import read_soak
from rig.records.soak_report import soak_files


@dataclass(frozen=True)
class SoakRequest:
    """What was asked for. `cycles` and `until` take the place of the plan's own end.

    `resume`: the id of a soak, its beginning, or `last`. `utc`: when it is now; None = as this machine says.
    """

    plan: Path
    bench: str = "twin"
    out: Path = Path("runs")
    cycles: int | None = None
    until: str | None = None
    resume: str | None = None
    seed: int | None = None
    faults: tuple[str, ...] = ()
    taps: Taps | None = None
    utc: datetime | None = None


@dataclass(frozen=True)
class SoakOutcome:
    """One sitting: why it ended, and the record of the whole soak, which is in `folder`.

    `problem`: why that could not be written, where it could not.
    """

    ending: Ending
    record: SoakRecord
    folder: Path
    cancelled: str | None
    problem: str | None = None


class PreparedSoak:
    """A soak whose input is checked. `run` may be called once. Raises InputError."""

    def __init__(self, request: SoakRequest) -> None:
        self.request = request
        self.plan: Plan = load_plan(request.plan)
        self.earlier: Soak | None = self._earlier()
        self.seed = self.earlier.seed if self.earlier is not None else (request.seed or 0)
        self.bench = ChosenBench(request.bench, self.seed, request.faults, utc=request.utc, taps=request.taps)
        self.config: BenchConfig = self.bench.config
        check_bench(self.plan, self.config)
        if self.earlier is not None and self.earlier.bench != self.config.bench.name:
            where = Where(key="--resume", found=self.config.bench.name, expected=self.earlier.bench)
            raise InputError("that soak is of another bench", where)
        name = self.plan.tables.end.timezone
        self.place = zone(name, self.plan.at("end", "timezone", found=repr(name)))
        self.end: End = self._end()

    @property
    def clock(self) -> Clock | None:
        """The bench's, once it is open."""
        return self.bench.clock

    def run(self, progress: SoakProgress) -> SoakOutcome:
        """One sitting. `progress` is told what happens.

        Raises InputError for a night that does not fit on the disk, and for a damaged bundle of an earlier sitting;
        InputError, BenchError when the bench or the journal cannot be opened.
        """
        notifier = self._notifier()
        check_bundles(self.request.out, self._before())
        self.room()
        with self.bench.opened(self.plan.fixtures(), self.request.out) as bench, Journal.open(self.request.out) as book:
            return soak_on(bench, self, book, progress, notifier)

    def schedule(self) -> Iterator[ScheduleRow]:
        """What this sitting would do, if all goes as it should. Touches nothing."""
        return schedule(self.plan, self.config, self.seed, self.end, Tally.of(self.plan, self._before()))

    def now(self) -> datetime:
        """By the wall clock, in UTC."""
        return self.request.utc or SystemClock().utc()

    def _before(self) -> tuple[Attempt, ...]:
        """The attempts of earlier sittings."""
        if self.earlier is None:
            return ()
        with Reader.open(self.request.out) as reader:
            return attempts_of(reader, self.earlier.soak_id)

    def room(self) -> Room:
        """What this sitting needs of the disk. Raises InputError when it will not fit."""
        out, cycles = self.request.out, sum(1 for _ in self.schedule())
        return check_room(self.config, self.plan.tables.disk, cycles, out, measured(out, self._before()))

    def _notifier(self) -> Notifier | None:
        """Raises InputError: the plan wants people told, and that is not possible."""
        table = self.plan.tables.notify
        if table is None:
            return None
        return open_notifier(None if table.file is None else self.plan.path.parent / table.file)

    def _earlier(self) -> Soak | None:
        if self.request.resume is None:
            return None
        with Reader.open(self.request.out) as reader:
            soak = find(reader, self.request.resume)
        if soak.plan_sha256 != self.plan.text_sha256:
            found = Where(str(self.plan.path), "--resume", found="another plan", expected=f"that of {soak.soak_id}")
            raise InputError("that soak is of another plan, or this plan was changed since", found)
        if self.request.seed not in (None, soak.seed):
            where = Where(key="--seed", found=str(self.request.seed), expected=str(soak.seed))
            raise InputError("that soak has another seed", where)
        return soak

    def _end(self) -> End:
        """Of this sitting, in lengths from now: a soak that goes on keeps the end that it began with."""
        request, table = self.request, self.plan.tables.end
        began = now = self.now()
        if self.earlier is not None:
            began = datetime.fromisoformat(self.earlier.utc)
        own = request.cycles is not None or request.until is not None
        key = Where(str(self.plan.path), "--until") if own else self.plan.at("end", "until")
        place = self.place
        if own:
            return end_of(request.cycles, None, request.until, place, now, key)
        end = end_of(table.cycles, table.duration_h, table.until, place, began, key)
        if end.after_ns is None or self.earlier is None:
            return end
        left = timedelta(microseconds=end.after_ns / 1000) - (now - began)
        return replace(end, after_ns=max(0, round(left.total_seconds() * 1e9)))  # over meanwhile: it is summed up


def check_bench(plan: Plan, config: BenchConfig) -> None:
    """Raises InputError for a plan that this bench cannot do."""
    tables, has_mains = plan.tables, any(table.role == "mains" for table in config.relay)
    for key, wanted in (
        (("between", "power_cycle_every"), tables.between.power_cycle_every is not None),
        (("recovery", "steps"), "power-cycle-meter" in tables.recovery.steps),
    ):
        if wanted and not has_mains:
            where = plan.at(*key, found=config.bench.name)
            raise InputError("this bench has no K1 to power-cycle the meter with", where)
    meter = config.meter
    asks = isinstance(meter, OutsideTable) and (
        meter.trigger == "person" or (meter.reads is None and not meter.version_command)
    )
    if asks:
        where = Where(config.bench.name, "meter.trigger", found="a person", expected="a bench that needs nobody")
        raise InputError("a soak asks nobody at night", where)


def soak_on(
    bench: Bench, prepared: PreparedSoak, journal: Journal, progress: SoakProgress, notifier: Notifier | None = None
) -> SoakOutcome:
    """One sitting on an open bench."""
    plan, request, config = prepared.plan, prepared.request, bench.config
    unsure = False
    earlier: tuple[Attempt, ...] = ()
    if prepared.earlier is None:
        book = SoakFolder.start(
            journal,
            request.out,
            bench.clock,
            plan_text=plan.text,
            bench=config.bench.name,
            bench_from=request.bench,
            meter=None,
            seed=prepared.seed,
        )
    else:
        standing = standing_of(journal, prepared.earlier)
        book = SoakFolder.resume(journal, request.out, bench.clock, prepared.earlier)
        resumed = resume(book, journal, request.out, standing)
        unsure, earlier = resumed.unsure, resumed.attempts
        for text in resumed.lost:
            progress.happened("lost", text, 0.0)
    telling = Telling(progress, notifier, plan, book)
    runner = SoakRunner(
        bench=bench,
        plan=plan,
        seed=prepared.seed,
        end=prepared.end,
        book=book,
        tally=Tally.of(plan, earlier),
        attempts=_Attempts(bench, prepared, journal, progress),
        room=lambda: full(config, plan.tables.disk, request.out),
        progress=telling,
        usb=SysfsUsb(bench.clock) if bench.lease is not None else None,
    )
    if unsure:
        runner.unsure_since(bench.clock.now())
    try:
        ending = runner.run()
        with bench.clock.shielded():
            record = read_soak(journal, request.out, book.soak.soak_id)
    except Exception as error:
        with bench.clock.shielded():
            telling.broke(error)
        raise
    with bench.clock.shielded():
        try:
            if telling.ended(ending, record):
                record = read_soak(journal, request.out, book.soak.soak_id)  # now with how that went
            book.seal(soak_files(record))
        except BenchError as error:  # a full disk: what is in the bundles and the journal is there all the same
            return SoakOutcome(ending, record, book.path, bench.clock.cancelled(), error.one_line())
    return SoakOutcome(ending, record, book.path, bench.clock.cancelled())


class _Attempts:
    """Implements `rig.procedures.soak.runner.Attempts` with `rig run`'s own means."""

    def __init__(self, bench: Bench, prepared: PreparedSoak, journal: Journal, progress: SoakProgress) -> None:
        self._bench = bench
        self._journal = journal
        self._progress = progress
        self._request = Request(bench=prepared.request.bench, out=prepared.request.out, seed=prepared.seed)
        self._held = HeldControls(bench.config) if bench.lease is None else None
        self._keep = policy_of(prepared.plan.tables.disk)

    def __call__(self, turn: Turn, cycle: Cycle, *, controls: bool) -> Tried:
        clock, fixture = self._bench.clock, turn.fixture
        begin_ns = clock.now()
        request = replace(self._request, firmware=fixture.name, controls="always" if controls else "auto")
        occasion = Occasion(InSoak(self._journal, cycle), self._held, self._keep)
        outcome = run_on(self._bench, fixture, request, self._progress, occasion)
        kept = self._journal.attempt(outcome.record.labels.run_id)
        assert kept is not None  # noqa: S101 - it has just ended there
        assert kept.ended is not None  # noqa: S101
        return _tried(outcome, kept.ended, begin_ns)


def _tried(outcome: Outcome, ended: Ended, begin_ns: int) -> Tried:
    row = outcome.record.activation
    commanded = None if row.commanded_at_s is None else begin_ns + to_ns(row.commanded_at_s)
    over = row.version_after == row.version_expected or row.image_state == ImageState.ACTIVATION_FAILED.value
    return Tried(ended.run_id, ended, commanded, over, outcome.record.control.valid)
