"""The pen of the report's drawings: inline SVG shapes, the scale of time, the key, and the gauge of the limit.

Pure. Decides nothing. Colours are from Okabe and Ito's palette, which people with any colour vision can tell apart;
each also differs by pattern or by words.
"""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

from rig.records.report_words import at_least, at_most, plain
from rig.records.run import LongestOutage

UP, DOWN, BETWEEN, TRACE, LIMIT, INK = "#009e73", "#d55e00", "#b8b8b8", "#0072b2", "#6a1b7a", "#222"
WIDTH, LEFT, PLOT = 1080, 150, 790
RIGHT = LEFT + PLOT


def esc(text: object) -> str:
    return html.escape(str(text), quote=True)


Number = TypeVar("Number", float, "npt.NDArray[np.float64]")
"""One value, or an array of them."""


@dataclass(frozen=True)
class View:
    """The stretch of time that a drawing shows, in seconds from time zero."""

    from_s: float
    to_s: float

    def x(self, at_s: Number) -> Number:
        return LEFT + (at_s - self.from_s) / (self.to_s - self.from_s) * PLOT

    def shows(self, at_s: float) -> bool:
        return self.from_s <= at_s <= self.to_s


def defs(name: str) -> str:
    return (
        f'<defs><pattern id="{name}-unseen" width="7" height="7" patternUnits="userSpaceOnUse" '
        f'patternTransform="rotate(45)"><rect width="7" height="7" fill="#fff"/>'
        f'<line x1="0" y1="0" x2="0" y2="7" stroke="#777" stroke-width="2.4"/></pattern>'
        f'<clipPath id="{name}-plot"><rect x="{LEFT}" y="0" width="{PLOT}" height="2000"/></clipPath></defs>'
    )


def rect(x: float, y: float, width: float, height: float, fill: str, more: str = "") -> str:
    return f'<rect x="{x:.2f}" y="{y:.2f}" width="{width:.2f}" height="{height:.2f}" fill="{fill}"{more}/>'


def line(x1: float, y1: float, x2: float, y2: float, stroke: str, more: str = "") -> str:
    return f'<line x1="{x1:.2f}" y1="{y1:.2f}" x2="{x2:.2f}" y2="{y2:.2f}" stroke="{stroke}"{more}/>'


def text(x: float, y: float, words: object, anchor: str = "start", fill: str = INK, more: str = "") -> str:
    return f'<text x="{x:.2f}" y="{y:.2f}" text-anchor="{anchor}" fill="{fill}"{more}>{esc(words)}</text>'


def legend_svg() -> str:
    """What the strips' colours and patterns mean."""
    entries = (
        (UP, "surely up"),
        (DOWN, "surely down"),
        (BETWEEN, "seen, neither proven"),
        ("url(#key-unseen)", "unseen"),
    )
    parts = [f'<svg viewBox="0 0 {WIDTH} 26" role="img" aria-label="Key">', defs("key")]
    x = float(LEFT)
    for fill, words in entries:
        parts += [rect(x, 5, 26, 15, fill, ' stroke="#777"'), text(x + 33, 17, words)]
        x += 62 + 7.0 * len(words)
    parts += [rect(x, 5, 26, 7.5, UP), rect(x, 12.5, 26, 7.5, DOWN)]
    parts += [text(x + 33, 17, "half height: too short to draw to scale"), "</svg>"]
    return "\n".join(parts)


def _gauge_alt(bounds: list[str], limit_s: float) -> str:
    return f"Longest time without power: {' and '.join(bounds)}; the limit is {plain(limit_s)} s."


def gauge_svg(longest: LongestOutage, limit_s: float) -> str:
    """The longest outage against the limit: what is sure, what cannot be excluded, and where the limit lies."""
    far = max(limit_s, longest.lower_s, longest.upper_s or 0.0) * 1.12
    top, height = 32, 24  # room over and under it for words that a phone shows larger

    def x(seconds: float) -> float:
        return 10 + seconds / far * (WIDTH - 20)

    lower, upper = x(longest.lower_s), WIDTH - 10.0 if longest.upper_s is None else x(longest.upper_s)
    words = [f"at least {at_least(longest.lower_s)} s"]
    words.append("no upper bound" if longest.upper_s is None else f"at most {at_most(longest.upper_s)} s")
    limit = x(limit_s)
    parts = [
        f'<svg class="gauge" viewBox="0 0 {WIDTH} 88" role="img" aria-label="{esc(_gauge_alt(words, limit_s))}">',
        defs("gauge"),
        rect(10, top, WIDTH - 20, height, "#f4f4f4", ' stroke="#bbb"'),
        rect(lower, top, max(0.0, upper - lower), height, "url(#gauge-unseen)", ' stroke="#777"'),
        rect(10, top, lower - 10, height, DOWN),
        text(10, top + height + 23, f"longest time without power: {', '.join(words)}"),
        line(limit, top - 8, limit, top + height + 8, LIMIT, ' stroke-width="3"'),
        text(limit, top - 11, f"limit {plain(limit_s)} s", "middle" if limit > 60 else "start", LIMIT),
        "</svg>",
    ]
    return "\n".join(parts)
