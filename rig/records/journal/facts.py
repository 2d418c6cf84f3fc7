"""What the journal holds, row by row: facts that are written once and never changed. Opens nothing.

An attempt is a run or a round of controls. It has a row when it begins, before anything is activated, and one when it
has ended, after its bundle is on the disk. One that began and did not end is lost, unless its process still lives.
Times of day are labels (`2026-11-24T05:30:00Z`); seconds are floats as they stand in `run.json`, never rounded.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from enum import StrEnum

from rig.guardian import record as owner

RUN = "run"
CONTROLS = "controls"


class State(StrEnum):
    ENDED = "ended"
    RUNNING = "running"
    LOST = "lost"


@dataclass(frozen=True)
class Process:
    """Who is at it: `started` in clock ticks since the boot `boot_id`, which no other process of that number shares."""

    pid: int
    started: int
    boot_id: str

    @classmethod
    def this(cls) -> Process:
        return cls(**owner.identity())

    def lives(self) -> bool:
        """Whether it still runs on this machine."""
        if self.pid == os.getpid():
            return self == Process.this()
        began = owner.started(self.pid)
        return began != 0 and began == self.started and self.boot_id == Process.this().boot_id


@dataclass(frozen=True)
class Cycle:
    """Which cycle of which soak: `number` counts from 1; `attempt` from 1 again in each cycle."""

    soak: str
    number: int
    attempt: int = 1


@dataclass(frozen=True)
class Begun:
    """An attempt is about to begin. `fixture` and versions are None for controls; `meter` None = not asked yet."""

    run_id: str
    kind: str
    utc: str
    bench: str
    fixture: str | None
    version_from: str | None
    version_to: str | None
    meter: str | None
    cycle: Cycle | None
    process: Process | None
    """None only in what was rebuilt from a bundle that does not say."""


@dataclass(frozen=True)
class Ended:
    """It has ended, and its bundle is on the disk, in `<out>/<run_id>/`.

    Of controls `verdict` is VALID or INVALID, and there is no rail verdict, limit or outage. `upper_s` None =
    unbounded, where there is a rail verdict. `sums_sha256`: of the bundle's SHA256SUMS. `elapsed_s` on the bench's
    clock, `elapsed_real_s` on this machine's.
    """

    run_id: str
    verdict: str
    rail_verdict: str | None
    reasons: tuple[str, ...]
    lower_s: float | None
    estimate_s: float | None
    upper_s: float | None
    limit_s: float | None
    comparison: str | None
    version_before: str | None
    version_after: str | None
    safe: bool
    meter: str | None
    sums_sha256: str
    elapsed_s: float
    elapsed_real_s: float


@dataclass(frozen=True)
class Lost:
    """It did not end, and never will: who found that out says why."""

    run_id: str
    utc: str
    why: str


@dataclass(frozen=True)
class Attempt:
    """All that is known of one attempt."""

    begun: Begun
    ended: Ended | None
    lost: Lost | None

    @property
    def state(self) -> State:
        """Looks whether the process lives, where it must."""
        if self.ended is not None:
            return State.ENDED
        process = self.begun.process
        return State.RUNNING if self.lost is None and process is not None and process.lives() else State.LOST


@dataclass(frozen=True)
class Soak:
    """A soak as it was started. `bench_from`: by what word the bench was chosen (a name, or the path of a file)."""

    soak_id: str
    utc: str
    plan_text: str
    bench: str
    bench_from: str
    meter: str | None
    seed: int

    @property
    def plan_sha256(self) -> str:
        return hashlib.sha256(self.plan_text.encode()).hexdigest()


class EventKind(StrEnum):
    """`gap`: an instrument was away. `lost`: a cycle did not end. `quarantine`: this bench, or that pair, no more."""

    RESUMED = "resumed"
    GAP = "gap"
    RECOVERY = "recovery"
    LOST = "lost"
    QUARANTINE = "quarantine"
    STOP = "stop"
    MARK = "mark"


@dataclass(frozen=True)
class SoakEvent:
    """What happened in a soak. `text` is for people; `seconds`: how long it lasted, where that is known."""

    soak_id: str
    utc: str
    kind: EventKind
    text: str
    cycle: int | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class SoakEnd:
    """A sitting of a soak ended in good order; one that is resumed has an end for each sitting. `reason` is a code."""

    soak_id: str
    utc: str
    reason: str
    text: str
