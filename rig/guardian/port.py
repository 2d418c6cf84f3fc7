"""The guardian as procedures see it: one small port, whether it is a process of its own or lives inside this one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from rig.guardian.core import Move

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Check:
    """One part of the safe state: what, whether it was proven, and what was read."""

    what: str
    proven: bool
    found: str


class Guardian(Protocol):
    """All relays of one bench, by role, behind their interlocks. Every call may raise BenchError: it is gone."""

    @property
    def tripped(self) -> str | None:
        """Why it made the bench safe by itself, or why it is lost; None while all is well."""

    def arm(self) -> None:
        """The interlocks agreed: feeds may be closed. Raises Refused when one of them is not open."""

    def set(self, role: str, closed: bool) -> Move:
        """Move one relay and read its line back. Raises Refused when an interlock forbids it."""

    def closed(self, role: str) -> bool:
        """The commanded position, read back from the line."""

    def name(self, role: str) -> str: ...

    def make_safe(self) -> dict[str, bool]:
        """Every relay to its safe position; by name, whether its line says so. Never raises for a relay."""

    def stand_down(self) -> None:
        """The safe state was proven by read-back: from here on silence is no matter."""

    def keep_journal(self, folder: Path, zero_ns: int) -> None:
        """Write what it does to `<folder>/guardian.jsonl`, times in seconds from `zero_ns`, until `stand_down`."""

    def close(self) -> None:
        """Give back all lines. Without a `stand_down` before, the guardian makes the bench safe by its own means."""
