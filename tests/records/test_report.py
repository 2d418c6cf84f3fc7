"""The page for people: the right words, honest roundings, and nothing from outside."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.records import report_svg
from rig.records.report import render
from rig.records.report_draw import View
from rig.records.report_words import (
    at_least,
    at_most,
    nearest,
    plain,
    probability_words,
    restart_words,
    small,
    verdict_sentence,
)
from rig.records.run import (
    CAVEAT,
    Assumption,
    Coverage,
    Envelope,
    LongestOutage,
    OutageRow,
    Picture,
    RestartRow,
    RunRecord,
    Track,
)
from tests.records.samples import PICTURES, outage, passed, picture

VOID = {"meta", "br", "hr", "link", "img", "input"}
NASTY = "<script>alert(\"x\")</script> & 'q'"


class Page(HTMLParser):
    """Checks that every element is closed in order; keeps the text and the attributes."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "title"):
            self.text.append(data)

    def words(self) -> str:
        return " ".join(" ".join(self.text).split())


def page(record: RunRecord, shown: Picture | None = None) -> Page:
    return Page(render(record, shown or PICTURES["passed"][1]))


@pytest.mark.parametrize("name", PICTURES)
def test_every_page_is_well_formed_and_loads_nothing(name: str) -> None:
    make, shown = PICTURES[name]
    source = render(make(), shown)
    parsed = Page(source)
    assert not re.search(r"https?:|src=|@import|<script|<link|<iframe|<object|<img|javascript:", source, re.IGNORECASE)
    assert not {"script", "link", "img", "iframe"} & set(parsed.tags)
    assert all(re.fullmatch(r"url\(#[\w-]+\)", v) for v in re.findall(r"url\([^)]*\)", source))
    ids = [v for k, v in parsed.attributes if k == "id"]
    assert len(ids) == len(set(ids))
    assert set(re.findall(r"url\(#([\w-]+)\)", source)) <= set(ids)
    assert render(make(), shown) == source


def test_a_pass_says_the_upper_bound_and_the_margin_on_the_safe_side() -> None:
    words = "the hub was without power for at most 45.011 s; the limit is 180 s (134.989 s of margin)."
    assert verdict_sentence(passed()) == f"PASS: {words}"
    shown = page(passed()).words()
    assert "✓ PASS" in shown
    assert words[1:] in shown


def test_a_pass_without_an_outage_says_that_none_was_found() -> None:
    record = replace(passed(), outages=(), longest_outage=LongestOutage(0.0, 0.0, 0.018, None))
    assert "no outage was found: the hub was without power for at most 0.018 s" in verdict_sentence(record)
    assert "None was found" in page(record).words()


def test_a_fail_says_the_lower_bound_and_by_how_much_it_is_over() -> None:
    record = replace(PICTURES["failed"][0](), longest_outage=LongestOutage(180.7129, None, None, None))
    assert verdict_sentence(record) == (
        "FAIL: the hub was without power for at least 180.712 s; the limit is 180 s (over it by at least 0.712 s)."
    )
    assert "✗ FAIL" in page(record).words()
    assert "limit_exceeded" in page(record).words()
    exactly = replace(record, longest_outage=LongestOutage(180.0, None, None, None))
    assert "exactly the limit, which fails" in verdict_sentence(exactly)


def test_an_inconclusive_run_gives_both_bounds_and_each_reason() -> None:
    record, shown = PICTURES["inconclusive"][0](), PICTURES["inconclusive"][1]
    words = page(record, shown).words()
    assert "? INCONCLUSIVE" in words
    assert "at least 178.200 s and at most 181.900 s" in words
    for reason in record.reasons:
        assert reason.code in words
        assert reason.text in words
    assert "No oscilloscope trace" in words
    assert "No control was made" in words


def test_an_error_keeps_what_the_rail_said_and_tells_people_to_act() -> None:
    words = page(PICTURES["broken"][0]()).words()
    assert "! ERROR" in words
    assert "The rail by itself says PASS" in words
    assert "NOT PROVEN. Make the bench safe by hand." in words


@pytest.mark.parametrize("verdict", ["PASS", "FAIL", "INCONCLUSIVE", "ERROR"])
def test_only_a_pass_shows_the_word_pass_as_its_verdict(verdict: str) -> None:
    record = passed() if verdict == "PASS" else replace(passed(), verdict=verdict)
    html = render(record, PICTURES["passed"][1])
    banner = re.search(r'<section class="verdict (\w+)" aria-label="Verdict">(.*?)</section>', html, re.DOTALL)
    assert banner is not None
    assert banner.group(1) == verdict.lower()
    assert ("✓" in banner.group(2)) == (verdict == "PASS")


