"""The watch on the sense lines: an activity that runs beside everything else and knows the rail at every moment.

It drains kernel-stamped edges, reads levels once a second (so that a dead line is noticed), and pairs CLOCK_MONOTONIC
with CLOCK_MONOTONIC_RAW (so that a slewed clock is noticed). Judges nothing; others ask it what it knows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rig.bench.config import BenchConfig, SenseRole
from rig.bench.roles import MAINS
from rig.clock import Activity, Clock, Flag, to_ns
from rig.errors import RigError
from rig.instruments.ports import SenseLines
from rig.rail import Intervals, LineTracker, Source

TICK_S, LEAST_TICK_S = 1.0, 0.05
"""Level reads come once in `restore_min_s`, within these: how long a line that died without an edge may be believed."""
PAIR_S = 1.0
"""Rates of the two clocks are compared over at least this long: a length's ends lie somewhere inside such a stretch."""
_PAIR_TRIES = 5
_PAIR_PART = 0.1
"""A pair that is unsure by more than this part of the rate limit is not used: the next one spans a longer time."""
_LAST_PAIR_S = 0.2
_LATE_LOOK_S = 10.0
"""A look that is not there by then does not come: a busy machine takes less, and lines that are gone are told."""


@dataclass(frozen=True)
class RailNow:
    """What the lines say now: `state` up, down, between or unknown, since `since_ns`."""

    state: str
    since_ns: int
    at_ns: int


