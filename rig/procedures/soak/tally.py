"""How a soak stands: what has ended so far, in this sitting and before. Pure; fed by what the journal keeps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from rig.procedures.soak.plan import Plan
from rig.records.journal import RUN, Attempt, Cycle, Ended


@dataclass
class Tally:
    """A cycle whose attempt ended in ERROR proves nothing: it is tried again, `tries` times in all.

    `last`: the pair of the last time that the meter was sent there; `went_there`: that was the last cycle. `row`: the
    last verdict, and how often in a row.
    """

    tries: int
    number: int = 0
    attempt: int = 0
    again: bool = False
    running: bool = False
    fixture: str = ""
    last: int | None = None
    went_there: bool = False
    verdicts: Counter[str] = field(default_factory=Counter)
    row: tuple[str, int] = ("", 0)
    longest_s: float | None = None
    unbounded: int = 0
    _theres: int = 0
    _theres_before: int = 0

    @classmethod
    def of(cls, plan: Plan, attempts: Sequence[Attempt]) -> Tally:
        """As it stood when the last of these began, or ended; one that did not end is not tried again."""
        tally = cls(plan.tables.recovery.tries)
        places = {pair.there.name: index for index, pair in enumerate(plan.pairs)}
        for attempt in attempts:
            if attempt.begun.kind != RUN or attempt.begun.cycle is None:
                continue
            fixture = attempt.begun.fixture or ""
            tally.begin(attempt.begun.cycle, fixture, places.get(fixture))
            if attempt.ended is not None:
                tally.end(attempt.ended)
        tally.running = False  # what did not end is lost, and over
        return tally

    def next(self) -> tuple[int, int]:
        """The number and attempt of what comes next."""
        return (self.number, self.attempt + 1) if self.again else (self.number + 1, 1)

    @property
    def done(self) -> int:
        """Cycles that are over; one that is to be tried again is not."""
        return self.number - 1 if self.again or self.running else self.number

    @property
    def theres(self) -> int:
        """In how many cycles before the next one the meter was sent there."""
        return self._theres_before if self.again else self._theres

    def settle(self, fixture: str) -> None:
        """This is activated next: where it is another firmware, the meter went on, and it is another cycle."""
        self.again = self.again and fixture == self.fixture

    def begin(self, cycle: Cycle, fixture: str, there: int | None) -> None:
        """`there`: the pair, where the meter is sent there."""
        if cycle.number != self.number:
            self._theres_before = self._theres
        self.number, self.attempt, self.again, self.fixture = cycle.number, cycle.attempt, False, fixture
        self.running = True
        self.went_there = there is not None
        self._theres = self._theres_before + self.went_there
        if there is not None:
            self.last = there

    def end(self, ended: Ended) -> None:
        """It has ended so."""
        self.running = False
        self.again = ended.verdict == "ERROR" and self.attempt < self.tries
        self.verdicts[ended.verdict] += 1
        word, count = self.row
        self.row = (ended.verdict, count + 1 if word == ended.verdict else 1)
        if ended.lower_s is None:
            return
        if ended.upper_s is None:
            self.unbounded += 1
        elif self.longest_s is None or ended.upper_s > self.longest_s:
            self.longest_s = ended.upper_s
