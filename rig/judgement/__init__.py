"""Judgement: the limit, the cause, and the verdict with its reasons. Pure: it serves a file as well as a live bench."""

from rig.judgement.cause import Cause, Surroundings, cause_of
from rig.judgement.limit import Comparison, Limit, Verdict
from rig.judgement.verdict import Circumstances, Finding, Judgement, judge, judge_rail

__all__ = [
    "Cause",
    "Circumstances",
    "Comparison",
    "Finding",
    "Judgement",
    "Limit",
    "Surroundings",
    "Verdict",
    "cause_of",
    "judge",
    "judge_rail",
]
