"""A soak's figures as sentences, for the terminal and for the page. Bounds are rounded so that none flatters.

Pure. Knows no HTML. Probabilities are percents: upper limits rounded up, confidences down.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from decimal import Decimal

from rig.judgement.soak.counting import Chance, Counts
from rig.judgement.soak.distribution import Distribution, Quantile, Tolerance
from rig.judgement.soak.trend import Trend
from rig.records.report_words import at_least, at_most, exact, plain
from rig.records.soak import AttemptRow, SoakRecord

_MOST_LISTED = 20
_SHOWN = (0.5, 0.95)


def percent_at_most(share: float, digits: int = 2) -> str:
    return f"{at_most(min(exact(share) * 100, exact(100.0)), digits)} %"


def percent_at_least(share: float, digits: int = 2) -> str:
    return f"{at_least(exact(share) * 100, digits)} %"


def whole_percent(share: float) -> str:
    """A confidence, rounded down to two digits: 0.95 is `95 %`."""
    return f"{plain(Decimal(at_least(exact(round(share, 9)) * 100, 2)))} %"


def band(lower_s: float, upper_s: float | None) -> str:
    """`44.911 to 45.006 s`, rounded outward."""
    return f"{at_least(lower_s)} s or more" if upper_s is None else f"{at_least(lower_s)} to {at_most(upper_s)} s"


def counted(number: int, word: str, more: str = "s") -> str:
    return f"{number} {word}{'' if number == 1 else more}"


def counts_words(counts: Counts) -> str:
    words = (
        f"{number} {word}"
        for number, word in (
            (counts.passed, "PASS"),
            (counts.failed, "FAIL"),
            (counts.inconclusive, "INCONCLUSIVE"),
            (counts.errors, "ERROR"),
        )
    )
    return ", ".join(words)


def verdicts_words(record: SoakRecord) -> str:
    """The counts; a lost attempt is among the errors, and is told to be there."""
    lost = sum(row.state == "lost" for row in record.attempts)
    return counts_words(record.statistics.counts) + (f" ({lost} of them lost)" if lost else "")


def soak_sentence(record: SoakRecord) -> str:
    """The night in one sentence."""
    counts, largest = record.statistics.counts, record.statistics.outage.largest
    if counts.cycles == 0:
        return f"{record.verdict}: nothing was activated."
    did = f"{counts.passed} of {counted(counts.cycles, 'activation')} passed"
    if counts.failed:
        did += f", {counts.failed} broke the limit"
    open_ = counts.inconclusive + counts.errors
    if open_:
        did += f", {open_} did not answer the question"
    if largest is None:
        return f"{record.verdict}: {did}."
    longest = "has no upper bound" if largest.upper_s is None else f"was at most {at_most(largest.upper_s)} s"
    if counts.failed:
        longest = f"was at least {at_least(largest.lower_s)} s"
    limit = "" if record.setup is None else f"; the limit is {plain(record.setup.limit_s)} s"
    return f"{record.verdict}: {did}; the longest outage {longest}{limit}."


def ending_words(record: SoakRecord) -> str:
    sittings = "" if record.ending.sittings == 1 else f" ({record.ending.sittings} sittings)"
    return f"{record.ending.text}{sittings}"


def chance_words(chance: Chance) -> str:
    return f"at most {percent_at_most(chance.upper_limit)} ({chance.violations} of {chance.cycles})"


def quantile_words(row: Quantile, confidence: float) -> str:
    here = f"{band(row.lower_s, row.upper_s)} here"
    if row.to_s is None and row.from_s == 0:
        return f"{here}; too little to say of all activations"
    return f"{here}; of all activations {band(row.from_s, row.to_s)}, {whole_percent(confidence)} sure"


def quantile_name(content: float) -> str:
    return "median" if content == 0.5 else f"{whole_percent(content)} point"


def tolerance_words(row: Tolerance) -> str:
    """What may be said of all activations, and how sure that is."""
    what = f"at least {whole_percent(row.content)} of all activations"
    if row.upper_s is None:
        return f"nothing bounds {what}: a cycle has no upper bound"
    enough = "" if row.confidence >= row.needed_confidence else f"; {row.needed_cycles} cycles are needed for"
    wanted = "" if not enough else f" {whole_percent(row.needed_confidence)}"
    return f"{what} stay at or below {at_most(row.upper_s)} s, {percent_at_least(row.confidence)} sure{enough}{wanted}"


def trend_words(trend: Trend) -> str:
    """What was found, and what would have been seen."""
    sure = whole_percent(1 - 2 * trend.level)
    if trend.finding == "too few cycles":
        return f"{counted(trend.cycles, 'cycle')}: too few to show a trend"
    between = f"{_slope(trend.from_s, down=True)} to {_slope(trend.to_s, down=False)} s per cycle, {sure} sure"
    if trend.finding == "grows":
        return f"GROWS with the cycles: by {between}"
    if trend.finding == "falls":
        return f"falls with the cycles: by {between}"
    if trend.to_s is None:
        return "none seen; as some cycles have no upper bound, no growth is excluded"
    return f"none seen; a growth of more than {_slope(trend.to_s, down=False)} s per cycle is excluded, {sure} sure"


def _slope(value_s: float | None, *, down: bool) -> str:
    if value_s is None:
        return "any"
    return at_least(value_s, 6) if down else at_most(value_s, 6)


def left_out_words(outage: Distribution) -> str:
    """What is in no distribution; empty where nothing was left out."""
    parts = []
    if outage.void:
        parts.append(f"{outage.void} void (not the meter cut the rail)")
    if outage.without:
        parts.append(f"{outage.without} of which nothing is known")
    return f"left out: {', '.join(parts)}" if parts else ""


def not_passed(record: SoakRecord) -> tuple[AttemptRow, ...]:
    """All that was not a PASS, in order."""
    return tuple(row for row in record.attempts if row.verdict != "PASS" and row.state != "running")


def attempt_words(row: AttemptRow) -> str:
    again = f", attempt {row.attempt}" if row.attempt > 1 else ""
    what = f"cycle {row.cycle}{again}: {row.fixture}"
    if row.verdict is None:
        return f"{what}: lost"
    bounds = "" if row.lower_s is None else f", {band(row.lower_s, row.upper_s)}"
    why = f" ({', '.join(row.reasons)})" if row.reasons else ""
    return f"{what}: {row.verdict}{bounds}{why}"


def summary_lines(record: SoakRecord) -> Iterator[str]:
    """The night on a terminal: one plain line after the other."""
    statistics = record.statistics
    yield soak_sentence(record)
    yield f"  end: {ending_words(record)}"
    if record.setup is not None and record.setup.differences:
        yield f"  NOT ALL ALIKE: {', '.join(record.setup.differences)} changed within this soak"
    yield f"  verdicts: {verdicts_words(record)}"
    if statistics.counts.cycles:
        yield from _figures(record)
    rows = not_passed(record)
    for row in itertools.islice(rows, _MOST_LISTED):
        yield f"  {attempt_words(row)}: {run_id(record, row)}"
    if len(rows) > _MOST_LISTED:
        yield f"  and {len(rows) - _MOST_LISTED} more that did not pass"


def _figures(record: SoakRecord) -> Iterator[str]:
    statistics = record.statistics
    violation, outage = statistics.violation, statistics.outage
    yield f"  chance of a violation: {chance_words(violation.kept)}, {whole_percent(violation.confidence)} sure"
    if violation.violated != violation.kept:
        yield f"    with each INCONCLUSIVE as a violation: {chance_words(violation.violated)}"
    if violation.all_violated != violation.violated:
        yield f"    with each ERROR as one too: {chance_words(violation.all_violated)}"
    if not record.ending.fixed_n:
        yield "    the soak was stopped because of its verdicts: these limits are not exact"
    if outage.largest is not None:
        yield f"  longest outage: {band(outage.largest.lower_s, outage.largest.upper_s)}"
        yield from (f"    {tolerance_words(row)}" for row in outage.tolerance)
    if left_out := left_out_words(outage):
        yield f"    {left_out}"
    for one, trend in zip(statistics.directions, statistics.trends, strict=True):
        yield f"  {one.direction.words}: {counts_words(one.counts)}"
        if len(statistics.directions) > 1:
            yield f"    chance of a violation: {chance_words(one.violation.kept)}"
        if one.outage.largest is not None:
            yield f"    longest: {band(one.outage.largest.lower_s, one.outage.largest.upper_s)}"
            shown = [row for row in one.outage.quantiles if row.content in _SHOWN]
            yield from (f"    {quantile_name(r.content)}: {quantile_words(r, statistics.confidence)}" for r in shown)
            yield f"    trend: {trend_words(trend)}"


def run_id(record: SoakRecord, row: AttemptRow) -> str:
    """The bundle of an attempt: a folder beside the soak's."""
    return record.labels.attempts[row.number - 1].run_id
