"""Rows of a record from the rail's history: shared by a run on a bench and by the analysis of files.

Times in seconds from `zero_ns`; nothing is rounded.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rig.bench.control_book import Entry
from rig.clock import to_ns
from rig.judgement import Cause
from rig.meters.port import LogEntry
from rig.procedures.control import ControlResult
from rig.procedures.evidence import Restart
from rig.rail import Outage, RailHistory
from rig.rail.estimate import budget
from rig.records.run import (
    BudgetLine,
    ControlRow,
    Controls,
    ControlSource,
    Coverage,
    LogRow,
    LongestOutage,
    OutageRow,
    RestartRow,
)

_LOG_STEP_NS = to_ns(1.0)
"""A meter's log counts whole seconds, up or down."""


def seconds(ns: int | None) -> float | None:
    """A length in seconds; None stays None."""
    return None if ns is None else ns / 1e9


def longest_row(history: RailHistory) -> LongestOutage:
    """The bounds on the longest outage; its estimate is that of the outage that people mean by it."""
    longest, upper = history.longest, seconds(history.upper_ns)
    if longest is None:
        nothing = 0.0 if history.upper_ns == 0 else None
        return LongestOutage(history.lower_ns / 1e9, nothing, upper, nothing)
    estimate, expanded = seconds(longest.estimate_ns), seconds(longest.expanded_uncertainty_ns)
    return LongestOutage(history.lower_ns / 1e9, estimate, upper, expanded)


def outage_row(outage: Outage, cause: Cause, zero_ns: int) -> OutageRow:
    """Where no crossing was seen, it may have begun with the last moment known up, and ended with the next one."""
    start = outage.start.at_ns if outage.start else None if outage.open in ("start", "both") else outage.from_ns
    end = outage.end.at_ns if outage.end else None if outage.open in ("end", "both") else outage.to_ns
    return OutageRow(
        start_s=seconds(None if start is None else start - zero_ns),
        end_s=seconds(None if end is None else end - zero_ns),
        lower_s=outage.lower_ns / 1e9,
        estimate_s=seconds(outage.estimate_ns),
        upper_s=seconds(outage.upper_ns),
        open=outage.open,
        cause=cause.value,
        sources=outage.sources,
    )


def restart_row(restart: Restart, outages: tuple[Outage, ...], zero_ns: int) -> RestartRow:
    """A start of the meter beside the outages of the rail: the last one that had begun when it started."""
    before = [(n, o) for n, o in enumerate(outages, 1) if o.from_ns <= restart.to_ns]
    number, outage = before[-1] if before else (None, None)
    ended = outage.end.at_ns if outage is not None and outage.end is not None else None
    middle = (restart.from_ns + restart.to_ns) // 2
    return RestartRow(
        from_s=(restart.from_ns - zero_ns) / 1e9,
        to_s=(restart.to_ns - zero_ns) / 1e9,
        uptime_before_s=restart.uptime_before_s,
        uptime_after_s=restart.uptime_after_s,
        outage=number,
        after_outage_s=None if ended is None else (middle - ended) / 1e9,
    )


def code_words(code: int | None) -> str | None:
    """A code of the meter's log as GBCS writes it."""
    return None if code is None else f"0x{code:04X}"


def log_rows(entries: Iterable[LogEntry], history: RailHistory, zero_ns: int, *, feeds: bool) -> tuple[LogRow, ...]:
    """What the meter's own log tells of the judged window, beside the outages of the rail.

    `feeds`: whether this meter feeds the rail; if not, what it lost and what the rail lost cannot be compared.
    """
    return tuple(
        _log_row(entry, entry.at_ns, history, zero_ns, feeds)
        for entry in entries
        if entry.at_ns is not None and entry.at_ns[1] >= history.from_ns and entry.at_ns[0] <= history.to_ns
    )


