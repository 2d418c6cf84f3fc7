"""How the cycles ended, and what that says of the probability that an activation breaks the rule. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rig.judgement.limit import Verdict
from rig.judgement.soak.cycle import Cycle
from rig.judgement.soak.ranks import upper_limit


@dataclass(frozen=True)
class Counts:
    """Cycles by verdict."""

    cycles: int
    passed: int
    failed: int
    inconclusive: int
    errors: int


def counts_of(cycles: Sequence[Cycle]) -> Counts:
    verdicts = [cycle.verdict for cycle in cycles]
    return Counts(
        len(verdicts),
        passed=verdicts.count(Verdict.PASS),
        failed=verdicts.count(Verdict.FAIL),
        inconclusive=verdicts.count(Verdict.INCONCLUSIVE),
        errors=verdicts.count(Verdict.ERROR),
    )


@dataclass(frozen=True)
class Chance:
    """`violations` of `cycles`, and the upper confidence limit on the probability of one (exact binomial)."""

    violations: int
    cycles: int
    upper_limit: float


@dataclass(frozen=True)
class Violation:
    """The probability of a violation, whichever way the cycles that did not answer are counted.

    `kept`: every INCONCLUSIVE kept the rule, and ERROR cycles are left out. `violated`: every INCONCLUSIVE broke it,
    and ERROR cycles are left out. `all_violated`: every INCONCLUSIVE and every ERROR broke it.
    """

    confidence: float
    kept: Chance
    violated: Chance
    all_violated: Chance


def violation_of(counts: Counts, confidence: float) -> Violation:
    answered = counts.cycles - counts.errors
    worst = counts.failed + counts.inconclusive

    def chance(violations: int, cycles: int) -> Chance:
        return Chance(violations, cycles, upper_limit(violations, cycles, confidence))

    return Violation(
        confidence,
        kept=chance(counts.failed, answered),
        violated=chance(worst, answered),
        all_violated=chance(worst + counts.errors, counts.cycles),
    )
