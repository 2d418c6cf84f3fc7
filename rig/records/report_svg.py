"""The rail over time as inline SVG: outages, the limit, volts, and what each source knows.

Pure: from the record and the picture to text. Decides nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from rig.records.report_draw import (
    BETWEEN,
    DOWN,
    INK,
    LEFT,
    LIMIT,
    PLOT,
    RIGHT,
    TRACE,
    UP,
    WIDTH,
    Number,
    View,
    defs,
    esc,
    line,
    rect,
    text,
)
from rig.records.report_style import STYLE
from rig.records.report_words import length_key, plain
from rig.records.run import Coverage, Envelope, OutageRow, Picture, Shown, Track

HEAD, VOLTS, STRIP, GAP = 78, 190, 22, 8
_STEPS = (
    *(m * 10.0**e for e in range(-4, 1) for m in (1, 2, 5)),
    *(10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0, 7200.0, 14400.0, 43200.0, 86400.0),
)
_MINUTES_FROM_S = 600.0
_WORDS_CLASS = (' class="small"', ' class="halo small"')


@dataclass(frozen=True)
class Numbered:
    """An outage with its number in the table, drawn from `start_s` to `end_s` also where it is open."""

    number: int
    row: OutageRow
    start_s: float
    end_s: float


def numbered(record: Shown) -> list[Numbered]:
    cover = record.coverage
    return [
        Numbered(
            number,
            row,
            cover.from_s if row.start_s is None else row.start_s,
            cover.to_s if row.end_s is None else row.end_s,
        )
        for number, row in enumerate(record.outages, start=1)
    ]


def overview(record: Shown) -> View:
    """The judged window, and as much more as it takes to show time zero and where the limit lies."""
    marks = [record.coverage.from_s, record.coverage.to_s]
    if record.zero_mark is not None:
        marks.append(0.0)
    if record.outages:
        worst = max(numbered(record), key=lambda o: length_key(o.row))
        marks.append(worst.start_s + record.limit_s)
    low, high = min(marks), max(marks)
    pad = max((high - low) * 0.02, 0.5)
    return View(low - pad, high + pad)


def close_ups(record: Shown, whole: View) -> list[View]:
    """One view for each group of outages that would be small in `whole`."""
    views: list[View] = []
    for outage in sorted(numbered(record), key=lambda o: o.start_s):
        pad = max((outage.end_s - outage.start_s) * 0.3, 1.0)
        view = View(outage.start_s - pad, outage.end_s + pad)
        if views and view.from_s <= views[-1].to_s:
            views[-1] = View(views[-1].from_s, max(views[-1].to_s, view.to_s))
        else:
            views.append(view)
    return [v for v in views if v.to_s - v.from_s < 0.5 * (whole.to_s - whole.from_s)]


def rail_svg(record: Shown, picture: Picture, view: View, name: str) -> str:
    """The rail in `view`: outages, limit, volts where an oscilloscope saw them, and a strip for each source."""
    volts = VOLTS if picture.envelope is not None else 0
    strips = HEAD + volts + (GAP if volts else 0)
    bottom = strips + len(picture.tracks) * (STRIP + GAP)
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {bottom + 44}" role="img" aria-label="{esc(_alt(record, view))}">',
        defs(name),
        "".join(_outside(record, view, bottom)),
        "".join(_axis(record, view, bottom)),
        "".join(_shades(record, view, bottom)),
    ]
    if picture.envelope is not None:
        parts.extend(_volts(picture, picture.envelope, view, name))
    for index, track in enumerate(picture.tracks):
        parts.extend(_strip(track, record.coverage, view, strips + index * (STRIP + GAP), name))
    parts.extend(_marks(record, view, bottom))
    parts.append("</svg>")
    return "\n".join(parts)


def standalone_svg(record: Shown, picture: Picture) -> str:
    """The whole rail as a picture of its own, with its style, for a file."""
    svg = rail_svg(record, picture, overview(record), "whole")
    rules = "".join(r for r in STYLE.splitlines() if r.startswith("svg ."))
    style = f"<style>svg {{ font: 12.5px 'DejaVu Sans', Arial, sans-serif; }} {rules}</style>"
    paper = '<rect width="100%" height="100%" fill="#fff"/>'
    head, tag, rest = svg.partition('role="img"')
    first, closing, body = rest.partition(">")
    return f'{head}xmlns="http://www.w3.org/2000/svg" {tag}{first}{closing}{style}{paper}{body}\n'


def _alt(record: Shown, view: View) -> str:
    count = len(record.outages)
    return (
        f"The rail from {view.from_s:.0f} s to {view.to_s:.0f} s: {count or 'no'} outage{'' if count == 1 else 's'}. "
        "The tables below hold the numbers."
    )


# -- time ---------------------------------------------------------------------------------------------------------


def ticks(view: View, most: int = 9) -> list[float]:
    """Round instants in `view`, at most about `most`."""
    span = view.to_s - view.from_s
    step = next((s for s in _STEPS if span / s <= most), math.ceil(span / most / 86400.0) * 86400.0)
    first, last = math.ceil(view.from_s / step), math.floor(view.to_s / step)
    return [i * step for i in range(first, last + 1)]


def _axis(record: Shown, view: View, bottom: float) -> Iterator[str]:
    minutes = view.to_s - view.from_s >= _MINUTES_FROM_S
    for at in ticks(view):
        x = view.x(at)
        yield line(x, HEAD, x, bottom + 5, "#e3e3e3")
        yield text(x, bottom + 19, plain(round(at / 60 if minutes else at, 6)), "middle")
    yield line(LEFT, bottom, RIGHT, bottom, "#666")
    unit = "minutes" if minutes else "seconds"
    yield text(LEFT + PLOT / 2, bottom + 38, f"{unit} {record.axis_words}", "middle", more=' class="axis"')


def _outside(record: Shown, view: View, bottom: float) -> Iterator[str]:
    cover = record.coverage
    for start, end in ((view.from_s, min(cover.from_s, view.to_s)), (max(cover.to_s, view.from_s), view.to_s)):
        if end > start:
            x, width = view.x(start), view.x(end) - view.x(start)
            yield rect(x, HEAD, width, bottom - HEAD, "#f1f1f1")
            if width > 84:
                yield text(x + width / 2, HEAD + 15, "not watched", "middle", "#666", ' class="small"')


def _shades(record: Shown, view: View, bottom: float) -> Iterator[str]:
    """Each outage across all strips, with its number; numbers that would overlap are left to the close-ups."""
    last = -math.inf
    for outage in sorted(numbered(record), key=lambda o: o.start_s):
        if outage.end_s < view.from_s or outage.start_s > view.to_s:
            continue
        left, right = view.x(max(outage.start_s, view.from_s)), view.x(min(outage.end_s, view.to_s))
        yield rect(left, 26, max(right - left, 1.5), bottom - 26, DOWN, ' fill-opacity="0.14"')
        middle = (left + right) / 2
        if middle - last < 19:
            continue
        last = middle
        yield f'<circle cx="{middle:.2f}" cy="34" r="8.5" fill="#8a3a00"/>'
        yield text(middle, 38, outage.number, "middle", "#fff", ' class="number"')
        if outage.row.open != "none" and right - left > 150:
            yield text(
                middle + 13, 38, f"open at {_open_words(outage.row.open)}", fill="#8a3a00", more=' class="small"'
            )


def _open_words(open_: str) -> str:
    return {"start": "its start", "end": "its end", "both": "both ends"}[open_]


def _marks(record: Shown, view: View, bottom: float) -> Iterator[str]:
    if record.zero_mark is not None and view.shows(0.0):
        x = view.x(0.0)
        side = (x + 6, "start") if x < RIGHT - 140 else (x - 6, "end")
        yield line(x, 6, x, bottom, INK, ' stroke-width="1.4" stroke-dasharray="7 3 2 3"')
        yield text(side[0], 15, record.zero_mark, side[1])
    inside = [o for o in numbered(record) if o.end_s >= view.from_s and o.start_s <= view.to_s]
    if inside:
        yield from _limit(record, max(inside, key=lambda o: length_key(o.row)), view, bottom)


def _limit(record: Shown, outage: Numbered, view: View, bottom: float) -> Iterator[str]:
    """The bracket from an outage's start to the moment at which it reaches the limit."""
    at = outage.start_s + record.limit_s
    left, right, y = view.x(max(outage.start_s, view.from_s)), view.x(min(at, view.to_s)), 69
    yield line(left, y, right, y, LIMIT, ' stroke-width="1.6"')
    yield line(left, y - 5, left, y + 5, LIMIT, ' stroke-width="1.6"')
    since = "the start of the watch" if outage.row.start_s is None else f"the start of outage {outage.number}"
    label = f"limit: {plain(record.limit_s)} s after {since}"
    if not view.shows(at):
        arrow = f"M{right - 8:.2f} {y - 5} L{right:.2f} {y} L{right - 8:.2f} {y + 5}"
        yield f'<path d="{arrow}" fill="none" stroke="{LIMIT}"/>'
        yield text(right - 12, y - 7, f"{label}, further right", "end", LIMIT, ' class="halo"')
        return
    yield line(right, y - 8, right, bottom, LIMIT, ' stroke-width="2.4"')
    fits = right - LEFT > 260
    yield text(right - 6 if fits else right + 6, y - 7, label, "end" if fits else "start", LIMIT, ' class="halo"')


