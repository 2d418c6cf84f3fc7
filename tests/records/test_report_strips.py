"""The strips of the report's picture: what one source proves, to the pixel, and readable."""

from __future__ import annotations

import re

from rig.records import report_svg
from rig.records.report_draw import View
from rig.records.run import Coverage, Track


def strip(track: Track, cover: Coverage | None = None) -> list[tuple[str, float, float, float]]:
    """The rectangles of a strip over 0 to 790 s, one pixel a second: (fill, first, past the last, height)."""
    view = View(0.0, 790.0)
    svg = "".join(report_svg._strip(track, cover or Coverage(0.0, 790.0, 0.0), view, 0.0, "t"))
    found = re.findall(r'<rect x="([\d.]+)" y="[\d.]+" width="([\d.]+)" height="([\d.]+)" fill="([^"]+)"', svg)
    return [(f, float(x) - 150, float(x) - 150 + float(w), float(h)) for x, w, h, f in found][:-1]


def test_a_strip_shows_up_down_between_and_unseen_where_they_are() -> None:
    track = Track("a", ((0.0, 100.0),), ((200.0, 300.0),), ((0.0, 400.0),))
    assert strip(track) == [
        ("#009e73", 0.0, 100.0, 22.0),
        ("#b8b8b8", 100.0, 200.0, 22.0),
        ("#d55e00", 200.0, 300.0, 22.0),
        ("#b8b8b8", 300.0, 400.0, 22.0),
        ("url(#t-unseen)", 400.0, 790.0, 22.0),
    ]


def luminance(colour: str) -> float:
    """Relative luminance by WCAG 2.1 of `#rgb` or `#rrggbb`."""
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_the_words_on_a_strip_have_the_contrast_that_wcag_asks_for() -> None:
    track = Track("a", ((0.0, 200.0),), ((200.0, 400.0),), ((0.0, 790.0),))
    svg = "".join(report_svg._strip(track, Coverage(0.0, 790.0, 0.0), View(0.0, 790.0), 0.0, "t"))
    pairs = re.findall(r'fill="(#\w+)"/><text [^>]*fill="(#\w+)"[^>]*>(up|down|neither)<', svg)
    assert [word for _, _, word in pairs] == ["up", "down", "neither"]
    for paper, ink, word in pairs:
        dark, light = sorted((luminance(paper), luminance(ink)))
        assert (light + 0.05) / (dark + 0.05) >= 4.5, word


def test_an_instant_is_never_drawn_as_a_stretch_and_never_lost() -> None:
    track = Track("polled", tuple((t + 0.5, t + 0.5) for t in range(0, 790, 10)), (), ())
    rows = strip(track)
    assert rows[0] == ("url(#t-unseen)", 0.0, 790.0, 22.0)
    assert [r for r in rows[1:] if r != ("#009e73", r[1], r[1] + 1, 11.0)] == []
    assert len(rows) == 80


def test_a_dip_too_short_to_draw_is_marked() -> None:
    track = Track("a", ((0.0, 300.2), (300.25, 790.0)), ((300.2, 300.25),), ((0.0, 790.0),))
    assert strip(track) == [("#009e73", 0.0, 790.0, 22.0), ("#d55e00", 300.0, 301.0, 11.0)]


def test_nothing_is_called_unseen_outside_the_judged_window() -> None:
    rows = strip(Track("a", (), (), ()), Coverage(100.0, 700.0, 600.0))
    assert rows == [("none", 0.0, 100.0, 22.0), ("url(#t-unseen)", 100.0, 700.0, 22.0), ("none", 700.0, 790.0, 22.0)]
