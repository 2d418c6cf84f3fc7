"""One cycle of a soak as the statistics see it: what was activated, and the bounds on its longest outage. Pure.

Knows no files and no bench. Seconds are floats and are never rounded.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from rig.judgement.limit import Verdict

Way = Literal["there", "back"]


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
    """One attempt at an activation. `number` counts them from 1, in the order in which they began.

    `lower_s`, `upper_s` bound the longest outage (`upper_s` None = unbounded). `lower_s` None: no activation began, or
    nothing is known of it, so there is nothing to bound. `void`: not the meter cut the rail, so that what was measured
    says nothing of the meter. Raises `ValueError` for bounds that are none.
    """

    number: int
    direction: Direction
    verdict: Verdict
    lower_s: float | None
    estimate_s: float | None
    upper_s: float | None
    void: bool = False

    def __post_init__(self) -> None:
        for value in (self.lower_s, self.estimate_s, self.upper_s):
            if value is not None and not math.isfinite(value):
                raise ValueError(f"cycle {self.number}: {value} is no length")
        if self.lower_s is None:
            if self.upper_s is not None or self.estimate_s is not None:
                raise ValueError(f"cycle {self.number}: an outage without a lower bound")
        elif self.lower_s < 0 or (self.upper_s is not None and self.upper_s < self.lower_s):
            raise ValueError(f"cycle {self.number}: {self.lower_s} to {self.upper_s} s are no bounds")

    @property
    def is_measured(self) -> bool:
        """It says something of how long this meter cuts the hub."""
        return self.lower_s is not None and not self.void


def by_direction(cycles: Iterable[Cycle]) -> dict[Direction, tuple[Cycle, ...]]:
    """The cycles of each direction in the order of their numbers; directions in the order of their first cycle."""
    found: dict[Direction, list[Cycle]] = {}
    for cycle in sorted(cycles, key=lambda c: c.number):
        found.setdefault(cycle.direction, []).append(cycle)
    return {direction: tuple(rows) for direction, rows in found.items()}
