"""What the two alert models assume: every time, chance and reading, as a range or an open question, with its source.

Knows no history and computes nothing. 'About', 'prior to' and unknowns are ranges; a reading that nobody could settle
is `Answer.UNKNOWN`, and then both are explored. Source of the mechanisms: MP102A (draft Modification Report, 2020),
'Views of CSPs'; where nothing was found the source says 'assumption'.
"""

from __future__ import annotations

import math
from dataclasses import Field, dataclass, field, fields
from enum import Enum
from typing import Any

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
            raise InputError(
                "not a range", Where(found=f"[{self.lo}, {self.hi}]", expected="0 <= lowest <= highest")
            )

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


def _time(lo: float, hi: float, source: str) -> Any:
    return field(default=Range(lo, hi), metadata={"unit": "s", "source": source})


def _chance(lo: float, hi: float, source: str) -> Any:
    return field(default=Range(lo, hi), metadata={"unit": "chance", "source": source})


def _reading(answer: Answer, source: str) -> Any:
    return field(default=answer, metadata={"unit": "", "source": source})


@dataclass(frozen=True)
class SouthCentralSettings:
    """CSP South & Central: the hub notifies, shuts down, reboots, and notifies again; AD1 when the two are far apart."""

    notify_s: Range = _time(
        0.0, 20.0, f"{_MP102A}: the hub notifies before it shuts down; when in its hold-up is not stated"
    )
    holdup_s: Range = _time(20.0, 20.0, f"{_MP102A}: alive about 20 s")
    recharge_s: Range = _time(0.0, 0.0, "assumption: an empty hold-up is full again at once")
    reboot_s: Range = _time(60.0, 60.0, f"{_MP102A}: about 60 s")
    wait_s: Range = _time(120.0, 120.0, f"{_MP102A}: at a random moment in the next 2 min, taken as uniform")
    gap_s: Range = _time(420.0, 420.0, f"{_MP102A}: notifications 7 min or more apart")
    booting_rides_on_holdup: Answer = _reading(
        Answer.UNKNOWN, "assumption: whether a hub that boots rides through a short cut is not known"
    )
    returns_on_holdup: Answer = _reading(
        Answer.UNKNOWN, "assumption: whether the return notification goes out while on hold-up is not known"
    )
    second_shutdown_rebases: Answer = _reading(
        Answer.NO, "assumption: the gap runs from the first shutdown notification; not stated in MP102A"
    )

    def __post_init__(self) -> None:
        _check(self, "south_central")

    def rows(self) -> tuple[Assumed, ...]:
        """Every setting with its value and source."""
        return _rows(self, "south_central")


@dataclass(frozen=True)
class NorthSettings:
    """CSP North: a timer in the hub, and in some instances an early AD1 that is held until a PRA discards it."""

    timer_s: Range = _time(180.0, 180.0, f"{_MP102A}: a loss persisting 3 min sends AD1")
    held_from_s: Range = _time(30.0, 30.0, f"{_MP102A}: in some instances a loss of 30 s sends AD1, which is held")
    hold_s: Range = _time(150.0, 150.0, f"{_MP102A}: a PRA within 2½ min discards the held AD1")
    held_share: Range = _chance(0.0, 1.0, f"assumption: {_MP102A} says 'in some instances'; the share is not known")
    pra_lost: Range = _chance(0.0, 0.1, "assumption: no figure for lost PRAs was found")
    pra_latency_s: Range = _time(0.0, 10.0, "assumption: from the return of power to the PRA's arrival; not found")
    later_pra_discards: Answer = _reading(
        Answer.UNKNOWN, "assumption: whether the PRA of a later cut discards an earlier held AD1 is not known"
    )
    holdup_s: Range = _time(600.0, 600.0, f"{_MP102A}: a supercapacitor keeps the hub alive about 10 min")
    recharge_s: Range = _time(0.0, 0.0, "assumption: an empty supercapacitor is full again at once")
    reboot_s: Range = _time(60.0, 60.0, "assumption: as in South & Central; only for a hub whose supercapacitor ran out")

    def __post_init__(self) -> None:
        _check(self, "north")

    def rows(self) -> tuple[Assumed, ...]:
        """Every setting with its value and source."""
        return _rows(self, "north")


_Settings = SouthCentralSettings | NorthSettings
_MAY_BE_ENDLESS = ("recharge_s",)


def _check(settings: _Settings, region: str) -> None:
    for item in fields(settings):
        value = getattr(settings, item.name)
        if not isinstance(value, Range):
            continue
        highest = 1.0 if item.metadata["unit"] == "chance" else math.inf
        endless = math.isinf(value.hi) and item.name not in _MAY_BE_ENDLESS
        if value.hi > highest or endless:
            expected = "at most 1" if highest == 1.0 else "finite seconds"
            raise InputError("out of range", Where(key=f"{region}.{item.name}", found=str(value), expected=expected))


def _rows(settings: _Settings, region: str) -> tuple[Assumed, ...]:
    return tuple(_row(item, getattr(settings, item.name), region) for item in fields(settings))


def _row(item: Field[Any], value: Range | Answer, region: str) -> Assumed:
    source = item.metadata["source"] if value == item.default else f"given; the default is {_text(item.default, item)}"
    return Assumed(f"alerts.{region}.{item.name}", _text(value, item), source)


def _text(value: Range | Answer, item: Field[Any]) -> str:
    return value.value if isinstance(value, Answer) else f"{value} {item.metadata['unit']}".strip()
