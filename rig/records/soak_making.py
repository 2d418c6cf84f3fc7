"""A soak's record from what its journal and its bundles hold: made at its end, and again at any later time. Pure.

`soak_record` takes rows and objects; `read_soak` reads them. Nothing here is known that is not on the disk.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePath
from typing import Any

from rig.errors import InputError, Where
from rig.judgement.limit import Verdict
from rig.judgement.soak import Cycle, Direction, Way
from rig.judgement.soak.statistics import statistics_of
from rig.records.journal import RUN, Attempt, Ended, EventKind, Filter, Reader, Soak, SoakEnd, SoakEvent, State
from rig.records.journal.bundles import read_json
from rig.records.soak import (
    AttemptLabel,
    AttemptRow,
    Ending,
    EventRow,
    Ground,
    PlanRow,
    SoakLabels,
    SoakRecord,
    verdict_of,
)
from rig.records.soak_setup import setup_of

_BY_VERDICT = ("policy", "quarantine")  # the reasons of an end that a verdict brought about
_NOTHING_BEGAN, _CUT_SHORT, _CONTRADICTED = "activation_not_started", "interrupted", "sources_disagree"
_VOID = "cause_not_meter"


def read_soak(reader: Reader, out: Path, soak_id: str) -> SoakRecord:
    """The record of a soak in the journal of `out`. Raises InputError: no such soak, or a bundle that is damaged."""
    soak = reader.soak(soak_id)
    if soak is None:
        known = ", ".join(s.soak_id for s in reader.soaks()[-3:]) or "a folder in which a soak was done"
        raise InputError("no such soak in this journal", Where(str(out), found=soak_id, expected=known))
    attempts = reader.attempts(Filter(soak=soak_id, kind=RUN))
    bodies = _bodies(out, attempts)
    return soak_record(soak, attempts, reader.events(soak_id), reader.ends(soak_id), bodies)


def _bodies(out: Path, attempts: Iterable[Attempt]) -> Iterator[Mapping[str, Any]]:
    """One run.json after the other; none is kept."""
    for attempt in attempts:
        if attempt.ended is not None:
            yield read_json(out / attempt.begun.run_id / "run.json")


def soak_record(
    soak: Soak,
    attempts: Sequence[Attempt],
    events: Sequence[SoakEvent],
    ends: Sequence[SoakEnd],
    bodies: Iterable[Mapping[str, Any]],
) -> SoakRecord:
    """`attempts`: the runs of this soak in the order in which they began; `bodies`: `rig.run/1` of those that ended.

    Whether a process is still at an attempt is looked up here: then its row says `running`.
    """
    way_of = _ways(soak.plan_text, attempts)
    rows = tuple(_row(number, attempt, way_of) for number, attempt in enumerate(attempts, start=1))
    statistics = statistics_of([cycle_of(row) for row in rows if row.state != "running"])
    ending = _ending(ends, events)
    return SoakRecord(
        verdict=verdict_of(rows),
        ending=ending,
        plan=PlanRow(soak.plan_sha256, soak.plan_text, soak.seed),
        setup=setup_of(soak.bench, bodies),
        cycles=len({row.cycle for row in rows}),
        attempts=rows,
        events=tuple(EventRow(e.kind.value, e.text, e.cycle, e.seconds) for e in events),
        statistics=statistics,
        grounds=_grounds(ending, rows),
        labels=SoakLabels(
            soak_id=soak.soak_id,
            started_utc=soak.utc,
            ended_utc=ends[-1].utc if ends else None,
            attempts=tuple(AttemptLabel(a.begun.run_id, a.begun.utc) for a in attempts),
            events=tuple(e.utc for e in events),
            elapsed_real_s=sum(a.ended.elapsed_real_s for a in attempts if a.ended is not None),
        ),
    )


# -- the rows -----------------------------------------------------------------------------------------------------


def _ways(plan_text: str, attempts: Sequence[Attempt]) -> Mapping[str, Way]:
    """There is what the plan names; back is what else was activated. Where it names none of them by their own names,
    there starts from the version that the soak began with."""
    found = {a.begun.fixture or "": a.begun.version_from for a in attempts}
    listed = {PurePath(row["fixture"]).name for row in _firmware(plan_text)} & found.keys()
    home = attempts[0].begun.version_from if attempts else None
    return {
        name: "there" if (name in listed if listed else version == home) else "back" for name, version in found.items()
    }


def _firmware(plan_text: str) -> list[dict[str, str]]:
    try:
        tables = tomllib.loads(plan_text).get("firmware", [])
        return [row for row in tables if isinstance(row["fixture"], str)]
    except (tomllib.TOMLDecodeError, TypeError, KeyError):  # it was read when the soak began: another version's plan
        return []


def _row(number: int, attempt: Attempt, way_of: Mapping[str, Way]) -> AttemptRow:
    begun, ended = attempt.begun, attempt.ended
    place = begun.cycle
    row = AttemptRow(
        number=number,
        cycle=number if place is None else place.number,
        attempt=1 if place is None else place.attempt,
        fixture=begun.fixture or "",
        version_from=begun.version_from or "",
        version_to=begun.version_to or "",
        way=way_of[begun.fixture or ""],
        state="running" if attempt.state is State.RUNNING else "lost",
    )
    if ended is None:
        return row
    return replace(
        row,
        state="ended",
        verdict=ended.verdict,
        rail_verdict=ended.rail_verdict,
        reasons=ended.reasons,
        lower_s=ended.lower_s,
        estimate_s=ended.estimate_s,
        upper_s=ended.upper_s,
        version_before=ended.version_before,
        version_after=ended.version_after,
        safe=ended.safe,
        void=_is_void(ended),
        elapsed_s=ended.elapsed_s,
    )


def _is_void(ended: Ended) -> bool:
    """A FAIL was the meter's, whatever else cut the rail beside it."""
    return _VOID in ended.reasons and ended.verdict != Verdict.FAIL


