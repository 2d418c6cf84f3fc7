"""What an activation gives a test: the record to look at, or the failure that its verdict is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rig.records.bounds import Bounds

if TYPE_CHECKING:
    from pathlib import Path

    from rig.api import Outcome
    from rig.records.run import OutageRow, Picture, Reason, RunRecord

_COLUMNS = 60
_MARKS = ("▁", "▄", "█", "?")  # down, between, up, not seen


class NotExpected(AssertionError):
    """The verdict is not the one that the test expects."""


class ActivationFailed(NotExpected):
    """The meter broke the limit."""


class Inconclusive(NotExpected):
    """The run does not answer the question: this is no failure of the meter, and no pass."""


class BenchFailed(NotExpected):
    """The bench failed, or its safe state could not be proven."""


_FAILURES = {"FAIL": ActivationFailed, "INCONCLUSIVE": Inconclusive, "ERROR": BenchFailed}


@dataclass(frozen=True)
class Activated:
    """One activation: its record, its picture, and the folder of its evidence."""

    record: RunRecord
    picture: Picture
    folder: Path

    @property
    def verdict(self) -> str:
        return self.record.verdict

    @property
    def reasons(self) -> tuple[Reason, ...]:
        return self.record.reasons

    @property
    def outages(self) -> tuple[OutageRow, ...]:
        return self.record.outages

    @property
    def longest_outage(self) -> Bounds:
        """To compare with `seconds(…)`."""
        longest = self.record.longest_outage
        names = sorted({name for row in self.record.outages for name in row.sources})
        return Bounds(longest.lower_s, longest.estimate_s, longest.upper_s, tuple(names), self.strip())

    def strip(self) -> str:
        """The judged window as sixty characters."""
        cover = self.record.coverage
        return strip(self.picture, cover.from_s, cover.to_s)

    def properties(self) -> Iterator[tuple[str, object]]:
        """For JUnit: verdict, bounds, hash, identities, evidence."""
        longest = self.record.longest_outage
        yield "rig.verdict", self.record.verdict
        yield "rig.reasons", " ".join(reason.code for reason in self.record.reasons)
        yield "rig.longest_outage.lower_s", longest.lower_s
        yield "rig.longest_outage.upper_s", "unbounded" if longest.upper_s is None else longest.upper_s
        yield "rig.limit_s", self.record.limit_s
        yield "rig.firmware", str(self.record.firmware.get("fixture", ""))
        yield "rig.firmware.sha256", str(self.record.firmware.get("sha256", ""))
        for of, who in self.record.identities.items():
            yield f"rig.identity.{of}", " ".join(who.values())
        yield "rig.evidence", str(self.folder)


def activated(outcome: Outcome) -> Activated:
    return Activated(outcome.record, outcome.picture, outcome.folder)


def judge(found: Activated, expect: str) -> None:
    """Raise the failure by its own name unless the verdict is the expected one."""
    __tracebackhide__ = True
    if found.verdict == expect:
        return
    from rig.records.report_words import verdict_sentence

    kind = _FAILURES.get(found.verdict, NotExpected)
    lines = [verdict_sentence(found.record)]
    if expect != "PASS":
        lines.append(f"expected {expect}")
    lines += [f"  {reason.code}: {reason.text}" for reason in found.reasons]
    lines += [f"  rail  {found.strip()}", f"  evidence: {found.folder / 'report.html'}"]
    raise kind("\n".join(lines))


def strip(picture: Picture, from_s: float, to_s: float) -> str:
    """The rail in so many characters: up, down, between, or not seen; down wins where a column has both."""
    if to_s <= from_s:
        return ""
    width = (to_s - from_s) / _COLUMNS

    def overlaps(spans: list[tuple[float, float]], a: float, b: float) -> bool:
        return any(start < b and end > a for start, end in spans)

    up = [span for track in picture.tracks for span in track.up]
    down = [span for track in picture.tracks for span in track.down]
    seen = [span for track in picture.tracks for span in track.seen]
    marks = []
    for column in range(_COLUMNS):
        a, b = from_s + column * width, from_s + (column + 1) * width
        if overlaps(down, a, b):
            marks.append(_MARKS[0])
        elif overlaps(up, a, b):
            marks.append(_MARKS[2])
        else:
            marks.append(_MARKS[1] if overlaps(seen, a, b) else _MARKS[3])
    return "".join(marks)
