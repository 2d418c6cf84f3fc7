"""Words shared by both stories: numbering cuts, times, and joining neighbours that met the same fate.

Pure text. Knows nothing of hubs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import TypeVar

from rig.judgement.alerts.history import Cut

_Fate = TypeVar("_Fate")


def span(lowest: float, highest: float) -> str:
    """A time or a range of times, for people."""
    if math.isinf(highest):
        return f"{lowest:.4g} s or more"
    low, high = f"{lowest:.4g}", f"{highest:.4g}"
    return f"{low} s" if low == high else f"{low} to {high} s"


def by_fate(cuts: Sequence[Cut], fates: Sequence[_Fate], words: Callable[[_Fate], str]) -> tuple[str, ...]:
    """One sentence for each row of neighbours with the same fate: 'Cuts 2 to 5 (50 s): ...'."""
    lines = []
    first = 0
    for fate, group in groupby(fates):
        last = first + len(list(group)) - 1
        row = cuts[first : last + 1]
        shortest = min(max(0.0, c.end_lo_s - c.start_hi_s) for c in row)
        longest = max(c.end_hi_s - c.start_lo_s for c in row)
        number = f"Cut {first + 1}" if first == last else f"Cuts {first + 1} to {last + 1}"
        lines.append(f"{number} ({span(shortest, longest)}): {words(fate)}.")
        first = last + 1
    return tuple(lines)
