"""The record of one activation test: what `run.json` holds, by name. Schema: `rig/records/schemas/rig.run-1.json`.

Knows no instruments and no clock. Seconds are floats and are never rounded; times are seconds from time zero (the
moment the activation command left the rig) unless a name says otherwise; `None` is an unbounded or unknown value.
For one seed on the twin, all but `labels` is the same to the byte.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from rig.guardian.strict import to_json

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

CAVEAT = "caveat"
"""The key of the assumption that says what a run cannot show."""


@dataclass(frozen=True)
class Reason:
    """Why a verdict is what it is: a code of the published list, and the sentence for people."""

    code: str
    text: str


@dataclass(frozen=True)
class LongestOutage:
    lower_s: float
    estimate_s: float | None
    upper_s: float | None
    expanded_uncertainty_s: float | None


@dataclass(frozen=True)
class OutageRow:
    """`start_s` and `end_s` are estimates; None where the outage is open at that end. `upper_s` None = unbounded."""

    start_s: float | None
    end_s: float | None
    lower_s: float
    estimate_s: float | None
    upper_s: float | None
    open: str
    cause: str
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Coverage:
    """The window that was judged, and the longest stretch of it in which no source was looking."""

    from_s: float
    to_s: float
    longest_unseen_s: float


@dataclass(frozen=True)
class BudgetLine:
    """One line of the uncertainty budget: the input's value, its limits and standard uncertainty, in seconds."""

    name: str
    distribution: str
    half_width_s: float
    standard_s: float
    sensitivity: float
    value_s: float = 0.0


@dataclass(frozen=True)
class RestartRow:
    """By its own up-time the meter started from `from_s` to `to_s`; `outage` counts from 1, and began before that.

    `after_outage_s`: from that outage's end to the start, by the estimates; negative while the rail was still away.
    """

    from_s: float
    to_s: float
    uptime_before_s: float
    uptime_after_s: float
    outage: int | None
    after_outage_s: float | None


@dataclass(frozen=True)
class LogRow:
    """One entry of the meter's own log, made between `from_s` and `to_s` by its clock: a second witness.

    `duration_s`: how long its supply was away by then, where it tells that. `outage` counts from 1: the one of the rail
    at that time. `agrees` None: there is nothing to compare. It decides nothing.
    """

    from_s: float
    to_s: float
    code: str | None
    duration_s: float | None
    outage: int | None
    agrees: bool | None


@dataclass(frozen=True)
class ActivationRow:
    """`commanded_at_s` counts from the start of the run; `uncertainty_s` is the width of the sending.

    `transferred` False: the image came another way, and nobody here checked it.
    """

    commanded_at_s: float | None
    uncertainty_s: float | None
    version_before: str | None
    version_after: str | None
    version_expected: str
    image_state: str | None
    started_by: str = "the rig"
    transferred: bool = True
    problem: str | None = None
    restarts: tuple[RestartRow, ...] = ()
    meter_log: tuple[LogRow, ...] = ()


@dataclass(frozen=True)
class ControlSource:
    """What one source made of a control: the outage it proves alone, as bounds (None = no such bound)."""

    source: str
    right: bool
    lower_s: float | None
    upper_s: float | None


@dataclass(frozen=True)
class ControlRow:
    """One control: a quiet rail, or a cut of known length that every source must call rightly.

    Made in this run `started_at_s` from time zero, or earlier, at `made_utc`. `commanded_s` is 0 where nothing was cut.
    `lowest_v` and `highest_v` are the oscilloscope's readings: the lowest shows what feeds back.
    """

    kind: str
    valid: bool
    commanded_s: float
    started_at_s: float | None
    made_utc: str | None
    sources: tuple[ControlSource, ...]
    fall_s: float | None
    rise_s: float | None
    lowest_v: float | None
    highest_v: float | None
    problem: str | None


@dataclass(frozen=True)
class Controls:
    """The controls on which a run rests. `valid`: each kind `required` stands, and none that was made failed."""

    valid: bool
    required: tuple[str, ...]
    results: tuple[ControlRow, ...]


@dataclass(frozen=True)
class Assumption:
    """A setting on which the verdict rests, its value with unit, and where it comes from."""

    key: str
    value: str
    source: str


