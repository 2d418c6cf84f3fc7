"""What `rig doctor` found, `rig.doctor/1`: a row for each check. Schema: `schemas/rig.doctor-1.json`.

Knows no machine and no bench. A check that does not apply here is `ok` with `applies` false; what could not be found
out is a `warning` that says so. Every warning and every failure says what to do.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

Status = Literal["ok", "warning", "failed"]
Area = Literal["instruments", "meter", "lines", "clock", "computer", "access", "software"]
_WORST: tuple[Status, ...] = ("failed", "warning")


@dataclass(frozen=True)
class Check:
    """One thing that was looked at. `asked`: what was sent to a device for it, questions only.

    Raises `ValueError` for a warning or a failure that does not say what to do.
    """

    area: Area
    what: str
    status: Status
    found: str
    to_do: str | None = None
    applies: bool = True
    asked: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.status != "ok" and not self.to_do:
            raise ValueError(f"{self.what}: a {self.status} check says what to do")


@dataclass(frozen=True)
class Desk:
    """Writes the checks of one area."""

    area: Area

    def ok(self, what: str, found: str) -> Check:
        return Check(self.area, what, "ok", found)

    def not_here(self, what: str, found: str) -> Check:
        """It does not apply on this machine or bench."""
        return Check(self.area, what, "ok", found, applies=False)

    def warning(self, what: str, found: str, to_do: str) -> Check:
        return Check(self.area, what, "warning", found, to_do)

    def failed(self, what: str, found: str, to_do: str) -> Check:
        return Check(self.area, what, "failed", found, to_do)

    def bad(self, needed: bool, what: str, found: str, to_do: str) -> Check:
        """Failed where the bench needs it, a warning where it does not."""
        return Check(self.area, what, "failed" if needed else "warning", found, to_do)


def with_asked(checks: list[Check], asked: list[str]) -> list[Check]:
    """The same checks, the first of which says what was sent to the device."""
    return [replace(checks[0], asked=tuple(asked)), *checks[1:]] if checks else checks


@dataclass(frozen=True)
class Gap:
    """A value of a proposed bench file that a person must fill in: its key, and its line from 1."""

    key: str
    line: int


@dataclass(frozen=True)
class Proposal:
    """The first bench file that was written. It is `complete` when no value is left to fill in."""

    file: str
    complete: bool
    to_fill_in: tuple[Gap, ...]


@dataclass(frozen=True)
class DoctorLabels:
    """What differs from time to time and decides nothing."""

    host: str
    started_utc: str
    elapsed_real_s: float


@dataclass(frozen=True)
class Examination:
    """`bench` is the name of the bench that was looked at, None where only this machine was."""

    bench: str | None
    checks: tuple[Check, ...]
    proposal: Proposal | None
    labels: DoctorLabels

    @property
    def status(self) -> Status:
        """The worst of all checks."""
        found = {check.status for check in self.checks}
        return next((status for status in _WORST if status in found), "ok")

    def to_json(self) -> dict[str, Any]:
        """The object `rig.doctor/1`."""
        body = asdict(self)
        return {"schema": "rig.doctor/1", "bench": body.pop("bench"), "status": self.status, **body}
