"""The verdict of one activation test: from hard bounds, causes and what is known of the run. Pure.

`rail_verdict` speaks of the rail alone. `verdict` is PASS only when also the activation happened, the positive control
of this bench is valid, the cause of what was seen is known and is the meter, and the safe state was proven. FAIL needs
the cause *meter*. An unproven safe state makes it ERROR. Everything else is INCONCLUSIVE, with reasons.
"""

from __future__ import annotations

from dataclasses import dataclass

from rig.judgement.cause import Cause
from rig.judgement.limit import Comparison, Limit, Verdict
from rig.rail import Contradiction, Intervals, Outage, RailHistory


@dataclass(frozen=True)
class Finding:
    """One reason: a published code, and a sentence for people."""

    code: str
    text: str


@dataclass(frozen=True)
class Circumstances:
    """What is known of the run beside the rail. `image_refused`: how the meter says no to its image."""

    activation_started: bool
    version_changed: bool
    control_valid: bool
    safe_state_proven: bool
    lost: tuple[str, ...] = ()
    interrupted: str | None = None
    image_refused: str | None = None


@dataclass(frozen=True)
class Judgement:
    verdict: Verdict
    rail_verdict: Verdict
    reasons: tuple[Finding, ...]


def judge(
    history: RailHistory,
    causes: tuple[Cause, ...],
    contradictions: tuple[Contradiction, ...],
    run: Circumstances,
    limit: Limit,
    zero_ns: int = 0,
) -> Judgement:
    """The verdict; `causes` has one entry for each of `history.outages`. Texts count time from `zero_ns`."""
    rail = judge_rail(history, contradictions, limit, zero_ns)
    reasons = [*rail.reasons, *_of_causes(history.outages, causes), *_of_run(run)]
    breaking = [c for o, c in zip(history.outages, causes, strict=True) if limit.broken_by(o.lower_ns)]
    verdict = Verdict.INCONCLUSIVE
    if rail.rail_verdict is Verdict.FAIL and Cause.METER in breaking:
        verdict = Verdict.FAIL
    elif rail.rail_verdict is Verdict.PASS and not reasons:
        verdict = Verdict.PASS
    if not run.safe_state_proven:
        verdict = Verdict.ERROR
        reasons.append(Finding("safe_state_unproven", "The bench could not be proven to be in its safe state."))
    return Judgement(verdict, rail.rail_verdict, tuple(reasons))


def judge_rail(
    history: RailHistory, contradictions: tuple[Contradiction, ...], limit: Limit, zero_ns: int = 0
) -> Judgement:
    """The rail alone: what a file can tell. Contradicting sources make it inconclusive whatever the bounds say."""
    if contradictions:
        return Judgement(Verdict.INCONCLUSIVE, Verdict.INCONCLUSIVE, (_disagreement(contradictions, zero_ns),))
    verdict = limit.verdict(history.lower_ns, history.upper_ns)
    if verdict is Verdict.FAIL:
        words = "or longer" if limit.comparison is Comparison.GE else "exceeded"
        text = (
            f"The rail was away for at least {_s(history.lower_ns)} s; the limit is {_s(limit.length_ns)} s ({words})."
        )
        return Judgement(verdict, verdict, (Finding("limit_exceeded", text),))
    if verdict is Verdict.INCONCLUSIVE:
        return Judgement(verdict, verdict, (_why_open(history, limit),))
    return Judgement(verdict, verdict, ())


def _why_open(history: RailHistory, limit: Limit) -> Finding:
    """Whether what was not seen decides (then looking would have helped), or what was seen straddles the limit."""
    if not history.outages:
        return Finding("unseen_gap", "The rail was not watched at all.")
    culprits = [o for o in history.outages if o.upper_ns is None or limit.broken_by(o.upper_ns)]
    unseen = max((_unseen_in(o, history.unseen) for o in culprits), default=0)
    upper = "unbounded" if history.upper_ns is None else f"{_s(history.upper_ns)} s"
    bounds = f"the longest outage is between {_s(history.lower_ns)} s and {upper}; the limit is {_s(limit.length_ns)} s"
    if any(o.open != "none" for o in culprits) and unseen == 0:
        return Finding("straddles_limit", f"The rail was away when the watch began or ended: {bounds}.")
    slack = max(((o.upper_ns or 0) - o.lower_ns for o in culprits), default=0)
    if unseen > 0 and (history.upper_ns is None or 2 * unseen >= slack):
        return Finding("unseen_gap", f"Nothing looked at the rail for {_s(unseen)} s: {bounds}.")
    return Finding("straddles_limit", f"What was seen cannot decide: {bounds}.")


def _unseen_in(outage: Outage, unseen: Intervals) -> int:
    return int(unseen.clip(outage.from_ns, outage.to_ns).lengths().sum())


def _disagreement(contradictions: tuple[Contradiction, ...], zero_ns: int) -> Finding:
    first = contradictions[0]
    more = f" ({len(contradictions) - 1} more such stretches)" if len(contradictions) > 1 else ""
    text = (
        f"{first.says_up} proves the node '{first.node}' up and {first.says_down} proves it down, "
        f"from {_s(first.start_ns - zero_ns)} s to {_s(first.end_ns - zero_ns)} s{more}."
    )
    return Finding("sources_disagree", text)


def _of_causes(outages: tuple[Outage, ...], causes: tuple[Cause, ...]) -> list[Finding]:
    proven = [(n, c) for n, (o, c) in enumerate(zip(outages, causes, strict=True), 1) if o.proven]
    found = []
    unknown = [str(n) for n, c in proven if c is Cause.UNKNOWN]
    if unknown:
        found.append(Finding("cause_unknown", f"The cause of outage {', '.join(unknown)} is not known."))
    others = [f"outage {n}: {c}" for n, c in proven if c not in (Cause.UNKNOWN, Cause.METER)]
    if others:
        found.append(Finding("cause_not_meter", f"Not the meter cut the rail ({'; '.join(others)}): the run is void."))
    return found


def _of_run(run: Circumstances) -> list[Finding]:
    image = f" The meter says of the image: {run.image_refused}." if run.image_refused else ""
    rows = [
        (not run.control_valid, "control_missing", "No valid control cut shows that every source sees an outage."),
        (not run.activation_started, "activation_not_started", f"The activation did not start.{image}"),
        (
            run.activation_started and not run.version_changed,
            "version_unchanged",
            f"The meter did not report the new version.{image}",
        ),
        (bool(run.lost), "instrument_lost", f"Lost during the run: {', '.join(run.lost)}."),
        (run.interrupted is not None, "interrupted", f"The run was interrupted ({run.interrupted})."),
    ]
    return [Finding(code, text) for applies, code, text in rows if applies]


def _s(ns: int) -> str:
    return f"{ns / 1e9:.3f}"
