"""The record of a soak: what `soak.json` holds, by name. Schema: `rig/records/schemas/rig.soak-1.json`.

Knows no journal and no clock (`rig.records.soak_making` fills it). Seconds are floats and are never rounded; `None` is
an unbounded or unknown value. For one seed on the twin, all but `labels` is the same to the byte.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from rig.judgement.soak.statistics import Statistics
from rig.records.run import Assumption


@dataclass(frozen=True)
class AttemptRow:
    """One attempt, as its own bundle tells it. `number` counts attempts, `cycle` and `attempt` are the plan's.

    `state`: ended, lost or running; `way`: there or back. Of one that has not ended, everything from `verdict` on is
    None, empty or False. `void`: not the meter cut the rail.
    """

    number: int
    cycle: int
    attempt: int
    fixture: str
    version_from: str
    version_to: str
    way: str
    state: str
    verdict: str | None = None
    rail_verdict: str | None = None
    reasons: tuple[str, ...] = ()
    lower_s: float | None = None
    estimate_s: float | None = None
    upper_s: float | None = None
    version_before: str | None = None
    version_after: str | None = None
    safe: bool = False
    void: bool = False
    elapsed_s: float | None = None


@dataclass(frozen=True)
class EventRow:
    """What happened in the night: a gap, a recovery, a lost cycle, a mark. `seconds`: how long it lasted."""

    kind: str
    text: str
    cycle: int | None
    seconds: float | None


@dataclass(frozen=True)
class Setup:
    """What all cycles have in common: who was tested, on what, against which definition of an outage.

    `differences` names what was not the same in all of them: then the figures mix what should not be mixed.
    """

    bench: str
    topology: str
    hub_commissioned: bool
    limit_s: float
    comparison: str
    meter: Mapping[str, str]
    instruments: Mapping[str, Mapping[str, str]]
    definition: tuple[Assumption, ...]
    assumptions: tuple[Assumption, ...]
    differences: tuple[str, ...]


@dataclass(frozen=True)
class Ending:
    """Why the last sitting ended. `fixed_n`: how many cycles there are did not depend on their verdicts.

    `sittings`: how often it was begun. `reason` None: it has not ended, or not in good order.
    """

    reason: str | None
    text: str
    sittings: int
    fixed_n: bool


@dataclass(frozen=True)
class PlanRow:
    sha256: str
    text: str
    seed: int


@dataclass(frozen=True)
class Ground:
    """What a figure stands on, in words: `figure` is its key in `statistics`."""

    figure: str
    text: str


@dataclass(frozen=True)
class AttemptLabel:
    run_id: str
    utc: str


@dataclass(frozen=True)
class SoakLabels:
    """What differs from soak to soak and decides nothing; `attempts` and `events` are in the order of the rows."""

    soak_id: str
    started_utc: str
    ended_utc: str | None
    attempts: tuple[AttemptLabel, ...]
    events: tuple[str, ...]
    elapsed_real_s: float


@dataclass(frozen=True)
class SoakRecord:
    """A soak and what it means. `verdict`: that of the cycles together, the worst first (FAIL, ERROR, INCONCLUSIVE).

    `setup` None: no attempt has ended. Raises `ValueError` for a PASS that its own rows do not carry.
    """

    verdict: str
    ending: Ending
    plan: PlanRow
    setup: Setup | None
    cycles: int
    attempts: tuple[AttemptRow, ...]
    events: tuple[EventRow, ...]
    statistics: Statistics
    grounds: tuple[Ground, ...]
    labels: SoakLabels

    def __post_init__(self) -> None:
        last = {row.cycle: row.verdict for row in self.attempts}
        failed = any(row.verdict == "FAIL" for row in self.attempts)
        if self.verdict == "PASS" and (failed or set(last.values()) != {"PASS"}):
            raise ValueError("this record cannot say PASS: not every cycle passed")

    def to_json(self) -> dict[str, Any]:
        """The object `rig.soak/1`."""
        body = asdict(self)
        labels = body.pop("labels")
        return {"schema": "rig.soak/1", **body, "labels": labels}


def verdict_of(attempts: tuple[AttemptRow, ...]) -> str:
    """Of all cycles together: a FAIL of any attempt counts; else each cycle's last attempt, the worst of them.

    A cycle that did not end answers nothing, and neither does a soak without one.
    """
    last: Mapping[int, str | None] = {row.cycle: row.verdict for row in attempts}
    found = {verdict or "INCONCLUSIVE" for verdict in last.values()}
    found |= {"FAIL"} & {row.verdict for row in attempts}
    return next((word for word in ("FAIL", "ERROR", "INCONCLUSIVE", "PASS") if word in found), "INCONCLUSIVE")