def test_everything_on_which_the_verdict_rests_is_on_the_page() -> None:
    record = passed()
    words = page(record).words()
    expected = [
        *(a.key for a in record.assumptions),
        *(a.source for a in record.assumptions),
        *(c.found for c in record.safe_state.checks),
        *(s.source for c in record.control.results for s in c.sources),
        *(c.made_utc for c in record.control.results if c.made_utc),
        *(b.name for b in record.uncertainty),
        record.firmware["sha256"],
        "header.manufacturer",
        "worst_rate_ppm",
        "DS1ZA1",
        "bench-1",
        "0.0 % to 7.2 %",
        "impossible",
        "45.000 s ± 4.20 ms",
        "an outage of exactly the limit fails",
        "activation command",
        "limit: 180 s after the start of outage 1",
        "up above 10.5 V",
        "down below 9 V",
    ]
    for part in expected:
        assert part in words, part


def test_an_activation_that_began_elsewhere_and_went_wrong_is_told_in_full() -> None:
    rows = (RestartRow(40.06, 41.01, 9000.0, 3.0, 1, -16.5), RestartRow(58.0, 59.1, 15.0, 0.0, 1, 1.55))
    activation = replace(
        passed().activation,
        started_by="outside of the rig; a person said when",
        transferred=False,
        problem="write 2 of 3 failed",
        restarts=rows,
    )
    assert "Image comes from the rig Started by the rig" in page(passed()).words()
    words = page(replace(passed(), activation=activation)).words()
    for part in (
        "Started by outside of the rig; a person said when",
        "Image comes another way: not sent and not checked by the rig",
        "Problem write 2 of 3 failed",
        *(f"Meter restarted {restart_words(row)}" for row in rows),
    ):
        assert part in words, part


def test_what_a_run_cannot_show_is_beside_its_verdict() -> None:
    rows = (*passed().assumptions, Assumption(CAVEAT, "the gas meter does not feed the hub", "domain"))
    words = page(replace(passed(), assumptions=rows)).words()
    assert words.index("The gas meter does not feed the hub.") < words.index("Activation")
    assert passed().caveat is None


@pytest.mark.parametrize(
    ("outage_number", "after_s", "text"),
    [
        (None, None, "; the rail had not been away until then"),
        (2, None, ", in or after outage 2"),
        (2, -3.21, ", while the rail was away (outage 2)"),
        (2, 3.21, ", 3.2 s after the rail was back (outage 2)"),
    ],
)
def test_a_restart_is_told_beside_the_rail(outage_number: int | None, after_s: float | None, text: str) -> None:
    row = RestartRow(40.06, 41.01, 9000.0, 3.0, outage_number, after_s)
    assert restart_words(row) == f"by its own up-time, 40.0 to 41.1 s after time zero{text}"


def test_names_are_text_and_never_markup() -> None:
    record = passed()
    shown = PICTURES["passed"][1]
    named = replace(
        record,
        reasons=PICTURES["failed"][0]().reasons[:0],
        identities={NASTY: {NASTY: NASTY}, "meter": {"maker": NASTY}},
        firmware={NASTY: NASTY},
        labels=replace(record.labels, host=NASTY, run_id=NASTY),
        activation=replace(record.activation, version_before=NASTY),
        outages=(replace(record.outages[0], cause=NASTY, sources=(NASTY,)),),
        alerts={"north": NASTY, "south_central": [0, 0], NASTY: NASTY},
    )
    tracks = (Track(NASTY, ((0.0, 1.0),), (), ()),)
    source = render(named, replace(shown, tracks=tracks, envelope=Envelope(NASTY, np.array([(0.0, 1.0, 2.0)]))))
    assert "<script" not in source
    assert "script" not in Page(source).tags
    assert NASTY in Page(source).words()


def test_a_record_of_which_almost_nothing_is_known_still_gives_a_page() -> None:
    row = OutageRow(None, None, 0.0, None, None, "both", "unknown", ())
    record = replace(
        PICTURES["inconclusive"][0](),
        longest_outage=LongestOutage(0.0, None, None, None),
        outages=(row,),
        coverage=Coverage(0.0, 0.0, 0.0),
        uncertainty=(),
        activation=replace(passed().activation, commanded_at_s=None, uncertainty_s=None, version_before=None),
        identities={},
        firmware={},
        clock={},
        assumptions=(),
        alerts=None,
        bench={},
    )
    words = page(record, Picture((), Envelope("scope", np.empty((0, 3))), 9.0, 10.5, 12.0)).words()
    assert "without an upper bound" in words
    assert "no command left the rig" in words
    assert "activation command" not in re.sub("no activation command was sent|from the activation command", "", words)


