"""The Python face: a bench by name or file, a firmware by name or folder, one activation test, one record.

The command line and the pytest plugin call this.
"""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from rig import firmware as fixtures
from rig.bench.config import BenchConfig
from rig.bench.control_book import ControlBook
from rig.bench.opening import Bench
from rig.benches import ChosenBench
from rig.clock import Clock, to_ns, utc_label
from rig.clock.system import SystemClock
from rig.errors import InputError, Where
from rig.firmware import Fixture
from rig.judgement import Comparison, Limit
from rig.procedures.activation import ActivationTest
from rig.procedures.capturing import ScopeView
from rig.procedures.control import required
from rig.procedures.judging import Judging
from rig.procedures.progress import Progress, Silent
from rig.procedures.rows import entry_of
from rig.procedures.session import Session
from rig.recording import Taps
from rig.records.analysis import Analysis
from rig.records.bundle import Bundle, free_bytes
from rig.records.disk import ALL_WHOLE, CapturePolicy
from rig.records.journal import RUN
from rig.records.journal.attempt import AttemptLog, InSoak
from rig.records.run import Labels, Picture, RunRecord

CONTROLS = ("auto", "always", "never")


@dataclass(frozen=True)
class Request:
    """What a run was asked for, all of it checked before any instrument is touched."""

    bench: str = "twin"
    firmware: str = "cut-45s"
    out: Path = Path("runs")
    limit_s: float | None = None
    comparison: str | None = None
    seed: int = 0
    faults: tuple[str, ...] = ()
    controls: str = "auto"
    terminal: int | None = None
    """The descriptor of a terminal at which a person sits, where there is one."""
    taps: Taps | None = None
    """Who hears what is said on the bench's links."""


@dataclass(frozen=True)
class Outcome:
    record: RunRecord
    picture: Picture
    folder: Path
    cancelled: str | None


def run_activation(
    bench: str = "twin",
    firmware: str = "cut-45s",
    *,
    out: str | Path = "runs",
    limit_s: float | None = None,
    comparison: str | None = None,
    seed: int = 0,
    faults: Sequence[str] = (),
    controls: str = "auto",
) -> RunRecord:
    """One activation test on `bench` (a name, or the path of a bench file); its record. The bundle is below `out`.

    `controls`: `auto` makes those that do not stand from earlier, `always` all, `never` none (no PASS without them).

    Raises InputError for bad input (nothing was touched), BenchError when the bench could not be opened or the evidence
    could not be written. What happens on the bench is in the record.
    """
    request = Request(bench, firmware, Path(out), limit_s, comparison, seed, tuple(faults), controls)
    return Prepared(request).run(Silent()).record


def analyse(
    paths: str | Path | Sequence[str | Path],
    *,
    down_v: float | None = None,
    up_v: float | None = None,
    limit_s: float = 180.0,
    comparison: str = "ge",
    ride_through_s: float = 0.02,
    restore_min_s: float = 1.0,
    time_base_ppm: float | None = None,
    noise_v: float | None = None,
    channel: str | Sequence[str] | None = None,
    dialect: str | None = None,
    interval_s: float | None = None,
    start_s: float | None = None,
    offsets_s: Sequence[float] = (),
) -> Analysis:
    """Judge oscilloscope files of one event: how long was the rail away, and how sure is that? Raises InputError.

    Volts and seconds. Thresholds that are not given are proposed from the two levels found, and said in `assumptions`.
    `channel` is one name for all files, or one for each.
    """
    from rig.procedures.analysing import Question, analyse_files

    files = (paths,) if isinstance(paths, str | Path) else tuple(paths)
    question = Question(
        tuple(Path(file) for file in files),
        down_v,
        up_v,
        limit_s,
        comparison,
        ride_through_s,
        restore_min_s,
        time_base_ppm,
        noise_v,
        (channel,) if isinstance(channel, str) else tuple(channel or ()),
        dialect,
        interval_s,
        start_s,
        tuple(offsets_s),
    )
    return analyse_files(question)[0]


class Prepared:
    """A run whose input is checked. `run` may be called once."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self.fixture: Fixture = fixtures.load(request.firmware)
        self.fixture.image_bytes()
        if request.controls not in CONTROLS:
            found = Where(key="--controls", found=request.controls, expected=" or ".join(CONTROLS))
            raise InputError("not a way to make controls", found)
        self.bench = ChosenBench(
            request.bench, request.seed, request.faults, terminal=request.terminal, taps=request.taps
        )
        self._limit(self.bench.file_config)

    @property
    def clock(self) -> Clock | None:
        """The bench's, once it is open."""
        return self.bench.clock

    def run(self, progress: Progress) -> Outcome:
        """Do it. `progress` is told what happens."""
        with self.bench.opened([self.fixture], self._request.out) as bench:
            return run_on(bench, self.fixture, self._request, progress)

    def _limit(self, config: BenchConfig | None) -> Limit:
        return limit_of(config, self._request.limit_s, self._request.comparison)


