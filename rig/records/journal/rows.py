"""Facts to rows of the tables and back. Knows the columns; opens nothing."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import fields
from typing import Any, NamedTuple

from rig.records.journal.facts import (
    Attempt,
    Begun,
    Cycle,
    Ended,
    EventKind,
    Lost,
    Process,
    Soak,
    SoakEnd,
    SoakEvent,
)

Row = Sequence[Any]
Fact = Begun | Ended | Lost | Soak | SoakEvent | SoakEnd


def _columns(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


_PLAIN = tuple(name for name in _columns(Begun) if name not in ("cycle", "process"))
_PLACE = ("soak", "cycle", "attempt")
_PROCESS = _columns(Process)
_BEGUN = (*_PLAIN, *_PLACE, *_PROCESS)
_ENDED, _LOST, _EVENT, _END = _columns(Ended), _columns(Lost), _columns(SoakEvent), _columns(SoakEnd)
_SOAK = _columns(Soak)


def insert(connection: sqlite3.Connection, fact: Fact) -> None:
    """Add the row of one fact. Raises sqlite3.Error."""
    table, columns, values = _row(fact)
    marks = ", ".join("?" * len(columns))
    connection.execute(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", values)  # noqa: S608 - our names


def _row(fact: Fact) -> tuple[str, tuple[str, ...], list[Any]]:
    match fact:
        case Begun():
            return "begun", _BEGUN, _begun_row(fact)
        case Ended():
            return "ended", _ENDED, _ended_row(fact)
        case Lost():
            return "lost", _LOST, _values(fact, _LOST)
        case Soak():
            return "soak", (*_SOAK, "plan_sha256"), [*_values(fact, _SOAK), fact.plan_sha256]
        case SoakEvent():
            return "soak_event", _EVENT, _values(fact, _EVENT)
        case SoakEnd():
            return "soak_end", _END, _values(fact, _END)


def _values(fact: Fact | Process, names: tuple[str, ...]) -> list[Any]:
    return [getattr(fact, name) for name in names]


def _ended_row(fact: Ended) -> list[Any]:
    return [
        json.dumps(value) if name == "reasons" else value
        for name, value in zip(_ENDED, _values(fact, _ENDED), strict=True)
    ]


def _begun_row(fact: Begun) -> list[Any]:
    cycle, process = fact.cycle, fact.process
    return [
        *_values(fact, _PLAIN),
        *((cycle.soak, cycle.number, cycle.attempt) if cycle else (None, None, None)),
        *(_values(process, _PROCESS) if process else (None, None, None)),
    ]


ATTEMPTS = (
    f"SELECT {', '.join(f'begun.{name}' for name in _BEGUN)}, {', '.join(f'ended.{name}' for name in _ENDED)},"  # noqa: S608
    f" {', '.join(f'lost.{name}' for name in _LOST)}"
    " FROM begun LEFT JOIN ended USING (run_id) LEFT JOIN lost USING (run_id)"
)


class Listed(NamedTuple):
    """An attempt in one flat row, for listing tens of thousands of them: see `Begun`, `Ended` and `Lost`.

    `verdict` None: it has not ended. `reasons` is a JSON array; `lost` why it is called lost; the last three are
    `Process`'s, of one that has not ended, None where they are not known.
    """

    run_id: str
    kind: str
    utc: str
    verdict: str | None
    rail_verdict: str | None
    reasons: str | None
    lower_s: float | None
    estimate_s: float | None
    upper_s: float | None
    limit_s: float | None
    comparison: str | None
    safe: int | None
    bench: str
    meter: str | None
    fixture: str | None
    version_from: str | None
    version_to: str | None
    soak: str | None
    cycle: int | None
    attempt: int | None
    elapsed_s: float | None
    sums_sha256: str | None
    lost: str | None
    pid: int | None
    started: int | None
    boot_id: str | None

    @property
    def running(self) -> bool:
        """Not ended, and its process still lives."""
        if self.verdict is not None or self.lost is not None:
            return False
        if self.pid is None or self.started is None or self.boot_id is None:
            return False
        return Process(self.pid, self.started, self.boot_id).lives()


_WHENCE = {"meter": "coalesce(ended.meter, begun.meter)", "lost": "lost.why", "run_id": "begun.run_id"}
_WHENCE |= {name: f"iif(ended.n IS NULL, begun.{name}, NULL)" for name in _PROCESS}  # what has ended asks for none
_WHENCE |= {name: f"ended.{name}" for name in _ENDED if name not in _WHENCE}
_WHENCE |= {name: f"begun.{name}" for name in _BEGUN if name not in _WHENCE}
_PEOPLE = "run_id kind verdict rail_verdict lower_s upper_s bench fixture soak cycle attempt lost"
_SHORT = {*_PEOPLE.split(), *_PROCESS}


def listed(*, short: bool) -> str:
    """The question for `Listed`; `short`: only what people are shown, which is made in half the time."""
    columns = (_WHENCE[name] if name in _SHORT or not short else "NULL" for name in Listed._fields)
    joins = "FROM begun LEFT JOIN ended USING (run_id) LEFT JOIN lost USING (run_id)"
    return f"SELECT {', '.join(columns)} {joins}"


SOAKS = f"SELECT {', '.join(_SOAK)} FROM soak"  # noqa: S608 - our own names
EVENTS = f"SELECT {', '.join(_EVENT)} FROM soak_event"  # noqa: S608 - our own names
ENDS = f"SELECT {', '.join(_END)} FROM soak_end"  # noqa: S608 - our own names


def attempt_of(row: Row) -> Attempt:
    """A row of `ATTEMPTS`. Raises ValueError, TypeError for what no rig wrote."""
    middle, last = len(_BEGUN), len(_BEGUN) + len(_ENDED)
    begun, ended, lost = row[:middle], row[middle:last], row[last:]
    return Attempt(
        _begun_of(begun), None if ended[0] is None else _ended_of(ended), None if lost[0] is None else Lost(*lost)
    )


def _begun_of(row: Row) -> Begun:
    plain, place, process = row[: len(_PLAIN)], row[len(_PLAIN) : -len(_PROCESS)], row[-len(_PROCESS) :]
    named = dict(zip(_PLAIN, plain, strict=True))
    cycle = Cycle(*place) if place[0] is not None else None
    return Begun(**named, cycle=cycle, process=Process(*process) if process[0] is not None else None)


def _ended_of(row: Row) -> Ended:
    named = dict(zip(_ENDED, row, strict=True))
    return Ended(**{**named, "reasons": tuple(json.loads(named["reasons"])), "safe": bool(named["safe"])})


def soak_of(row: Row) -> Soak:
    return Soak(*row)


def event_of(row: Row) -> SoakEvent:
    named = dict(zip(_EVENT, row, strict=True))
    return SoakEvent(**{**named, "kind": EventKind(named["kind"])})


def end_of(row: Row) -> SoakEnd:
    return SoakEnd(*row)
