"""Rigol DS1000Z oscilloscopes as an `Oscilloscope`: one deep single capture, armed on the first fall.

**What it proves.** Every sample of a finished capture: DC-coupled volts at one node, within the worst case below. While
it is armed and waits: only that the node did not fall through the trigger level, once the trigger was seen to work.

**When it is blind.** From arming until the pre-trigger is full (`pre_s`: keep it short, the trigger is near the left
edge); while stopped; while read out; and between two samples. It carries no time tags: where its record lies on the
rig's own time must be found from something that both saw.

**Model facts** (MSO1000Z/DS1000Z Programming Guide): 12 divisions across; sample rate = memory depth / (12 x time base)
(`:ACQuire:SRATe?`, page 2-7); depths for one shown channel as below, 24 Mpts an option; time base in steps 1-2-5 up to
50 s/div; 8 divisions up; RAW is read while stopped, 250,000 points at most a read; preamble, page 2-226: volts =
(code - yorigin - yreference) * yincrement. The memory depth is set while it runs.

**Accuracy** (DS1000Z User's Guide and DS1000Z-E data, vertical system): DC gain +-3 % of full scale (8 divisions) from
10 mV/div, and DC offset +-(0.1 div + 2 mV + 1 % of the offset), the 2 mV at the input; DS1000Z-E Performance
Verification Guide: time base +-(25 ppm + 5 ppm a year). Two codes for quantisation and noise are this driver's
assumption.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import numpy as np

from rig.clock.base import Clock
from rig.errors import LinkError, Refused, Where
from rig.instruments.ports import Capture, CaptureSettings, Identity, ScopeState
from rig.instruments.scpi import ScpiLink, check_error, command, parse_identity, parse_number, set_number, set_word

_ACROSS = 12
_UP = 8
_DEPTHS = (12_000, 120_000, 1_200_000, 12_000_000, 24_000_000)
_LONGEST_READ = 250_000
_FASTEST_RATE = 1e9
_TIME_SCALES = tuple(float(f"{d}e{p}") for p in range(-6, 2) for d in (1, 2, 5))
_VOLT_SCALES = tuple(v for p in range(-2, 2) for d in (1, 2, 5) if (v := float(f"{d}e{p}")) <= 10.0)
_PIXELS = 50
"""Pixels a division: levels and offsets are set in steps of one, so a read-back may differ by one."""

_HEADROOM = 1.0
"""Divisions kept free of the wanted range, half at either end: more than gain and offset errors can shift a trace."""

_SETTLE_S = 2.0
_POLL_S = 0.05
_MODEL = re.compile(r"(DS|MSO)1\d\d4Z(-S)?( Plus)?", re.IGNORECASE)
_STATES = {
    "RUN": ScopeState.FILLING,
    "WAIT": ScopeState.WAITING,
    "TD": ScopeState.TRIGGERED,
    "STOP": ScopeState.STOPPED,
}


@dataclass(frozen=True)
class Plan:
    """The model's own steps for a capture: seconds a division, points, volts a division, and both offsets."""

    time_scale_s: float
    time_offset_s: float
    depth: int
    volt_scale: float
    volt_offset: float

    @property
    def window_s(self) -> float:
        return _ACROSS * self.time_scale_s


