"""`report.html`: one record as a page for people. One static file, no script, nothing loaded from anywhere.

Pure: from the record and the picture to text; decides nothing. `run.json` holds the exact values; here, upper bounds
are rounded up and lower bounds down.
"""

from __future__ import annotations

from rig.records.report_draw import esc, gauge_svg, legend_svg
from rig.records.report_svg import close_ups, numbered, overview, rail_svg
from rig.records.report_tables import (
    MARKS,
    Column,
    columns_of,
    facts_table,
    lines_of,
    lower,
    or_dash,
    page,
    pairs_section,
    rows_table,
    seconds,
    section,
    upper,
    yes,
)
from rig.records.report_words import (
    DASH,
    at_most,
    comparison_words,
    log_words,
    nearest,
    plain,
    probability_words,
    restart_words,
    small,
    verdict_sentence,
)
from rig.records.run import ControlRow, Controls, OutageRow, Picture, RunRecord

_REGIONS = {"north": "CSP North", "south_central": "CSP South & Central"}
_KINDS = {
    "quiet": "a fed rail, watched: no outage",
    "supply-feed": "the supply feeds, its relay is opened",
    "meter-feed": "the meter feeds, the hub's relay is opened",
    "mains": "the meter's mains is opened: the outage must be called mains",
}
_MOST_CLOSE_UPS = 6


def render(record: RunRecord, picture: Picture) -> str:
    """The whole page."""
    title = f"{verdict_sentence(record)} Run {record.labels.run_id}"
    sections = (
        _head(record),
        _verdict(record),
        _rail(record, picture),
        _outages(record),
        _activation(record),
        _alerts(record),
        _control(record.control),
        _coverage(record, picture),
        _uncertainty(record),
        _safe_state(record),
        _identities(record),
        pairs_section("Firmware", record.firmware),
        pairs_section("Clock", record.clock),
        _assumptions(record),
        pairs_section("Bench", record.bench),
        _labels(record),
    )
    return page(title, [*sections, _FOOTER])


_FOOTER = (
    "<footer><p><code>run.json</code> in this folder holds the exact values. On this page upper bounds are rounded up "
    "and lower bounds are rounded down, so that no rounding helps the meter. The hard bounds decide; the estimate "
    "never does. <code>sha256sum -c SHA256SUMS</code> checks that nothing in this folder was changed.</p></footer>"
)


# -- sections -----------------------------------------------------------------------------------------------------


def _head(record: RunRecord) -> str:
    meter = record.identities.get("meter", {})
    who = " ".join(meter[k] for k in ("maker", "model", "serial") if meter.get(k))
    change = f"{record.activation.version_before or 'unknown version'} to {record.activation.version_expected}"
    return (
        "<header><h1>Communications Hub power during a meter's firmware activation</h1>"
        f'<p class="sub">{esc(who or "Meter")}: {esc(change)} · run {esc(record.labels.run_id)} · '
        f"{esc(record.labels.started_utc)}</p></header>"
    )


def _verdict(record: RunRecord) -> str:
    sentence = verdict_sentence(record).split(": ", 1)[1]
    reasons = "".join(f"<li><code>{esc(r.code)}</code>{esc(r.text)}</li>" for r in record.reasons)
    listed = f'<ul class="reasons">{reasons}</ul>' if reasons else ""
    if record.caveat is not None:
        listed = f"<p>{esc(record.caveat[:1].upper() + record.caveat[1:])}.</p>{listed}"
    return (
        f'<section class="verdict {record.verdict.lower()}" aria-label="Verdict">'
        f'<div class="word"><span class="mark" aria-hidden="true">{MARKS[record.verdict]}</span>{record.verdict}</div>'
        f'<p class="sentence">{esc(sentence[:1].upper() + sentence[1:])}</p>{listed}</section>\n'
        f"<figure>{gauge_svg(record.longest_outage, record.limit_s)}</figure>\n"
        f'<p class="note">Limit: {esc(comparison_words(record))}. The rail by itself: {esc(record.rail_verdict)}.</p>'
    )


