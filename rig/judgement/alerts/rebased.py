"""South & Central, where a second shutdown notification re-bases the gap: bounds on the chance of an AD1.

Pure. In this reading a *worse* hub may be re-based more often, so nothing is monotone and corners prove nothing. Each
shutdown notification starts the gap afresh whether or not the one before was answered, so the chance of no AD1 is a
product over the stretches between notifications. Here the product is carried in interval arithmetic over every path
that the ranges and bounds allow: exact where all is exact; where a range decides whether a cut reboots the hub, or
one value serves several stretches, the bounds hold but may be wider than the extremes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from rig.judgement.alerts.history import Cut, History, Prediction
from rig.judgement.alerts.settings import SouthCentralSettings

_Pair = tuple[float, float]
_NEVER: _Pair = (-math.inf, -math.inf)


@dataclass(frozen=True, slots=True)
class _Path:
    """All hubs whose last boot followed cut `boot` and whose gap runs from cut `opened` (-1: none), as intervals."""

    boot: int
    opened: int
    base: _Pair
    ready: _Pair
    charge: _Pair
    clear: _Pair
    """Chance that no AD1 came from the stretches that are over."""


@dataclass(frozen=True, slots=True)
class _Loss:
    """One cut with its bounds: `start` reaches back to the first cut that it may be one with."""

    index: int
    start: _Pair
    end: _Pair
    length: _Pair
    up: _Pair


def enclose(history: History, settings: SouthCentralSettings) -> Prediction:
    """Bounds on the chance, and on when an AD1 can leave; no story."""
    return _Enclosure(history, settings).run()


class _Enclosure:
    def __init__(self, history: History, settings: SouthCentralSettings) -> None:
        self._losses = _losses(history.cuts)
        self._s = settings
        self._sent: _Pair = (math.inf, -math.inf)

    def run(self) -> Prediction:
        full = (self._s.holdup_s.lo, self._s.holdup_s.hi)
        paths = [_Path(-1, -1, _NEVER, _NEVER, full, (1.0, 1.0))]
        for loss in self._losses:
            paths = _joined([after for path in paths for after in self._after(path, loss)])
        clear = [self._closed(path, (math.inf, math.inf), (math.inf, math.inf)) for path in paths]
        lowest = 1.0 - max(high for _, high in clear)
        highest = 1.0 - min(low for low, _ in clear)
        return Prediction((lowest, highest), self._sent if highest > 0.0 else None, ())

    def _after(self, path: _Path, loss: _Loss) -> list[_Path]:
        """Where one path can lead through one cut: ridden through, down while booting, down with a notification."""
        s = self._s
        charge = self._charged(path.charge, loss.up)
        may_boot, may_be_out = path.ready[1] > loss.start[0], path.ready[0] <= loss.start[1]
        rides = s.booting_rides_on_holdup
        reserve = (
            0.0 if may_boot and rides.may_be_no else charge[0],
            charge[1] if may_be_out or rides.may_be_yes else 0.0,
        )
        out = []
        if loss.length[0] < reserve[1] or loss.length[0] <= 0.0:
            left = (max(0.0, charge[0] - loss.length[1]), max(0.0, charge[1] - loss.length[0]))
            out.append(replace(path, charge=left))
        if loss.length[1] <= 0.0 or loss.length[1] < reserve[0]:
            return out
        down = (loss.start[0] + reserve[0], loss.start[1] + reserve[1])
        ready = (loss.end[0] + s.reboot_s.lo, loss.end[1] + s.reboot_s.hi)
        empty = (0.0, 0.0)
        if path.ready[1] > down[0]:
            out.append(_Path(loss.index, path.opened, path.base, ready, empty, path.clear))
        if path.ready[0] <= down[1]:
            base = (
                loss.start[0] + min(s.notify_s.lo, reserve[0]),
                loss.start[1] + min(s.notify_s.hi, reserve[1]),
            )
            killed = (
                loss.start[0] if s.returns_on_holdup.may_be_no else down[0],
                down[1] if s.returns_on_holdup.may_be_yes else loss.start[1],
            )
            clear = self._closed(path, base, killed)
            out.append(_Path(loss.index, loss.index, base, ready, empty, clear))
        return out

    def _charged(self, charge: _Pair, up: _Pair) -> _Pair:
        holdup, recharge = self._s.holdup_s, self._s.recharge_s
        low = holdup.lo if up[0] >= recharge.hi else min(holdup.lo, charge[0] + up[0] * holdup.lo / recharge.hi)
        high = holdup.hi if up[1] >= recharge.lo else min(holdup.hi, charge[1] + up[1] * holdup.hi / recharge.lo)
        return low, high

    def _closed(self, path: _Path, base: _Pair, killed: _Pair) -> _Pair:
        """The chance of no AD1 once the stretch of `path` has ended with the next notification at `base`."""
        if path.opened < 0:
            return path.clear
        due = (path.base[0] + self._s.gap_s.lo, path.base[1] + self._s.gap_s.hi)
        if due[0] > base[1]:
            return path.clear
        least = self._answered(path, min(due[0], killed[0]), surely=True)
        most = self._answered(path, min(due[1], killed[1]), surely=False) if due[1] <= base[0] else 1.0
        if least < 1.0:
            self._sent = (min(self._sent[0], due[0]), max(self._sent[1], due[1]))
        return path.clear[0] * least, path.clear[1] * most

    def _answered(self, path: _Path, at: float, *, surely: bool) -> float:
        """Least or greatest chance that the return notification of the last boot is sent before `at`."""
        s = self._s
        if s.returns_on_holdup.may_be_no if surely else not s.returns_on_holdup.may_be_yes:
            at = self._muted(path.boot, at, surely=surely)
        ready, wait = (path.ready[1], s.wait_s.hi) if surely else (path.ready[0], s.wait_s.lo)
        if at <= ready:
            return 0.0
        return min(1.0, (at - ready) / wait) if wait else 1.0

    def _muted(self, boot: int, at: float, *, surely: bool) -> float:
        """`at`, or the start of the cut on whose hold-up the notification would wait."""
        for loss in self._losses[boot + 1 :]:
            start, end = (loss.start[0], loss.end[1]) if surely else (loss.start[1], loss.end[0])
            if start < at <= end:
                return start
            if loss.start[0] >= at:
                break
        return at


def _losses(cuts: tuple[Cut, ...]) -> list[_Loss]:
    out: list[_Loss] = []
    first = 0.0
    for index, cut in enumerate(cuts):
        before = cuts[index - 1] if index else None
        if before is None or cut.start_lo_s > before.end_hi_s:
            first = cut.start_lo_s
        start, end = (first, cut.start_hi_s), (cut.end_lo_s, cut.end_hi_s)
        length = (cut.end_lo_s - cut.start_hi_s, cut.end_hi_s - first)
        up = (
            (math.inf, math.inf)
            if before is None
            else (max(0.0, cut.start_lo_s - before.end_hi_s), max(0.0, cut.start_hi_s - before.end_lo_s))
        )
        out.append(_Loss(index, start, end, length, up))
    return out


def _joined(paths: list[_Path]) -> list[_Path]:
    """Paths with the same last boot and the same open gap become one that holds them all."""
    found: dict[tuple[int, int], _Path] = {}
    for path in paths:
        key = (path.boot, path.opened)
        other = found.get(key)
        found[key] = path if other is None else _hull(path, other)
    return list(found.values())


def _hull(one: _Path, two: _Path) -> _Path:
    return replace(
        one,
        base=_span(one.base, two.base),
        ready=_span(one.ready, two.ready),
        charge=_span(one.charge, two.charge),
        clear=_span(one.clear, two.clear),
    )


def _span(one: _Pair, two: _Pair) -> _Pair:
    return min(one[0], two[0]), max(one[1], two[1])