def limit_of(config: BenchConfig | None, limit_s: float | None, comparison: str | None) -> Limit:
    """What is asked for, or else what the bench file says. Raises InputError."""
    if limit_s is None:
        limit_s = config.limits.limit_s if config else 180.0
    if not 0 < limit_s <= 86_400:
        raise InputError("not a limit", Where(key="--limit", found=f"{limit_s:g}", expected="seconds, 0 to 86400"))
    word = comparison or (config.limits.comparison if config else "ge")
    if word not in ("ge", "gt"):
        raise InputError("not a comparison", Where(key="--comparison", found=word, expected="ge or gt"))
    return Limit(to_ns(limit_s), Comparison(word))


@dataclass(frozen=True)
class Occasion:
    """What a series of runs wants of one of them.

    `place`: the cycle of a soak that it is; then a journal that cannot be written raises BenchError, while alone it is
    told. `book`: which controls stand, where it is not the bench's own. `keep`: what is kept of its captures.
    """

    place: InSoak | None = None
    book: ControlBook | None = None
    keep: CapturePolicy = ALL_WHOLE


def run_on(
    bench: Bench, fixture: Fixture, request: Request, progress: Progress, occasion: Occasion = Occasion()
) -> Outcome:
    """One activation test on an open bench. Of `request`, its bench, firmware, seed and faults are decided already."""
    started = bench.clock.utc()
    bundle = Bundle.create(request.out, bench.clock)
    with AttemptLog(bundle, request.out, bench.clock, occasion.place, progress.note) as log:
        bundle.event("run", bench=bench.config.bench.name, firmware=fixture.name, sha256=fixture.sha256)
        versions = (fixture.version_from, fixture.version_to)
        log.begin(RUN, bench.config.bench.name, utc_label(started), fixture.name, versions)
        outcome = _one_run(bench, fixture, request, progress, bundle, started, occasion)
        log.end(outcome.folder)
    return outcome


def _one_run(
    bench: Bench,
    fixture: Fixture,
    request: Request,
    progress: Progress,
    bundle: Bundle,
    started: datetime,
    occasion: Occasion,
) -> Outcome:
    limit = limit_of(bench.config, request.limit_s, request.comparison)
    stopwatch, config = SystemClock(), bench.config
    real_start = stopwatch.now()
    view = ScopeView.of(config)
    for left in bench.lease.left_behind if bench.lease is not None else ():
        bundle.event("taken_over", piece=left.resource, pid=left.pid, since=left.since_utc, state=left.state)
    bench.relays.keep_journal(bundle.path, bundle.start_ns)
    book = occasion.book or (ControlBook(bench.lease.folder, config) if bench.lease is not None else None)
    standing = book.standing(started) if book is not None and request.controls != "always" else ()
    kinds = [] if request.controls == "never" else [k for k in required(config) if k not in {e.kind for e in standing}]
    session = Session(bench, limit, view, bundle, progress, lambda: free_bytes(request.out))
    evidence = ActivationTest(session, fixture, kinds).run()
    if bench.lease is not None and not evidence.safe_proven:
        bundle.event("marked", why="its safe state could not be proven")
        progress.note("NOT SAFE: this bench is marked as not to be used until 'rig safe' proves it safe")
    for wear in bench.wear.rows():
        bundle.event("relay", name=wear.name, operations=wear.operations, rated=wear.rated)
        if wear.warning is not None:
            progress.note(wear.warning)
    with bench.clock.shielded():
        made_utc = utc_label(started)
        if book is not None and evidence.controls:
            book.note(entry_of(result, made_utc) for result in evidence.controls)
        judging = Judging(bench, fixture, limit, view, session.watch, evidence, standing)
        labels = Labels(
            run_id=bundle.run_id,
            started_utc=made_utc,
            host=platform.node(),
            out=str(request.out),
            elapsed_real_s=(stopwatch.now() - real_start) / 1e9,
        )
        judged = judging.judged(labels)
        bundle.event("verdict", verdict=judged.record.verdict, rail_verdict=judged.record.rail_verdict)
        keep = occasion.keep.of(judged.record.verdict)
        for name, taken in evidence.control_captures.items():
            bundle.save_capture(name, taken.capture, None, keep)
        if evidence.capture is not None:
            bundle.save_capture("activation", evidence.capture.capture, judged.capture_zero_s, keep)
        folder = bundle.finish(judged.record, judged.picture)
    return Outcome(judged.record, judged.picture, folder, bench.clock.cancelled())
