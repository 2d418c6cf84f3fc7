"""What a soak tells while it goes on: how far it is, how it stands, and all that its current run tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from rig.procedures.progress import Progress, Silent


@dataclass(frozen=True)
class SoakState:
    """How it stands. `planned` None: it ends by time. `left_s`: until the end, from the cycles that were measured.

    `longest_s`: the largest upper bound so far of those that have one; `unbounded`: how many have none.
    """

    cycle: int
    done: int
    planned: int | None
    verdicts: Mapping[str, int]
    longest_s: float | None
    unbounded: int
    elapsed_s: float
    left_s: float | None


@dataclass(frozen=True)
class CycleRow:
    """One attempt that has ended, for a line. `upper_s` None: unbounded, or never judged."""

    number: int
    attempt: int
    fixture: str
    verdict: str
    lower_s: float | None
    upper_s: float | None
    reasons: tuple[str, ...]
    run_id: str


class SoakProgress(Progress, Protocol):
    """A listener."""

    def soak(self, state: SoakState) -> None:
        """How it stands, whenever that changes."""

    def cycle(self, row: CycleRow, state: SoakState) -> None:
        """An attempt has ended."""

    def happened(self, kind: str, text: str, elapsed_s: float) -> None:
        """Something of the soak's own: a gap, a step of recovery, a stop. `elapsed_s`: since this sitting began."""


class SilentSoak(Silent):
    """Tells nobody."""

    def soak(self, state: SoakState) -> None: ...
    def cycle(self, row: CycleRow, state: SoakState) -> None: ...
    def happened(self, kind: str, text: str, elapsed_s: float) -> None: ...