def plan(name: str, settings: CaptureSettings, probe_ratio: float) -> Plan:
    """The next larger steps that hold what is wanted. Pure. Raises `Refused` when the model cannot."""
    s = settings
    if not all(math.isfinite(v) for v in (s.window_s, s.pre_s, s.top_v, s.bottom_v, s.trigger_v)) or s.window_s <= 0:
        raise Refused(f"{name}: a capture needs finite numbers and a window", Where(found=str(s)))
    time_scale = _first(name, "window_s", _TIME_SCALES, s.window_s, s.window_s / _ACROSS * (1 - 1e-9))
    depth = int(_first(name, "depth", _DEPTHS, s.depth, s.depth))
    window_s = _ACROSS * time_scale
    if depth / window_s > _FASTEST_RATE * (1 + 1e-9):
        raise Refused(f"{name}: {depth} points in {window_s:g} s is faster than 1 GSa/s", Where(key="depth"))
    if not 0 <= s.pre_s < s.window_s:
        raise Refused(f"{name}: the pre-trigger must lie inside the window", Where(key="pre_s", found=f"{s.pre_s:g}"))
    if not s.bottom_v < s.trigger_v < s.top_v:
        where = Where(key="trigger_v", found=f"{s.trigger_v:g}", expected=f"between {s.bottom_v:g} and {s.top_v:g}")
        raise Refused(f"{name}: the trigger level must lie inside the range", where)
    offset = -(s.top_v + s.bottom_v) / 2
    least = (s.top_v - s.bottom_v) / (_UP - _HEADROOM) * (1 - 1e-9)
    scales = tuple(v * probe_ratio for v in _VOLT_SCALES if abs(offset) <= _offset_reach(v) * probe_ratio)
    volt_scale = _first(name, "top_v", scales, s.top_v, least)
    return Plan(time_scale, window_s / 2 - s.pre_s, depth, volt_scale, offset)


def _offset_reach(scale: float) -> float:
    """Volts at the input (`:CHANnel<n>:OFFSet`): 100 V from 500 mV/div, 2 V below."""
    return 100.0 if scale >= 0.5 else 2.0


def _first(name: str, key: str, steps: tuple[float, ...], asked: float, least: float) -> float:
    for step in steps:
        if step >= least:
            return step
    raise Refused(f"{name}: more than the model can", Where(key=key, found=f"{asked:g}"))


def is_ds1000z(who: Identity) -> bool:
    return "RIGOL" in who.maker.upper() and _MODEL.fullmatch(who.model) is not None


