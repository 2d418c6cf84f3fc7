"""A round of controls: which are to be made, in the order in which the bench's feeds allow them; and the long ones.

What each of them is stands in `rig.procedures.control`. Those of the supply's feed come first, then, with the meter
feeding, those of the meter's feed and of mains.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rig.judgement import Verdict
from rig.procedures.control import ControlResult, Feed, Kind, run_cut, run_mains, run_quiet
from rig.procedures.session import Session

QUIET_WATCH = 5.0
"""How long a fed rail is watched for outages that are none, in `restore_min_s`."""
USUAL_LIMIT_S = 180.0
LONG_S = (-1.0, 1.0, 20.0)
"""Long cuts, in seconds from the usual limit: 179, 181 and 200 s; in proportion for a bench with another limit."""


def supply_controls(session: Session, kinds: Sequence[Kind]) -> bool:
    """Those with the supply feeding; whether all of them are valid. Afterwards nothing feeds the rail."""
    cut_s, watch_s = session.config.topology.control_cut_s, QUIET_WATCH * session.config.rail.restore_min_s

    def make() -> bool:
        session.feed_from_supply()
        valid = True
        if "quiet" in kinds:
            valid = (
                _keep(session, run_quiet(session.bench, session.watch, session.view, watch_s, session.level)) and valid
            )
        if "supply-feed" in kinds:
            valid = _cut(session, "supply-feed", cut_s) and valid
        session.unfeed()
        return valid

    if not {"quiet", "supply-feed"} & set(kinds):
        return True
    return session.step("control", f"a quiet rail, and a cut of {cut_s:g} s that every source must see", make)


def meter_controls(session: Session, kinds: Sequence[Kind]) -> bool:
    """Those with the meter feeding, which it does before and after; whether all of them are valid."""
    cut_s = session.config.topology.control_cut_s

    def make() -> bool:
        valid = True
        if "meter-feed" in kinds:
            valid = _cut(session, "meter-feed", cut_s)
        if "mains" in kinds:
            session.await_meter(session.meter_deadline_ns())
            valid = _keep(session, run_mains(session.bench, session.watch, session.view)) and valid
        return valid

    if not {"meter-feed", "mains"} & set(kinds):
        return True
    name = session.bench.relays.name
    text = f"{name('meter-feed')} cuts the feed for {cut_s:g} s"
    if "mains" in kinds:
        text += f", {name('mains')} cuts the meter's mains"
    return session.step("meter-control", text, make)


def long_controls(session: Session) -> bool:
    """Cuts around the limit with the hub fed as in a run: each must be called what its length demands."""
    limit_s = session.limit.length_ns / 1e9

    def make() -> bool:
        valid = True
        for more_s in LONG_S:
            cut_s = limit_s + more_s * limit_s / USUAL_LIMIT_S
            valid = _cut(session, session.path.feed, cut_s, Verdict.PASS if more_s < 0 else Verdict.FAIL) and valid
        return valid

    return session.step("long-control", f"cuts around the limit of {limit_s:g} s", make)


def _cut(session: Session, feed: Feed, cut_s: float, expected: Verdict | None = None) -> bool:
    result, taken = run_cut(session.bench, session.watch, session.view, feed, cut_s, session.level)
    name = f"control-{feed}"
    if expected is not None:
        name = f"control-{cut_s:g}s"
        called = _called(session, result)
        if called is not expected:
            result = replace(result, problem=f"a cut of {cut_s:g} s was called {called}, not {expected}")
    if taken is not None:
        session.evidence.control_captures[name] = taken
    return _keep(session, result)


def _called(session: Session, result: ControlResult) -> Verdict:
    """What the sources together make of it, as they would of a meter's cut."""
    lower = max((s.lower_ns for s in result.seen if s.lower_ns is not None), default=0)
    upper = min((s.upper_ns for s in result.seen if s.upper_ns is not None), default=None)
    return session.limit.verdict(lower, upper)


def _keep(session: Session, result: ControlResult) -> bool:
    session.evidence.controls.append(result)
    if result.problem is not None:
        session.progress.note(f"control {result.kind}: {result.problem}")
    for seen in result.seen:
        if not seen.right:
            session.progress.note(f"control {result.kind}: {seen.source} did not call it rightly")
        session.diary.event(
            "control",
            kind=result.kind,
            source=seen.source,
            right=seen.right,
            lower_ns=seen.lower_ns,
            upper_ns=seen.upper_ns,
        )
    return result.valid
