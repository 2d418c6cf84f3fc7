"""What a test compares: a length of time that is known between bounds, and a length that is wanted. Pure.

`bounds < seconds(60)` is true only where the upper bound is below: what is not known never makes an assertion hold.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, order=False)
class Seconds:
    """A length that is wanted."""

    s: float

    def __repr__(self) -> str:
        return f"seconds({self.s:g})"


def seconds(value: float) -> Seconds:
    """A length to compare bounds with. Raises ValueError for what is no length."""
    if not 0 <= value < float("inf"):
        raise ValueError(f"not a length in seconds: {value!r}")
    return Seconds(float(value))


@dataclass(frozen=True, order=False)
class Bounds:
    """A length in seconds that lies surely between `lower_s` and `upper_s` (None = unbounded).

    `sources` proved it; `strip` is the rail as text, for people.
    """

    lower_s: float
    estimate_s: float | None
    upper_s: float | None
    sources: tuple[str, ...] = ()
    strip: str = ""

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, Seconds):
            return NotImplemented
        return self.upper_s is not None and self.upper_s < other.s

    def __le__(self, other: object) -> bool:
        if not isinstance(other, Seconds):
            return NotImplemented
        return self.upper_s is not None and self.upper_s <= other.s

    def __gt__(self, other: object) -> bool:
        if not isinstance(other, Seconds):
            return NotImplemented
        return self.lower_s > other.s

    def __ge__(self, other: object) -> bool:
        if not isinstance(other, Seconds):
            return NotImplemented
        return self.lower_s >= other.s

    def __repr__(self) -> str:
        return f"<{self.words()}>"

    def words(self) -> str:
        """`44.911 to 45.006 s`, rounded outward."""
        from rig.records.report_words import at_least, at_most

        upper = "unbounded" if self.upper_s is None else f"{at_most(self.upper_s)} s"
        return f"{at_least(self.lower_s)} s to {upper}"


_NEEDS = {
    "<": ("upper bound", "below"),
    "<=": ("upper bound", "at most"),
    ">": ("lower bound", "above"),
    ">=": ("lower bound", "at least"),
}


def explain(op: str, left: object, right: object) -> list[str] | None:
    """Why an assertion on bounds does not hold, in lines; None where it is not one."""
    if not isinstance(left, Bounds) or not isinstance(right, Seconds) or op not in _NEEDS:
        return None
    which, words = _NEEDS[op]
    lines = [f"{left!r} {op} {right!r}", f"the {which} must be {words} {right.s:g} s"]
    estimate = "" if left.estimate_s is None else f" (estimate {left.estimate_s:.3f} s)"
    lines.append(f"the rail was away for {left.words()}{estimate}")
    if left.sources:
        lines.append(f"proven by {', '.join(left.sources)}")
    if left.strip:
        lines.append(f"rail  {left.strip}")
    return lines