class RigolDS1000Z:
    """One channel (1 to 4) of a four-channel DS1000Z or MSO1000Z.

    `probe_ratio` is the probe's attenuation, `probe_error` its worst-case gain error as a fraction (its data sheet; the
    default is usual for passive probes and an assumption), `age_years` what the time base has aged since calibration.
    """

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
        self._chan = f":CHAN{channel}"
        self._probe_ratio = probe_ratio
        self._clock = clock
        self._probe_error = probe_error
        self._time_base_ppm = 25.0 + 5.0 * age_years
        self._plan: Plan | None = None
        self._armed = False

    @property
    def name(self) -> str:
        return self._name

    def identify(self) -> Identity:
        """Who answers; `LinkError` unless it is a four-channel DS1000Z or MSO1000Z."""
        reply = self._link.query("*IDN?")
        identity = parse_identity(self._name, reply)
        if not is_ds1000z(identity):
            expected = "a RIGOL DS1xx4Z or MSO1xx4Z"
            raise LinkError(f"{self._name}: this is another instrument", Where(found=reply, expected=expected))
        return identity

    def configure(self, settings: CaptureSettings) -> CaptureSettings:
        """See `Oscilloscope.configure`. Window and depth are never smaller than asked; afterwards it is stopped.

        In the result, `top_v` and `bottom_v` are the edges of the screen.
        """
        wanted = plan(self._name, settings, self._probe_ratio)
        self._armed = False
        self._plan = None
        command(self._link, ":RUN")
        self._set_words()
        self._set_number(f"{self._chan}:PROB", self._probe_ratio, 0.0)
        self._set_number(f"{self._chan}:SCAL", wanted.volt_scale, 0.0)
        volt_offset = self._set_number(f"{self._chan}:OFFS", wanted.volt_offset, wanted.volt_scale / _PIXELS)
        self._set_number(":TIM:MAIN:SCAL", wanted.time_scale_s, 0.0)
        time_offset = self._set_number(":TIM:MAIN:OFFS", wanted.time_offset_s, wanted.time_scale_s / _PIXELS)
        self._set_number(":ACQ:MDEP", wanted.depth, 0.0)
        level = self._set_number(":TRIG:EDG:LEV", settings.trigger_v, wanted.volt_scale / _PIXELS)
        self._stop()
        self._plan = Plan(wanted.time_scale_s, time_offset, wanted.depth, wanted.volt_scale, volt_offset)
        half = _UP / 2 * wanted.volt_scale
        return CaptureSettings(
            window_s=wanted.window_s,
            pre_s=wanted.window_s / 2 - time_offset,
            depth=wanted.depth,
            top_v=half - volt_offset,
            bottom_v=-half - volt_offset,
            trigger_v=level,
        )

    def arm(self) -> None:
        """See `Oscilloscope.arm`. `LinkError` when it does not leave STOP."""
        if self._plan is None:
            raise Refused(f"{self._name}: configure it before arming")
        self._armed = False
        command(self._link, ":SING")
        self._await(("RUN", "WAIT", "TD"), "did not arm")
        self._armed = True

    def state(self) -> ScopeState:
        """Where the acquisition stands. Free running (AUTO) is no single acquisition: `LinkError`."""
        status = self._status()
        if status not in _STATES:
            raise LinkError(
                f"{self._name}: not in a single acquisition", Where(found=status, expected=", ".join(_STATES))
            )
        return _STATES[status]

    def read(self) -> Capture:
        """See `Oscilloscope.read`. `Refused` unless an armed capture came to its own end.

        Raises `LinkError` when the instrument was never triggered, or says anything of the record that its settings do
        not: then somebody has turned a knob, and codes have lost their meaning.
        """
        settings = self._plan
        if settings is None or not self._armed or self.state() is not ScopeState.STOPPED:
            raise Refused(f"{self._name}: there is no finished capture to read")
        if parse_number(self._name, ":TRIG:POS?", self._link.query(":TRIG:POS?")) < -1:
            raise LinkError(f"{self._name}: it stopped without a trigger")
        for header, value in ((":WAV:SOUR", f"CHAN{self._channel}"), (":WAV:MODE", "RAW"), (":WAV:FORM", "BYTE")):
            set_word(self._link, f"{header} {value}", f"{header}?", (value,))
        before = self._link.query(":WAV:PRE?")
        capture = self._capture(settings, before)
        for first in range(0, settings.depth, _LONGEST_READ):
            last = min(first + _LONGEST_READ, settings.depth)
            self._read_points(capture, first, last)
        if self._link.query(":WAV:PRE?") != before or self.state() is not ScopeState.STOPPED:
            raise LinkError(f"{self._name}: it was changed while its record was read")
        return capture

    def make_safe(self) -> None:
        """See `Oscilloscope.make_safe`. A capture that this cuts short cannot be read."""
        self._stop()

    def close(self) -> None:
        self._link.close()

    # -- setting up -----------------------------------------------------------------------------------------------

    def _set_words(self) -> None:
        """Everything that would give codes another meaning, or another channel the memory."""
        link, chan = self._link, self._chan
        for number in (1, 2, 3, 4):
            on = number == self._channel
            text, expected = ("ON", ("1", "ON")) if on else ("OFF", ("0", "OFF"))
            set_word(link, f":CHAN{number}:DISP {text}", f":CHAN{number}:DISP?", expected)
        for header, value, back in (
            (f"{chan}:COUP", "DC", ("DC",)),
            (f"{chan}:INV", "OFF", ("0", "OFF")),
            (f"{chan}:UNIT", "VOLT", ("VOLT",)),
            (f"{chan}:VERN", "OFF", ("0", "OFF")),
            (f"{chan}:BWL", "20M", ("20M",)),
            (":ACQ:TYPE", "NORM", ("NORM",)),
            (":TIM:MODE", "MAIN", ("MAIN",)),
            (":TIM:DEL:ENAB", "OFF", ("0", "OFF")),
            (":TRIG:MODE", "EDGE", ("EDGE",)),
            (":TRIG:EDG:SOUR", f"CHAN{self._channel}", (f"CHAN{self._channel}",)),
            (":TRIG:EDG:SLOP", "NEG", ("NEG",)),
            (":TRIG:COUP", "DC", ("DC",)),
        ):
            set_word(link, f"{header} {value}", f"{header}?", back)

    def _set_number(self, header: str, value: float, step: float) -> float:
        """Set and read back: to seven digits, or within one step of the screen where the model rounds to it."""
        text = str(value) if isinstance(value, int) else f"{value:.7g}"
        return set_number(self._link, f"{header} {text}", f"{header}?", value, step + 1e-6 * abs(value))

    # -- states ---------------------------------------------------------------------------------------------------

    def _status(self) -> str:
        return self._link.query(":TRIG:STAT?").upper()

    def _await(self, wanted: tuple[str, ...], complaint: str) -> None:
        """The status follows a command with a delay; wait for it, but not long."""
        for _ in range(round(_SETTLE_S / _POLL_S)):
            status = self._status()
            if status in wanted:
                return
            self._clock.sleep(_POLL_S)
        raise LinkError(f"{self._name}: it {complaint}", Where(found=status, expected=" or ".join(wanted)))

    def _stop(self) -> None:
        status, _ = self._link.exchange(":TRIG:STAT?", ":STOP", ":SYST:ERR?")
        if status.upper() != "STOP":
            self._armed = False
        self._await(("STOP",), "does not stop")

    # -- the record -----------------------------------------------------------------------------------------------

    def _capture(self, settings: Plan, preamble: str) -> Capture:
        """What the codes will mean, from the preamble, checked against what was set; the codes are still to come."""
        fields = [parse_number(self._name, ":WAV:PRE?", field) for field in preamble.split(",")]
        if len(fields) != 10:
            raise LinkError(f"{self._name}: wrong preamble", Where(found=preamble, expected="10 fields"))
        form, kind, _, count, dt_s, first_s, x_reference, per_code, y_origin, y_reference = fields
        exact_dt_s = settings.window_s / settings.depth
        zero = y_origin + y_reference
        middle_v = (127.5 - zero) * per_code
        agrees = {
            "format, type and count": (form, kind, count) == (0, 2, 1),
            "time between points": abs(dt_s - exact_dt_s) <= 1e-5 * exact_dt_s,
            "start": abs(first_s - x_reference * dt_s + settings.window_s / 2 - settings.time_offset_s)
            <= settings.time_scale_s / _PIXELS + dt_s,
            "volts a code": _UP <= 256 * per_code / settings.volt_scale <= 1.5 * _UP,
            "vertical offset": abs(middle_v + settings.volt_offset) <= settings.volt_scale,
        }
        for what, good in agrees.items():
            if not good:
                raise LinkError(f"{self._name}: the preamble's {what} is not what was set", Where(found=preamble))
        first_s -= x_reference * dt_s
        return Capture(
            codes=np.empty(settings.depth, dtype=np.uint8),
            dt_s=exact_dt_s,
            first_s=first_s,
            volts_per_code=per_code,
            zero_code=zero,
            low_code=0,
            high_code=255,
            gain_error=self._probe_error,
            offset_error_v=self._offset_error_v(settings, per_code),
            time_base_ppm=self._time_base_ppm,
            trigger_error_s=exact_dt_s + 1e-6 * abs(first_s),
        )

    def _offset_error_v(self, settings: Plan, per_code: float) -> float:
        """Everything but the probe's gain, as volts: see the module. Gain counts as its worst case at any reading."""
        gain_v = 0.03 * _UP * settings.volt_scale
        offset_v = 0.1 * settings.volt_scale + 0.002 * self._probe_ratio + 0.01 * abs(settings.volt_offset)
        return gain_v + offset_v + 2 * per_code

    def _read_points(self, capture: Capture, first: int, last: int) -> None:
        """Points [first, last) into the capture; the instrument counts from 1."""
        start, stop = f":WAV:STAR {first + 1}", f":WAV:STOP {last}"
        found = self._link.exchange(start, stop, ":WAV:STAR?", ":WAV:STOP?", ":SYST:ERR?")
        check_error(self._link, f"{start};{stop}", found[2])
        if found[:2] != (str(first + 1), str(last)):
            raise LinkError(f"{self._name}: {start!r} was not obeyed", Where(found=str(found[:2])))
        codes = self._link.query_block(":WAV:DATA?")
        if len(codes) != last - first:
            expected = f"{last - first} points from {first + 1}"
            raise LinkError(f"{self._name}: wrong number of points", Where(found=str(len(codes)), expected=expected))
        capture.codes[first:last] = codes
