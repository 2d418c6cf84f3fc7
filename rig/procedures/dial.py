"""What a person sees while a run goes on: the step, the rail now, how long it has been away, what is left."""

from __future__ import annotations

from rig.bench.config import BenchConfig
from rig.clock import Clock
from rig.judgement import Limit
from rig.procedures.progress import Panel
from rig.procedures.watch import Watch


class Dial:
    """Of one run. `step` is its name; `ends_ns` when it will be over, where that is known."""

    def __init__(self, config: BenchConfig, watch: Watch, clock: Clock, limit: Limit) -> None:
        self._config = config
        self._watch = watch
        self._clock = clock
        self._limit = limit
        self._started_ns = clock.now()
        self._longest_away_s = 0.0
        self.step = "start"
        self.ends_ns: int | None = None

    def begin(self, step: str) -> None:
        """A step begins."""
        self.step, self.ends_ns = step, None

    def panel(self, zero_ns: int, version_changed: bool) -> Panel:
        """Now. `zero_ns`: the activation command, or now where it has not left yet."""
        rail, watch = self._config.rail, self._watch
        now = watch.now()
        words = {
            "up": f"≥ {rail.up_above_v:g} V",
            "down": f"≤ {rail.down_below_v:g} V",
            "between": f"{rail.down_below_v:g} to {rail.up_above_v:g} V",
            "unknown": "unknown",
        }
        away = watch.away_since_ns() if self.step in ("watch", "activate", "capture") else None
        away_s = None if away is None else max(0.0, (now.at_ns - away) / 1e9)
        self._longest_away_s = max(self._longest_away_s, away_s or 0.0)
        return Panel(
            self.step,
            (self._clock.now() - self._started_ns) / 1e9,
            now.state,
            words[now.state],
            away_s,
            self._longest_away_s,
            self._limit.length_ns / 1e9,
            self._left_s(zero_ns, version_changed),
        )

    def _left_s(self, zero_ns: int, version_changed: bool) -> float | None:
        """How long this step will still take if the rail stays up; None while nobody can know."""
        if self.step != "watch":
            return None if self.ends_ns is None else max(0.0, (self.ends_ns - self._clock.now()) / 1e9)
        meter, now, up_since = self._config.meter, self._watch.known_to_ns(), self._watch.up_since_ns()
        if up_since is None:
            return None
        quiet = meter.quiet_s - (now - max(up_since, zero_ns)) / 1e9
        if version_changed:
            return max(0.0, quiet)
        return max(0.0, quiet, meter.max_s - (now - zero_ns) / 1e9)
