"""A soak's pictures as inline SVG: the outage over the attempts, its distribution as a band, and its histogram.

Pure: from rows and figures to text; decides nothing. Colours and pen are those of `rig.records.report_draw`; each
verdict has a mark of its own beside its colour.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rig.judgement.soak.distribution import Distribution, Step
from rig.records.report_draw import (
    DOWN,
    INK,
    LEFT,
    LIMIT,
    PLOT,
    RIGHT,
    TRACE,
    UP,
    WIDTH,
    defs,
    esc,
    line,
    rect,
)
from rig.records.report_draw import text as words
from rig.records.report_words import plain
from rig.records.soak import AttemptRow, EventRow

TOP, HEIGHT, FOOT = 34, 230, 46
_COLOURS = {"PASS": UP, "FAIL": DOWN, "INCONCLUSIVE": "#8a6d00", "ERROR": INK, None: INK}
_EVENTS = {"gap": "gap", "recovery": "recovery", "lost": "lost", "resumed": "resumed", "quarantine": "quarantine"}
_HALO = ' class="halo"'
_ATTEMPT, _CYCLES = "attempt", "cycles"  # axes that count
_TAIL = 0.02  # of each side, may lie outside an enlarged picture


@dataclass(frozen=True)
class Scale:
    """From values to places on the page, linear."""

    low: float
    high: float
    at_low: float
    at_high: float

    def __call__(self, value: float) -> float:
        return self.at_low + (value - self.low) / (self.high - self.low) * (self.at_high - self.at_low)

    def shows(self, value: float) -> bool:
        return self.low <= value <= self.high

    def ticks(self, most: int, *, whole: bool = False) -> list[float]:
        """Round values within, at most so many; `whole`: no fractions."""
        step = 10.0 ** math.floor(math.log10((self.high - self.low) / most))
        step = next(m * step for m in (1, 2, 5, 10, 20, 50) if (self.high - self.low) / (m * step) <= most)
        step = max(step, 1.0) if whole else step
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        digits = max(0, -math.floor(math.log10(step)))
        return [round(n * step, digits) for n in range(first, last + 1)]


def attempts_svg(rows: Sequence[AttemptRow], events: Sequence[EventRow], limit_s: float | None, name: str) -> str:
    """Each attempt's bounds over its number, against the limit; what happened beside it is marked at the top."""
    bottom = TOP + HEIGHT
    x = _numbers(rows)
    far = max((v for r in rows for v in (r.lower_s, r.upper_s) if v is not None), default=0.0)
    y = Scale(0.0, 1.1 * max(far, limit_s or 0.0, 0.1), bottom, TOP)
    body = [*_frame(x, y, _ATTEMPT, "s"), *_bars(rows, x, y, name)]
    if limit_s is not None:
        body.append(line(LEFT, y(limit_s), RIGHT, y(limit_s), LIMIT, ' stroke-width="2"'))
        body.append(words(RIGHT - 6, y(limit_s) - 6, f"limit {plain(limit_s)} s", "end", LIMIT, _HALO))
    body += _happened(rows, events, x)
    return _svg(body, bottom, name, f"Bounds on the longest outage of {len(rows)} attempts")


def near_svg(rows: Sequence[AttemptRow], limit_s: float | None, name: str) -> str:
    """The attempts of one direction, enlarged to where most of their bounds lie."""
    bottom = TOP + HEIGHT
    x = _numbers(rows)
    low, high = _near([v for r in rows for v in (r.lower_s, r.upper_s) if v is not None])
    inside = [r for r in rows if r.lower_s is not None and r.lower_s <= high and _high(r) >= low]
    y = Scale(low, high, bottom, TOP)
    body = [*_frame(x, y, _ATTEMPT, "s"), *_bars(inside, x, y, name), *_outside(len(rows) - len(inside))]
    if limit_s is not None and y.shows(limit_s):
        body.append(line(LEFT, y(limit_s), RIGHT, y(limit_s), LIMIT, ' stroke-width="2"'))
    return _svg(body, bottom, name, f"The same, enlarged: {len(rows)} attempts of one direction")


def _high(row: AttemptRow) -> float:
    return math.inf if row.upper_s is None else row.upper_s


