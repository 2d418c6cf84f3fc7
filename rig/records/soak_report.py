"""A soak's `report.html`: the night as a page for people. One static file, no script, nothing loaded from anywhere.

Pure: from the record to text; decides nothing. `soak.json` holds the exact values; here, bounds are rounded outwards.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rig.judgement.soak.distribution import Quantile
from rig.judgement.soak.statistics import OfDirection
from rig.judgement.soak.trend import Trend
from rig.records.bundle import json_text
from rig.records.report_draw import esc, gauge_svg
from rig.records.report_tables import (
    MARKS,
    columns_of,
    facts_table,
    link,
    lower,
    page,
    rows_table,
    seconds,
    section,
    upper,
    whole,
)
from rig.records.report_words import DASH, plain
from rig.records.run import CAVEAT, LongestOutage
from rig.records.soak import AttemptRow, SoakRecord
from rig.records.soak_svg import attempts_svg, ecdf_svg, histogram_svg, key_svg, near_svg
from rig.records.soak_words import (
    band,
    chance_words,
    counted,
    counts_words,
    ending_words,
    left_out_words,
    not_passed,
    percent_at_least,
    quantile_name,
    run_id,
    soak_sentence,
    tolerance_words,
    trend_words,
    verdicts_words,
    whole_percent,
)

_MOST_DIRECTIONS = 8
_MOST_ROWS = 1000


def render_soak(record: SoakRecord) -> str:
    """The whole page. Links lead to the bundles beside the soak's own folder."""
    parts = (
        _head(record),
        _verdict(record),
        _meaning(record),
        _night(record),
        _not_passed(record),
        _events(record),
        _distribution(record),
        *_directions(record),
        _grounds(record),
        _setup(record),
        _plan(record),
        _labels(record),
        _FOOTER,
    )
    return page(soak_sentence(record), parts)


def soak_files(record: SoakRecord) -> dict[str, str]:
    """What a soak's folder holds of its meaning, by file name."""
    return {"soak.json": json_text(record.to_json()), "report.html": render_soak(record)}


_FOOTER = (
    "<footer><p><code>soak.json</code> in this folder holds the exact values, and each attempt has a folder of its own "
    "beside this one. On this page upper bounds are rounded up and lower bounds down, so that no rounding helps the "
    "meter. Estimates are for people; they decide nothing.</p></footer>"
)


def _limit(record: SoakRecord) -> float | None:
    return None if record.setup is None else record.setup.limit_s


def _head(record: SoakRecord) -> str:
    meter = {} if record.setup is None else record.setup.meter
    who = " ".join(meter[key] for key in ("maker", "model", "serial") if key in meter) or "Meter"
    directions = ", ".join(one.direction.words for one in record.statistics.directions[:4])
    return (
        "<header><h1>Communications Hub power over a night of firmware activations</h1>"
        f'<p class="sub">{esc(who)}: {esc(directions or "nothing was activated")} · {esc(record.labels.soak_id)} · '
        f"{esc(record.labels.started_utc)}</p></header>"
    )


def _verdict(record: SoakRecord) -> str:
    sentence = soak_sentence(record).split(": ", 1)[1]
    notes = [f"End: {ending_words(record)}."]
    if record.setup is not None:
        notes += [row.value for row in record.setup.assumptions if row.key == CAVEAT]
        if record.setup.differences:
            changed = ", ".join(record.setup.differences)
            notes.append(
                f"NOT ALL ALIKE: {changed} changed within this soak. Its figures mix what should not be mixed."
            )
    largest, limit_s = record.statistics.outage.largest, _limit(record)
    gauge = ""
    if largest is not None and limit_s is not None:
        gauge = f"<figure>{gauge_svg(LongestOutage(largest.lower_s, None, largest.upper_s, None), limit_s)}</figure>"
    return (
        f'<section class="verdict {record.verdict.lower()}" aria-label="Verdict">'
        f'<div class="word"><span class="mark" aria-hidden="true">{MARKS[record.verdict]}</span>{record.verdict}</div>'
        f'<p class="sentence">{esc(sentence[:1].upper() + sentence[1:])}</p>'
        + "".join(f"<p>{esc(note)}</p>" for note in notes)
        + f"</section>\n{gauge}"
    )


