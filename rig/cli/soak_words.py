"""Words for a soak's lines: a cycle, counts of verdicts, a length of time. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from rig.procedures.soak.progress import CycleRow
from rig.records.report_words import at_least, at_most
from rig.records.soak_words import band

_NOTHING_BEGAN = "activation_not_started"
_ORDER = ("PASS", "FAIL", "INCONCLUSIVE", "ERROR")


def cycle_words(row: CycleRow, planned: int | None) -> str:
    """One attempt that has ended."""
    of = f" of {planned}" if planned is not None else ""
    again = f", attempt {row.attempt}" if row.attempt > 1 else ""
    bounds = "" if row.lower_s is None or _NOTHING_BEGAN in row.reasons else f", away for {_away(row)}"
    reasons = f" ({', '.join(row.reasons)})" if row.reasons else ""
    return f"cycle {row.number}{of}{again}, {row.fixture}: {row.verdict}{bounds}{reasons}"


def _away(row: CycleRow) -> str:
    """What the verdict rests on: a PASS on the upper bound, a FAIL on the lower one, all else on both."""
    lower_s = row.lower_s or 0.0
    if row.verdict == "FAIL":
        return f"at least {at_least(lower_s)} s"
    if row.verdict == "PASS" and row.upper_s is not None:
        return f"at most {at_most(row.upper_s)} s"
    return band(lower_s, row.upper_s)


def verdict_words(verdicts: Mapping[str, int]) -> str:
    """`12 PASS, 1 FAIL`."""
    known = [f"{verdicts[word]} {word}" for word in _ORDER if verdicts.get(word)]
    return ", ".join(known) or "nothing"


def length_words(seconds: float) -> str:
    """To the minute from an hour on, to the second below."""
    whole = round(seconds)
    if whole >= 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02} min"
    return f"{whole // 60} min {whole % 60:02} s" if whole >= 60 else f"{whole} s"
