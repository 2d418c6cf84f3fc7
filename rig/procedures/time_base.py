"""An oscilloscope's time base against the kernel's stamps: both timed one outage, and both know how surely. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from rig.rail import RailHistory, RailSettings, Source, merge, outages


@dataclass(frozen=True)
class TimeBase:
    """By how much the oscilloscope counts faster than the stamps, in ppm, as bounds; `limit_ppm` is what is allowed."""

    lowest_ppm: float
    highest_ppm: float
    limit_ppm: float

    @property
    def agrees(self) -> bool:
        """Whether some rate inside the limit explains what was seen."""
        return self.lowest_ppm <= self.limit_ppm and self.highest_ppm >= -self.limit_ppm


def compare_time_bases(
    scope: Source, lines: RailHistory, settings: RailSettings, time_base_ppm: float
) -> TimeBase | None:
    """None where the two did not time the same one outage, from its beginning to its end.

    `scope` is on its own time line; `lines` is what the stamped lines say. The limit is that of both clocks together.
    Which outage is which is not guessed: each must have seen exactly one.
    """
    if len(scope.seen) == 0:
        return None
    seen = outages(merge([scope]), settings, int(scope.seen.start[0]), int(scope.seen.end[-1]))
    if len(seen.outages) != 1 or len(lines.outages) != 1:
        return None
    mine, theirs = seen.outages[0], lines.outages[0]
    if mine.upper_ns is None or theirs.upper_ns is None or mine.lower_ns <= 0 or theirs.lower_ns <= 0:
        return None
    lowest, highest = mine.lower_ns / theirs.upper_ns - 1, mine.upper_ns / theirs.lower_ns - 1
    return TimeBase(lowest * 1e6, highest * 1e6, time_base_ppm + settings.rate_ppm)