def _rail(record: RunRecord, picture: Picture) -> str:
    whole = overview(record)
    views = close_ups(record, whole)
    note = (
        "<p>The 12 V supply at the hub's pins. A strip shows what one source proves by itself; shaded columns are the "
        "outages, with their number in the table below.</p>"
    )
    parts = [
        note,
        f"<figure>{legend_svg()}{rail_svg(record, picture, whole, 'rail')}</figure>",
    ]
    for index, view in enumerate(views[:_MOST_CLOSE_UPS], start=1):
        inside = [str(o.number) for o in numbered(record) if o.end_s >= view.from_s and o.start_s <= view.to_s]
        outages = f"Outage{'s' if len(inside) > 1 else ''} {', '.join(inside)}"
        parts.append(f"<h3>{outages}, enlarged</h3>")
        parts.append(f"<figure>{rail_svg(record, picture, view, f'near{index}')}</figure>")
    if len(views) > _MOST_CLOSE_UPS:
        parts.append(
            f'<p class="note">Of {len(views)} groups of outages, the first {_MOST_CLOSE_UPS} are enlarged.</p>'
        )
    if picture.envelope is None:
        parts.append('<p class="note">No oscilloscope trace was taken, so no volts are drawn.</p>')
    return section("The rail", *parts)


def _outages(record: RunRecord) -> str:
    if not record.outages:
        return section("Outages", "<p>None was found in the judged window.</p>")
    columns = columns_of(
        "No.|Start|End|At least|Estimate|At most|Not seen|Cause|Proven by", "No.|Start|End|At least|Estimate|At most"
    )
    rows = [_outage(i, row, record) for i, row in enumerate(record.outages, start=1)]
    note = (
        '<p class="note">Start and end are estimates, from the activation command. “At least” and “at most” are hard '
        "bounds. The expanded uncertainty (k = 2) is that of the longest outage.</p>"
    )
    return section("Outages", rows_table(columns, rows), note)


def _outage(number: int, row: OutageRow, record: RunRecord) -> tuple[str, ...]:
    longest = record.longest_outage
    estimate = seconds(row.estimate_s)
    if (
        row.estimate_s is not None
        and row.estimate_s == longest.estimate_s
        and longest.expanded_uncertainty_s is not None
    ):
        estimate += f" ± {small(longest.expanded_uncertainty_s)}"
    return (
        str(number),
        seconds(row.start_s),
        seconds(row.end_s),
        lower(row.lower_s),
        estimate,
        upper(row.upper_s),
        {"none": DASH, "start": "its start", "end": "its end", "both": "both ends"}[row.open],
        row.cause,
        ", ".join(row.sources),
    )


def _activation(record: RunRecord) -> str:
    row = record.activation
    sent = "no command left the rig"
    if row.commanded_at_s is not None:
        width = "" if row.uncertainty_s is None else f", known to {small(row.uncertainty_s)}"
        sent = f"{nearest(row.commanded_at_s)} s after the start of the run (time zero{width})"
    facts = [
        ("Version before", row.version_before or "unknown"),
        ("Version after", row.version_after or "unknown"),
        ("Version expected", row.version_expected),
        ("Image state at the end", row.image_state or "unknown"),
        ("Image comes", "from the rig" if row.transferred else "another way: not sent and not checked by the rig"),
        ("Started by", row.started_by),
        ("Commanded", sent),
    ]
    if row.problem is not None:
        facts.append(("Problem", row.problem))
    facts += [("Meter restarted", restart_words(restart)) for restart in row.restarts]
    facts += [("Meter's own log", log_words(entry)) for entry in row.meter_log]
    return section("Activation", facts_table(facts))


def _alerts(record: RunRecord) -> str:
    if record.alerts is None:
        return ""
    facts = []
    for key, words in _REGIONS.items():
        facts.append((words, probability_words(record.alerts[key])))
        sent = record.alerts.get("sent_at_s", {}).get(key)
        if sent is not None:
            first = "before anything was seen" if sent[0] is None else nearest(sent[0])
            facts.append(("would be sent", f"{first} to {nearest(sent[1])} s after the activation command"))
        if story := record.alerts.get("story", {}).get(key):
            facts.append(("because", lines_of(story)))
    note = (
        "<p>Predicted probability that these outages lead to a Power Outage Alert (AD1) at the network operator. It is "
        "a model, not a measurement, and no part of the verdict.</p>"
    )
    return section("Alert forecast", note, facts_table(facts))


def _control(controls: Controls) -> str:
    if not controls.results:
        return section("Control", "<p>No control was made: nothing shows that an outage would have been seen.</p>")
    note = "<p>What the bench cut itself, for a known time, and every source must call rightly.</p>"
    missing = set(controls.required) - {row.kind for row in controls.results}
    facts = [("Valid", "yes" if controls.valid else "NO: these controls do not show that an outage would be seen")]
    if missing:
        facts.append(("Not made", ", ".join(sorted(missing))))
    return section("Control", note, facts_table(facts), *(_one_control(row) for row in controls.results))