# -- volts --------------------------------------------------------------------------------------------------------


def _volts(picture: Picture, envelope: Envelope, view: View, name: str) -> Iterator[str]:
    rows = envelope.columns
    highest = 1.08 * max(picture.nominal_v, float(rows[:, 2].max(initial=0.0)))
    lowest = 1.08 * float(rows[:, 1].min(initial=0.0))
    top, height = HEAD + 4, VOLTS - 8

    def y(volts: Number) -> Number:
        return top + (highest - volts) / (highest - lowest) * height

    yield rect(LEFT, HEAD, PLOT, VOLTS, "none", ' stroke="#999"')
    step = next(s for s in (0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 50.0, math.inf) if highest / s <= 6)
    for index in range(0 if math.isinf(step) else int(highest / step) + 1):
        yield line(LEFT - 4, y(index * step), LEFT, y(index * step), "#666")
        yield text(LEFT - 8, y(index * step) + 4, f"{plain(index * step)} V", "end")
    yield text(4, HEAD + VOLTS / 2 - 6, "volts at the hub,")
    yield text(4, HEAD + VOLTS / 2 + 10, _short(envelope.name, 13))
    yield f'<g clip-path="url(#{name}-plot)">'
    for run in _runs(_columns_in(rows, view)):
        times, lows, highs = run.T
        there, back = (view.x(times), y(highs)), (view.x(times[::-1]), y(lows[::-1]))
        points = _points(np.hstack((there, back)))
        yield f'<polygon points="{points}" fill="{TRACE}" stroke="{TRACE}" stroke-linejoin="round"/>'
    yield "</g>"
    upper, lower = y(picture.up_above_v), y(picture.down_below_v)
    apart = max(0.0, 15 - (lower - upper)) / 2
    for at, label_y, colour, words in (
        (upper, upper - apart, UP, f"up above {plain(picture.up_above_v)} V"),
        (lower, lower + apart, DOWN, f"down below {plain(picture.down_below_v)} V"),
    ):
        yield line(LEFT, at, RIGHT, at, colour, ' stroke-width="1.5" stroke-dasharray="6 4"')
        yield text(RIGHT + 6, label_y + 4, words, fill=INK)


