"""The Python face of `rig controls`: a round of all controls of a bench, and the book in which they stand."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from rig import firmware as fixtures
from rig.bench.control_book import ControlBook
from rig.bench.opening import Bench
from rig.benches import ChosenBench
from rig.clock import Clock, to_ns, utc_label
from rig.clock.system import SystemClock
from rig.errors import InputError, Where
from rig.judgement import Comparison, Limit
from rig.procedures.capturing import ScopeView
from rig.procedures.control import required
from rig.procedures.controls import long_controls, meter_controls, supply_controls
from rig.procedures.progress import Progress
from rig.procedures.rows import control_rows, entry_of
from rig.procedures.session import Session
from rig.recording import Taps
from rig.records.bundle import Bundle, free_bytes, json_text
from rig.records.controls import ControlsRecord
from rig.records.journal import CONTROLS
from rig.records.journal.attempt import AttemptLog, InSoak
from rig.records.run import Labels, SafeCheck, SafeState

_ANY_FIXTURE = "no-cut"
"""The twin's meter wants one; a round of controls activates nothing."""


@dataclass(frozen=True)
class ControlsRequest:
    bench: str = "twin"
    out: Path = Path("runs")
    long: bool = False
    seed: int = 0
    faults: tuple[str, ...] = ()
    taps: Taps | None = None


@dataclass(frozen=True)
class ControlsOutcome:
    record: ControlsRecord
    folder: Path
    cancelled: str | None


class PreparedControls:
    """A round whose input is checked. `run` may be called once."""

    def __init__(self, request: ControlsRequest) -> None:
        self._request = request
        self.bench = ChosenBench(request.bench, request.seed, request.faults, faults_at_once=True, taps=request.taps)
        config = self.bench.file_config
        if request.long and config is not None and config.hub.commissioned:
            raise InputError(
                "long controls are never made with a commissioned hub: a real network operator would be told",
                Where(request.bench, "hub.commissioned", found="true", expected="false"),
            )

    @property
    def clock(self) -> Clock | None:
        """The bench's, once it is open."""
        return self.bench.clock

    def run(self, progress: Progress) -> ControlsOutcome:
        """Make them all. `progress` is told what happens."""
        request = self._request
        with self.bench.opened([fixtures.load(_ANY_FIXTURE)], request.out) as bench:
            return controls_on(bench, request, progress)


def controls_on(
    bench: Bench, request: ControlsRequest, progress: Progress, place: InSoak | None = None
) -> ControlsOutcome:
    """A round on an open bench. `place`: the cycle of a soak before which it is made, see `rig.api.run_on`."""
    started = bench.clock.utc()
    bundle = Bundle.create(request.out, bench.clock)
    with AttemptLog(bundle, request.out, bench.clock, place, progress.note) as log:
        bundle.event("controls", bench=bench.config.bench.name, long=request.long)
        log.begin(CONTROLS, bench.config.bench.name, utc_label(started))
        outcome = _round(bench, request, progress, bundle, started)
        log.end(outcome.folder)
    return outcome


def _round(
    bench: Bench, request: ControlsRequest, progress: Progress, bundle: Bundle, started: datetime
) -> ControlsOutcome:
    stopwatch, config = SystemClock(), bench.config
    real_start = stopwatch.now()
    bench.relays.keep_journal(bundle.path, bundle.start_ns)
    limit = Limit(to_ns(config.limits.limit_s), Comparison(config.limits.comparison))
    session = Session(bench, limit, ScopeView.of(config), bundle, progress, lambda: free_bytes(request.out))
    kinds = required(config)

    def steps() -> None:
        supply_controls(session, kinds)
        session.step("topology", session.path.words, session.feed_hub)
        meter_controls(session, kinds)
        if request.long:
            long_controls(session)

    session.watch.on_tick = lambda: progress.panel(session.dial.panel(bench.clock.now(), False))
    evidence = session.run(steps)
    with bench.clock.shielded():
        made_utc = utc_label(started)
        if bench.lease is not None and evidence.controls:
            ControlBook(bench.lease.folder, config).note(entry_of(c, made_utc) for c in evidence.controls)
        record = ControlsRecord(
            bench=config.bench.name,
            control=control_rows(evidence.controls, (), kinds, evidence.started_ns),
            error=evidence.error.one_line() if evidence.error else None,
            interrupted=evidence.interrupted,
            identities=evidence.identities,
            safe_state=SafeState(
                evidence.safe_proven, tuple(SafeCheck(c.what, c.proven, c.found) for c in evidence.safe)
            ),
            labels=Labels(
                bundle.run_id, made_utc, platform.node(), str(request.out), (stopwatch.now() - real_start) / 1e9
            ),
        )
        bundle.event("verdict", valid=record.valid)
        for name, taken in evidence.control_captures.items():
            bundle.save_capture(name, taken.capture, None)
        folder = bundle.keep({"controls.json": json_text(record.to_json())})
    return ControlsOutcome(record, folder, bench.clock.cancelled())
