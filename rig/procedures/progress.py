"""What a procedure tells while it runs: steps, notes, the state of the rail. Faces draw it; nothing depends on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Panel:
    """One moment for people. Times in seconds; `rail` is what is known of the volts, e.g. '≥ 10 V'."""

    step: str
    elapsed_s: float
    state: str
    rail: str
    away_s: float | None
    longest_s: float
    limit_s: float
    left_s: float | None


class Progress(Protocol):
    """A listener."""

    def step(self, name: str, text: str) -> None:
        """A step began."""

    def note(self, text: str) -> None:
        """Something worth a line happened."""

    def panel(self, now: Panel) -> None:
        """The state of things, at least once a second of the run's clock."""

    def transferred(self, done: int, total: int) -> None:
        """Bytes of the image that the meter has."""


class Silent:
    """Tells nobody."""

    def step(self, name: str, text: str) -> None: ...
    def note(self, text: str) -> None: ...
    def panel(self, now: Panel) -> None: ...
    def transferred(self, done: int, total: int) -> None: ...