def _meaning(record: SoakRecord) -> str:
    """The figures in plain words."""
    statistics = record.statistics
    if statistics.counts.cycles == 0:
        return ""
    chance = statistics.violation
    rows = [
        ("Verdicts", verdicts_words(record)),
        (f"Chance of a violation, {whole_percent(chance.confidence)} sure", chance_words(chance.kept)),
        ("with each INCONCLUSIVE as a violation", chance_words(chance.violated)),
        ("with each ERROR as one too", chance_words(chance.all_violated)),
    ]
    if not record.ending.fixed_n:
        rows.append(("These limits", "are not exact: the soak was stopped because of its verdicts"))
    if statistics.outage.largest is not None:
        rows.append(("Longest outage", band(statistics.outage.largest.lower_s, statistics.outage.largest.upper_s)))
        rows += [
            (f"{whole_percent(t.content)} of activations", tolerance_words(t)) for t in statistics.outage.tolerance
        ]
    if left_out := left_out_words(statistics.outage):
        rows.append(("Of these figures", left_out))
    rows += [(f"Trend: {trend.direction.words}", trend_words(trend)) for trend in statistics.trends]
    return section("What the night means", facts_table(rows))


def _night(record: SoakRecord) -> str:
    if not record.attempts:
        return ""
    note = (
        "<p>Each attempt from the lower to the upper bound on its longest outage. A flag marks what happened beside "
        "it.</p>"
    )
    picture = attempts_svg(record.attempts, record.events, _limit(record), "night")
    return section("The night", note, f"<figure>{key_svg()}{picture}</figure>")


def _distribution(record: SoakRecord) -> str:
    outage = record.statistics.outage
    if not outage.cycles:
        return ""
    note = (
        f"<p>The share of {counted(outage.cycles, 'activation')} whose longest outage was at most so long. The true "
        "curve lies in the band: its upper edge is drawn by lower bounds, its lower edge by upper bounds.</p>"
    )
    picture = ecdf_svg(outage, _limit(record), "all", near=False)
    return section("Distribution of the longest outage", note, f"<figure>{picture}</figure>")


def _directions(record: SoakRecord) -> Iterator[str]:
    pairs = list(zip(record.statistics.directions, record.statistics.trends, strict=True))
    for index, (one, trend) in enumerate(pairs[:_MOST_DIRECTIONS]):
        yield _direction(record, one, trend, f"way{index}")
    if len(pairs) > _MOST_DIRECTIONS:
        yield section(
            "More directions", f"<p>Of {len(pairs)}, the first {_MOST_DIRECTIONS} are drawn; soak.json has all.</p>"
        )


def _direction(record: SoakRecord, one: OfDirection, trend: Trend, name: str) -> str:
    head = f"<p>{esc(counts_words(one.counts))}.</p>"
    if one.outage.largest is None:
        return section(one.direction.words, head, "<p>Nothing of it was measured.</p>")
    titles = "Here at least|Here at most|Of all at least|Of all at most|Sure"
    rows = [_quantile(row) for row in one.outage.quantiles]
    facts = [
        ("Chance of a violation", _chances(one)),
        ("Trend", trend_words(trend)),
        *((f"{whole_percent(t.content)} of all", tolerance_words(t)) for t in one.outage.tolerance),
    ]
    if trend.estimates is not None:
        facts.append(("By estimates alone", f"Kendall's tau {trend.estimates.tau:.3f}, p = {trend.estimates.p:.3g}"))
    own = [row for row in record.attempts if (row.fixture, row.version_from, row.version_to) == _place(one)]
    measured = [row for row in own if not row.void and row.lower_s is not None]
    limit_s = _limit(record)
    return section(
        one.direction.words,
        head,
        facts_table(facts),
        rows_table(columns_of(f"Quantile|{titles}", titles), rows),
        f"<h3>Over the night, enlarged</h3><figure>{near_svg(measured, limit_s, f'{name}-near')}</figure>",
        f"<h3>Distribution, enlarged</h3><figure>{ecdf_svg(one.outage, limit_s, f'{name}-ecdf', near=True)}</figure>",
        f"<figure>{histogram_svg(one.outage, limit_s, f'{name}-bins')}</figure>",
    )


def _chances(one: OfDirection) -> str:
    """Counted each way, where that makes a difference."""
    chance = one.violation
    words = [chance_words(chance.kept)]
    if chance.violated != chance.kept:
        words.append(f"with each INCONCLUSIVE as one {chance_words(chance.violated)}")
    if chance.all_violated != chance.violated:
        words.append(f"with each ERROR too {chance_words(chance.all_violated)}")
    return "; ".join(words)


