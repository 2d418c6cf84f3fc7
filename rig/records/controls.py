"""The record of a round of controls, `rig.controls/1`: what the bench did itself, and whether every source saw it.

Knows no instruments and no clock. Seconds from the start of the round.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from rig.records.run import Controls, Labels, SafeState


@dataclass(frozen=True)
class ControlsRecord:
    """`error` is what ended the round early, `interrupted` who did."""

    bench: str
    control: Controls
    error: str | None
    interrupted: str | None
    identities: dict[str, dict[str, str]]
    safe_state: SafeState
    labels: Labels

    @property
    def valid(self) -> bool:
        """All that was required stands, nothing failed, and the bench was proven safe."""
        return self.control.valid and self.safe_state.proven and self.error is None and self.interrupted is None

    def to_json(self) -> dict[str, Any]:
        """The object `rig.controls/1`."""
        return {"schema": "rig.controls/1", "valid": self.valid, **asdict(self)}