def _log_row(entry: LogEntry, at_ns: tuple[int, int], history: RailHistory, zero_ns: int, feeds: bool) -> LogRow:
    """An outage is the entry's where the stretch that it tells and the outage overlap."""
    away_ns = to_ns(entry.duration_s or 0.0)
    found = [
        (n, o) for n, o in enumerate(history.outages, 1) if o.from_ns <= at_ns[1] and o.to_ns >= at_ns[0] - away_ns
    ]
    number, outage = found[-1] if found else (None, None)
    agrees = None
    if entry.duration_s is not None and feeds:
        lower, upper = (outage.lower_ns, outage.upper_ns) if outage is not None else (0, 0)
        agrees = away_ns >= lower - _LOG_STEP_NS and (upper is None or away_ns <= upper + _LOG_STEP_NS)
    return LogRow(
        from_s=(at_ns[0] - zero_ns) / 1e9,
        to_s=(at_ns[1] - zero_ns) / 1e9,
        code=code_words(entry.code),
        duration_s=entry.duration_s,
        outage=number,
        agrees=agrees,
    )


def coverage_row(history: RailHistory, zero_ns: int) -> Coverage:
    begin, end = (history.from_ns - zero_ns) / 1e9, (history.to_ns - zero_ns) / 1e9
    return Coverage(begin, end, history.unseen.longest() / 1e9)


def budget_rows(history: RailHistory, rate_ppm: float, zero_ns: int) -> tuple[BudgetLine, ...]:
    """What the expanded uncertainty of the longest outage's estimate is made of (GUM, k = 2)."""
    longest = history.longest
    if longest is None or longest.start is None or longest.end is None:
        return ()
    return tuple(
        BudgetLine(
            line.name,
            line.distribution,
            line.half_width_ns / 1e9,
            line.standard_ns / 1e9,
            line.sensitivity,
            (line.value_ns - zero_ns) / 1e9 if line.value_ns else 0.0,
        )
        for line in budget(longest.start, longest.end, rate_ppm)
    )


def control_rows(
    made: Iterable[ControlResult], earlier: Iterable[Entry], required: Sequence[str], zero_ns: int
) -> Controls:
    """The controls of this visit, and those that stand from earlier ones."""
    rows = [_made(result, zero_ns) for result in made]
    done = {row.kind for row in rows}
    rows += [_stands(entry) for entry in earlier if entry.kind not in done]
    valid = all(row.valid for row in rows) and set(required) <= {row.kind for row in rows}
    return Controls(valid, tuple(required), tuple(rows))


def entry_of(result: ControlResult, made_utc: str) -> Entry:
    """What the bench's book keeps of a control."""
    row = _made(result, 0)
    return Entry(row.kind, row.valid, made_utc, row.commanded_s, row.fall_s, row.rise_s, row.lowest_v, row.highest_v)


def _made(result: ControlResult, zero_ns: int) -> ControlRow:
    lowest, highest = result.swing_v or (None, None)
    return ControlRow(
        kind=result.kind,
        valid=result.valid,
        commanded_s=result.cut_ns / 1e9,
        started_at_s=(result.started_ns - zero_ns) / 1e9,
        made_utc=None,
        sources=tuple(ControlSource(s.source, s.right, seconds(s.lower_ns), seconds(s.upper_ns)) for s in result.seen),
        fall_s=seconds(result.fall_ns),
        rise_s=seconds(result.rise_ns),
        lowest_v=lowest,
        highest_v=highest,
        problem=result.problem,
    )


def _stands(entry: Entry) -> ControlRow:
    return ControlRow(
        kind=entry.kind,
        valid=entry.valid,
        commanded_s=entry.cut_s,
        started_at_s=None,
        made_utc=entry.made_utc,
        sources=(),
        fall_s=entry.fall_s,
        rise_s=entry.rise_s,
        lowest_v=entry.lowest_v,
        highest_v=entry.highest_v,
        problem=None,
    )
