"""The report's numbers and sentences: every bound is rounded in the direction that does not flatter.

Pure. Knows no HTML. A float stands for its shortest decimal, which is also what `run.json` shows.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal

from rig.records.run import LogRow, OutageRow, RestartRow, Shown

DASH = "–"
_SMALL = ((Decimal(1), "s"), (Decimal("1e-3"), "ms"), (Decimal("1e-6"), "µs"), (Decimal("1e-9"), "ns"))


def exact(value: float | Decimal) -> Decimal:
    """The decimal that a float stands for."""
    return value if isinstance(value, Decimal) else Decimal(repr(float(value)))


def plain(value: float | Decimal) -> str:
    """All digits, without an exponent and without trailing zeros: 180.0 is `180`."""
    text = format(exact(value), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def at_most(value: float | Decimal, digits: int = 3) -> str:
    """An upper bound: rounded up."""
    return _rounded(value, digits, ROUND_CEILING)


def at_least(value: float | Decimal, digits: int = 3) -> str:
    """A lower bound: rounded down."""
    return _rounded(value, digits, ROUND_FLOOR)


def nearest(value: float | Decimal, digits: int = 3) -> str:
    """An estimate, for people: to the nearest."""
    return _rounded(value, digits, ROUND_HALF_EVEN)


def _rounded(value: float | Decimal, digits: int, rounding: str) -> str:
    step = Decimal(1).scaleb(-digits)
    return format(exact(value).quantize(step, rounding=rounding) + 0, "f")  # + 0: never "-0.000"


def small(value_s: float) -> str:
    """An uncertainty in seconds with three digits, rounded up, in s, ms, µs or ns."""
    value = exact(value_s)
    if value == 0:
        return "0 s"
    scale, unit = next((row for row in _SMALL if abs(value) >= row[0]), _SMALL[-1])
    scaled = value / scale
    return f"{at_most(scaled, max(0, 2 - scaled.adjusted()))} {unit}"


def upper_words(upper_s: float | None) -> str:
    return "without an upper bound" if upper_s is None else f"at most {at_most(upper_s)} s"


def comparison_words(record: Shown) -> str:
    """The limit and what happens at exactly the limit."""
    exactly = "fails" if record.comparison == "ge" else "still passes"
    return f"{plain(record.limit_s)} s; an outage of exactly the limit {exactly}"


def verdict_sentence(record: Shown) -> str:
    """The verdict in one sentence, e.g. `PASS: the hub was without power for at most 45.011 s; …`."""
    sentences = {"PASS": _passed, "FAIL": _failed, "INCONCLUSIVE": _inconclusive, "ERROR": _error}
    return f"{record.verdict}: {sentences[record.verdict](record)}"


def _passed(record: Shown) -> str:
    upper = record.longest_outage.upper_s
    if upper is None:
        raise ValueError("a PASS without an upper bound")
    margin = exact(record.limit_s) - exact(upper)
    none = "" if record.outages else "no outage was found: "
    return (
        f"{none}the hub was without power for at most {at_most(upper)} s; "
        f"the limit is {plain(record.limit_s)} s ({at_least(margin)} s of margin)."
    )


def _failed(record: Shown) -> str:
    lower = record.longest_outage.lower_s
    over = exact(lower) - exact(record.limit_s)
    beyond = "exactly the limit, which fails" if over == 0 else f"over it by at least {at_least(over)} s"
    limit = plain(record.limit_s)
    return f"the hub was without power for at least {at_least(lower)} s; the limit is {limit} s ({beyond})."


def _inconclusive(record: Shown) -> str:
    return f"{record.unanswered}. {_bounds(record)}"


def _error(record: Shown) -> str:
    return f"the bench failed, or its safe state was not proven. {_bounds(record)}"


def _bounds(record: Shown) -> str:
    longest = record.longest_outage
    rail = "" if record.rail_verdict == record.verdict else f" The rail by itself says {record.rail_verdict}."
    return (
        f"The hub's longest time without power was at least {at_least(longest.lower_s)} s and "
        f"{upper_words(longest.upper_s)}; the limit is {plain(record.limit_s)} s.{rail}"
    )


def restart_words(row: RestartRow) -> str:
    """A start of the meter by its own up-time, and where it lies beside the rail."""
    text = f"by its own up-time, {at_least(row.from_s, 1)} to {at_most(row.to_s, 1)} s after time zero"
    if row.outage is None:
        return f"{text}; the rail had not been away until then"
    if row.after_outage_s is None:
        return f"{text}, in or after outage {row.outage}"
    if row.after_outage_s < 0:
        return f"{text}, while the rail was away (outage {row.outage})"
    return f"{text}, {nearest(row.after_outage_s, 1)} s after the rail was back (outage {row.outage})"


def log_words(row: LogRow) -> str:
    """An entry of the meter's own log, and whether it fits the rail. What contradicts is said loudly."""
    at = f"{at_least(row.from_s, 1)} to {at_most(row.to_s, 1)} s after time zero"
    if row.duration_s is None:
        during = "" if row.outage is None else f", in or at the end of outage {row.outage}"
        return f"event {row.code}, {at}{during}"
    text = f"supply back {at}, after {plain(row.duration_s)} s"
    rail = "the rail, which was not away" if row.outage is None else f"outage {row.outage} of the rail"
    if row.agrees is None:
        return text
    return f"{text}: {'agrees with' if row.agrees else 'CONTRADICTS'} {rail}"


def length_key(outage: OutageRow) -> tuple[float, float]:
    """Orders outages by how long they may have been."""
    return (float("inf") if outage.upper_s is None else outage.upper_s, outage.lower_s)


def probability_words(bounds: object) -> str:
    """A predicted probability [lowest, highest] in percent, the bounds rounded outwards."""
    if not isinstance(bounds, list | tuple) or len(bounds) != 2:
        return str(bounds)
    low, high = (exact(float(b)) * 100 for b in bounds)
    if high == 0:
        return "impossible"
    if low == 100:
        return "certain"
    return f"{at_least(low, 1)} % to {at_most(high, 1)} %"