def _points(corners: npt.NDArray[np.float64]) -> str:
    """Of a polygon, shape (2, n), all in one go: a report has thousands, which took a third of its time one by one."""
    return " ".join(["%.2f,%.2f"] * corners.shape[1]) % tuple(corners.T.ravel().tolist())


def _columns_in(rows: npt.NDArray[np.float64], view: View) -> npt.NDArray[np.float64]:
    """The columns that `view` needs and one to each side, merged to about one a pixel."""
    first = max(0, int(np.searchsorted(rows[:, 0], view.from_s)) - 1)
    rows = rows[first : int(np.searchsorted(rows[:, 0], view.to_s, side="right")) + 1]
    starts = np.arange(0, len(rows), max(1, -(-len(rows) // PLOT)))
    if len(starts) == 0:
        return rows
    lows, highs = np.minimum.reduceat(rows[:, 1], starts), np.maximum.reduceat(rows[:, 2], starts)
    return np.column_stack((rows[starts, 0], lows, highs))


def _runs(columns: npt.NDArray[np.float64]) -> list[npt.NDArray[np.float64]]:
    """Stretches without a hole: a step of over three usual ones is one, and nothing is drawn across it."""
    if len(columns) < 2:
        return [columns] if len(columns) else []
    steps = np.diff(columns[:, 0])
    return np.split(columns, np.flatnonzero(steps > 3 * np.median(steps)) + 1)


# -- strips -------------------------------------------------------------------------------------------------------


def _strip(track: Track, cover: Coverage, view: View, top: float, name: str) -> Iterator[str]:
    """One source. Each pixel shows what it was for the most part; half-height marks show what else was there."""
    edges = np.linspace(view.from_s, view.to_s, PLOT + 1)
    up, down, seen = (_share(spans, edges) for spans in (track.up, track.down, track.seen))
    between, unseen = np.clip(seen - up - down, 0, 1), 1 - np.maximum(seen, up + down)
    base = np.argmax(np.stack([down, up, unseen, between]), axis=0)  # a tie shows the worse
    base[(base == 2) & ((edges[1:] <= cover.from_s) | (edges[:-1] >= cover.to_s))] = 4
    marks = [
        (1, top, _present(track.up, edges) & (base != 1)),
        (0, top + STRIP / 2, _present(track.down, edges) & (base != 0)),
    ]
    fills = (DOWN, UP, f"url(#{name}-unseen)", BETWEEN, "none")
    yield text(LEFT - 8, top + 15, _short(track.name, 20), "end")
    for start, end, state in _stretches(base):
        yield rect(LEFT + start, top, end - start, STRIP, fills[state])
        if end - start > 52 and not any(mark[start + 2 : end - 2].any() for _, _, mark in marks):
            fill = "#000" if state < 2 else INK  # white on these colours is hard to read
            words = ("down", "up", "unseen", "neither", "")[state]
            yield text(LEFT + (start + end) / 2, top + 15, words, "middle", fill, _WORDS_CLASS[state == 2])
    for state, y, mark in marks:
        for start, end, there in _stretches(mark.astype(np.intp)):
            if there:
                yield rect(LEFT + start, y, end - start, STRIP / 2, fills[state])
    yield rect(LEFT, top, PLOT, STRIP, "none", ' stroke="#999"')


Spans = Iterable[tuple[float, float]]


def _share(spans: Spans, edges: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The part of each cell that the spans cover, 0 to 1. Spans are disjoint."""
    rows = np.asarray(sorted(spans), dtype=np.float64).reshape(-1, 2)
    if len(rows) == 0:
        return np.zeros(len(edges) - 1)
    covered = np.repeat(np.concatenate(([0.0], np.cumsum(rows[:, 1] - rows[:, 0]))), 2)[1:-1]
    share: npt.NDArray[np.float64] = np.diff(np.interp(edges, rows.ravel(), covered)) / np.diff(edges)
    return np.asarray(np.round(share, 9))


def _present(spans: Spans, edges: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Which cells hold a part of a span, be it an instant; an instant on an edge belongs to the cell after it."""
    rows = np.asarray(sorted(spans), dtype=np.float64).reshape(-1, 2)
    instants = rows[rows[:, 0] == rows[:, 1], 0]
    rows = rows[rows[:, 0] < rows[:, 1]]
    begun = np.searchsorted(rows[:, 0], edges[1:], side="left")
    over = np.searchsorted(rows[:, 1], edges[:-1], side="right")
    return np.asarray((begun > over) | (np.diff(np.searchsorted(instants, edges, side="left")) > 0))


def _stretches(cells: npt.NDArray[np.intp]) -> Iterator[tuple[int, int, int]]:
    """Runs of equal cells: (first, past the last, value)."""
    bounds = [0, *(np.flatnonzero(np.diff(cells)) + 1).tolist(), len(cells)]
    for start, end in pairwise(bounds):
        yield start, end, int(cells[start])


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