def cycle_of(row: AttemptRow) -> Cycle:
    """What the statistics may take from an attempt. One that is lost is an ERROR of which nothing is known.

    A watch that was cut short bounds nothing upwards, and sources that contradict each other bound nothing.
    """
    direction = Direction(row.fixture, row.version_from, row.version_to, "back" if row.way == "back" else "there")
    verdict = Verdict.ERROR if row.verdict is None else Verdict(row.verdict)
    lower, estimate, upper = row.lower_s, row.estimate_s, row.upper_s
    if row.state != "ended" or _NOTHING_BEGAN in row.reasons:
        lower = estimate = upper = None
    elif _CONTRADICTED in row.reasons:
        lower, estimate, upper = 0.0, None, None
    elif _CUT_SHORT in row.reasons:
        estimate, upper = None, None
    return Cycle(row.number, direction, verdict, lower, estimate, upper, row.void)


def _ending(ends: Sequence[SoakEnd], events: Sequence[SoakEvent]) -> Ending:
    sittings = 1 + sum(event.kind is EventKind.RESUMED for event in events)
    fixed = not any(end.reason in _BY_VERDICT for end in ends)
    resumed = [event.utc for event in events if event.kind is EventKind.RESUMED]
    if len(ends) < sittings and not (ends and resumed and ends[-1].utc > resumed[-1]):
        return Ending(None, "this soak goes on, or was killed", sittings, fixed)
    return Ending(ends[-1].reason, ends[-1].text, sittings, fixed)


# -- what the figures stand on ------------------------------------------------------------------------------------


def _grounds(ending: Ending, rows: Sequence[AttemptRow]) -> tuple[Ground, ...]:
    alike = "Cycles are taken to be independent and alike: the same meter, warm or cold, new or worn."
    counted = "ERROR and lost attempts are left out of the first two counts, and are violations in the third."
    fixed = "The number of cycles was fixed beforehand, or ended for a reason that is not a verdict."
    if not ending.fixed_n:
        fixed = (
            "This soak was stopped because of its verdicts: the number of cycles was not fixed, and the limit is not "
            "exact. For one stop at a FAIL it errs on the safe side; the share of violations is too high on average."
        )
    elif ending.reason == "time":
        fixed = "It ended by time: how many cycles fit in depends a little on how long they took."
    elif any(row.state == "running" for row in rows):
        fixed = "It still goes on: these figures are of the attempts that have ended."
    return (
        Ground("violation", alike),
        Ground("violation", fixed),
        Ground("violation", counted),
        Ground("outage", _NO_MODEL),
        Ground("outage", _LEFT_OUT),
        Ground("outage", "Over several directions, it is the distribution of this plan's mixture of them."),
        Ground(
            "trends", "Of one direction each. The true lengths are taken to be continuous: no two are exactly equal."
        ),
        Ground("trends", _WORST_CASE),
    )


_NO_MODEL = (
    "No distribution is assumed. Each figure is a band: its low end rests on lower bounds alone, its high end on upper "
    "bounds alone."
)
_LEFT_OUT = (
    "Left out, and counted beside: attempts that are void (not the meter cut the rail), that were lost, and those in "
    "which no activation began."
)
_WORST_CASE = (
    "'grows' and 'falls' are said only where all lengths within the bounds show it; the error is shared by all "
    "directions."
)
