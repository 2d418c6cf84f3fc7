"""The oscilloscope as a second pair of eyes that looks again and again (`mode = "poll"` of a bench file).

In an activity of its own it takes one short acquisition after another, each shown to be new. What each proves of the
judged rail is one moment inside its interval; what could not be shown to be new is unknown. It takes no capture: volts
between two looks, and how the rail fell, are not seen. Judges nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from rig.bench.opening import Bench
from rig.clock import Activity, Flag, to_ns
from rig.errors import LinkError, RigError
from rig.instruments.ports import Level
from rig.procedures.capturing import CaptureJob, ScopeView, Taken
from rig.rail import Source
from rig.rail.instants import Instant, source_of_instants
from rig.rail.source import State

_WINDOW_S, _PRE_S, _DEPTH = 0.01, 0.001, 1000
"""One look: short beside everything that is judged."""
_AT_THE_TOP = 0.02
"""How far below the top of the range the trigger level is, in nominal volts."""
_PAUSE = 0.25
"""Between two looks, in `restore_min_s`: two that say down must not be further apart than that."""
_UNKNOWN_S = 10.0
"""One that gives no new level for so long is lost."""


class PollJob:
    """Started by being made; `armed` is set when the first level is there, `ended` when all is over."""

    triggered = False
    taken: Taken | None = None
    window_s = patience_s = 0.0

    def __init__(self, bench: Bench, told: Callable[[Level], None]) -> None:
        self._scope = bench.oscilloscope
        self._clock = bench.clock
        self._told = told
        whole = bench.capture_settings(_WINDOW_S, _PRE_S, _DEPTH)
        # Nothing may trigger it but the poll itself: the rail never falls from above its range.
        self._settings = replace(whole, trigger_v=whole.top_v - _AT_THE_TOP * bench.config.rail.nominal_v)
        self._pause_s = _PAUSE * bench.config.rail.restore_min_s
        self._stop: Flag = bench.clock.flag()
        self.armed: Flag = bench.clock.flag()
        self.ended: Flag = bench.clock.flag()
        self.levels: list[Level] = []
        self.error: RigError | None = None
        self._activity: Activity = bench.clock.spawn("oscilloscope", self._run)

    def poke(self) -> None:
        """It looks anyway."""

    def give_up(self) -> None:
        self._stop.set()

    def join(self) -> None:
        self._activity.join()

    def full_at_ns(self) -> int:
        """There is no window to wait for."""
        return self._clock.now()

    def _run(self) -> None:
        try:
            with self._clock.shielded():
                self._scope.configure(self._settings)
                self._look()
                self._scope.make_safe()
        except RigError as error:
            self.error = error
        finally:
            self.armed.set()
            self.ended.set()

    def _look(self) -> None:
        known = self._clock.now()
        while not self._stop.is_set():
            level = self._scope.level()
            if level is not None:
                known = self._clock.now()
                self.levels.append(level)
                self._told(level)
                self.armed.set()
            elif self._clock.now() - known >= to_ns(_UNKNOWN_S):
                raise LinkError(f"{self._scope.name}: no level that is new for {_UNKNOWN_S:g} s: does it stand still?")
            self._clock.wait(self._stop, self._pause_s)


def proven(level: Level, view: ScopeView) -> State | None:
    """What a level proves with the model's worst case and the noise of the rail."""

    def error_v(reading: float) -> float:
        return level.gain_error * abs(reading) + level.offset_error_v + view.noise_v

    if level.low_v - error_v(level.low_v) >= view.up_above_v:
        return "up"
    return "down" if level.high_v + error_v(level.high_v) <= view.down_below_v else None


def polled(name: str, levels: list[Level], view: ScopeView) -> Source:
    """The levels as a source of the common line."""
    looks = (Instant(level.from_ns, level.to_ns, proven(level, view)) for level in levels)
    return source_of_instants(name, view.node, looks, view.settings)


def job_for(
    bench: Bench, window_s: float, pre_s: float, depth: int, told: Callable[[Level], None]
) -> CaptureJob | PollJob:
    """One capture of this size, or levels, as the bench file says."""
    if bench.config.oscilloscope[0].mode == "poll":
        return PollJob(bench, told)
    settings = bench.capture_settings(window_s, pre_s, depth)
    return CaptureJob(bench.oscilloscope, bench.clock, settings, bench.recoveries)