def ecdf_svg(outage: Distribution, limit_s: float | None, name: str, *, near: bool) -> str:
    """The share of cycles whose longest outage is at most so long: a band, for a length is known between bounds.

    `near`: enlarged to where it rises; else from zero to the limit.
    """
    bottom = TOP + HEIGHT
    steps = outage.ecdf
    low, high = 0.0, 1.1 * max([limit_s or 0.0, *(s.at_s for s in steps)])
    if near:
        low, high = _near(_rise(steps))
    x, y = Scale(low, high, LEFT, RIGHT), Scale(0.0, 1.0, bottom, TOP)
    body = list(_frame(x, y, "longest outage, s", "share"))
    body.append(_band(steps, x, y, name, TRACE))
    if outage.unbounded:
        body.append(words(LEFT, 18, f"{outage.unbounded} of {outage.cycles} without an upper bound"))
    if limit_s is not None:
        body += _limit_at(x, limit_s, bottom)
    return _svg(body, bottom, name, "Empirical distribution of the longest outage, as a band")


def two_ecdfs_svg(a: Distribution, b: Distribution, limit_s: float, name: str) -> str:
    """Two bands in one picture, enlarged to where either rises."""
    bottom = TOP + HEIGHT
    ends = [_rise(a.ecdf), _rise(b.ecdf)]
    low, high = _near([value for pair in ends for value in pair])
    x, y = Scale(low, high, LEFT, RIGHT), Scale(0.0, 1.0, bottom, TOP)
    body = list(_frame(x, y, "longest outage, s", "share"))
    body += [_band(a.ecdf, x, y, name, TRACE), _band(b.ecdf, x, y, name, DOWN)]
    for place, colour, word, outage in ((LEFT, TRACE, "A", a), (LEFT + 200, DOWN, "B", b)):
        without = f" ({outage.unbounded} without an upper bound)" if outage.unbounded else ""
        body += [rect(place, 8, 14, 12, colour, ' fill-opacity="0.5"'), words(place + 20, 18, f"{word}{without}")]
    return _svg([*body, *_limit_at(x, limit_s, bottom)], bottom, name, "Both distributions of the longest outage")


def _rise(steps: Sequence[Step]) -> tuple[float, float]:
    """From where a band leaves zero to where it has reached one, but for the tails."""
    first = next((s.at_s for s in steps if s.most > _TAIL), steps[0].at_s)
    return first, next((s.at_s for s in steps if s.least >= 1.0 - _TAIL), steps[-1].at_s)


def histogram_svg(outage: Distribution, limit_s: float | None, name: str) -> str:
    """How many lower bounds (filled) and upper bounds (outlined) lie in each bin."""
    bottom = TOP + HEIGHT
    width = outage.histogram[0].to_s - outage.histogram[0].from_s
    low, high = _near([b.from_s + width / 2 for b in outage.histogram for _ in range(b.lower + b.upper)])
    bins = [b for b in outage.histogram if b.from_s < high and b.to_s > low]
    x = Scale(min(b.from_s for b in bins) - width / 2, max(b.to_s for b in bins) + width / 2, LEFT, RIGHT)
    y = Scale(0.0, 1.1 * max(1, *(max(b.lower, b.upper) for b in bins)), bottom, TOP)
    body = list(_frame(x, y, "longest outage, s", _CYCLES))
    for b in bins:
        left, right = x(b.from_s), x(b.to_s)
        if b.lower:
            body.append(rect(left + 1, y(b.lower), (right - left) / 2 - 1, bottom - y(b.lower), TRACE))
        if b.upper:
            more = f' stroke="{INK}" stroke-width="1.2"'
            body.append(rect((left + right) / 2, y(b.upper), (right - left) / 2 - 1, bottom - y(b.upper), "#fff", more))
    body += [rect(LEFT, 8, 14, 12, TRACE), words(LEFT + 20, 18, "by lower bound")]
    body += [rect(LEFT + 140, 8, 14, 12, "#fff", f' stroke="{INK}"'), words(LEFT + 160, 18, "by upper bound")]
    elsewhere = sum(b.lower + b.upper for b in outage.histogram) - sum(b.lower + b.upper for b in bins)
    notes = [f"{elsewhere} bounds lie outside"] if elsewhere else []
    notes += [f"{outage.unbounded} without an upper bound, in no bin"] if outage.unbounded else []
    body.append(words(RIGHT, 18, "; ".join(notes), "end"))
    if limit_s is not None and x.shows(limit_s):
        body += _limit_at(x, limit_s, bottom)
    return _svg(body, bottom, name, "Histogram of the longest outage")


