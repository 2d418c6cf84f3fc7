"""The Python face: a bench by name or file, a firmware by name or folder, one activation test, one record.

The command line and the pytest plugin call this. It alone (with them) knows that there is a twin.
"""

from __future__ import annotations

import platform
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rig import firmware as fixtures
from rig.bench import is_bench_file
from rig.bench.config import BenchConfig, check_bench, locate
from rig.bench.guarding import owned
from rig.bench.opening import Bench, CallSets, open_bench
from rig.clock import Clock, to_ns
from rig.clock.system import SystemClock
from rig.errors import InputError, RigError, Where
from rig.firmware import Fixture
from rig.judgement import Comparison, Limit
from rig.procedures.activation import ActivationTest
from rig.procedures.capturing import ScopeView
from rig.procedures.judging import Judging
from rig.procedures.progress import Progress, Silent
from rig.procedures.watch import PAIR_S
from rig.rail import RailSettings
from rig.records.analysis import Analysis
from rig.records.bundle import Bundle, check_out, free_bytes
from rig.records.run import Labels, RunRecord
from rig.toml_file import line_of, read_toml

MAX_SEED = 2**32 - 1


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


@dataclass(frozen=True)
class Outcome:
    record: RunRecord
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
) -> RunRecord:
    """One activation test on `bench` (a name, or the path of a bench file); its record. The bundle is below `out`.

    Raises InputError for bad input (nothing was touched), BenchError when the bench could not be opened or the evidence
    could not be written. What happens on the bench is in the record.
    """
    request = Request(bench, firmware, Path(out), limit_s, comparison, seed, tuple(faults))
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
    channel: str | None = None,
    dialect: str | None = None,
    interval_s: float | None = None,
    start_s: float | None = None,
    offsets_s: Sequence[float] = (),
) -> Analysis:
    """Judge oscilloscope files of one event: how long was the rail away, and how sure is that? Raises InputError.

    Volts and seconds. Thresholds that are not given are proposed from the two levels found, and said in `assumptions`.
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
        channel,
        dialect,
        interval_s,
        start_s,
        tuple(offsets_s),
    )
    return analyse_files(question)[0]


def _runnable(path: Path) -> BenchConfig:
    """The bench file at `path`, when `rig run` knows how to test on such a bench. Raises InputError."""
    data, text = read_toml(path)
    config = check_bench(data, text, str(path))
    if config.topology.kind == "hot-shoe":
        message = "rig run tests benches on which the meter feeds the hub; on a hot shoe the supply does"
        raise InputError(
            message, Where(str(path), "topology.kind", line_of(text, ("topology", "kind")), "hot-shoe", "ichis")
        )
    return config


class Prepared:
    """A run whose input is checked. `run` may be called once."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self.fixture: Fixture = fixtures.load(request.firmware)
        self.fixture.image_bytes()
        is_file = is_bench_file(request.bench)
        if is_file and request.faults:
            raise InputError(
                "faults are for the twin", Where(key="--fault", found=request.bench, expected="a twin bench")
            )
        if not 0 <= request.seed <= MAX_SEED:
            raise InputError("not a seed", Where(key="--seed", found=str(request.seed), expected=f"0 to {MAX_SEED}"))
        self._file_config = _runnable(Path(request.bench)) if is_file else None
        self._limit(self._file_config)
        self.clock: Clock | None = None

    def run(self, progress: Progress) -> Outcome:
        """Do it. `progress` is told what happens."""
        with self._open() as bench:
            return _run(bench, self.fixture, self._limit(bench.config), self._request.out, progress)

    @contextmanager
    def _open(self) -> Iterator[Bench]:
        if self._file_config is not None:
            self._check_out(self._file_config)
            self.clock = SystemClock()
            with owned(self._file_config, self.clock) as lease:
                try:
                    bench = open_bench(self._file_config, self.clock, CallSets(), lease)
                except RigError as error:
                    locate(error, Path(self._request.bench))
                    raise
                try:
                    yield bench
                finally:
                    bench.close()
            return
        from rig.twin.bench import Twin
        from rig.twin.faults import parse

        faults = [parse(text) for text in self._request.faults]
        twin = Twin([self.fixture], self._request.bench, self._request.seed, faults)
        try:
            self._check_out(twin.config)
            self.clock = twin.clock
            bench = open_bench(twin.config, twin.clock, twin.call_sets)
            try:
                yield bench
            finally:
                bench.close()
        finally:
            twin.close()

    def _check_out(self, config: BenchConfig) -> None:
        check_out(self._request.out, int(config.limits.free_disk_mb * 1e6))

    def _limit(self, config: BenchConfig | None) -> Limit:
        request = self._request
        limit_s = request.limit_s if request.limit_s is not None else config.limits.limit_s if config else 180.0
        if not 0 < limit_s <= 86_400:
            raise InputError("not a limit", Where(key="--limit", found=f"{limit_s:g}", expected="seconds, 0 to 86400"))
        word = request.comparison or (config.limits.comparison if config else "ge")
        if word not in ("ge", "gt"):
            raise InputError("not a comparison", Where(key="--comparison", found=word, expected="ge or gt"))
        return Limit(to_ns(limit_s), Comparison(word))


def _run(bench: Bench, fixture: Fixture, limit: Limit, out: Path, progress: Progress) -> Outcome:
    stopwatch, config = SystemClock(), bench.config
    real_start = stopwatch.now()
    started = bench.clock.utc()
    bundle = Bundle.create(out, bench.clock)
    rail = config.rail
    settings = RailSettings(
        to_ns(rail.ride_through_s), to_ns(rail.restore_min_s), config.limits.clock_rate_ppm, to_ns(PAIR_S)
    )
    view = ScopeView(
        rail.node, rail.down_below_v, rail.up_above_v, rail.noise_v, config.limits.clock_rate_ppm, settings
    )
    bundle.event("run", bench=config.bench.name, firmware=fixture.name, sha256=fixture.sha256)
    for left in bench.lease.left_behind if bench.lease is not None else ():
        bundle.event("taken_over", piece=left.resource, pid=left.pid, since=left.since_utc, state=left.state)
    bench.relays.keep_journal(bundle.path, bundle.start_ns)
    test = ActivationTest(bench, fixture, limit, view, bundle, progress, lambda: free_bytes(out))
    evidence = test.run()
    if bench.lease is not None and not evidence.safe_proven:
        bundle.event("marked", why="its safe state could not be proven")
        progress.note("NOT SAFE: this bench is marked as not to be used until 'rig safe' proves it safe")
    for wear in bench.wear.rows():
        bundle.event("relay", name=wear.name, operations=wear.operations, rated=wear.rated)
        if wear.warning is not None:
            progress.note(wear.warning)
    with bench.clock.shielded():
        judging = Judging(bench, fixture, limit, view, test.watch, evidence)
        labels = Labels(
            run_id=bundle.run_id,
            started_utc=started.isoformat(timespec="seconds").replace("+00:00", "Z"),
            host=platform.node(),
            out=str(out),
            elapsed_real_s=(stopwatch.now() - real_start) / 1e9,
        )
        judged = judging.judged(labels)
        bundle.event("verdict", verdict=judged.record.verdict, rail_verdict=judged.record.rail_verdict)
        if evidence.control_capture is not None:
            bundle.save_capture("control", evidence.control_capture.capture, None)
        if evidence.capture is not None:
            bundle.save_capture("activation", evidence.capture.capture, judged.capture_zero_s)
        folder = bundle.finish(judged.record, judged.picture)
    return Outcome(judged.record, folder, bench.clock.cancelled())
