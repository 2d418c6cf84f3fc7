"""Words shared by both stories: numbering cuts, times, and joining neighbours that met the same fate.

Pure text. Knows nothing of hubs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TypeVar

from rig.judgement.alerts.history import Cut

_Fate = TypeVar("_Fate")
_MOST_ROWS = 20
"""More than these are no story."""


def span(lowest: float, highest: float) -> str:
    """A time or a range of times, for people."""
    low = f"{lowest:.4g}"
    if math.isinf(highest):
        return f"{low} s or more"
    if lowest == highest:
        return f"{low} s"
    high = f"{highest:.4g}"
    return f"{low} s" if low == high else f"{low} to {high} s"


def chance(lowest: float, highest: float) -> str:
    """A chance between bounds, rounded outwards to three places."""
    low, high = math.floor(round(lowest * 1000, 6)) / 1000, math.ceil(round(highest * 1000, 6)) / 1000
    return f"{low:g} to {high:g}"


def by_fate(cuts: Sequence[Cut], fates: Sequence[_Fate], words: Callable[[_Fate], str]) -> tuple[str, ...]:
    """One sentence for each row of neighbours with the same fate: 'Cuts 2 to 5 (50 s): ...'.

    Where there would be more than `_MOST_ROWS`, one for each fate: '40 of the cuts 2 to 99 (50 s): ...'.
    """
    edges = [0, *(number for number in range(1, len(fates)) if fates[number] != fates[number - 1]), len(fates)]
    rows: list[tuple[_Fate, Sequence[int]]]
    if len(edges) > _MOST_ROWS:
        of_fate: dict[_Fate, list[int]] = {}
        for number, fate in enumerate(fates):
            of_fate.setdefault(fate, []).append(number)
        rows = list(of_fate.items())
    else:
        rows = [(fates[a], range(a, b)) for a, b in pairwise(edges) if a < b]
    shortest = [cut.end_lo_s - cut.start_hi_s for cut in cuts]
    longest = [cut.end_hi_s - cut.start_lo_s for cut in cuts]
    lines = []
    for fate, numbers in rows:
        low, high = min(map(shortest.__getitem__, numbers)), max(map(longest.__getitem__, numbers))
        lines.append(f"{_numbered(numbers)} ({span(max(0.0, low), high)}): {words(fate)}.")
    return tuple(lines)


def _numbered(numbers: Sequence[int]) -> str:
    first, last = numbers[0] + 1, numbers[-1] + 1
    if first == last:
        return f"Cut {first}"
    return (
        f"Cuts {first} to {last}"
        if len(numbers) == last - first + 1
        else f"{len(numbers)} of the cuts {first} to {last}"
    )
