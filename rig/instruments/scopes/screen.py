"""The planner of every oscilloscope: the model's next larger steps that hold a capture, and its worst case. Pure.

A model is a `Screen` (divisions, steps, offsets, depths) and an `Accuracy` (its data sheet). Knows no commands.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from rig.errors import Refused, Where
from rig.instruments.ports import CaptureSettings

_ALMOST = 1 - 1e-9
_HEADROOM = 1.0
"""Divisions kept free of the wanted range, half at either end: more than gain and offset errors can shift a trace."""

_NOISE_CODES = 2
"""Codes for quantisation and noise: an assumption for all models."""


def steps(low: float, high: float, digits: tuple[int, ...] = (1, 2, 5)) -> tuple[float, ...]:
    """The steps 1-2-5 (or others) from `low` to `high`, ends included."""
    powers = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 1)
    every = (float(f"{digit}e{power}") for power in powers for digit in digits)
    return tuple(step for step in every if low * _ALMOST <= step <= high / _ALMOST)


@dataclass(frozen=True)
class Screen:
    """What a model can show and keep, for one channel shown. Volts are at the input, without a probe.

    `across` and `up` are divisions of a record and of full scale. `reach`: up to which volts a division, how far the
    centre of the screen may be moved from 0 V; ascending. `any_depth`: the depth is not set, the model takes what it
    can, at most the last of `depths`.
    """

    across: int
    up: int
    time_scales_s: tuple[float, ...]
    volt_scales: tuple[float, ...]
    reach: tuple[tuple[float, float], ...]
    depths: tuple[int, ...]
    fastest_rate: float
    any_depth: bool = False

    def reach_v(self, scale: float) -> float:
        """How far the centre may be from 0 V at `scale` volts a division."""
        return next(reach for limit, reach in self.reach if scale <= limit / _ALMOST)


@dataclass(frozen=True)
class Accuracy:
    """A model's worst case: fractions of full scale, divisions, volts at the input, a fraction of the offset; ppm."""

    gain_of_full_scale: float
    offset_div: float
    input_v: float
    offset_part: float
    time_base_ppm: float
    ageing_ppm: float

    def error_v(self, plan: Plan, probe_ratio: float, volts_per_code: float) -> float:
        """Everything but the probe's gain, as volts at its tip. Gain counts as its worst case at any reading."""
        gain_v = self.gain_of_full_scale * plan.up * plan.volt_scale
        offset_v = self.offset_div * plan.volt_scale + self.input_v * probe_ratio
        return gain_v + offset_v + self.offset_part * abs(plan.middle_v) + _NOISE_CODES * volts_per_code


@dataclass(frozen=True)
class Plan:
    """The model's own steps for a capture, volts at the probe's tip.

    `pre_s` is what lies before the trigger, `middle_v` the volts at the centre of the screen, `depth` the least number
    of points of the record, two of which are one bin with peak detect (`peak`).
    """

    across: int
    up: int
    time_scale_s: float
    pre_s: float
    depth: int
    volt_scale: float
    middle_v: float
    trigger_v: float
    peak: bool

    @property
    def window_s(self) -> float:
        return self.across * self.time_scale_s

    @property
    def delay_s(self) -> float:
        """From the trigger to the middle of the record."""
        return self.window_s / 2 - self.pre_s

    def rounded(self, pre_s: float, middle_v: float, trigger_v: float) -> Plan:
        """The same, as the instrument rounded what has no steps."""
        return replace(self, pre_s=pre_s, middle_v=middle_v, trigger_v=trigger_v)

    def settings(self) -> CaptureSettings:
        """What the capture will really be; its range is that of the screen."""
        half = self.up / 2 * self.volt_scale
        return CaptureSettings(
            window_s=self.window_s,
            pre_s=self.pre_s,
            depth=self.depth,
            top_v=self.middle_v + half,
            bottom_v=self.middle_v - half,
            trigger_v=self.trigger_v,
            peak=self.peak,
        )


def plan(name: str, settings: CaptureSettings, probe_ratio: float, screen: Screen) -> Plan:
    """The next larger steps that hold what is wanted. Raises `Refused` when the model cannot."""
    s = settings
    if not all(math.isfinite(v) for v in (s.window_s, s.pre_s, s.top_v, s.bottom_v, s.trigger_v)) or s.window_s <= 0:
        raise Refused(f"{name}: a capture needs finite numbers and a window", Where(found=str(s)))
    time_scale = _first(name, "window_s", screen.time_scales_s, s.window_s, s.window_s / screen.across * _ALMOST)
    depth = int(_first(name, "depth", screen.depths, s.depth, s.depth))
    if screen.any_depth:
        depth = s.depth
    window_s = screen.across * time_scale
    if depth / window_s > screen.fastest_rate / _ALMOST:
        limit = f"at most {screen.fastest_rate:g} Sa/s"
        raise Refused(
            f"{name}: too fast for the model", Where(key="depth", found=f"{depth} in {window_s:g} s", expected=limit)
        )
    if not 0 <= s.pre_s < s.window_s:
        raise Refused(f"{name}: the pre-trigger must lie inside the window", Where(key="pre_s", found=f"{s.pre_s:g}"))
    if not s.bottom_v < s.trigger_v < s.top_v:
        where = Where(key="trigger_v", found=f"{s.trigger_v:g}", expected=f"between {s.bottom_v:g} and {s.top_v:g}")
        raise Refused(f"{name}: the trigger level must lie inside the range", where)
    middle = (s.top_v + s.bottom_v) / 2
    least = (s.top_v - s.bottom_v) / (screen.up - _HEADROOM) * _ALMOST
    scales = tuple(v * probe_ratio for v in screen.volt_scales if abs(middle) <= screen.reach_v(v) * probe_ratio)
    volt_scale = _first(name, "top_v", scales, s.top_v, least)
    return Plan(screen.across, screen.up, time_scale, s.pre_s, depth, volt_scale, middle, s.trigger_v, s.peak)


def _first(name: str, key: str, some: tuple[float, ...], asked: float, least: float) -> float:
    for step in some:
        if step >= least:
            return step
    limit = f"at most {some[-1]:g}" if some else None
    raise Refused(f"{name}: more than the model can", Where(key=key, found=f"{asked:g}", expected=limit))
