"""South & Central, where a second shutdown notification re-bases the gap: bounds on the chance of an AD1.

Pure. In this reading a *worse* hub may be re-based more often, so nothing is monotone and corners prove nothing. Each
shutdown notification starts the gap afresh whether or not the one before was answered, so the chance of no AD1 is a
product over the stretches between notifications. Here the product is carried in interval arithmetic over every path
that the ranges and bounds allow: exact where all is exact; where a range decides whether a cut reboots the hub, or
one value serves several stretches, the bounds hold but may be wider than the extremes.

Paths that no later cut can tell apart are one. Where more than `_APART` are left all the same, they become one
enclosure for hubs with an open gap and one for the others, and stay so to the end: a history that is known less well
is never told apart better.

An unseen stretch in which the hub could boot may hide more notifications than one. The first and the last of them are
two cuts that may not have been; what lies between is in the bounds of their stretch.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

from rig.judgement.alerts.history import Cut, History, Prediction
from rig.judgement.alerts.settings import SouthCentralSettings

_APART = 3
"""Most paths that are followed apart."""


class _Path(NamedTuple):
    """All hubs whose last boot followed cut `boot` and whose gap runs from cut `opened` (-1: none), as intervals.

    `base`: the notification that opened the gap. `ready`: the end of the boot. `charge`: the hold-up left (s).
    `clear`: the chance that no AD1 came from the stretches that are over.
    """

    boot: int
    opened: int
    base_lo: float
    base_hi: float
    ready_lo: float
    ready_hi: float
    charge_lo: float
    charge_hi: float
    clear_lo: float
    clear_hi: float


class _Loss(NamedTuple):
    """One cut with its bounds: `start_lo` reaches back to the first cut that it may be one with."""

    start_lo: float
    start_hi: float
    end_lo: float
    end_hi: float
    up_lo: float
    up_hi: float


def enclose(history: History, settings: SouthCentralSettings) -> Prediction:
    """Bounds on the chance, and on when an AD1 can leave; no story."""
    return _Enclosure(history, settings).run()


class _Enclosure:
    def __init__(self, history: History, settings: SouthCentralSettings) -> None:
        self._losses = _losses(_with_hidden(history.cuts, settings.reboot_s.lo))
        self._s = settings
        self._sends = settings.returns_on_holdup
        self._sent_lo, self._sent_hi = math.inf, -math.inf

    def run(self) -> Prediction:
        full = self._s.holdup_s
        never = -math.inf
        paths = [_Path(-1, -1, never, never, never, never, full.lo, full.hi, 1.0, 1.0)]
        one = False
        for index, loss in enumerate(self._losses):
            after: list[_Path] = []
            for path in paths:
                self._follow(path, index, loss, after)
            if len(after) > 1:
                after = _by_key(after)
                one = one or len(after) > _APART
                paths = _enclosed(after) if one else after
            else:
                paths = after
        closed = [self._closed(path, math.inf, math.inf, math.inf, math.inf) for path in paths]
        lowest = 1.0 - max(high for _, high in closed)
        highest = 1.0 - min(low for low, _ in closed)
        return Prediction((lowest, highest), (self._sent_lo, self._sent_hi) if highest > 0.0 else None, ())

    def _follow(self, path: _Path, index: int, loss: _Loss, after: list[_Path]) -> None:
        """Where one path can lead through one cut: ridden through, down while booting, down with a notification."""
        s, rides = self._s, self._s.booting_rides_on_holdup
        start_lo, start_hi, end_lo, end_hi, up_lo, up_hi = loss
        if path.boot >= 0:
            path = self._settled(path, start_lo)
        boot, opened, base_lo, base_hi, ready_lo, ready_hi, charge_lo, charge_hi, clear_lo, clear_hi = path
        full, slow = s.holdup_s, s.recharge_s
        charge_lo = full.lo if up_lo >= slow.hi else min(full.lo, charge_lo + up_lo * full.lo / slow.hi)
        charge_hi = full.hi if up_hi >= slow.lo else min(full.hi, charge_hi + up_hi * full.hi / slow.lo)
        reserve_lo = 0.0 if ready_hi > start_lo and rides.may_be_no else charge_lo
        reserve_hi = charge_hi if ready_lo <= start_hi or rides.may_be_yes else 0.0
        shortest, longest = end_lo - start_hi, end_hi - start_lo
        if shortest < reserve_hi or shortest <= 0.0:
            left_lo, left_hi = max(0.0, charge_lo - longest), max(0.0, charge_hi - max(0.0, shortest))
            after.append(
                _Path(boot, opened, base_lo, base_hi, ready_lo, ready_hi, left_lo, left_hi, clear_lo, clear_hi)
            )
        if longest <= 0.0 or longest < reserve_lo:
            return
        down_lo, down_hi = start_lo + reserve_lo, start_hi + reserve_hi
        up_again = (end_lo + s.reboot_s.lo, end_hi + s.reboot_s.hi)
        if ready_hi > down_lo:
            after.append(_Path(index, opened, base_lo, base_hi, *up_again, 0.0, 0.0, clear_lo, clear_hi))
        if ready_lo <= down_hi:
            base = (start_lo + min(s.notify_s.lo, reserve_lo), start_hi + min(s.notify_s.hi, reserve_hi))
            killed_lo = start_lo if self._sends.may_be_no else down_lo
            killed_hi = down_hi if self._sends.may_be_yes else start_hi
            clear = self._closed(path, *base, killed_lo, killed_hi)
            after.append(_Path(index, index, *base, *up_again, 0.0, 0.0, *clear))

    def _settled(self, path: _Path, now: float) -> _Path:
        """`path` without what no cut from `now` on can change: a gap that is decided, a boot that is over."""
        if path.opened >= 0:
            due_lo, due_hi = path.base_lo + self._s.gap_s.lo, path.base_hi + self._s.gap_s.hi
            if due_hi <= now:
                clear = self._closed(path, now, math.inf, now, math.inf)
            elif path.ready_hi < now and self._surely_answered(path, min(due_lo, now)) >= 1.0:
                clear = (path.clear_lo, path.clear_hi)
            else:
                return path
            path = _Path(path.boot, -1, -math.inf, -math.inf, *path[4:8], *clear)
        if path.ready_hi <= now:
            return _Path(-1, -1, *(-math.inf,) * 4, *path[6:])
        return path

    def _closed(
        self, path: _Path, base_lo: float, base_hi: float, killed_lo: float, killed_hi: float
    ) -> tuple[float, float]:
        """The chance of no AD1 once the stretch of `path` has ended with the next notification at `base`."""
        clear_lo, clear_hi = path.clear_lo, path.clear_hi
        due_lo = path.base_lo + self._s.gap_s.lo
        if path.opened < 0 or due_lo > base_hi:
            return clear_lo, clear_hi
        due_hi = path.base_hi + self._s.gap_s.hi
        least = self._surely_answered(path, min(due_lo, killed_lo))
        if least < 1.0:
            self._sent_lo, self._sent_hi = min(self._sent_lo, due_lo), max(self._sent_hi, due_hi)
        if due_hi <= base_lo:
            clear_hi *= self._perhaps_answered(path, min(due_hi, killed_hi))
        return clear_lo * least, clear_hi

    def _surely_answered(self, path: _Path, at: float) -> float:
        """Least chance that the return notification of the last boot is sent before `at`."""
        if self._sends.may_be_no:
            for loss in self._later(path.boot, at):
                if at <= loss.end_hi:
                    at = loss.start_lo
                    break
        return _ramp(at - path.ready_hi, self._s.wait_s.hi)

    def _perhaps_answered(self, path: _Path, at: float) -> float:
        """Greatest chance that the return notification of the last boot is sent before `at`."""
        if not self._sends.may_be_yes:
            for loss in self._later(path.boot, at):
                if loss.start_hi < at <= loss.end_lo:
                    at = loss.start_hi
                    break
        return _ramp(at - path.ready_lo, self._s.wait_s.lo)

    def _later(self, boot: int, at: float) -> Iterable[_Loss]:
        """The cuts after `boot` that may have begun before `at`: on their hold-up a notification may have to wait."""
        for index in range(boot + 1, len(self._losses)):
            loss = self._losses[index]
            if loss.start_lo >= at:
                return
            yield loss


def _ramp(waited: float, wait: float) -> float:
    """Chance that a moment drawn from U(0, wait) has come after `waited` seconds."""
    if waited <= 0.0:
        return 0.0
    return min(1.0, waited / wait) if wait else 1.0


def _with_hidden(cuts: tuple[Cut, ...], reboot_s: float) -> list[Cut]:
    """The cuts, and two that may not have been in each unseen stretch that is long enough for a boot."""
    out: list[Cut] = []
    for cut in cuts:
        if cut.start_hi_s - cut.start_lo_s >= reboot_s and cut.start_hi_s > cut.start_lo_s:
            out += [Cut(cut.start_lo_s, cut.start_hi_s, cut.start_lo_s, cut.start_hi_s)] * 2
        out.append(cut)
        if reboot_s <= cut.end_hi_s - cut.end_lo_s < math.inf and cut.end_hi_s > cut.end_lo_s:
            out += [Cut(cut.end_lo_s, cut.end_hi_s, cut.end_lo_s, cut.end_hi_s)] * 2
    return out


def _losses(cuts: list[Cut]) -> list[_Loss]:
    if not cuts:
        return []
    one = cuts[0]
    first = one.start_lo_s
    out = [_Loss(first, one.start_hi_s, one.end_lo_s, one.end_hi_s, math.inf, math.inf)]
    for before, cut in pairwise(cuts):
        apart = cut.start_lo_s - before.end_hi_s
        if apart > 0.0:
            first = cut.start_lo_s
        up = (max(0.0, apart), max(0.0, cut.start_hi_s - before.end_lo_s))
        out.append(_Loss(first, cut.start_hi_s, cut.end_lo_s, cut.end_hi_s, *up))
    return out


def _by_key(paths: list[_Path]) -> list[_Path]:
    """Paths with the same last boot and the same open gap become one that holds them all."""
    found: dict[tuple[int, int], list[_Path]] = {}
    for path in paths:
        found.setdefault(path[:2], []).append(path)
    return [group[0] if len(group) == 1 else _hull(group) for group in found.values()]


def _enclosed(paths: list[_Path]) -> list[_Path]:
    groups = ([path for path in paths if path.opened >= 0], [path for path in paths if path.opened < 0])
    return [_hull(group) for group in groups if group]


def _hull(paths: list[_Path]) -> _Path:
    """One enclosure of several. The earliest of their boots is kept: from there on every cut may silence the hub."""
    boots, opened, base_lo, base_hi, ready_lo, ready_hi, *rest = zip(*paths, strict=True)
    bounds = (min(base_lo), max(base_hi), min(ready_lo), max(ready_hi))
    ends = (pick(row) for pick, row in zip((min, max) * 2, rest, strict=True))
    return _Path(min(boots), max(opened), *bounds, *ends)
