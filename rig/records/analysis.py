"""The record of an analysis of files, `rig.analysis/1`: the waveform alone. Schema: `schemas/rig.analysis-1.json`.

Knows no files. Its keys are those of `run.json` that apply; times count from the first file's own zero. A waveform
tells neither who cut the rail nor whether an activation happened: `verdict` is the rail's.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from rig.records.run import Assumption, BudgetLine, Coverage, LongestOutage, OutageRow, Reason


@dataclass(frozen=True)
class FileRow:
    """One file: the channel that was judged, how it was read, and how its samples lie in time."""

    file: str
    channel: str
    dialect: str
    samples: int
    sample_interval_s: float | None
    offset_s: float
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Analysis:
    """One or more files of one event, judged."""

    verdict: str
    rail_verdict: str
    reasons: tuple[Reason, ...]
    limit_s: float
    comparison: str
    longest_outage: LongestOutage
    outages: tuple[OutageRow, ...]
    coverage: Coverage
    uncertainty: tuple[BudgetLine, ...]
    alerts: dict[str, Any] | None
    assumptions: tuple[Assumption, ...]
    files: tuple[FileRow, ...]
    scope: str = "waveform only"

    @property
    def zero_mark(self) -> str | None:
        return None

    @property
    def unanswered(self) -> str:
        one = len(self.files) == 1
        return f"{'this file does' if one else 'these files do'} not answer the question"

    @property
    def axis_words(self) -> str:
        return "from the file's zero"

    def to_json(self) -> dict[str, Any]:
        """The object `rig.analysis/1`."""
        return {"schema": "rig.analysis/1", **asdict(self)}
