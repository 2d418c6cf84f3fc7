"""One deep capture at a time, in an activity of its own: arm, wait until it really waits, follow it, read it.

All talk with the oscilloscope happens in this activity, so that a slow or dead instrument holds up nothing else. The
trigger's instant is bracketed by the polls around it: [last query that said waiting was sent, first answer that said
triggered was received]. What the instrument says of its own time stays on its own time line.
"""

from __future__ import annotations

from dataclasses import dataclass

from rig.bench.config import BenchConfig
from rig.bench.recovering import Recoveries
from rig.clock import Activity, Clock, Flag, to_ns
from rig.errors import LinkError, RigError
from rig.instruments.ports import Capture, CaptureSettings, Oscilloscope, ScopeState
from rig.procedures.watch import PAIR_S
from rig.rail import RailSettings, Source
from rig.rail.place import Offset, place_beside
from rig.rail.samples import Bins, Grid, Scale, code_limits, source_of

ARMED_POLL_S = 1.0
FOLLOW_POLL_S = 5.0
AWAY_S, AGAIN_S = 30.0, 2.0
"""An oscilloscope that is away is asked again so often, for so long: then it is lost."""
_ACROSS = 12
"""A short window is polled once in a twelfth of it (a division of most screens)."""
FILL_LIMIT = 3.0
"""Arming may take this many times the pre-trigger's length before it counts as an error."""


@dataclass(frozen=True)
class Taken:
    """A finished capture, and the bracket of its trigger on the common line (ns)."""

    capture: Capture
    triggered_from_ns: int
    triggered_to_ns: int


class CaptureJob:
    """Started by `start`; `armed` is set when it waits for its trigger, `ended` when all is over."""

    def __init__(self, scope: Oscilloscope, clock: Clock, settings: CaptureSettings, recoveries: Recoveries) -> None:
        self._scope = scope
        self._recoveries = recoveries
        self._clock = clock
        self._settings = settings
        self._poke: Flag = clock.flag()
        self._stop: Flag = clock.flag()
        self.armed: Flag = clock.flag()
        self.ended: Flag = clock.flag()
        self.triggered = False
        self._seen_ns = 0
        self.taken: Taken | None = None
        self.error: RigError | None = None
        self._activity: Activity = clock.spawn("oscilloscope", self._run)

    @property
    def window_s(self) -> float:
        return self._settings.window_s

    @property
    def patience_s(self) -> float:
        """How long its end is waited for: the window may only begin, and the oscilloscope be away for a while."""
        return 2 * self._settings.window_s + AWAY_S

    def full_at_ns(self) -> int:
        """When the window of a capture that was triggered is full."""
        return self._seen_ns + round(1e9 * (self._settings.window_s - self._settings.pre_s))

    def poke(self) -> None:
        """Something happened on the rail: ask for the trigger's state now, so that its bracket is narrow."""
        self._poke.set()

    def give_up(self) -> None:
        """Stop waiting for a trigger that need not come any more."""
        self._stop.set()
        self._poke.set()

    def join(self) -> None:
        self._activity.join()

    def _run(self) -> None:
        try:
            with self._clock.shielded():
                self._settings = self._scope.configure(self._settings)
                self._arm()
                self._follow()
        except RigError as error:
            self.error = error
        finally:
            self.armed.set()
            self.ended.set()

    def _arm(self) -> None:
        self._scope.arm()
        deadline = self._clock.now() + round(1e9 * (FILL_LIMIT * self._settings.pre_s + 10))
        while (state := self._scope.state()) is ScopeState.FILLING:
            if self._stop.is_set():
                return
            if self._clock.now() > deadline:
                raise LinkError(f"{self._scope.name}: armed, but it never came to wait for its trigger")
            self._clock.wait(self._stop, min(0.5, self._settings.pre_s / 4))
        if state is not ScopeState.WAITING:
            raise LinkError(f"{self._scope.name}: armed, but it says '{state.value}' before anything happened")
        self.armed.set()

    def _follow(self) -> None:
        waiting_ns, poll_s = self._clock.now(), min(ARMED_POLL_S, self._settings.window_s / _ACROSS)
        while not self._stop.is_set():
            if self._clock.wait(self._poke, poll_s):
                self._poke = self._clock.flag()
            sent = self._clock.now()
            state = self._state()
            if state is ScopeState.WAITING:
                waiting_ns = sent
                continue
            self.triggered = True
            self._seen_ns = self._clock.now()
            self._finish(state, waiting_ns)
            return
        self._scope.make_safe()

    def _state(self) -> ScopeState:
        """Where it stands. It may be away for a while: its acquisition goes on without us, and it is its own witness.

        Meanwhile nothing is claimed: the trigger's bracket reaches over the gap, and the record is checked against what
        was set when it is read. Another instrument that answers is refused.
        """
        began, why = self._clock.now(), ""
        while True:
            try:
                state = self._scope.state()
            except LinkError as error:
                why = why or error.one_line()
                if self._stop.is_set() or self._clock.now() - began >= to_ns(AWAY_S):
                    raise
                self._clock.wait(self._stop, AGAIN_S)
            else:
                if why:
                    self._recoveries.add(self._scope.name, why)
                return state

    def _finish(self, state: ScopeState, waiting_ns: int) -> None:
        poll_s = min(FOLLOW_POLL_S, self._settings.window_s / _ACROSS)
        while state is not ScopeState.STOPPED:
            left_s = (self.full_at_ns() - self._clock.now()) / 1e9
            if self._clock.wait(self._stop, min(FOLLOW_POLL_S, max(poll_s, left_s))):
                self._scope.make_safe()
                return
            state = self._state()
        self.taken = Taken(self._scope.read(), waiting_ns, self._seen_ns)


@dataclass(frozen=True)
class ScopeView:
    """How a bench reads its captures: the judged node, the thresholds and the noise on the rail."""

    node: str
    down_below_v: float
    up_above_v: float
    noise_v: float
    clock_rate_ppm: float
    settings: RailSettings

    @staticmethod
    def of(config: BenchConfig) -> ScopeView:
        """As the bench file says."""
        rail, ppm = config.rail, config.limits.clock_rate_ppm
        settings = RailSettings(to_ns(rail.ride_through_s), to_ns(rail.restore_min_s), ppm, to_ns(PAIR_S))
        return ScopeView(rail.node, rail.down_below_v, rail.up_above_v, rail.noise_v, ppm, settings)

    def scale(self, capture: Capture) -> Scale:
        return Scale(
            capture.volts_per_code,
            capture.zero_code,
            capture.low_code,
            capture.high_code,
            capture.gain_error,
            capture.offset_error_v,
            self.noise_v,
        )

    def alone(self, name: str, taken: Taken) -> Source:
        """The capture as a source on its own time line (0 = its trigger)."""
        capture = taken.capture
        limits = code_limits(self.scale(capture), self.down_below_v, self.up_above_v)
        record = capture.codes if capture.highs is None else Bins(*capture.extremes)
        return source_of(name, self.node, record, Grid(capture.first_s, capture.dt_s), limits, self.settings)

    def placed(self, alone: Source, taken: Taken, reference: Source) -> Source:
        """The capture, read as `alone`, on the common line; polls bracket its offset, and `reference` narrows it.

        Where nothing is left of the bracket, the two contradict each other: the capture then proves nothing, and the
        merge names the contradiction.
        """
        error = round(taken.capture.trigger_error_s * 1e9)
        rate = taken.capture.time_base_ppm + self.clock_rate_ppm
        offset = Offset(taken.triggered_from_ns - error, taken.triggered_to_ns + error, rate)
        return place_beside(alone, offset, reference)