@dataclass(frozen=True)
class SafeCheck:
    what: str
    proven: bool
    found: str


@dataclass(frozen=True)
class SafeState:
    proven: bool
    checks: tuple[SafeCheck, ...]


@dataclass(frozen=True)
class Labels:
    """What differs from run to run and decides nothing."""

    run_id: str
    started_utc: str
    host: str
    out: str
    elapsed_real_s: float


@dataclass(frozen=True)
class RunRecord:
    """One activation test. See the module.

    Raises `ValueError` for a PASS that its own numbers do not carry: whoever decided, such a record is never written.
    """

    verdict: str
    rail_verdict: str
    reasons: tuple[Reason, ...]
    limit_s: float
    comparison: str
    longest_outage: LongestOutage
    outages: tuple[OutageRow, ...]
    coverage: Coverage
    uncertainty: tuple[BudgetLine, ...]
    activation: ActivationRow
    control: Controls
    identities: dict[str, dict[str, str]]
    firmware: dict[str, Any]
    clock: dict[str, Any]
    assumptions: tuple[Assumption, ...]
    safe_state: SafeState
    labels: Labels
    alerts: dict[str, Any] | None = None
    bench: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.verdict == "PASS" and (why := self._doubt()):
            raise ValueError(f"this record cannot say PASS: {why}")

    def _doubt(self) -> str | None:
        upper_s = self.longest_outage.upper_s
        if self.rail_verdict != "PASS":
            return f"the rail says {self.rail_verdict}"
        if upper_s is None or not (upper_s < self.limit_s or (self.comparison == "gt" and upper_s == self.limit_s)):
            return f"the upper bound {upper_s} s is not below the limit {self.limit_s} s"
        if not self.control.valid:
            return "no valid control"
        return None if self.safe_state.proven else "the safe state was not proven"

    @property
    def caveat(self) -> str | None:
        """What this run cannot show, whatever it found; it belongs beside every verdict."""
        return next((row.value for row in self.assumptions if row.key == CAVEAT), None)

    @property
    def zero_mark(self) -> str | None:
        """What time zero is called in a picture; None where there was none."""
        return "activation command" if self.activation.commanded_at_s is not None else None

    @property
    def unanswered(self) -> str:
        return "this run does not answer the question"

    @property
    def axis_words(self) -> str:
        return "from the activation command" if self.zero_mark else "(no activation command was sent)"

    def to_json(self) -> dict[str, Any]:
        """The object `rig.run/1`."""
        body: dict[str, Any] = to_json(self)
        labels = body.pop("labels")
        return {"schema": "rig.run/1", **body, "labels": labels}


class Shown(Protocol):
    """What sentences and pictures need of a record: a run has it, and so has the analysis of a file."""

    @property
    def verdict(self) -> str: ...
    @property
    def rail_verdict(self) -> str: ...
    @property
    def limit_s(self) -> float: ...
    @property
    def comparison(self) -> str: ...
    @property
    def longest_outage(self) -> LongestOutage: ...
    @property
    def outages(self) -> tuple[OutageRow, ...]: ...
    @property
    def coverage(self) -> Coverage: ...
    @property
    def reasons(self) -> tuple[Reason, ...]: ...
    @property
    def zero_mark(self) -> str | None: ...
    @property
    def axis_words(self) -> str: ...
    @property
    def unanswered(self) -> str: ...


@dataclass(frozen=True)
class Track:
    """One source as the report draws it: stretches (start_s, end_s) surely up, surely down, and seen at all."""

    name: str
    up: tuple[tuple[float, float], ...]
    down: tuple[tuple[float, float], ...]
    seen: tuple[tuple[float, float], ...]


@dataclass(frozen=True, eq=False)
class Envelope:
    """Minimum and maximum volts of a capture: a row (time_s, lowest_v, highest_v) a column of the picture, (n, 3)."""

    name: str
    columns: npt.NDArray[np.float64]


@dataclass(frozen=True)
class Picture:
    """What the report draws beside the record. Times are seconds from time zero."""

    tracks: tuple[Track, ...]
    envelope: Envelope | None
    down_below_v: float
    up_above_v: float
    nominal_v: float
