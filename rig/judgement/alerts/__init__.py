"""Would the network operator have been alerted? Two models, CSP North and CSP South & Central (MP102A).

Pure. A prediction says nothing about the verdict, which is about the supply at the hub's connector and nothing else.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from rig.judgement.alerts.history import Cut, History, Prediction
from rig.judgement.alerts.north import predict as predict_north
from rig.judgement.alerts.settings import (
    NORTH,
    SOUTH_CENTRAL,
    Answer,
    Assumed,
    NorthSettings,
    Range,
    SouthCentralSettings,
)
from rig.judgement.alerts.south_central import predict as predict_south_central

__all__ = [
    "Alerts",
    "Answer",
    "Assumed",
    "Cut",
    "History",
    "NorthSettings",
    "Prediction",
    "Range",
    "SouthCentralSettings",
    "predict_all",
    "predict_north",
    "predict_south_central",
]


@dataclass(frozen=True)
class Alerts:
    """Both predictions and every setting they rest on."""

    north: Prediction
    south_central: Prediction
    assumptions: tuple[Assumed, ...]

    def to_json(self) -> dict[str, Any]:
        """{north: [lo, hi], south_central: [lo, hi], sent_at_s: {region: [lo, hi] | null}, story: {region: [text]}}.

        A `lo` of sent_at_s is null where an AD1 may have left before anything was seen.
        """
        regions = {"north": self.north, "south_central": self.south_central}
        return {
            **{name: list(p.probability) for name, p in regions.items()},
            "sent_at_s": {name: _sent(p.sent_at_s) for name, p in regions.items()},
            "story": {name: list(p.story) for name, p in regions.items()},
        }


def _sent(between: tuple[float, float] | None) -> list[float | None] | None:
    return [at if math.isfinite(at) else None for at in between] if between else None


def predict_all(
    history: History,
    north: NorthSettings | None = None,
    south_central: SouthCentralSettings | None = None,
) -> Alerts:
    """Both regions for one history, with the settings as assumption rows."""
    north = north or NORTH
    south_central = south_central or SOUTH_CENTRAL
    return Alerts(
        predict_north(history, north),
        predict_south_central(history, south_central),
        north.rows() + south_central.rows(),
    )
