"""Two soaks side by side as one static page: the sentence, each pair of directions as two bands, what it stands on.

Pure. Decides nothing; `rig.compare/1` holds the exact values.
"""

from __future__ import annotations

from rig.judgement.soak import Direction, by_direction
from rig.judgement.soak.comparison import ChanceDifference, Shift
from rig.judgement.soak.distribution import Distribution, distribution_of
from rig.records.compare import CompareRecord, Side
from rig.records.compare_words import chance_words, compare_sentence, pair_words, shift_words
from rig.records.report_draw import esc
from rig.records.report_tables import facts_table, page, section
from rig.records.report_words import plain
from rig.records.soak_making import cycle_of
from rig.records.soak_svg import two_ecdfs_svg
from rig.records.soak_words import counts_words


def render_compare(record: CompareRecord, a: Side, b: Side) -> str:
    """The whole page. `a` and `b` are what was compared."""
    sentence = compare_sentence(record)
    attention = "".join(f"<p><strong>Attention:</strong> {esc(text)}</p>" for text in record.attention)
    of_a, of_b = _distributions(a, record.confidence), _distributions(b, record.confidence)
    both = zip(record.difference.chances, record.difference.shifts, strict=True)
    pairs = [_pair(record, chance, shift, of_a, of_b, index) for index, (chance, shift) in enumerate(both)]
    alone = [
        section(f"Only in {name}", f"<p>{esc(', '.join(one.words for one in directions))}: not compared.</p>")
        for name, directions in (("A", record.difference.alone_a), ("B", record.difference.alone_b))
        if directions
    ]
    grounds = "".join(f"<p>{esc(text)}</p>" for text in record.grounds)
    who = f"{record.a.meter} · A {record.a.soak_id} · B {record.b.soak_id}"
    parts = [
        f'<header><h1>{esc(sentence)}</h1><p class="sub">{esc(who)}</p></header>',
        attention,
        section("Both soaks", facts_table(_sides(record))),
        *pairs,
        *alone,
        section("What this stands on", grounds),
    ]
    return page(sentence, parts)


def _sides(record: CompareRecord) -> list[tuple[str, str]]:
    exactly = "fails" if record.comparison == "ge" else "still passes"
    return [
        *((name, f"{row.verdict}; {counts_words(row.counts)}") for name, row in (("A", record.a), ("B", record.b))),
        ("Limit", f"{plain(record.limit_s)} s; an outage of exactly the limit {exactly}"),
    ]


def _distributions(side: Side, confidence: float) -> dict[Direction, Distribution]:
    cycles = by_direction(cycle_of(row) for row in side.attempts if row.state != "running")
    return {direction: distribution_of(rows, confidence) for direction, rows in cycles.items()}


def _pair(
    record: CompareRecord,
    chance: ChanceDifference,
    shift: Shift,
    of_a: dict[Direction, Distribution],
    of_b: dict[Direction, Distribution],
    index: int,
) -> str:
    words = facts_table([("Length", shift_words(shift)), ("Chance of a violation", chance_words(chance))])
    if not (shift.cycles_a and shift.cycles_b):
        return section(pair_words(shift), words)
    picture = two_ecdfs_svg(of_a[shift.a], of_b[shift.b], record.limit_s, f"pair{index}")
    return section(pair_words(shift), words, f"<figure>{picture}</figure>")
