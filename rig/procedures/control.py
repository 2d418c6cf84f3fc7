"""The positive control: a cut of the hub's feed by the rig itself, of known length; every source must call it rightly.

Without it nobody knows that a source would have seen the meter's cut. The supply feeds the rail through its relay; the
relay is opened for `control_cut_s` and closed again. A source that sees no outage, or one of another length, is named.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rig.bench.opening import Bench
from rig.clock import to_ns
from rig.errors import BenchError
from rig.guardian.core import Move
from rig.instruments.ports import CaptureSettings
from rig.procedures.capturing import CaptureJob, ScopeView, Taken
from rig.procedures.watch import Watch
from rig.rail import Intervals, RailSettings, Source, merge, outages

QUIET = 2.0
"""Quiet before and after the cut, in `restore_min_s`: more than one, so that the rail counts as up on both sides."""
RISE_LIMIT = 0.5
"""How late after the relay's command the rail may be up again (coil, bounce, charging), in `restore_min_s`: a rail that
takes longer than that could not be told from one that stays away."""


@dataclass(frozen=True)
class Seen:
    """What one source proves alone of the control cut, as bounds in ns; None where it proves no such bound."""

    source: str
    right: bool
    lower_ns: int | None
    upper_ns: int | None


@dataclass(frozen=True)
class ControlResult:
    started_ns: int
    cut_ns: int
    seen: tuple[Seen, ...]
    fall_ns: int | None
    rise_ns: int | None

    @property
    def valid(self) -> bool:
        return all(s.right for s in self.seen)


def capture_settings(bench: Bench, window_s: float, pre_s: float, depth: int) -> CaptureSettings:
    """A capture of the judged rail: the whole swing in range, triggered by the fall through `up_above_v`."""
    rail = bench.config.rail
    return CaptureSettings(window_s, pre_s, depth, 1.125 * rail.nominal_v, -0.5, rail.up_above_v)


def run_control(
    bench: Bench, watch: Watch, view: ScopeView, envelope: Callable[[], None]
) -> tuple[ControlResult, Taken]:
    """Cut the supply's feed once and hear every source. The supply must be set; it is left on, its relay closed.

    `envelope` looks at the supply while it feeds. Raises BenchError when the rail cannot be brought up, or the
    oscilloscope cannot be armed or read.
    """
    clock, cut_s, quiet_s = bench.clock, bench.config.topology.control_cut_s, QUIET * bench.config.rail.restore_min_s
    bench.supply.output(True)
    bench.relays.set("supply-feed", True)
    if not watch.wait_state("up", 5.0):
        raise BenchError("control: the supply is on and its relay closed, but the rail is not proven up")
    envelope()
    clock.sleep(quiet_s)
    job = CaptureJob(bench.oscilloscope, clock, capture_settings(bench, cut_s + 3.5 * quiet_s, 0.75 * quiet_s, 120_000))
    watch.on_edge = job.poke
    try:
        clock.wait(job.armed, 60.0)
        _check(job)
        clock.sleep(quiet_s)
        opened = bench.relays.set("supply-feed", False)
        clock.sleep(cut_s)
        closed = bench.relays.set("supply-feed", True)
        watch.wait_state("up", 5.0)
        clock.sleep(quiet_s)
        clock.wait(job.ended, 2 * job.window_s)
    finally:
        watch.on_edge = lambda: None
        job.give_up()
        with clock.shielded():
            job.join()
    _check(job)
    if job.taken is None:
        raise BenchError(f"control: {bench.oscilloscope.name} did not trigger on a cut of {cut_s:g} s")
    watch.wait_look(2.0)
    return assess(bench, watch, view, job.taken, opened, closed), job.taken


def assess(bench: Bench, watch: Watch, view: ScopeView, taken: Taken, opened: Move, closed: Move) -> ControlResult:
    """What each source makes of the cut between two moves of the relay."""
    restore_ns = to_ns(bench.config.rail.restore_min_s)
    rise_ns = round(RISE_LIMIT * restore_ns)
    first = opened.before_ns - round(0.75 * QUIET * restore_ns)
    last = min(watch.known_to_ns(), closed.after_ns + round(QUIET * restore_ns) + rise_ns)
    shortest = closed.before_ns - opened.after_ns - to_ns(bench.config.topology.discharge_s)
    longest = closed.after_ns - opened.before_ns + rise_ns
    lines = watch.sources()
    rows = [_seen(s, view.settings, first, last, shortest, longest, rise_ns) for s in lines]
    scope = view.alone(bench.oscilloscope.name, taken)
    if len(scope.seen):
        begin, end = int(scope.seen.start[0]), int(scope.seen.end[-1])
        rows.append(_seen(scope, view.settings, begin, end, shortest, longest, rise_ns))
    else:
        rows.append(Seen(scope.name, False, None, None))
    fall, rise = _slopes(merge(lines).up.clip(first, last), merge(lines).down.clip(first, last))
    return ControlResult(opened.before_ns, closed.before_ns - opened.before_ns, tuple(rows), fall, rise)


def _seen(
    source: Source, settings: RailSettings, first: int, last: int, shortest: int, longest: int, rise_ns: int
) -> Seen:
    """A source that proves down must find one outage of the right length; one that proves up, one gap of it."""
    history = outages(merge([source]), settings, first, last)
    lower = upper = None
    right = True
    if len(source.down):
        lower = history.lower_ns
        right = shortest <= lower <= longest
    if len(source.up):
        upper = history.upper_ns
        right = right and len(history.outages) == 1 and upper is not None and shortest <= upper
        right = right and upper is not None and upper <= longest + rise_ns
    return Seen(source.name, right and (lower is not None or upper is not None), lower, upper)


def _slopes(up: Intervals, down: Intervals) -> tuple[int | None, int | None]:
    """How long the rail took to fall from surely up to surely down, and to rise again."""
    if len(down) == 0:
        return None, None
    before = up.end[up.end <= down.start[0]]
    after = up.start[up.start >= down.end[-1]]
    fall = int(down.start[0] - before[-1]) if len(before) else None
    rise = int(after[0] - down.end[-1]) if len(after) else None
    return fall, rise


def _check(job: CaptureJob) -> None:
    if job.error is not None:
        raise job.error
