"""The controls: what the rig does itself, and every source must call rightly. Without them a PASS would prove nothing.

*Quiet*: a rail that is fed shows no outage. *Cut*: the relay that feeds the hub is opened for a known time; a source
that sees no outage, or one of another length, is named, and a contact that does not cut is found. *Mains*: K1 is
opened; the outage that follows must be called `mains`, not `meter`. Each leaves the rail fed as it found it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from rig.bench.config import BenchConfig, RelayRole
from rig.bench.opening import Bench
from rig.clock import to_ns
from rig.errors import BenchError
from rig.guardian.core import Move
from rig.instruments.ports import Capture, Level
from rig.judgement import Cause, Surroundings, cause_of
from rig.judgement.cause import SLACK_NS
from rig.meters.port import ImageState
from rig.procedures.capturing import CaptureJob, ScopeView, Taken
from rig.procedures.polling import PollJob, job_for, polled, proven
from rig.procedures.watch import Watch
from rig.rail import Intervals, RailSettings, Source, merge, outages

Feed = Literal["supply-feed", "meter-feed"]
Kind = Literal["quiet", "supply-feed", "meter-feed", "mains"]

QUIET = 2.0
"""Quiet before and after a cut, in `restore_min_s`: more than one, so that the rail counts as up on both sides."""
RISE_LIMIT = 0.5
"""How late after the relay's command the rail may be up again (coil, bounce, charging), in `restore_min_s`: a rail that
takes longer than that could not be told from one that stays away."""
CONTROL_DEPTH = 120_000
_DETECTOR_S = 5.0
"""How long the mains detector may take to tell."""
_PENDING = (ImageState.VERIFYING, ImageState.ACTIVATING)
"""Nobody transfers while a control is made: a meter that says so has a part of an image, left over from a run that was
killed, and losing mains does no harm to that."""


@dataclass(frozen=True)
class Seen:
    """What one source proves alone of a control, as bounds in ns; None where it proves no such bound."""

    source: str
    right: bool
    lower_ns: int | None
    upper_ns: int | None


@dataclass(frozen=True)
class ControlResult:
    """One control. `cut_ns` is the cut as commanded (0 where nothing was cut).

    `fall_ns` and `rise_ns`: how long the rail took from surely up to surely down, and back (hold-up and charging).
    `swing_v`: the least and the greatest reading of the oscilloscope; the least shows what feeds back into a rail that
    nobody should feed.
    """

    kind: Kind
    started_ns: int
    cut_ns: int
    seen: tuple[Seen, ...]
    fall_ns: int | None = None
    rise_ns: int | None = None
    swing_v: tuple[float, float] | None = None
    problem: str | None = None

    @property
    def valid(self) -> bool:
        return self.problem is None and len(self.seen) > 0 and all(s.right for s in self.seen)


def required(config: BenchConfig) -> tuple[Kind, ...]:
    """The controls without which no run on this bench is a PASS.

    Where no meter feeds the hub there is no cut of its, and mains does not matter. A commissioned hub is spared the
    mains control: a meter that restarts may keep the hub dark for 30 s or more, which a real network operator would be
    told (domain: MP102A).
    """
    if config.topology.kind == "hot-shoe":
        return ("quiet", "supply-feed")
    feeds: tuple[Kind, ...] = ("quiet", "supply-feed", "meter-feed")
    return feeds if config.hub.commissioned else (*feeds, "mains")


def quiet_s(config: BenchConfig) -> float:
    """How long it is quiet before and after a cut."""
    return QUIET * config.rail.restore_min_s


Told = Callable[[Level], None]


def run_quiet(bench: Bench, watch: Watch, view: ScopeView, watch_s: float, told: Told) -> ControlResult:
    """Watch a fed rail for `watch_s`: no source may see it away, and the oscilloscope may not trigger.

    One that is polled must see it up, each time. `told` hears the levels.
    """
    clock = bench.clock
    with _armed(bench, watch, watch_s, told) as job:
        first = clock.now()
        clock.sleep(watch_s)
        watch.wait_look(2.0)
        steady = not job.triggered
    if isinstance(job, PollJob):
        steady = len(job.levels) > 0 and all(proven(level, view) == "up" for level in job.levels)
    last = watch.known_to_ns()
    rows = []
    for source in watch.sources():
        history = outages(merge([source]), view.settings, first, last)
        proves_up = len(source.up.clip(first, last)) > 0
        upper = (history.upper_ns if history.outages else 0) if proves_up else None
        rows.append(Seen(source.name, history.lower_ns == 0 and upper in (0, None), history.lower_ns, upper))
    rows.append(Seen(bench.oscilloscope.name, steady, None, None))
    return ControlResult("quiet", first, 0, tuple(rows))


def run_cut(
    bench: Bench, watch: Watch, view: ScopeView, feed: Feed, cut_s: float, told: Told
) -> tuple[ControlResult, Taken | None]:
    """Open the relay that feeds the rail for `cut_s` and hear every source; the rail is fed again at the end.

    What an oscilloscope that is polled took is no capture: `told` hears its levels. Raises BenchError when the contact
    does not cut, or the oscilloscope cannot be armed or read.
    """
    clock, relays, pause_s = bench.clock, bench.relays, quiet_s(bench.config)
    with _armed(bench, watch, cut_s, told) as job:
        clock.sleep(pause_s)
        opened = relays.set(feed, False)
        if not watch.wait_state("down", bench.config.topology.discharge_s):
            _does_not_cut(bench, watch, feed)
        clock.sleep(cut_s - (clock.now() - opened.after_ns) / 1e9)
        closed = relays.set(feed, True)
        watch.wait_state("up", 5.0)
        clock.sleep(pause_s)
        clock.wait(job.ended, job.patience_s)
    watch.wait_look(2.0)
    name, last = bench.oscilloscope.name, watch.known_to_ns()
    if isinstance(job, PollJob):
        swing = (min(level.low_v for level in job.levels), max(level.high_v for level in job.levels))
        scope = polled(name, job.levels, view)
        return assess(bench, watch, view, scope, (opened.before_ns, last), swing, opened, closed), None
    if job.taken is None:
        raise BenchError(f"control: {name} did not trigger on a cut of {cut_s:g} s")
    alone = view.alone(name, job.taken)
    within = (int(alone.seen.start[0]), int(alone.seen.end[-1])) if len(alone.seen) else None
    return assess(bench, watch, view, alone, within, _swing(job.taken.capture), opened, closed), job.taken


def run_mains(bench: Bench, watch: Watch, view: ScopeView) -> ControlResult:
    """Open K1 until the rail falls, close it, and wait for the meter: the outage must be called `mains`.

    Raises BenchError while an activation is pending (mains cut in it can brick a meter), or where the detector or the
    rail do not follow K1.
    """
    clock, relays, config = bench.clock, bench.relays, bench.config
    state = bench.meter.image_state()
    if state in _PENDING:
        raise BenchError(f"control: the meter says '{state.value}', so its mains is not cut")
    pause_s = quiet_s(config)
    first = clock.now()  # the rail is up: it must be so for a while, or the fall would be one of an unknown beginning
    clock.sleep(pause_s)
    opened = relays.set("mains", False)
    _mains_is(bench, watch, present=False)
    fell = watch.wait_state("down", config.meter.start_s)
    closed = relays.set("mains", True)
    _mains_is(bench, watch, present=True)
    if not fell:
        raise BenchError(f"control: {relays.name('mains')} was open, but the meter kept the rail up")
    if not watch.wait_state("up", config.meter.start_s):
        raise BenchError(f"control: {relays.name('mains')} is closed again, but the meter does not bring the rail up")
    clock.sleep(pause_s)
    watch.wait_look(2.0)
    last = watch.known_to_ns()
    lines = watch.sources()
    history = outages(merge(lines), view.settings, first, last)
    present, absent = watch.mains()
    # The relays of the hub's feed were not moved: what the rig did to mains is what the detector must tell.
    around = Surroundings(present, absent, Intervals.of([(opened.before_ns - 2 * SLACK_NS, last)]))
    causes = [cause_of(o, around) for o in history.outages if o.proven]
    right = len(causes) > 0 and all(c is Cause.MAINS for c in causes)
    name = next(s.name for s in config.sense if s.role == "mains")
    found = ", ".join(sorted(set(causes))) or "no outage"
    problem = None if right else f"mains was cut, and the outage was called: {found}"
    row = Seen(name, right, history.lower_ns, history.upper_ns)
    cut_ns = closed.before_ns - opened.before_ns
    return ControlResult("mains", opened.before_ns, cut_ns, (row,), problem=problem)


def assess(
    bench: Bench,
    watch: Watch,
    view: ScopeView,
    scope: Source,
    within: tuple[int, int] | None,
    swing: tuple[float, float],
    opened: Move,
    closed: Move,
) -> ControlResult:
    """What each source makes of the cut between two moves of the relay.

    `within`: where the oscilloscope looked, on its source's own line; None: it saw nothing.
    """
    pause_ns, rise_ns = to_ns(quiet_s(bench.config)), round(RISE_LIMIT * to_ns(bench.config.rail.restore_min_s))
    first = opened.before_ns - round(0.75 * pause_ns)
    last = min(watch.known_to_ns(), closed.after_ns + pause_ns + rise_ns)
    shortest = closed.before_ns - opened.after_ns - to_ns(bench.config.topology.discharge_s)
    longest = closed.after_ns - opened.before_ns + rise_ns
    lines = watch.sources()
    rows = [_seen(s, view.settings, first, last, shortest, longest, rise_ns) for s in lines]
    if within is not None:
        rows.append(_seen(scope, view.settings, *within, shortest, longest, rise_ns))
    else:
        rows.append(Seen(scope.name, False, None, None))
    fall, rise = _slopes(merge(lines).up.clip(first, last), merge(lines).down.clip(first, last))
    kind: Kind = "meter-feed" if opened.role == "meter-feed" else "supply-feed"
    cut_ns = closed.before_ns - opened.before_ns
    return ControlResult(kind, opened.before_ns, cut_ns, tuple(rows), fall, rise, swing)


@contextmanager
def _armed(bench: Bench, watch: Watch, cut_s: float, told: Told) -> Iterator[CaptureJob | PollJob]:
    """The oscilloscope waits for a fall inside, for a cut of this length; what it took is in the job afterwards.

    Raises when it cannot.
    """
    clock, pause_s = bench.clock, quiet_s(bench.config)
    job = job_for(bench, cut_s + 3.5 * pause_s, 0.75 * pause_s, CONTROL_DEPTH, told)
    watch.on_edge = job.poke
    try:
        clock.wait(job.armed, 60.0)
        if job.error is not None:
            raise job.error
        yield job
    finally:
        watch.on_edge = lambda: None
        job.give_up()
        with clock.shielded():
            job.join()
    if job.error is not None:
        raise job.error


def _does_not_cut(bench: Bench, watch: Watch, feed: RelayRole) -> None:
    """Name the contact; a rail that is neither up nor proven down is left to the sources' own rows."""
    if watch.now().state == "up":
        name, after_s = bench.relays.name(feed), bench.config.topology.discharge_s
        raise BenchError(
            f"control: {name} was opened, and the rail is still up {after_s:g} s later: "
            "its contact does not open, or something else feeds the rail"
        )


def _mains_is(bench: Bench, watch: Watch, *, present: bool) -> None:
    if not watch.wait_until(watch.mains_now if present else watch.mains_away_now, _DETECTOR_S):
        name = bench.relays.name("mains")
        did, sees = ("closed", "no mains") if present else ("opened", "mains")
        raise BenchError(f"control: {name} was {did}, and the mains detector still sees {sees} at the meter")


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


def _swing(capture: Capture) -> tuple[float, float]:
    def volts(code: int) -> float:
        return (code - capture.zero_code) * capture.volts_per_code

    low, high = capture.extremes
    return volts(int(low.min())), volts(int(high.max()))


def _slopes(up: Intervals, down: Intervals) -> tuple[int | None, int | None]:
    """How long the rail took to fall from surely up to surely down, and to rise again."""
    if len(down) == 0:
        return None, None
    before = up.end[up.end <= down.start[0]]
    after = up.start[up.start >= down.end[-1]]
    fall = int(down.start[0] - before[-1]) if len(before) else None
    rise = int(after[0] - down.end[-1]) if len(after) else None
    return fall, rise
