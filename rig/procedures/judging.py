"""From the evidence of a run to its record: sources merged, outages bounded, causes found, verdict given.

No I/O, no waiting: the same evidence gives the same record. Times in the record count from time zero, the moment the
activation command left the rig (or from the start of the run, where it never left).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rig.bench.control_book import Entry
from rig.bench.opening import Bench
from rig.firmware import Fixture
from rig.judgement import Cause, Circumstances, Judgement, Limit, Surroundings, Verdict, cause_of, judge
from rig.judgement.alerts import History, predict_all
from rig.meters.port import ImageState
from rig.procedures.assumptions import assumptions
from rig.procedures.capturing import ScopeView
from rig.procedures.control import required
from rig.procedures.evidence import Evidence
from rig.procedures.polling import polled
from rig.procedures.rows import budget_rows, control_rows, coverage_row, log_rows, longest_row, outage_row, restart_row
from rig.procedures.time_base import TimeBase, compare_time_bases
from rig.procedures.watch import Watch
from rig.rail import Intervals, Outage, RailHistory, Source, merge, outages
from rig.records.capture_file import envelope
from rig.records.run import (
    ActivationRow,
    Envelope,
    Labels,
    Picture,
    Reason,
    RunRecord,
    SafeCheck,
    SafeState,
    Track,
)

_REFUSED = (ImageState.REJECTED, ImageState.ACTIVATION_FAILED)
_COLUMNS = 4000


@dataclass(frozen=True)
class Judged:
    """The record of a run, what its report draws, and where the captures lie on the common line (ns of their zero)."""

    record: RunRecord
    picture: Picture
    capture_zero_s: float | None


class Judging:
    """Judges one run."""

    def __init__(
        self,
        bench: Bench,
        fixture: Fixture,
        limit: Limit,
        view: ScopeView,
        watch: Watch,
        evidence: Evidence,
        standing: Sequence[Entry],
    ) -> None:
        """`standing`: the controls of this bench that need not be made again."""
        self._bench = bench
        self._config = bench.config
        self._fixture = fixture
        self._limit = limit
        self._view = view
        self._watch = watch
        self._evidence = evidence
        self._feeds = bench.config.topology.kind != "hot-shoe"
        """Whether the meter feeds the rail."""
        self._zero_ns = evidence.activation.before_ns if evidence.activation else evidence.started_ns
        taken, name = evidence.capture, bench.oscilloscope.name
        self._alone = view.alone(name, taken) if taken is not None else None
        self._controls = control_rows(evidence.controls, standing, required(bench.config), self._zero_ns)
        self._sources = self._all_sources()
        self._knowledge = merge(self._sources)
        self._history = self._bounded()
        self._causes = tuple(self._cause(outage) for outage in self._history.outages)
        self._time_base = self._checked_time_base()

    def judged(self, labels: Labels) -> Judged:
        """The record under these labels."""
        taken, zero = self._evidence.capture, None
        if taken is not None:
            zero = self._s((taken.triggered_from_ns + taken.triggered_to_ns) // 2)
        return Judged(self._record(self._judgement(), labels), self._picture(zero), zero)

    # -- knowledge -------------------------------------------------------------------------------------------------

    def _all_sources(self) -> list[Source]:
        lines = self._watch.sources()
        taken = self._evidence.capture
        if levels := self._evidence.levels:
            return [*lines, polled(self._bench.oscilloscope.name, levels, self._view).without(self._watch.slewed())]
        if taken is None or self._alone is None:
            return lines
        reference = merge(lines)
        known = Source("lines", reference.node, reference.up, reference.down, reference.seen)
        placed = self._view.placed(self._alone, taken, known)
        return [*lines, placed.without(self._watch.slewed())]

    def _bounded(self) -> RailHistory:
        begin, end = self._evidence.judged_from_ns, self._evidence.judged_to_ns
        if begin is None or end is None or end <= begin:
            start = self._evidence.started_ns
            window = Intervals.of([(start, start)])
            return RailHistory(start, start, (), 0, None, window)
        return outages(self._knowledge, self._view.settings, begin, end)

    def _checked_time_base(self) -> TimeBase | None:
        """The oscilloscope's time base against the kernel's stamps, over the longest outage that both have seen."""
        taken = self._evidence.capture
        if taken is None or self._alone is None or self._history.to_ns <= self._history.from_ns:
            return None
        lines = outages(merge(self._watch.sources()), self._view.settings, self._history.from_ns, self._history.to_ns)
        return compare_time_bases(self._alone, lines, self._view.settings, taken.capture.time_base_ppm)

    def _cause(self, outage: Outage) -> Cause:
        begin, end = self._evidence.path_from_ns, self._evidence.path_to_ns
        if begin is None or end is None:  # not proven at the end: the rig itself, where it was found to be broken
            return Cause.RIG if self._evidence.path_broken else Cause.UNKNOWN
        path = Intervals.of([(begin, end)])
        present, absent = self._watch.mains()
        return cause_of(outage, Surroundings(present, absent, path, self._feeds))

    def _judgement(self) -> Judgement:
        evidence = self._evidence
        changed = evidence.version_after == self._fixture.version_to
        cut = any(
            o.proven and evidence.activation is not None and o.to_ns > evidence.activation.before_ns
            for o in self._history.outages
        )
        run = Circumstances(
            activation_started=evidence.activation is not None and (changed or evidence.activation_started or cut),
            version_changed=changed,
            control_valid=self._controls.valid,
            safe_state_proven=evidence.safe_proven,
            lost=(*evidence.lost, *self._time_base_fault(), *([evidence.error.one_line()] if evidence.error else [])),
            interrupted=evidence.interrupted,
            image_refused=evidence.image_state.value if evidence.image_state in _REFUSED else None,
        )
        found = judge(self._history, self._causes, self._knowledge.contradictions, run, self._limit, self._zero_ns)
        stopped = evidence.error is not None and (evidence.activation is None or evidence.unguarded)
        if stopped and found.verdict is Verdict.INCONCLUSIVE:
            return replace(found, verdict=Verdict.ERROR)  # the test could not be carried out on this bench
        return found

    def _time_base_fault(self) -> list[str]:
        base, name = self._time_base, self._bench.oscilloscope.name
        if base is None or base.agrees:
            return []
        found = f"{base.lowest_ppm:.0f} to {base.highest_ppm:.0f} ppm"
        return [f"the time base of {name} is off by {found}, more than its {base.limit_ppm:g} ppm"]

    # -- the record ------------------------------------------------------------------------------------------------

    def _record(self, judgement: Judgement, labels: Labels) -> RunRecord:
        evidence, config = self._evidence, self._config
        alerts = (
            predict_all(History.of_rail(self._history.outages, self._zero_ns, config.limits.clock_rate_ppm))
            if self._history.to_ns > self._history.from_ns
            else None
        )
        rows = assumptions(self._bench, self._limit, self._fixture, evidence.capture)
        if alerts is not None:
            rows += tuple(replace(rows[0], key=a.key, value=a.value, source=a.source) for a in alerts.assumptions)
        return RunRecord(
            verdict=judgement.verdict.value,
            rail_verdict=judgement.rail_verdict.value,
            reasons=tuple(Reason(f.code, f.text) for f in judgement.reasons),
            limit_s=self._limit.length_ns / 1e9,
            comparison=self._limit.comparison.value,
            longest_outage=longest_row(self._history),
            outages=tuple(
                outage_row(o, c, self._zero_ns) for o, c in zip(self._history.outages, self._causes, strict=True)
            ),
            coverage=coverage_row(self._history, self._zero_ns),
            uncertainty=budget_rows(self._history, config.limits.clock_rate_ppm, self._zero_ns),
            activation=self._activation(),
            control=self._controls,
            identities=evidence.identities,
            firmware={
                "fixture": self._fixture.name,
                "maker": self._fixture.maker,
                "hardware": self._fixture.hardware,
                "version_from": self._fixture.version_from,
                "version_to": self._fixture.version_to,
                "sha256": self._fixture.sha256,
                "size_bytes": self._fixture.image.stat().st_size,
                "synthetic": self._fixture.synthetic,
            },
            clock={
                "line": "CLOCK_MONOTONIC",
                "rate_limit_ppm": config.limits.clock_rate_ppm,
                "worst_rate_ppm": self._watch.worst_rate_ppm(),
                "slewed_s": float(self._watch.slewed().lengths().sum()) / 1e9,
                "time_base_ppm": [self._time_base.lowest_ppm, self._time_base.highest_ppm] if self._time_base else None,
            },
            assumptions=rows,
            safe_state=SafeState(
                evidence.safe_proven, tuple(SafeCheck(c.what, c.proven, c.found) for c in evidence.safe)
            ),
            alerts=alerts.to_json() if alerts is not None else None,
            bench={
                "name": config.bench.name,
                "topology": config.topology.kind,
                "hub_commissioned": config.hub.commissioned,
                "signals": self._signals(),
                "decided_at_s": self._s(evidence.decided_ns) if evidence.decided_ns is not None else None,
            },
            labels=labels,
        )

    def _activation(self) -> ActivationRow:
        evidence, sent = self._evidence, self._evidence.activation
        return ActivationRow(
            commanded_at_s=(sent.before_ns - evidence.started_ns) / 1e9 if sent else None,
            uncertainty_s=(sent.after_ns - sent.before_ns) / 1e9 if sent else None,
            version_before=evidence.version_before,
            version_after=evidence.version_after,
            version_expected=self._fixture.version_to,
            image_state=evidence.image_state.value if evidence.image_state else None,
            started_by=self._bench.meter.started_by,
            transferred=self._bench.meter.abilities.transfer,
            problem=sent.problem if sent else None,
            restarts=tuple(restart_row(r, self._history.outages, self._zero_ns) for r in evidence.restarts),
            meter_log=log_rows(evidence.meter_log, self._history, self._zero_ns, feeds=self._feeds),
        )

    def _signals(self) -> dict[str, list[list[float]]]:
        """When the detector and the devices' own signals were surely active in the judged window: they corroborate."""
        begin, end = self._history.from_ns, self._history.to_ns
        return {
            line.role: [[self._s(a), self._s(b)] for a, b in self._watch.stretches(line.role)[0].clip(begin, end)]
            for line in self._config.sense
            if line.role not in ("rail_up", "rail_down")
        }

    # -- the picture -----------------------------------------------------------------------------------------------

    def _picture(self, capture_zero_s: float | None) -> Picture:
        taken, rail = self._evidence.capture, self._config.rail
        drawn = None
        if taken is not None and capture_zero_s is not None:
            name = self._bench.oscilloscope.name
            drawn = Envelope(name, envelope(taken.capture, _COLUMNS, capture_zero_s))
        return Picture(
            tracks=tuple(self._track(s) for s in self._sources),
            envelope=drawn,
            down_below_v=rail.down_below_v,
            up_above_v=rail.up_above_v,
            nominal_v=rail.nominal_v,
        )

    def _track(self, source: Source) -> Track:
        def rows(spans: Intervals) -> tuple[tuple[float, float], ...]:
            return tuple((self._s(a), self._s(b)) for a, b in spans)

        return Track(source.name, rows(source.up), rows(source.down), rows(source.seen))

    def _s(self, at_ns: int) -> float:
        return (at_ns - self._zero_ns) / 1e9