def test_a_short_cut_in_a_long_watch_is_enlarged() -> None:
    make, shown = PICTURES["late"]
    words = page(make(), shown).words()
    assert "minutes from the activation command" in words
    assert "Outage 1, enlarged" in words
    assert "seconds from the activation command" in words


def test_only_the_first_groups_of_outages_are_enlarged_and_the_page_says_so() -> None:
    cuts = tuple((100.0 * i, 100.0 * i + 2.0) for i in range(1, 10))
    record = replace(
        passed(), outages=tuple(outage(a, b, 1.9, 2.1) for a, b in cuts), coverage=Coverage(-30.0, 1200.0, 0.0)
    )
    words = page(record, picture(-30.0, 1200.0, cuts)).words()
    assert words.count("enlarged") == 7
    assert "Of 9 groups of outages, the first 6 are enlarged." in words


def test_each_control_has_its_own_heading_and_says_when_it_was_made() -> None:
    shown = page(passed())
    controls = passed().control.results
    assert [kind for kind in shown.text if kind in {c.kind for c in controls}] == [c.kind for c in controls]
    assert shown.tags.count("h3") >= len(controls)
    assert " s from the activation command" in shown.words()


@given(st.floats(-1e7, 1e7), st.floats(1e-3, 1e7))
def test_ticks_are_few_and_inside(start: float, length: float) -> None:
    view = View(start, start + length)
    found = report_svg.ticks(view)
    assert len(found) <= 10
    assert all(view.from_s - 1e-6 <= t <= view.to_s + 1e-6 for t in found)
    assert length < 1 or len(found) >= 2


FLOATS = st.floats(-1e9, 1e9, allow_nan=False)


@given(FLOATS, st.integers(0, 9))
def test_a_bound_is_never_rounded_in_the_direction_that_flatters(value: float, digits: int) -> None:
    step = Decimal(1).scaleb(-digits)
    upper, lower = Decimal(at_most(value, digits)), Decimal(at_least(value, digits))
    assert lower <= Decimal(repr(value)) <= upper
    assert upper - lower <= step
    assert abs(Decimal(nearest(value, digits)) - Decimal(repr(value))) <= step / 2


@given(st.floats(0, 1e6))
def test_an_uncertainty_is_shown_in_a_handy_unit_and_never_too_small(value: float) -> None:
    number, unit = small(value).split(" ")
    scale = {"s": Decimal(1), "ms": Decimal("1e-3"), "µs": Decimal("1e-6"), "ns": Decimal("1e-9")}[unit]
    assert Decimal(number) * scale >= Decimal(repr(value))


@pytest.mark.parametrize(
    ("value", "up", "down"),
    [
        (45.0100001, "45.011", "45.010"),
        (45.01, "45.010", "45.010"),
        (-0.0001, "0.000", "-0.001"),
        (179.9999, "180.000", "179.999"),
    ],
)
def test_bounds_in_milliseconds(value: float, up: str, down: str) -> None:
    assert (at_most(value), at_least(value)) == (up, down)


@pytest.mark.parametrize(
    ("value", "text"),
    [(180.0, "180"), (10.5, "10.5"), (1e-7, "0.0000001"), (600.0, "600"), (0.0, "0"), (1e16, "1" + "0" * 16)],
)
def test_a_setting_is_shown_with_all_its_digits(value: float, text: str) -> None:
    assert plain(value) == text


@pytest.mark.parametrize(
    ("bounds", "text"),
    [
        ([0, 0], "impossible"),
        ([1, 1], "certain"),
        ([0.0, 0.00001], "0.0 % to 0.1 %"),
        ([0.06, 0.23], "6.0 % to 23.0 %"),
    ],
)
def test_a_probability_is_rounded_outwards(bounds: list[float], text: str) -> None:
    assert probability_words(bounds) == text


def test_an_alert_that_may_have_been_sent_before_anything_was_seen_says_so() -> None:
    alerts = {
        "north": [0.0, 1.0],
        "south_central": [0.0, 0.0],
        "sent_at_s": {"north": [None, 180.0], "south_central": None},
        "story": {"north": ["Cut 1 (100 s or more): AD1."], "south_central": []},
    }
    words = page(replace(passed(), alerts=alerts), PICTURES["passed"][1]).words()
    assert "before anything was seen to 180.000 s after the activation command" in words
    assert "Cut 1 (100 s or more): AD1." in words