def _quantile(row: Quantile) -> Sequence[str]:
    return (
        quantile_name(row.content),
        lower(row.lower_s),
        upper(row.upper_s),
        lower(row.from_s),
        upper(row.to_s),
        percent_at_least(row.confidence),
    )


def _place(one: OfDirection) -> tuple[str, str, str]:
    return one.direction.fixture, one.direction.version_from, one.direction.version_to


def _not_passed(record: SoakRecord) -> str:
    rows = not_passed(record)
    if not rows:
        return section("What did not pass", "<p>Nothing: every attempt passed.</p>") if record.attempts else ""
    columns = columns_of(
        "Cycle|Attempt|Fixture|Verdict|At least|At most|Why|Evidence", "Cycle|Attempt|At least|At most"
    )
    table = rows_table(
        columns, [_row(record, row) for row in rows[:_MOST_ROWS]], [row.verdict == "FAIL" for row in rows[:_MOST_ROWS]]
    )
    more = f"<p>And {len(rows) - _MOST_ROWS} more, in soak.json.</p>" if len(rows) > _MOST_ROWS else ""
    return section("What did not pass", table, more)


def _row(record: SoakRecord, row: AttemptRow) -> Sequence[str]:
    name = run_id(record, row)
    verdict = row.verdict or "lost"
    return (
        str(row.cycle),
        str(row.attempt),
        row.fixture,
        whole(f"{verdict} (void)" if row.void else verdict),
        lower(row.lower_s),
        DASH if row.lower_s is None else upper(row.upper_s),
        ", ".join(row.reasons) or DASH,
        link(f"../{name}/report.html", name) if row.state == "ended" else name,
    )


def _events(record: SoakRecord) -> str:
    if not record.events:
        return section("Events of the night", "<p>Nothing happened beside the activations.</p>")
    columns = columns_of("When (UTC)|After cycle|What|Lasted|In words", "After cycle|Lasted")
    rows = [
        (whole(at), DASH if e.cycle is None else str(e.cycle), whole(e.kind), seconds(e.seconds), e.text)
        for e, at in zip(record.events, record.labels.events, strict=True)
    ]
    more = f"<p>And {len(rows) - _MOST_ROWS} more, in soak.json.</p>" if len(rows) > _MOST_ROWS else ""
    return section("Events of the night", rows_table(columns, rows[:_MOST_ROWS]), more)


def _grounds(record: SoakRecord) -> str:
    names = {"violation": "Chance of a violation", "outage": "Distribution", "trends": "Trend"}
    rows = [(names[ground.figure], ground.text) for ground in record.grounds]
    return section("What the figures stand on", facts_table(rows))


def _setup(record: SoakRecord) -> str:
    setup = record.setup
    if setup is None:
        return ""
    exactly = "fails" if setup.comparison == "ge" else "still passes"
    facts = [
        ("Bench", f"{setup.bench}, {setup.topology}"),
        ("Hub", "commissioned: it talks to the live DCC" if setup.hub_commissioned else "not commissioned"),
        ("Limit", f"{plain(setup.limit_s)} s; an outage of exactly the limit {exactly}"),
        ("Meter", " ".join(setup.meter.values()) or "did not answer"),
        *((name, " ".join(device.values())) for name, device in setup.instruments.items()),
    ]
    rows = [(a.key, a.value, a.source) for a in setup.assumptions]
    note = "<p>Settings on which every verdict rests. They are assumptions, not requirements.</p>"
    table = rows_table(columns_of("Setting|Value|Where from"), rows) if rows else ""
    return section("Meter and bench", facts_table(facts)) + "\n" + section("Assumptions", note, table)


def _plan(record: SoakRecord) -> str:
    facts = facts_table([("SHA-256", record.plan.sha256), ("Seed", str(record.plan.seed))])
    return section("Plan", facts, f"<pre><code>{esc(record.plan.text)}</code></pre>")


def _labels(record: SoakRecord) -> str:
    row = record.labels
    facts = [
        ("Soak", row.soak_id),
        ("Started (UTC)", row.started_utc),
        ("Ended (UTC)", row.ended_utc or DASH),
        ("Cycles, attempts", f"{record.cycles}, {len(record.attempts)}"),
        ("Real time in attempts", seconds(row.elapsed_real_s)),
    ]
    return section("Labels", facts_table(facts), '<p class="note">They name the soak and decide nothing.</p>')
