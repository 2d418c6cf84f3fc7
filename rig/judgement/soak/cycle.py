"""One cycle of a soak as the statistics see it: what was activated, and the bounds on its longest outage. Pure.

Knows no files and no bench. Seconds are floats and are never rounded.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from rig.judgement.cause import Cause
from rig.judgement.limit import Verdict

Way = Literal["there", "back"]
NOT_THE_METER: Final = (Cause.MAINS, Cause.UNPLUGGED, Cause.SUPPLY, Cause.RIG)
"""Whatever had one of these causes says nothing of the meter: such a cycle is void, and is counted as void."""


@dataclass(frozen=True)
class Direction:
    """What was activated: outages of different images, or of the way there and the way back, are not one sample."""

    fixture: str
    version_from: str
    version_to: str
    way: Way = "there"

    @property
    def words(self) -> str:
        return f"{self.fixture} ({self.version_from} to {self.version_to})"


@dataclass(frozen=True)
class Cycle:
    """`number` counts from 1. `started_s`: from the start of the soak, by its own monotonic clock.

    `lower_s`, `upper_s` bound the longest outage (`upper_s` None = unbounded). `lower_s` None: no activation was
    commanded, so there is nothing to bound; one that was commanded and not seen has `lower_s` 0, `upper_s` None.
    `cause` is that of the longest outage, None where there was none. Raises `ValueError` for bounds that are none.
    """

    number: int
    direction: Direction
    verdict: Verdict
    rail_verdict: Verdict | None
    lower_s: float | None
    estimate_s: float | None
    upper_s: float | None
    started_s: float
    cause: Cause | None = None

    def __post_init__(self) -> None:
        for value in (self.lower_s, self.estimate_s, self.upper_s, self.started_s):
            if value is not None and not math.isfinite(value):
                raise ValueError(f"cycle {self.number}: {value} is no time")
        if self.lower_s is None:
            if self.upper_s is not None or self.estimate_s is not None:
                raise ValueError(f"cycle {self.number}: an outage without a lower bound")
        elif self.lower_s < 0 or (self.upper_s is not None and self.upper_s < self.lower_s):
            raise ValueError(f"cycle {self.number}: {self.lower_s} to {self.upper_s} s are no bounds")

    @property
    def is_void(self) -> bool:
        """Its longest outage had another cause than the meter."""
        return self.cause in NOT_THE_METER

    @property
    def is_measured(self) -> bool:
        """It says something of how long this meter cuts the hub."""
        return self.lower_s is not None and not self.is_void


def by_direction(cycles: Iterable[Cycle]) -> dict[Direction, tuple[Cycle, ...]]:
    """The cycles of each direction in the order of their numbers; directions in the order of their first cycle."""
    found: dict[Direction, list[Cycle]] = {}
    for cycle in sorted(cycles, key=lambda c: c.number):
        found.setdefault(cycle.direction, []).append(cycle)
    return {direction: tuple(rows) for direction, rows in found.items()}
