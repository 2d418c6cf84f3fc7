"""A soak's page: the right words, nothing from outside, pictures that stay within their frames."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from rig.records.soak import SoakRecord
from rig.records.soak_report import render_soak
from rig.records.soak_svg import Scale, attempts_svg
from rig.records.soak_words import not_passed
from tests.records.soak_samples import SOAKS, Told, growing, lengths, quiet_night, record, rough_night

NASTY = "<script>alert(\"x\")</script> & 'q'"


class Page(HTMLParser):
    """Checks that every element is closed in order; keeps the text and what is linked."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""
        self.tags: list[str] = []
        self.links: list[str] = []
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("name", SOAKS)
def test_every_soak_has_a_page_that_is_whole_and_loads_nothing(name: str) -> None:
    source = render_soak(SOAKS[name]())
    page = Page(source)
    assert not {"script", "img", "link", "iframe"} & set(page.tags)
    assert all(re.fullmatch(r"\.\./[0-9TZa-f-]+/report\.html", link) for link in page.links)
    for word in ("None", "nan", "inf,", "Infinity"):
        assert word not in page.text
    assert "NaN" not in source
    assert "http" not in source


@pytest.mark.parametrize("name", SOAKS)
def test_nothing_is_drawn_at_no_place(name: str) -> None:
    source = render_soak(SOAKS[name]())
    assert not re.search(r'(x|y|x1|y1|cx|cy|width|height|points)="[^"]*(nan|inf)', source)
    assert not re.search(r'(width|height)="-', source)


def test_the_verdict_and_what_the_night_means_come_first_then_what_did_not_pass() -> None:
    text = Page(render_soak(rough_night())).text
    order = (
        "53 of 59 activations passed",
        "What the night means",
        "The night\n",
        "What did not pass",
        "Distribution of",
    )
    places = [text.index(words) for words in order]
    assert places == sorted(places)
    assert "ERROR (1 of them lost)" in text
    for words in ("at most 8.06 % (1 of 57)", "with each ERROR as one too", "stopped because of its verdicts"):
        assert words in text


def test_each_attempt_that_did_not_pass_links_to_its_bundle_and_a_lost_one_to_none() -> None:
    night = rough_night()
    page = Page(render_soak(night))
    for row in not_passed(night):
        bundle = night.labels.attempts[row.number - 1].run_id
        assert (f"../{bundle}/report.html" in page.links) == (row.state == "ended")
        assert bundle in page.text


def test_gaps_recoveries_and_resumes_are_marked_and_listed() -> None:
    text = Page(render_soak(rough_night())).text
    for words in ("everything answers again", "312.000 s", "lost, resumed"):
        assert words in text


def test_texts_from_outside_are_escaped() -> None:
    night = rough_night()
    assert night.setup is not None
    nasty = replace(
        night,
        plan=replace(night.plan, text=NASTY),
        events=tuple(replace(event, text=NASTY) for event in night.events),
        attempts=tuple(replace(row, fixture=NASTY) for row in night.attempts),
        setup=replace(night.setup, bench=NASTY, differences=(NASTY,)),
    )
    source = render_soak(nasty)
    assert "<script" not in source
    assert NASTY in Page(source).text


def test_what_the_figures_stand_on_is_on_the_page() -> None:
    night = quiet_night()
    text = Page(render_soak(night)).text
    assert all(ground.text in text for ground in night.grounds)


def test_the_same_soak_gives_the_same_page() -> None:
    assert render_soak(growing()) == render_soak(growing())


def _heights(source: str) -> list[tuple[float, float]]:
    found = re.findall(r'<rect x="[\d.]+" y="([\d.-]+)" width="[\d.]+" height="([\d.]+)" fill="#009e73"', source)
    return [(float(y), float(y) + float(height)) for y, height in found]


def test_bars_stay_within_the_frame_also_where_outages_lie_far_out() -> None:
    told = [*lengths(300), Told("FAIL", 3000.0, 3001.0, ("limit_exceeded",))]
    source = render_soak(record(told))
    assert "lie outside, see above" in source
    assert all(top >= 4 and bottom <= 34 + 230 + 2 for top, bottom in _heights(source))


def test_of_thousands_of_cycles_the_picture_has_no_more_bars_than_can_be_seen() -> None:
    night: SoakRecord = record(list(lengths(3000)))
    assert len(_heights(attempts_svg(night.attempts, (), 180.0, "x"))) < 2 * 2 * 800


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (44.95, 45.0501), (0.0, 5000.0), (0.3, 1.7), (-0.002, 0.003)])
def test_ticks_are_round_few_and_inside(low: float, high: float) -> None:
    ticks = Scale(low, high, 0.0, 100.0).ticks(6)
    assert 1 < len(ticks) <= 7
    assert all(low - 1e-9 <= tick <= high + 1e-9 for tick in ticks)


def test_an_axis_that_counts_has_no_fractions() -> None:
    assert Scale(0.3, 1.7, 0.0, 100.0).ticks(10, whole=True) == [1.0]
