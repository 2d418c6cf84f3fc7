"""The life of an oscilloscope of any family: one deep single capture, armed on the first fall; or levels, polled.

A family (one file each beside this one) says its words, its screen and its accuracy. What is the same everywhere is
here: what is refused before a byte leaves, that only a capture which was armed and came to its own end is read, that
nobody changed it meanwhile, and when a polled level is new.

**What a capture proves.** Every sample: DC-coupled volts at one node, within the model's worst case. While it is armed
and waits: only that the node did not fall through the trigger level, once the trigger was seen to work.

**What peak detect proves** (`peak`). It looks at the node all the time, as fast as it can, and keeps the least and the
greatest of each bin: so every bin proves what *all* of it is, however few there are, and nothing hides between two. A
bin that holds both volts is neither up nor down. Only the families say it can whose guides tell what the record looks
like then; one bin, at its beginning or its end, is the doubt about where it lies.

**What a polled level proves.** The node's least and greatest volts in one short acquisition that this poll started: it
was stopped, was then seen *waiting* for its trigger, and was seen *stopped* only after it had been forced. An
instrument that stands still, whatever it shows, cannot say both. Anything else is no level (None).

**When it is blind.** From arming until the pre-trigger is full (keep it short), while stopped, while read out, and
between two samples. One oscilloscope captures or polls, never both.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from rig.clock.base import NS, Clock, to_ns
from rig.errors import AnotherInstrument, LinkError, Refused, Where
from rig.instruments.ports import Capture, CaptureSettings, Codes, Identity, Level, ScopeState
from rig.instruments.scopes.record import Shape, bins_of, falls_at_zero
from rig.instruments.scopes.screen import Accuracy, Plan, Screen, plan
from rig.instruments.scopes.steps import Complaints, Setter
from rig.instruments.scpi import PLAIN, Frame, ScpiLink, parse_identity

_SETTLE_S = 2.0
_POLL_S, LOOKS = 0.05, 400
"""Between two looks at a state that must come, and how many looks at most."""

_FILL_LIMIT = 3.0
"""A short acquisition may take this many times its window, and what settling takes, before it is given up."""

_NOT_SHORTER = 1 - 1e-3
"""Both clocks may differ by less than this: a capture that ended sooner was cut short."""

_DEFAULT_TIMEOUT_S = 10.0
_SLOWEST_BYTES = 200_000.0
"""Bytes a second that every model sends at least, over any link: an assumption, for time-outs only."""


_ORDER = (ScopeState.FILLING, ScopeState.WAITING, ScopeState.TRIGGERED, ScopeState.STOPPED)
"""A single acquisition goes through these in order, and never back."""


class DeepScope(ABC):
    """One channel of an oscilloscope. A family fills in what is abstract.

    `probe_ratio` is the probe's attenuation, `probe_error` its worst-case gain error as a fraction (its data sheet; the
    default is usual for passive probes and an assumption), `age_years` what the time base has aged since calibration.
    """

    _FAMILY: str
    """The models that the driver takes, in words."""
    _COMPLAINTS: Complaints | None
    _PEAK_FROM_S: float | None = None
    """From how many seconds a division its peak detect acts; its record then has the least and the greatest of each bin
    in turn. None: no guide was found that says what the record looks like."""

    def __init__(
        self,
        name: str,
        link: ScpiLink,
        channel: int,
        probe_ratio: float,
        clock: Clock,
        probe_error: float = 0.02,
        age_years: float = 10.0,
    ) -> None:
        self._name = name
        self._link = link
        self._channel = channel
        self._probe_ratio = probe_ratio
        self._clock = clock
        self._probe_error = probe_error
        self._age_years = age_years
        self._set = Setter(link, self._COMPLAINTS)
        self._who: Identity | None = None
        self._plan: Plan | None = None
        self._armed = False
        self._kept: dict[str, str] = {}
        self._furthest = ScopeState.FILLING
        self._untriggered_ns = 0
        self._acquiring = False

    @property
    def name(self) -> str:
        return self._name

    # -- what a family says of itself ---------------------------------------------------------------------------------

    @abstractmethod
    def _model(self, who: Identity) -> tuple[Screen, Accuracy] | None:
        """What this model can, and how wrong it is; None: it is none of the family."""

    @abstractmethod
    def _set_up(self, wanted: Plan) -> Plan:
        """Set everything and read it back. Returns the plan as the instrument rounded it."""

    @abstractmethod
    def _look(self) -> ScopeState | None:
        """Ask where the acquisition stands; None: it runs freely. `LinkError` for what is no state."""

    @abstractmethod
    def _start(self) -> None:
        """Start a single acquisition."""

    @abstractmethod
    def _halt(self) -> None:
        """Stop acquiring."""

    @abstractmethod
    def _force(self) -> None:
        """Trigger now."""

    def _was_triggered(self) -> bool:
        """Whether the acquisition that is over had a trigger: where nothing else tells it, it was seen to acquire."""
        return self._acquiring

    @abstractmethod
    def _choose(self) -> None:
        """Say which record is read, and how: before `_meaning` is asked."""

    @abstractmethod
    def _meaning(self) -> str:
        """What the instrument says of its record, word by word: asked before and after the record is read."""

    @abstractmethod
    def _shape(self, plan: Plan, meaning: str) -> Shape:
        """`meaning` understood. `LinkError` where it is not what was set."""

    @abstractmethod
    def _fetch(self, codes: Codes) -> None:
        """The record's points into `codes`, shape (points,)."""

    # -- the port -----------------------------------------------------------------------------------------------------

    def identify(self) -> Identity:
        """Who answers; `LinkError` unless it is of the family."""
        reply = self._link.query("*IDN?")
        who = parse_identity(self._name, reply)
        if self._model(who) is None:
            where = Where(found=reply, expected=self._FAMILY)
            raise AnotherInstrument(f"{self._name}: this is another instrument", where)
        self._who = who
        return who

    def plan(self, settings: CaptureSettings) -> CaptureSettings:
        """See `Oscilloscope.plan`."""
        return self._wanted(settings).settings()

    def configure(self, settings: CaptureSettings) -> CaptureSettings:
        """See `Oscilloscope.configure`. Window and depth are never smaller than asked; afterwards it is stopped.

        In the result, `top_v` and `bottom_v` are the edges of the screen.
        """
        wanted = self._wanted(settings)
        self._armed = False
        self._plan = None
        self._set.asked.clear()
        real = self._set_up(wanted)
        self._stop()
        self._kept = {question: self._link.query(question) for question in self._set.asked}
        self._plan = real
        return real.settings()

    def arm(self) -> None:
        """See `Oscilloscope.arm`. `LinkError` when it does not leave STOPPED."""
        if self._plan is None:
            raise Refused(f"{self._name}: configure it before arming")
        self._armed = False
        self._furthest = ScopeState.FILLING
        self._untriggered_ns = self._clock.now()
        self._acquiring = False
        self._start()
        self._await((ScopeState.FILLING, ScopeState.WAITING, ScopeState.TRIGGERED), "did not arm", _SETTLE_S)
        self._armed = True

    def state(self) -> ScopeState:
        """Where the acquisition stands. `LinkError` for one that runs freely, or that somebody else started again."""
        asked = self._clock.now()
        state = self._look()
        if state is None:
            raise LinkError(f"{self._name}: not in a single acquisition", Where(found="free running"))
        if state in (ScopeState.FILLING, ScopeState.WAITING):
            self._untriggered_ns = asked
        if self._armed and _ORDER.index(state) < _ORDER.index(self._furthest):
            where = Where(found=state.value, expected=f"at least {self._furthest.value}")
            raise LinkError(f"{self._name}: somebody else has started it again", where)
        self._furthest = state
        self._acquiring |= state is ScopeState.TRIGGERED
        return state

    def read(self) -> Capture:
        """See `Oscilloscope.read`. `Refused` unless an armed capture came to its own end.

        Raises `LinkError` when the instrument was never triggered, or says anything of the record that its settings do
        not: then somebody has turned a knob, and codes have lost their meaning.
        """
        settings = self._plan
        if settings is None or not self._armed or self.state() is not ScopeState.STOPPED:
            raise Refused(f"{self._name}: there is no finished capture to read")
        if not self._was_triggered():
            raise LinkError(f"{self._name}: it stopped without a trigger")
        after_s, lasted_s = settings.window_s - settings.pre_s, (self._clock.now() - self._untriggered_ns) / NS
        if lasted_s < after_s * _NOT_SHORTER:
            where = Where(found=f"{lasted_s:g} s after it waited", expected=f"{after_s:g} s")
            raise LinkError(f"{self._name}: somebody else has stopped it before its window was over", where)
        return self._record(settings)

    def level(self) -> Level | None:
        """See `Oscilloscope.level`. Only after `configure`, and never while a capture is armed or still to be read."""
        settings = self._plan
        if settings is None or self._armed or settings.peak:
            raise Refused(f"{self._name}: it captures or it polls, never both")
        if self._look() is not ScopeState.STOPPED:
            self._stop()
        sent = self._clock.now()
        limit_s = _FILL_LIMIT * settings.window_s + _SETTLE_S
        self._start()
        waited = self._comes((ScopeState.WAITING,), limit_s)
        if waited:
            self._force()
        if not waited or not self._comes((ScopeState.STOPPED,), limit_s):
            self._stop()
            return None
        received = self._clock.now()
        capture = self._record(settings)
        codes = capture.codes
        if int(codes.min()) <= capture.low_code or int(codes.max()) >= capture.high_code:
            return None
        return Level(
            from_ns=sent - to_ns(settings.window_s),
            to_ns=received,
            low_v=(float(codes.min()) - capture.zero_code) * capture.volts_per_code,
            high_v=(float(codes.max()) - capture.zero_code) * capture.volts_per_code,
            gain_error=capture.gain_error,
            offset_error_v=capture.offset_error_v,
            evidence="waiting after it was armed, stopped after it was forced",
        )

    def make_safe(self) -> None:
        """See `Oscilloscope.make_safe`. A capture that this cuts short cannot be read."""
        self._stop()

    def close(self) -> None:
        self._link.close()

    # -- how ----------------------------------------------------------------------------------------------------------

    def _known(self) -> tuple[Screen, Accuracy]:
        who = self._who if self._who is not None else self.identify()
        known = self._model(who)
        assert known is not None  # noqa: S101 - identify has proven it
        return known

    def _wanted(self, settings: CaptureSettings) -> Plan:
        """The model's own steps for it, or `Refused`."""
        found, least_s = plan(self._name, settings, self._probe_ratio, self._known()[0]), self._PEAK_FROM_S
        if settings.peak and least_s is None:
            raise Refused(f"{self._name}: peak detect: no guide was found that says what its record looks like then")
        if settings.peak and least_s is not None and found.time_scale_s < least_s:
            where = Where(
                key="window_s", found=f"{found.window_s:g} s", expected=f"{least_s * found.across:g} s or more"
            )
            raise Refused(f"{self._name}: peak detect does not act in so short a window", where)
        return found

    def _stop(self) -> None:
        if self._look() is not ScopeState.STOPPED:
            self._armed = False
        self._halt()
        self._await((ScopeState.STOPPED,), "does not stop", _SETTLE_S)

    def _comes(self, wanted: tuple[ScopeState, ...], within_s: float) -> bool:
        """Whether one of these states comes. They follow a command with a delay."""
        deadline = self._clock.now() + to_ns(within_s)
        while self._look() not in wanted:
            if self._clock.now() >= deadline:
                return False
            self._clock.sleep(max(_POLL_S, within_s / LOOKS))
        return True

    def _await(self, wanted: tuple[ScopeState, ...], complaint: str, within_s: float) -> None:
        if not self._comes(wanted, within_s):
            expected = " or ".join(state.value for state in wanted)
            raise LinkError(f"{self._name}: it {complaint}", Where(found="another state", expected=expected))

    def _record(self, settings: Plan) -> Capture:
        self._choose()
        before = self._meaning()
        shape = self._shape(settings, before)
        self._check(settings, shape, before)
        codes: Codes = np.empty(shape.points, np.int16) if shape.wide else np.empty(shape.points, np.uint8)
        self._fetch(codes)
        if self._meaning() != before or self.state() is not ScopeState.STOPPED:
            raise LinkError(f"{self._name}: it was changed while its record was read")
        self._check_settings()
        capture = self._capture(settings, shape, codes)
        if settings.peak:
            capture = bins_of(self._name, capture)
        if shape.zero_unsure and not falls_at_zero(capture, settings):
            return replace(capture, trigger_error_s=settings.window_s)
        return capture

    def _check_settings(self) -> None:
        """No knob was turned since the set-up: not every one would show in what a record says of itself."""
        for question, was in self._kept.items():
            found = self._link.query(question)
            if found != was:
                where = Where(key=question, found=repr(found), expected=repr(was))
                raise LinkError(f"{self._name}: a setting is not what it was: somebody turned a knob", where)

    def _check(self, settings: Plan, shape: Shape, meaning: str) -> None:
        """The record is what was set: length, interval, start, scale and centre."""
        middle_v = (self._middle_code(shape) - shape.zero_code) * shape.volts_per_code
        spacing = settings.window_s / settings.depth
        codes = (shape.high_code - shape.low_code + 1) * shape.volts_per_code / settings.volt_scale
        agrees = {
            "number of points": shape.points >= settings.depth and not (settings.peak and shape.points % 2),
            "time between points": 0 < shape.dt_s <= spacing * (1 + 1e-3),
            "length": shape.points * shape.dt_s >= settings.window_s * (1 - 1e-3),
            "start": abs(shape.first_s + settings.pre_s) <= settings.time_scale_s / 50 + 2 * shape.dt_s,
            "volts a code": 0.99 * settings.up <= codes <= 1.5 * settings.up,
            "vertical offset": abs(middle_v - settings.middle_v) <= settings.volt_scale,
        }
        for what, good in agrees.items():
            if not good:
                raise LinkError(f"{self._name}: the record's {what} is not what was set", Where(found=meaning))

    def _middle_code(self, shape: Shape) -> float:
        """The code of the centre of the screen: the middle of all codes, where a family says nothing else."""
        return (shape.low_code + shape.high_code) / 2

    def _capture(self, settings: Plan, shape: Shape, codes: Codes) -> Capture:
        _, accuracy = self._known()
        return Capture(
            codes=codes,
            dt_s=shape.dt_s,
            first_s=shape.first_s,
            volts_per_code=shape.volts_per_code,
            zero_code=shape.zero_code,
            low_code=shape.low_code,
            high_code=shape.high_code,
            gain_error=self._probe_error,
            offset_error_v=accuracy.error_v(settings, self._probe_ratio, shape.volts_per_code),
            time_base_ppm=accuracy.time_base_ppm + accuracy.ageing_ppm * self._age_years,
            trigger_error_s=shape.dt_s + 1e-6 * abs(shape.first_s),
        )

    def _block(self, command: str, size: int, frame: Frame = PLAIN) -> npt.NDArray[np.uint8]:
        """A block of so many bytes, or `LinkError`."""
        data = self._link.query_block(command, _DEFAULT_TIMEOUT_S + size / _SLOWEST_BYTES, frame)
        if len(data) != size:
            where = Where(found=f"{len(data)} bytes", expected=f"{size} bytes")
            raise LinkError(f"{self._name}: wrong number of points", where)
        return data
