"""What the two alert models assume: every time, chance and reading, as a range or an open question, with its source.

Knows no history and computes nothing. 'About', 'prior to' and unknowns are ranges; a reading that nobody could settle
is `Answer.UNKNOWN`, and then both are explored. Source of the mechanisms: MP102A (draft Modification Report, 2020),
'Views of CSPs'; where nothing was found the source says 'assumption'.
"""

from __future__ import annotations

import math
from dataclasses import Field, dataclass, field, fields, replace
from enum import Enum
from functools import lru_cache
from typing import Any, TypeVar

from rig.errors import InputError, Where


class Answer(Enum):
    """A reading of the mechanism: settled one way, or not known (both are explored)."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"

    @property
    def may_be_yes(self) -> bool:
        return self is not Answer.NO

    @property
    def may_be_no(self) -> bool:
        return self is not Answer.YES


@dataclass(frozen=True)
class Range:
    """Any value in the closed interval [lo, hi]; not a distribution. `lo >= 0`; InputError where it is not ordered."""

    lo: float
    hi: float

    def __post_init__(self) -> None:
        if not 0 <= self.lo <= self.hi:
            raise InputError("not a range", Where(found=f"[{self.lo}, {self.hi}]", expected="0 <= lowest <= highest"))

    @staticmethod
    def exactly(value: float) -> Range:
        return Range(value, value)

    def __str__(self) -> str:
        return f"{self.lo:g}" if self.lo == self.hi else f"{self.lo:g} to {self.hi:g}"


@dataclass(frozen=True)
class Assumed:
    """One setting as the evidence prints it: key, value with unit, and where the value comes from."""

    key: str
    value: str
    source: str


_MP102A = "MP102A, views of CSPs"


_SECONDS = "s"
_CHANCE = "chance"


def _times(source: str) -> dict[str, str]:
    return {"unit": _SECONDS, "source": source}


def _chances(source: str) -> dict[str, str]:
    return {"unit": _CHANCE, "source": source}


def _readings(source: str) -> dict[str, str]:
    return {"unit": "", "source": source}


@dataclass(frozen=True)
class SouthCentralSettings:
    """CSP South & Central: the hub notifies, shuts down, reboots, notifies again; AD1 where the two are far apart."""

    notify_s: Range = field(
        default=Range(0.0, 20.0),
        metadata=_times(f"{_MP102A}: the hub notifies before it shuts down; when in its hold-up is not stated"),
    )
    holdup_s: Range = field(default=Range(20.0, 20.0), metadata=_times(f"{_MP102A}: alive about 20 s"))
    recharge_s: Range = field(
        default=Range(0.0, 0.0), metadata=_times("assumption: an empty hold-up is full again at once")
    )
    reboot_s: Range = field(default=Range(60.0, 60.0), metadata=_times(f"{_MP102A}: about 60 s"))
    wait_s: Range = field(
        default=Range(120.0, 120.0),
        metadata=_times(f"{_MP102A}: at a random moment in the next 2 min; assumption: uniform"),
    )
    gap_s: Range = field(default=Range(420.0, 420.0), metadata=_times(f"{_MP102A}: notifications 7 min or more apart"))
    booting_rides_on_holdup: Answer = field(
        default=Answer.UNKNOWN,
        metadata=_readings("assumption: whether a hub that boots rides through a short cut is not known"),
    )
    returns_on_holdup: Answer = field(
        default=Answer.UNKNOWN,
        metadata=_readings("assumption: whether the return notification goes out while on hold-up is not known"),
    )
    second_shutdown_rebases: Answer = field(
        default=Answer.NO,
        metadata=_readings("assumption: the gap runs from the first shutdown notification; not stated in MP102A"),
    )

    def __post_init__(self) -> None:
        _check(self, "south_central")

    def on_clock(self, rate_ppm: float) -> SouthCentralSettings:
        """The same times as a clock tells them that may be wrong by `rate_ppm`."""
        return _on_clock(self, rate_ppm)

    def rows(self) -> tuple[Assumed, ...]:
        """Every setting with its value and source."""
        return _rows(self, "south_central")


@dataclass(frozen=True)
class NorthSettings:
    """CSP North: a timer in the hub, and in some instances an early AD1 that is held until a PRA discards it."""

    timer_s: Range = field(
        default=Range(180.0, 180.0), metadata=_times(f"{_MP102A}: a loss persisting 3 min sends AD1")
    )
    held_from_s: Range = field(
        default=Range(30.0, 30.0),
        metadata=_times(f"{_MP102A}: in some instances a loss of 30 s sends AD1, which is held"),
    )
    hold_s: Range = field(
        default=Range(150.0, 150.0), metadata=_times(f"{_MP102A}: a PRA within 2½ min discards the held AD1")
    )
    held_share: Range = field(
        default=Range(0.0, 1.0),
        metadata=_chances(f"assumption: {_MP102A} says 'in some instances'; the share of hubs is not known"),
    )
    pra_lost: Range = field(default=Range(0.0, 0.1), metadata=_chances("assumption: no figure for lost PRAs was found"))
    pra_latency_s: Range = field(
        default=Range(0.0, 10.0),
        metadata=_times("assumption: from the return of power to the PRA's arrival; no figure was found"),
    )
    later_pra_discards: Answer = field(
        default=Answer.UNKNOWN,
        metadata=_readings("assumption: whether the PRA of a later cut discards an earlier held AD1 is not known"),
    )
    holdup_s: Range = field(
        default=Range(600.0, 600.0), metadata=_times(f"{_MP102A}: a supercapacitor keeps the hub alive about 10 min")
    )
    recharge_s: Range = field(
        default=Range(0.0, 0.0), metadata=_times("assumption: an empty supercapacitor is full again at once")
    )
    reboot_s: Range = field(
        default=Range(60.0, 60.0),
        metadata=_times("assumption: as in South & Central; only for a hub whose supercapacitor ran out"),
    )

    def __post_init__(self) -> None:
        _check(self, "north")

    def on_clock(self, rate_ppm: float) -> NorthSettings:
        """The same times as a clock tells them that may be wrong by `rate_ppm`."""
        return _on_clock(self, rate_ppm)

    def rows(self) -> tuple[Assumed, ...]:
        """Every setting with its value and source."""
        return _rows(self, "north")


_Settings = SouthCentralSettings | NorthSettings
_Region = TypeVar("_Region", SouthCentralSettings, NorthSettings)
_MAY_BE_ENDLESS = ("recharge_s",)


def _check(settings: _Settings, region: str) -> None:
    for item in fields(settings):
        value = getattr(settings, item.name)
        if not isinstance(value, Range):
            continue
        highest = 1.0 if item.metadata["unit"] == _CHANCE else math.inf
        endless = math.isinf(value.hi) and item.name not in _MAY_BE_ENDLESS
        if value.hi > highest or endless:
            expected = "at most 1" if highest == 1.0 else "finite seconds"
            raise InputError("out of range", Where(key=f"{region}.{item.name}", found=str(value), expected=expected))


def _on_clock(settings: _Region, rate_ppm: float) -> _Region:
    """As `RailSettings.widened` has it: what takes t lasts from t * (1 - rate) to t / (1 - rate) on the clock."""
    if rate_ppm == 0.0:
        return settings
    slow = 1.0 - rate_ppm / 1e6
    times: dict[str, Any] = {}
    for item in fields(settings):
        if item.metadata["unit"] == _SECONDS:
            value: Range = getattr(settings, item.name)
            times[item.name] = Range(value.lo * slow, value.hi / slow)
    return replace(settings, **times)


@lru_cache(maxsize=8)
def _rows(settings: _Settings, region: str) -> tuple[Assumed, ...]:
    return tuple(_row(item, getattr(settings, item.name), region) for item in fields(settings))


def _row(item: Field[Any], value: Range | Answer, region: str) -> Assumed:
    default: Any = item.default
    source = item.metadata["source"] if value == default else f"given; the default is {_text(default, item)}"
    return Assumed(f"alerts.{region}.{item.name}", _text(value, item), source)


def _text(value: Range | Answer, item: Field[Any]) -> str:
    if isinstance(value, Answer):
        return value.value
    return f"{value} s" if item.metadata["unit"] == _SECONDS else str(value)


SOUTH_CENTRAL = SouthCentralSettings()
NORTH = NorthSettings()
"""The defaults."""