def key_svg() -> str:
    """What colours and marks mean."""
    parts = [f'<svg viewBox="0 0 {WIDTH} 32" role="img" aria-label="Key">', defs("soakkey")]
    at = float(LEFT)
    for verdict in ("PASS", "FAIL", "INCONCLUSIVE", "ERROR"):
        parts += [rect(at, 12, 8, 14, _COLOURS[verdict]), *_mark(verdict, at + 4, 10), words(at + 16, 23, verdict)]
        at += 44 + 8.5 * len(verdict)
    parts += [rect(at, 12, 8, 14, "url(#soakkey-unseen)", ' stroke="#777"'), words(at + 16, 23, "no upper bound")]
    parts += [
        *_cross(at + 130, 19),
        words(at + 142, 23, "lost"),
        _flag(at + 190, 24),
        words(at + 202, 23, "event"),
        "</svg>",
    ]
    return "\n".join(parts)


# -- parts ---------------------------------------------------------------------------------------------------------


def _svg(body: Sequence[str], bottom: float, name: str, alt: str) -> str:
    head = f'<svg viewBox="0 0 {WIDTH} {bottom + FOOT:.0f}" role="img" aria-label="{esc(alt)}">'
    return "\n".join([head, defs(name), *body, "</svg>"])


def _near(values: Sequence[float]) -> tuple[float, float]:
    """Where most of them lie, and a little more: all of them, unless a few make that ten times as wide."""
    if not values:
        return 0.0, 1.0
    rows = sorted(values)
    cut = math.ceil(_TAIL * len(rows))
    low, high = rows[0], rows[-1]
    inner_low, inner_high = rows[min(cut, len(rows) - 1)], rows[max(0, len(rows) - 1 - cut)]
    if inner_high >= inner_low and high - low > 10 * max(inner_high - inner_low, 0.01):
        low, high = inner_low, inner_high
    pad = max(0.06 * (high - low), 0.005)
    return max(0.0, low - pad), high + pad


def _outside(count: int) -> Iterator[str]:
    if count:
        yield words(RIGHT, TOP - 8, f"{count} lie outside, see above", "end")


def _numbers(rows: Sequence[AttemptRow]) -> Scale:
    first, last = (rows[0].number, rows[-1].number) if rows else (1, 1)
    return Scale(first - 0.7, last + 0.7, LEFT, RIGHT)


def _frame(x: Scale, y: Scale, x_name: str, y_name: str) -> Iterator[str]:
    top, bottom = y.at_high, y.at_low
    for at in y.ticks(6, whole=y_name == _CYCLES):
        yield line(LEFT, y(at), RIGHT, y(at), "#e4e4e4")
        yield words(LEFT - 8, y(at) + 4, plain(at), "end", more=' class="axis"')
    for at in x.ticks(10, whole=x_name == _ATTEMPT):
        yield line(x(at), bottom, x(at), bottom + 5, "#666")
        yield words(x(at), bottom + 19, plain(at), "middle", more=' class="axis"')
    yield rect(LEFT, top, PLOT, bottom - top, "none", ' stroke="#999"')
    yield words((LEFT + RIGHT) / 2, bottom + 38, x_name, "middle", more=' class="axis"')
    yield words(LEFT - 60, (top + bottom) / 2, y_name, "end", more=' class="axis"')


def _bars(rows: Sequence[AttemptRow], x: Scale, y: Scale, name: str) -> Iterator[str]:
    """A bar from bound to bound; where attempts share a column, all that pass as one, and the others over it."""
    width = min(8.0, max(1.0, 0.7 * (x(1) - x(0))))
    columns: dict[tuple[int, str, str, str], tuple[float, float]] = {}
    special = []
    for row in rows:
        if row.verdict != "PASS" or row.lower_s is None or row.upper_s is None:
            special.append(row)
            continue
        # half a point wide: what is finer cannot be told apart; each direction by itself
        column = (round(x(row.number) * 2), row.fixture, row.version_from, row.version_to)
        low, high = columns.get(column, (math.inf, -math.inf))
        columns[column] = (min(low, row.lower_s), max(high, row.upper_s))
    for column, (low, high) in columns.items():
        yield _bar(column[0] / 2, width, y(max(low, y.low)), y(min(high, y.high)), UP)
    for row in special:
        yield from _special(row, x(row.number), max(width, 2.0), y, name)


def _bar(middle: float, width: float, low: float, high: float, fill: str, more: str = "") -> str:
    """At least three points high, or nobody would see it."""
    height = max(3.0, low - high)
    return rect(middle - width / 2, (low + high - height) / 2, width, height, fill, more)


