"""Records and pictures as runs leave them, invented for the tests. Nothing here was measured."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from rig.records.run import (
    ActivationRow,
    Assumption,
    BudgetLine,
    ControlRow,
    Controls,
    ControlSource,
    Coverage,
    Envelope,
    Labels,
    LongestOutage,
    OutageRow,
    Picture,
    Reason,
    RunRecord,
    SafeCheck,
    SafeState,
    Track,
)

Spans = tuple[tuple[float, float], ...]


def outage(start: float | None, end: float | None, lower: float, upper: float | None, **more: str) -> OutageRow:
    estimate = None if start is None or end is None else end - start
    sources = ("scope CH1", "rail_up", "rail_down")
    return OutageRow(start, end, lower, estimate, upper, more.get("open", "none"), more.get("cause", "meter"), sources)


CONTROLS = (
    ControlRow(
        kind="meter-feed",
        valid=True,
        commanded_s=5.0,
        started_at_s=3.5,
        made_utc=None,
        sources=(ControlSource("scope CH1", True, 4.9921, 5.0049), ControlSource("rail_up", True, 4.98, None)),
        fall_s=0.0123,
        rise_s=0.0008,
        lowest_v=0.02,
        highest_v=12.1,
        problem=None,
    ),
    ControlRow("quiet", True, 0.0, None, "2026-11-24T05:30:00Z", (), None, None, None, None, None),
)


def passed() -> RunRecord:
    """One cut of 45 s, 12 s after the command."""
    return RunRecord(
        verdict="PASS",
        rail_verdict="PASS",
        reasons=(),
        limit_s=180.0,
        comparison="ge",
        longest_outage=LongestOutage(44.9812345, 45.0003, 45.0100001, 0.0042),
        outages=(outage(12.0004, 57.0007, 44.9812345, 45.0100001),),
        coverage=Coverage(-30.0, 420.0, 0.0195),
        uncertainty=(
            BudgetLine("time base of the oscilloscope", "rectangular", 0.0011252, 0.00065, 1.0),
            BudgetLine("sample spacing", "rectangular", 2.5e-05, 1.44e-05, 1.0),
            BudgetLine("stamp of the sense lines", "rectangular", 0.0, 0.0, -1.0),
        ),
        activation=ActivationRow(163.25, 0.0031, "1.2.3", "1.2.4", "1.2.4", "activated"),
        control=Controls(True, ("quiet", "meter-feed"), CONTROLS),
        identities={
            "meter": {"maker": "Example", "model": "E100", "serial": "0001"},
            "scope": {"maker": "RIGOL", "model": "DS1054Z", "serial": "DS1ZA1", "version": "00.04.04"},
        },
        firmware={"sha256": "ab" * 32, "version": "1.2.4", "header": {"manufacturer": 4660, "image_type": 1}},
        clock={"source": "CLOCK_MONOTONIC", "worst_rate_ppm": 3.1, "unknown_stretches": []},
        assumptions=(
            Assumption("rail.ride_through_s", "0.02 s", "default; the ICHIS document could not be read"),
            Assumption("rail.up_above_v", "10.5 V", "default"),
            Assumption("rail.down_below_v", "9 V", "bench file"),
        ),
        safe_state=SafeState(
            True, (SafeCheck("relay K2 open", True, "line low"), SafeCheck("rail below 1 V", True, "0.02 V after 3 s"))
        ),
        labels=Labels("20261122T221530Z-3f2a", "2026-11-22T22:15:30Z", "bench-1", "runs", 6.2),
        alerts={"north": [0.0, 0.0712], "south_central": [0.0, 0.0], "model": {"hold_up_s": 20}},
        bench={"name": "twin", "topology": "ichis"},
    )


def failed() -> RunRecord:
    """The rail goes and does not come back before the watch ends."""
    return replace(
        passed(),
        verdict="FAIL",
        rail_verdict="FAIL",
        reasons=(Reason("limit_exceeded", "The hub was without power for at least 407.9 s; 180 s is the limit."),),
        longest_outage=LongestOutage(407.98, None, None, None),
        outages=(outage(12.0, None, 407.98, None, open="end"),),
        alerts={"north": [1.0, 1.0], "south_central": [1.0, 1.0]},
    )


def inconclusive() -> RunRecord:
    return replace(
        passed(),
        verdict="INCONCLUSIVE",
        rail_verdict="INCONCLUSIVE",
        reasons=(
            Reason("straddles_limit", "The outage lasted between 178.2 s and 181.9 s: the limit lies between."),
            Reason("instrument_lost", 'The link to "scope" broke at 130 s & did not come back.'),
        ),
        longest_outage=LongestOutage(178.2, 180.1, 181.9, 1.9),
        outages=(outage(12.0, 192.1, 178.2, 181.9, cause="unknown"),),
        control=Controls(False, ("quiet", "meter-feed"), ()),
    )


def broken() -> RunRecord:
    state = SafeState(False, (SafeCheck("output of the supply off", False, "no answer"),))
    reason = Reason("safe_state_unproven", "The supply did not answer when its output was to be read back.")
    return replace(passed(), verdict="ERROR", reasons=(reason,), safe_state=state)


def late() -> RunRecord:
    """Forty minutes of watch with one cut of 45 s after half an hour."""
    row = outage(1810.0004, 1855.0007, 44.98, 45.01)
    return replace(passed(), outages=(row,), coverage=Coverage(-30.0, 2400.0, 0.0195))


def hiccup() -> RunRecord:
    """A converter in hiccup: 50 ms of volts in each second, for 190 s."""
    return replace(
        passed(),
        verdict="FAIL",
        rail_verdict="FAIL",
        reasons=(Reason("limit_exceeded", "The hub was without power for at least 189.9 s; 180 s is the limit."),),
        longest_outage=LongestOutage(189.981, 190.0, 190.02, 0.011),
        outages=(outage(12.0, 202.0, 189.981, 190.02),),
    )


def up_but_for(start: float, end: float, cuts: Spans) -> Spans:
    edges = [start, *(edge for cut in cuts for edge in cut), end]
    return tuple(zip(edges[::2], edges[1::2], strict=True))


def picture(start: float, end: float, cuts: Spans, trace: bool = True) -> Picture:
    """Three sources that see `cuts`; the oscilloscope is blind at first and for the last tenth; one polls each 2 s."""
    scope_end = end - (end - start) / 10
    inside = tuple((a + 0.004, min(b, end)) for a, b in cuts)
    polls = tuple(
        (t, t) for t in (start + 2.0 * i for i in range(int((end - start) / 2))) if not any(a < t < b for a, b in cuts)
    )
    scope_from = min(max(start, -20.0), end)
    seen = tuple((a, min(b, scope_end)) for a, b in inside if a < scope_end)
    tracks = (
        Track(
            "scope CH1", _clip(up_but_for(start, end, cuts), scope_from, scope_end), seen, ((scope_from, scope_end),)
        ),
        Track("rail_up", up_but_for(start, end, cuts), (), up_but_for(start, end, cuts)),
        Track("rail_down", (), inside, inside),
        Track("meter log of events <very long name>", polls, (), polls),
    )
    columns = []
    count = 4000
    for i in range(count):
        at = scope_from + (scope_end - scope_from) * (i + 0.5) / count
        volts = 12.03 + 0.02 * math.sin(i)
        for a, b in cuts:
            if a <= at < b:
                volts = 12.0 * math.exp(-(at - a) / 0.3)
        columns.append((at, volts - 0.06, volts + 0.05))
    return Picture(tracks, Envelope("scope CH1", np.array(columns)) if trace else None, 9.0, 10.5, 12.0)


def _clip(spans: Spans, start: float, end: float) -> Spans:
    return tuple((max(a, start), min(b, end)) for a, b in spans if b > start and a < end)


PICTURES = {
    "passed": (passed, picture(-30.0, 420.0, ((12.0, 57.0),))),
    "failed": (failed, picture(-30.0, 420.0, ((12.0, 420.0),))),
    "inconclusive": (inconclusive, picture(-30.0, 420.0, ((12.0, 192.1),), trace=False)),
    "broken": (broken, picture(-30.0, 420.0, ((12.0, 57.0),))),
    "late": (late, picture(-30.0, 2400.0, ((1810.0, 1855.0),))),
    "hiccup": (hiccup, picture(-30.0, 420.0, tuple((12.0 + i, 12.95 + i) for i in range(190)))),
}
