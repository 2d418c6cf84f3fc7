"""The limit: whether bounds on a length surely keep it, surely break it, or leave it open. Pure.

MP102A says 'more than three minutes' in two places and 'three or more minutes' in another; the strict reading (`ge`:
exactly 180 s fails) is the default, and both limit and comparison are printed with the verdict.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from rig.errors import InputError, Where


class Verdict(StrEnum):
    PASS = "PASS"  # noqa: S105 - the word of the verdict
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"
    ERROR = "ERROR"


class Comparison(StrEnum):
    """Which lengths fail: `ge` those of the limit and longer, `gt` only longer ones."""

    GE = "ge"
    GT = "gt"


@dataclass(frozen=True)
class Limit:
    """Raises `InputError` for a limit that no rail could keep or break."""

    length_ns: int
    comparison: Comparison = Comparison.GE

    def __post_init__(self) -> None:
        if self.length_ns <= 0:
            raise InputError("the limit must be positive", Where(key="limit_s", found=f"{self.length_ns} ns"))

    def broken_by(self, length_ns: int) -> bool:
        """Whether an outage of exactly this length breaks the rule."""
        return length_ns >= self.length_ns if self.comparison is Comparison.GE else length_ns > self.length_ns

    def verdict(self, lower_ns: int, upper_ns: int | None) -> Verdict:
        """From hard bounds (`upper_ns` None = unbounded): PASS if the upper keeps it, FAIL if the lower breaks it."""
        if self.broken_by(lower_ns):
            return Verdict.FAIL
        if upper_ns is not None and not self.broken_by(upper_ns):
            return Verdict.PASS
        return Verdict.INCONCLUSIVE