def _special(row: AttemptRow, middle: float, width: float, y: Scale, name: str) -> Iterator[str]:
    if row.lower_s is None:
        yield from _cross(middle, y.at_low - 8)
        return
    low = y(max(row.lower_s, y.low))
    if row.upper_s is None:
        yield rect(middle - width / 2, y.at_high, width, low - y.at_high, f"url(#{name}-unseen)", ' stroke="#777"')
    high = low if row.upper_s is None else y(min(row.upper_s, y.high))
    yield _bar(middle, width, low, high, _COLOURS[row.verdict])
    yield from _mark(row.verdict, middle, min(low, high) - 3)


def _mark(verdict: str | None, middle: float, top: float) -> Iterator[str]:
    """FAIL wears a wedge, INCONCLUSIVE a ring, ERROR a square: nobody needs the colour."""
    colour = _COLOURS[verdict]
    if verdict == "FAIL":
        points = f"{middle - 5:.2f},{top - 8:.2f} {middle + 5:.2f},{top - 8:.2f} {middle:.2f},{top:.2f}"
        yield f'<polygon points="{points}" fill="{colour}"/>'
    elif verdict == "INCONCLUSIVE":
        yield f'<circle cx="{middle:.2f}" cy="{top - 5:.2f}" r="3.2" fill="#fff" stroke="{colour}" stroke-width="1.6"/>'
    elif verdict == "ERROR":
        yield rect(middle - 3, top - 8, 6, 6, colour)


def _cross(middle: float, at: float) -> Iterator[str]:
    yield line(middle - 4, at - 4, middle + 4, at + 4, INK, ' stroke-width="1.8"')
    yield line(middle - 4, at + 4, middle + 4, at - 4, INK, ' stroke-width="1.8"')


def _flag(at: float, bottom: float) -> str:
    points = f"{at:.2f},{bottom:.2f} {at - 4:.2f},{bottom - 9:.2f} {at + 4:.2f},{bottom - 9:.2f}"
    return f'<polygon points="{points}" fill="{TRACE}"/>'


def _happened(rows: Sequence[AttemptRow], events: Sequence[EventRow], x: Scale) -> Iterator[str]:
    """A flag at the attempt in whose cycle something happened; its name where there is room."""
    last = {row.cycle: row.number for row in rows}
    at_attempt: dict[int, list[str]] = {}
    for event in events:
        number = last.get(event.cycle or 0)
        if number is not None and event.kind in _EVENTS:
            at_attempt.setdefault(number, []).append(_EVENTS[event.kind])
    free = -math.inf
    for number in sorted(at_attempt):
        yield line(x(number), TOP, x(number), TOP + HEIGHT, TRACE, ' stroke-width="1" stroke-dasharray="2 4"')
        yield _flag(x(number), TOP)
        label = ", ".join(dict.fromkeys(at_attempt[number]))
        if x(number) > free:
            side = "start" if x(number) < RIGHT - 120 else "end"
            yield words(x(number), TOP - 13, label, side, more=' class="small"')
            free = x(number) + 7.0 * len(label) + 8


def _band(steps: Sequence[Step], x: Scale, y: Scale, name: str, colour: str) -> str:
    """Between the share that is surely, and the share that is possibly, at most so long."""

    def curve(shares: Sequence[float]) -> list[tuple[float, float]]:
        points, before = [(x.at_low, y(0.0))], 0.0
        for step, share in zip(steps, shares, strict=True):
            points += [(x(step.at_s), y(before)), (x(step.at_s), y(share))]
            before = share
        return [*points, (x.at_high, y(before))]

    most, least = curve([s.most for s in steps]), curve([s.least for s in steps])
    path = " ".join(f"{a:.2f},{b:.2f}" for a, b in (*most, *reversed(least)))
    edges = "".join(
        f'<polyline points="{" ".join(f"{a:.2f},{b:.2f}" for a, b in points)}" fill="none" stroke="{colour}" '
        'stroke-width="1.4"/>'
        for points in (most, least)
    )
    shape = f'<polygon points="{path}" fill="{colour}" fill-opacity="0.25"/>{edges}'
    return f'<g clip-path="url(#{name}-plot)">{shape}</g>'


def _limit_at(x: Scale, limit_s: float, bottom: float) -> Iterator[str]:
    label = f"limit {plain(limit_s)} s"
    if x.shows(limit_s):
        yield line(x(limit_s), TOP, x(limit_s), bottom, LIMIT, ' stroke-width="2"')
        yield words(x(limit_s), TOP - 8, label, "middle", LIMIT)
    else:
        way = "further right" if limit_s > x.high else "further left"
        yield words(RIGHT, TOP - 8, f"{label}, {way}", "end", LIMIT)