class Watch:
    """Start with `start`, end with `stop`. Everything else may be asked at any time from any activity."""

    def __init__(self, config: BenchConfig, sense: SenseLines, clock: Clock) -> None:
        self._clock = clock
        self._sense = sense
        self._roles: dict[str, SenseRole] = {s.name: s.role for s in config.sense}
        self._latencies = {s.role: to_ns(s.latency_s) for s in config.sense}
        self._nodes = {s.role: s.node for s in config.sense}
        self._lines = {s.role: LineTracker(to_ns(s.latency_s)) for s in config.sense}
        self._rate_ppm = config.limits.clock_rate_ppm
        self._tick_s = min(TICK_S, max(LEAST_TICK_S, config.rail.restore_min_s))
        self._pair = _paired(clock)
        self._slewed: list[tuple[int, int]] = []
        self._worst_ppm = 0.0
        self._asked_ns = clock.now()
        self._stop: Flag = clock.flag()
        self._tick: Flag = clock.flag()
        self._activity: Activity | None = None
        self.lost: str | None = None
        self.on_edge: Callable[[], None] = lambda: None
        self.on_tick: Callable[[], None] = lambda: None

    def start(self) -> None:
        self._look()
        self._activity = self._clock.spawn("watch", self._run)

    def stop(self) -> None:
        """End the activity after a last look."""
        self._stop.set()
        if self._activity is not None:
            self._activity.join()

    # -- what it knows -------------------------------------------------------------------------------------------

    def known_to_ns(self) -> int:
        """Up to when all lines were surely looked at."""
        return self._asked_ns - max(self._latencies.values())

    def looked_ns(self) -> int:
        """When the last look at the lines began."""
        return self._asked_ns

    def now(self) -> RailNow:
        """The rail as `rail_up` and `rail_down` say it."""
        up, down = self._lines["rail_up"], self._lines["rail_down"]
        at = self.known_to_ns()
        if up.level is None or down.level is None or self.lost is not None:
            return RailNow("unknown", at, at)
        if up.level and down.level:
            return RailNow("unknown", max(up.since_ns, down.since_ns), at)
        state, since = ("up", up.since_ns) if up.level else ("down", down.since_ns)
        if not up.level and not down.level:
            state, since = "between", max(up.since_ns, down.since_ns)
        return RailNow(state, since, at)

    def away_since_ns(self) -> int | None:
        """Since when the rail has not been up, or None while it is up."""
        up = self._lines["rail_up"]
        return None if up.level else up.since_ns

    def up_since_ns(self) -> int | None:
        """Since when the rail has been up without a break, or None."""
        up = self._lines["rail_up"]
        return up.since_ns if up.level and self.lost is None else None

    def level(self, role: SenseRole) -> bool | None:
        """The level of one line now, None while it is not known (or not wired)."""
        line = self._lines.get(role)
        return line.level if line is not None and self.lost is None else None

    def stretches(self, role: SenseRole) -> tuple[Intervals, Intervals]:
        """When the line was surely active, and when surely inactive."""
        line = self._lines.get(role)
        return (line.active(), line.inactive()) if line is not None else (Intervals.empty(), Intervals.empty())

    def mains(self) -> tuple[Intervals, Intervals]:
        """When mains was surely at every live terminal of the meter, and when surely away from one of them."""
        looks = [self.stretches(role) for role in MAINS if role in self._lines]
        present, absent = looks[0] if looks else (Intervals.empty(), Intervals.empty())
        for there, away in looks[1:]:
            present, absent = present.intersection(there), absent.union(away)
        return present, absent

    def mains_now(self) -> bool:
        """Whether every mains detector sees mains now."""
        levels = [self.level(role) for role in MAINS if role in self._lines]
        return bool(levels) and all(levels)

    def mains_away_now(self) -> bool:
        """Whether every mains detector sees none now."""
        levels = [self.level(role) for role in MAINS if role in self._lines]
        return bool(levels) and all(level is False for level in levels)

    def losses(self) -> list[tuple[SenseRole, int, str]]:
        """When the knowledge of a line ended, and why."""
        return [(role, at, why) for role, line in self._lines.items() for at, why in line.losses]

    def slewed(self) -> Intervals:
        """Stretches in which the clock's rate was out of its limit: nothing is known there."""
        return Intervals.of(self._slewed)

    def worst_rate_ppm(self) -> float:
        """The greatest rate difference between both clocks that was seen."""
        return self._worst_ppm

    def sources(self) -> list[Source]:
        """The rail as each comparator proves it, without slewed stretches."""
        slewed = self.slewed()
        up = self._lines["rail_up"].source("rail_up", self._nodes["rail_up"], "up")
        down = self._lines["rail_down"].source("rail_down", self._nodes["rail_down"], "down")
        return [up.without(slewed), down.without(slewed)] if len(slewed) else [up, down]

    # -- waiting for it ------------------------------------------------------------------------------------------

    def wait_until(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        """Wait until `condition` holds after a look at the lines; False where it does not after one that began when the
        time was over: that nobody looked for a while is no answer."""
        deadline = self._clock.now() + to_ns(timeout_s)
        while True:
            tick, looked = self._tick, self._asked_ns  # taken first: a look between question and wait is not missed
            if condition():
                return True
            left = deadline + to_ns(_LATE_LOOK_S) - self._clock.now()
            if looked >= deadline or left <= 0 or self.lost is not None:
                return False
            self._clock.wait(tick, left / 1e9)

    def wait_look(self, timeout_s: float) -> None:
        """Wait for the next look at the lines, at most `timeout_s`."""
        self._clock.wait(self._tick, timeout_s)

    def wait_state(self, state: str, timeout_s: float) -> bool:
        """Wait until the rail is surely `state` (up or down)."""
        return self.wait_until(lambda: self.now().state == state, timeout_s)

    # -- the activity --------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            with self._clock.shielded():  # the watch ends when it is told to, not by Ctrl-C
                while not self._stop.is_set():
                    if self._clock.wait(self._sense, self._tick_s):
                        self.on_edge()
                    self._look()
                    self.on_tick()
                self._pair_clocks(_LAST_PAIR_S, last=True)
        except (RigError, OSError) as error:
            self.lost = f"sense lines: {error}"
            for line in self._lines.values():
                line.lost(self.lost)
        finally:
            self._wake()

    def _look(self) -> None:
        sent = self._clock.now()
        levels = self._sense.levels()
        received = self._clock.now()
        for edge in self._sense.edges():
            self._lines[self._roles[edge.line]].edge(edge.at_ns, edge.active, edge.line_seqno)
        for name, active in levels.items():
            self._lines[self._roles[name]].read(sent, received, active)
        self._asked_ns = sent
        self._pair_clocks(PAIR_S)
        self._wake()

    def _pair_clocks(self, least_s: float, last: bool = False) -> None:
        """What the rate may be by two pairs of readings, their own uncertainty included, must be inside its limit."""
        first = self._pair
        if self._clock.now() - first.at_ns < to_ns(least_s):
            return
        pair = _paired(self._clock)
        elapsed = pair.at_ns - first.at_ns
        unsure_ppm = (first.half_ns + pair.half_ns) / elapsed * 1e6
        if unsure_ppm > _PAIR_PART * self._rate_ppm:  # the machine was busy between the two readings
            if last and elapsed > to_ns(PAIR_S):
                self._slewed.append((first.at_ns, pair.at_ns))
            return
        ppm = abs(elapsed / (pair.raw_ns - first.raw_ns) - 1) * 1e6 + unsure_ppm
        self._worst_ppm = max(self._worst_ppm, ppm)
        if ppm > self._rate_ppm:
            self._slewed.append((first.at_ns, pair.at_ns))
        self._pair = pair

    def _wake(self) -> None:
        tick, self._tick = self._tick, self._clock.flag()
        tick.set()


@dataclass(frozen=True)
class _Pair:
    """Both clocks at one moment: CLOCK_MONOTONIC at `at_ns` +- `half_ns`, when CLOCK_MONOTONIC_RAW was `raw_ns`."""

    at_ns: int
    raw_ns: int
    half_ns: int


def _paired(clock: Clock) -> _Pair:
    """The narrowest of a few tries: between two readings the machine may do something else for milliseconds."""
    pairs = []
    for _ in range(_PAIR_TRIES):
        before, raw, after = clock.now(), clock.now_raw(), clock.now()
        pairs.append(_Pair((before + after) // 2, raw, (after - before + 1) // 2))
    return min(pairs, key=lambda pair: pair.half_ns)
