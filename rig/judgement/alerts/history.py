"""What the alert models are told of the rail, and what they answer.

Pure. Times are seconds on one line of the caller's choice (in a run: from time zero). Before the first cut the hub has
been up for long and is fully charged; after the last one the rail stays up.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from rig.errors import InputError, Where
from rig.rail import Outage

NS = 1e9
"""Nanoseconds in a second."""


@dataclass(frozen=True, slots=True)
class Cut:
    """One outage of the rail as bounds: it began in [start_lo_s, start_hi_s] and ended in [end_lo_s, end_hi_s].

    `start_lo_s` is -infinite where the start was not seen, `end_hi_s` infinite where the end was not. Where
    `end_lo_s <= start_hi_s` there may have been no cut at all.
    """

    start_lo_s: float
    start_hi_s: float
    end_lo_s: float
    end_hi_s: float

    def __post_init__(self) -> None:
        starts = self.start_lo_s <= self.start_hi_s and -math.inf < self.start_hi_s < math.inf
        if not (starts and self.start_lo_s <= self.end_lo_s <= self.end_hi_s and self.start_hi_s <= self.end_hi_s):
            raise InputError(
                "not an outage",
                Where(
                    found=f"start [{self.start_lo_s}, {self.start_hi_s}] s, end [{self.end_lo_s}, {self.end_hi_s}] s",
                    expected="a finite highest start, lowest <= highest, start <= end",
                ),
            )


POWERED_S = 1.0
"""Power for less than this restores nothing (the rail's default `restore_min_s`): a shorter stretch hides no outage."""


def may_hide(lo_s: float, hi_s: float, least_s: float = POWERED_S) -> bool:
    """Whether an unseen stretch is at least `least_s` long, so that it may hide outages of which nothing is known.

    Not where the end of the last outage was not seen: that one ends once, and then the rail stays up.
    """
    return hi_s > lo_s and least_s <= hi_s - lo_s < math.inf


@dataclass(frozen=True)
class History:
    """All outages of the rail, in order. Neighbours whose bounds overlap may have been one outage.

    Where the rail is not known in the middle of an outage, give two cuts whose bounds overlap there. `rate_ppm` bounds
    the rate error of the clock that told all these times.
    """

    cuts: tuple[Cut, ...]
    rate_ppm: float = 0.0

    def __post_init__(self) -> None:
        for one, two in pairwise(self.cuts):
            starts = one.start_lo_s <= two.start_lo_s and one.start_hi_s <= two.start_hi_s
            ends = one.end_lo_s <= two.end_lo_s and one.end_hi_s <= two.end_hi_s
            if not (starts and ends and one.end_lo_s <= two.start_hi_s):
                expected = f"a later one than {one}, at least perhaps apart from it"
                raise InputError("outages are not in order", Where(found=str(two), expected=expected))

    @staticmethod
    def of(cuts: Iterable[tuple[float, float]]) -> History:
        """From exact cuts (start_s, end_s), in order and apart; end_s may be infinite."""
        rows = tuple(cuts)
        for start, end in rows:
            if not start < end:
                raise InputError("not a cut", Where(found=f"({start}, {end}) s", expected="start before end"))
        for one, two in pairwise(rows):
            if two[0] <= one[1]:
                raise InputError("cuts overlap", Where(found=f"{one} and {two}", expected="each after the one before"))
        return History(tuple(Cut(start, start, end, end) for start, end in rows))

    @staticmethod
    def of_rail(outages: Iterable[Outage], zero_ns: int, rate_ppm: float = 0.0) -> History:
        """From the rail's outages, proven or only possible, with times in s from `zero_ns`, and its clock's rate limit.

        A stretch of which nothing is known inside an outage may have been power. A proven outage that the window cut
        off may have begun at any time before, or may never have ended; a merely possible one there begins or ends with
        the window.
        """
        rows: list[Cut] = []
        for outage in outages:
            ends_with_window = outage.open in ("end", "both")
            last = math.inf if ends_with_window and outage.proven else (outage.to_ns - zero_ns) / NS
            begins_with_window = outage.open in ("start", "both")
            first = -math.inf if begins_with_window and outage.proven else (outage.from_ns - zero_ns) / NS
            down = [((start - zero_ns) / NS, (end - zero_ns) / NS) for start, end in outage.down]
            if not down:
                rows.append(Cut(first, last, first, last))
            for index, (start, end) in enumerate(down):
                after = down[index + 1][0] if index + 1 < len(down) else last
                rows.append(Cut(down[index - 1][1] if index else first, start, end, after))
        return History(tuple(rows), rate_ppm)

    def worst(self) -> tuple[list[tuple[float, float]], list[int]]:
        """The longest cuts that the bounds allow, joined where they meet, and for each cut the one it went into."""
        joined: list[tuple[float, float]] = []
        into: list[int] = []
        for cut in self.cuts:
            if joined and cut.start_lo_s <= joined[-1][1]:
                joined[-1] = (joined[-1][0], cut.end_hi_s)
            else:
                joined.append((cut.start_lo_s, cut.end_hi_s))
            into.append(len(joined) - 1)
        return joined, into

    def all_proven(self) -> bool:
        """Whether something of every cut is sure."""
        return all(cut.end_lo_s > cut.start_hi_s for cut in self.cuts)

    def best(self) -> list[tuple[float, float]]:
        """The shortest cuts that the bounds allow; an end at or before its start means that there was none."""
        return [(cut.start_hi_s, cut.end_lo_s) for cut in self.cuts]


@dataclass(frozen=True)
class Prediction:
    """Whether an AD1 reaches the network operator.

    probability: lowest and highest over everything that is not known. sent_at_s: from the earliest moment at which a
    first AD1 can leave (-infinite: before anything was seen) to the latest at which any can, or None where none can.
    story: what happened, in words.
    """

    probability: tuple[float, float]
    sent_at_s: tuple[float, float] | None
    story: tuple[str, ...]