def _one_control(row: ControlRow) -> str:
    facts = [
        ("What is done", _KINDS.get(row.kind, row.kind)),
        ("Valid", "yes" if row.valid else f"NO{': ' + row.problem if row.problem else ''}"),
        ("Commanded length", seconds(row.commanded_s) if row.commanded_s else DASH),
        ("Made", _made(row)),
    ]
    if row.fall_s is not None or row.rise_s is not None:
        facts.append(("The rail fell in", DASH if row.fall_s is None else small(row.fall_s)))
        facts.append(("The rail came back in", DASH if row.rise_s is None else small(row.rise_s)))
    if row.lowest_v is not None and row.highest_v is not None:
        facts.append(("Lowest and highest reading", f"{row.lowest_v:.2f} V, {row.highest_v:.2f} V"))
    columns = columns_of("Source|Right|At least|At most", "At least|At most")
    rows = [(s.source, yes(s.right), lower(s.lower_s), upper(s.upper_s)) for s in row.sources]
    table = rows_table(columns, rows, [not s.right for s in row.sources]) if rows else ""
    return f"<h3>{esc(row.kind)}</h3>{facts_table(facts)}{table}"


def _made(row: ControlRow) -> str:
    if row.made_utc is not None:
        return f"in an earlier run, {row.made_utc}"
    return DASH if row.started_at_s is None else f"{seconds(row.started_at_s)} from the activation command"


def _coverage(record: RunRecord, picture: Picture) -> str:
    cover = record.coverage
    facts = [
        ("Judged window", f"{seconds(cover.from_s)} to {seconds(cover.to_s)} from the activation command"),
        ("Longest stretch that no source saw", f"{at_most(cover.longest_unseen_s)} s"),
        ("Surely up", f"{plain(picture.up_above_v)} V and above"),
        ("Surely down", f"{plain(picture.down_below_v)} V and below"),
    ]
    return section("Coverage", facts_table(facts))


def _uncertainty(record: RunRecord) -> str:
    longest = record.longest_outage
    if not record.uncertainty and longest.expanded_uncertainty_s is None:
        return ""
    columns = columns_of(
        "Quantity|Value|Distribution|Half width|Standard|Sensitivity", "Value|Half width|Standard|Sensitivity"
    )
    rows = [
        (b.name, seconds(b.value_s), b.distribution, small(b.half_width_s), small(b.standard_s), plain(b.sensitivity))
        for b in record.uncertainty
    ]
    total = ""
    if longest.estimate_s is not None and longest.expanded_uncertainty_s is not None:
        total = (
            f"<p>Longest outage, estimated: {nearest(longest.estimate_s)} s ± {small(longest.expanded_uncertainty_s)} "
            "(expanded uncertainty, k = 2).</p>"
        )
    return section("Uncertainty of the estimate", rows_table(columns, rows) if rows else "", total)


def _safe_state(record: RunRecord) -> str:
    state = record.safe_state
    words = "Proven: every check below was read back." if state.proven else "NOT PROVEN. Make the bench safe by hand."
    rows = [(c.what, yes(c.proven), c.found) for c in state.checks]
    table = rows_table(columns_of("Check|Proven|Read back"), rows, [not c.proven for c in state.checks]) if rows else ""
    return section("Safe state at the end", f"<p>{words}</p>", table)


def _identities(record: RunRecord) -> str:
    if not record.identities:
        return ""
    keys = list(dict.fromkeys(key for device in record.identities.values() for key in device))
    rows = [(name, *(or_dash(device.get(k)) for k in keys)) for name, device in record.identities.items()]
    columns = (Column("Device"), *(Column(k) for k in keys))
    return section("Identities", rows_table(columns, rows))


def _assumptions(record: RunRecord) -> str:
    if not record.assumptions:
        return ""
    note = "<p>Settings on which the verdict rests. They are assumptions, not requirements.</p>"
    rows = [(a.key, a.value, a.source) for a in record.assumptions]
    return section("Assumptions", note, rows_table(columns_of("Setting|Value|Where from"), rows))


def _labels(record: RunRecord) -> str:
    row = record.labels
    facts = [
        ("Run", row.run_id),
        ("Started (UTC)", row.started_utc),
        ("Host", row.host),
        ("Folder", row.out),
        ("Real time taken", seconds(row.elapsed_real_s)),
    ]
    return section("Labels", facts_table(facts), '<p class="note">They name the run and decide nothing.</p>')
