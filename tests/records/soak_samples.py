"""Soaks as the journal holds them, and their bundles, invented for the tests. Nothing here was measured."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from rig.records.journal import RUN, Attempt, Begun, Cycle, Ended, EventKind, Lost, Soak, SoakEnd, SoakEvent
from rig.records.soak import SoakRecord
from rig.records.soak_making import soak_record
from tests.records.samples import passed

SOAK_ID = "soak-20261124T180000Z-3f2a"
PLAN = 'schema = "rig.plan/1"\n[plan]\nname = "overnight"\n[[firmware]]\nfixture = "cut-45s"\n[end]\ncycles = 60\n'
_START = datetime(2026, 11, 24, 18, 0, tzinfo=UTC)
_PERIOD_S = 480.0


def utc(seconds: float) -> str:
    return f"{_START + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%SZ}"


def soak(plan: str = PLAN) -> Soak:
    return Soak(SOAK_ID, utc(0), plan, "twin", "twin", "Synthetic Meters SM-ESME-1 SM0000001", 0)


@dataclass(frozen=True)
class Told:
    """What a cycle gave. `lower` None and `verdict` None: it was lost."""

    verdict: str | None
    lower: float | None
    upper: float | None
    reasons: tuple[str, ...] = ()
    attempt: int = 1


def attempt(number: int, cycle: int, told: Told) -> Attempt:
    there = cycle % 2 == 1
    name = "cut-45s" if there else "cut-45s-back"
    versions = ("1.0.0", "1.1.0") if there else ("1.1.0", "1.0.0")
    run_id = f"{_START + timedelta(seconds=number * _PERIOD_S):%Y%m%dT%H%M%SZ}-{number % 65536:04x}"
    at = utc(number * _PERIOD_S)
    begun = Begun(run_id, RUN, at, "twin", name, *versions, "meter", Cycle(SOAK_ID, cycle, told.attempt), None)
    if told.verdict is None or told.lower is None:
        return Attempt(begun, None, Lost(run_id, at, "its process died"))
    estimate = None if told.upper is None else (told.lower + told.upper) / 2
    rail = "INCONCLUSIVE" if told.verdict == "ERROR" else told.verdict
    ended = Ended(
        run_id, told.verdict, rail, told.reasons, told.lower, estimate, told.upper, 180.0, "ge", *versions, True,
        "meter", "ab" * 32, 400.0, 0.5,
    )  # fmt: skip
    return Attempt(begun, ended, None)


def cycles(told: Sequence[Told]) -> tuple[Attempt, ...]:
    """One after the other; a second attempt belongs to the cycle before."""
    rows, cycle = [], 0
    for number, one in enumerate(told, start=1):
        cycle += one.attempt == 1
        rows.append(attempt(number, cycle, one))
    return tuple(rows)


@cache
def _passed() -> dict[str, Any]:
    return passed().to_json()


def body(**changes: Any) -> dict[str, Any]:
    """As much of run.json as a soak's record reads."""
    return {**_passed(), **changes}


def record(
    told: Sequence[Told],
    events: Sequence[SoakEvent] = (),
    end: tuple[str, str] | None = ("cycles", "all cycles are done"),
) -> SoakRecord:
    rows = cycles(told)
    ends = () if end is None else (SoakEnd(SOAK_ID, utc(len(rows) * _PERIOD_S + 500), *end),)
    return soak_record(soak(), rows, events, ends, (body() for row in rows if row.ended is not None))


def lengths(count: int, grows_s: float = 0.0, seed: int = 1) -> Iterator[Told]:
    noise = random.Random(seed)
    for cycle in range(1, count + 1):
        length = (45.0 if cycle % 2 else 20.0) + grows_s * cycle + noise.gauss(0.0, 0.03)
        yield Told("PASS", length - 0.045, length + 0.05)


def event(kind: EventKind, text: str, cycle: int | None = None, seconds: float | None = None) -> SoakEvent:
    return SoakEvent(SOAK_ID, utc((cycle or 0) * _PERIOD_S + 300), kind, text, cycle, seconds)


@cache
def quiet_night() -> SoakRecord:
    """Sixty cycles, all passed, two of them beside a gap."""
    events = (
        event(EventKind.GAP, "away: scope: no answer within 3 s", 21),
        event(EventKind.RECOVERY, "scope: closed, opened, identified again", 21),
        event(EventKind.GAP, "everything answers again", 21, 62.5),
    )
    return record(list(lengths(60)), events)


@cache
def rough_night() -> SoakRecord:
    """FAIL, INCONCLUSIVE, ERROR with a second attempt, a void cycle and a lost one, over two sittings."""
    told = list(lengths(58))
    told[9] = Told("INCONCLUSIVE", 44.0, None, ("instrument_lost", "unseen_gap"))
    told[13] = Told("INCONCLUSIVE", 300.0, 300.1, ("cause_not_meter",))
    told[20] = Told("ERROR", 44.9, 45.1, ("safe_state_unproven",))
    told.insert(21, Told("PASS", 44.9, 45.1, attempt=2))
    told[30] = Told("FAIL", 190.02, 190.11, ("limit_exceeded",))
    told[41] = Told(None, None, None)
    told[50] = Told("INCONCLUSIVE", 0.0, 0.0, ("activation_not_started",))
    events = (
        event(EventKind.GAP, "away: scope: no answer within 3 s", 10),
        event(EventKind.GAP, "everything answers again", 10, 312.0),
        event(EventKind.RECOVERY, "not safe: supply psu off: no answer", 21),
        event(EventKind.LOST, "cycle 41 (cut-45s) was lost", 41),
        event(EventKind.RESUMED, "goes on with cycle 42", 41),
        event(EventKind.MARK, "no power cycle: the meter is activating", 50),
    )
    return record(told, events, ("policy", "stopped after FAIL (1 in a row, 1 in all)"))


@cache
def nothing() -> SoakRecord:
    return record([], end=None)


@cache
def one() -> SoakRecord:
    return record(list(lengths(1)), end=None)


@cache
def all_unbounded() -> SoakRecord:
    told = [Told("INCONCLUSIVE", 30.0 + n % 7, None, ("instrument_lost",)) for n in range(40)]
    return record(told, end=("lost", "what is missing could not be brought back"))


@cache
def growing() -> SoakRecord:
    return record(list(lengths(60, grows_s=0.02)))


@cache
def many() -> SoakRecord:
    told = list(lengths(5000, seed=7))
    for n in range(100, 5000, 613):
        told[n] = Told("FAIL", 185.0, 185.2, ("limit_exceeded",))
    return record(told)


SOAKS = {
    "quiet": quiet_night,
    "rough": rough_night,
    "nothing": nothing,
    "one": one,
    "all-unbounded": all_unbounded,
    "growing": growing,
}
