"""What a run brings while it goes on: the evidence that is judged afterwards, and the diary that keeps its events."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from rig.errors import RigError
from rig.guardian.port import Check
from rig.instruments.ports import Level
from rig.meters.port import Activation, ImageState, LogEntry
from rig.procedures.capturing import Taken
from rig.procedures.control import ControlResult


class Diary(Protocol):
    """Where events go: the bundle's `events.jsonl`."""

    def event(self, name: str, /, **fields: Any) -> None: ...


@dataclass(frozen=True)
class Restart:
    """By its own up-time, the meter started between these two instants (ns); what it said before and after (s)."""

    from_ns: int
    to_ns: int
    uptime_before_s: float
    uptime_after_s: float


@dataclass
class Evidence:
    """What a run has brought so far. Instants in ns of the common line. `unguarded`: its guardian acted, or is gone."""

    started_ns: int
    identities: dict[str, dict[str, str]] = field(default_factory=dict)
    controls: list[ControlResult] = field(default_factory=list)
    control_captures: dict[str, Taken] = field(default_factory=dict)
    capture: Taken | None = None
    levels: list[Level] = field(default_factory=list)
    path_from_ns: int | None = None
    path_to_ns: int | None = None
    path_broken: bool = False
    judged_from_ns: int | None = None
    judged_to_ns: int | None = None
    version_before: str | None = None
    version_after: str | None = None
    image_state: ImageState | None = None
    activation: Activation | None = None
    activation_started: bool = False
    restarts: list[Restart] = field(default_factory=list)
    meter_log: list[LogEntry] = field(default_factory=list)
    decided_ns: int | None = None
    lost: list[str] = field(default_factory=list)
    error: RigError | None = None
    unguarded: bool = False
    interrupted: str | None = None
    safe: tuple[Check, ...] = ()

    @property
    def safe_proven(self) -> bool:
        return len(self.safe) > 0 and all(c.proven for c in self.safe)
