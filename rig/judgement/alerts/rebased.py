"""South & Central, where a second shutdown notification re-bases the gap: bounds on the chance of an AD1.

Pure. In this reading a *worse* hub may be re-based more often, so nothing is monotone and corners prove nothing. Each
shutdown notification starts the gap afresh whether or not the one before was answered, so the chance of no AD1 is a
product over the stretches between notifications. Here the product is carried in interval arithmetic over every path
that the ranges and bounds allow: exact where all is exact; where a range decides whether a cut reboots the hub, or
one value serves several stretches, the bounds hold but may be wider than the extremes.

Paths with the same last boot and the same open gap are one. Where more than `_APART` are left, they become one
enclosure for hubs with an open gap and one for the others, and stay so to the end: what is known less well has all the
paths of what is known better, so it is never told apart longer, and its bounds are never the narrower ones.

An unseen stretch in which the hub could boot may hide more notifications than one. The first and the last of them are
two cuts that may not have been; what lies between is in the bounds of their stretch.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from itertools import pairwise
from typing import NamedTuple

from rig.judgement.alerts.history import Cut, History, Prediction
from rig.judgement.alerts.settings import SouthCentralSettings

_APART = 4
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
        s = settings
        self._losses = _losses(_with_hidden(history.cuts, s.reboot_s.lo))
        self._starts_lo = [loss.start_lo for loss in self._losses]
        self._starts_hi = [loss.start_hi for loss in self._losses]
        self._full_lo, self._full_hi = s.holdup_s.lo, s.holdup_s.hi
        self._fast, self._slow = s.recharge_s.lo, s.recharge_s.hi
        self._notify_lo, self._notify_hi = s.notify_s.lo, s.notify_s.hi
        self._reboot_lo, self._reboot_hi = s.reboot_s.lo, s.reboot_s.hi
        self._gap_lo, self._gap_hi = s.gap_s.lo, s.gap_s.hi
        self._wait_lo, self._wait_hi = s.wait_s.lo, s.wait_s.hi
        self._may_restart, self._may_ride = s.booting_rides_on_holdup.may_be_no, s.booting_rides_on_holdup.may_be_yes
        self._may_be_silent, self._may_send = s.returns_on_holdup.may_be_no, s.returns_on_holdup.may_be_yes
        self._sent_lo, self._sent_hi = math.inf, -math.inf

    def run(self) -> Prediction:
        never = -math.inf
        paths = [_Path(-1, -1, never, never, never, never, self._full_lo, self._full_hi, 1.0, 1.0)]
        one = False
        for index, loss in enumerate(self._losses):
            after: list[_Path] = []
            for path in paths:
                self._follow(path, index, loss, after)
            if len(after) > 1:
                after = after if one else _by_key(after)
                one = one or len(after) > _APART
            paths = _enclosed(after) if one else after
        closed = [self._closed(path, math.inf, math.inf, math.inf, math.inf) for path in paths]
        lowest = 1.0 - max(high for _, high in closed)
        highest = 1.0 - min(low for low, _ in closed)
        return Prediction((lowest, highest), (self._sent_lo, self._sent_hi) if highest > 0.0 else None, ())

    def _follow(self, path: _Path, index: int, loss: _Loss, after: list[_Path]) -> None:
        """Where one path can lead through one cut: ridden through, down while booting, down with a notification."""
        start_lo, start_hi, end_lo, end_hi, up_lo, up_hi = loss
        boot, opened, base_lo, base_hi, ready_lo, ready_hi, charge_lo, charge_hi, clear_lo, clear_hi = path
        charge_lo = _charged(charge_lo, up_lo, self._full_lo, self._slow)
        charge_hi = _charged(charge_hi, up_hi, self._full_hi, self._fast)
        reserve_lo = 0.0 if ready_hi > start_lo and self._may_restart else charge_lo
        reserve_hi = charge_hi if ready_lo <= start_hi or self._may_ride else 0.0
        shortest, longest = end_lo - start_hi, end_hi - start_lo
        if shortest < reserve_hi or shortest <= 0.0:
            left = (max(0.0, charge_lo - longest), max(0.0, charge_hi - max(0.0, shortest)))
            after.append(_Path(boot, opened, base_lo, base_hi, ready_lo, ready_hi, *left, clear_lo, clear_hi))
        if longest <= 0.0 or longest < reserve_lo:
            return
        down_lo, down_hi = start_lo + reserve_lo, start_hi + reserve_hi
        back_lo, back_hi = end_lo + self._reboot_lo, end_hi + self._reboot_hi
        if ready_hi > down_lo:
            after.append(_Path(index, opened, base_lo, base_hi, back_lo, back_hi, 0.0, 0.0, clear_lo, clear_hi))
        if ready_lo <= down_hi:
            told_lo = start_lo + (min(reserve_lo, self._notify_lo))
            told_hi = start_hi + (min(reserve_hi, self._notify_hi))
            killed_lo = start_lo if self._may_be_silent else down_lo
            killed_hi = down_hi if self._may_send else start_hi
            clear_lo, clear_hi = self._closed(path, told_lo, told_hi, killed_lo, killed_hi)
            after.append(_Path(index, index, told_lo, told_hi, back_lo, back_hi, 0.0, 0.0, clear_lo, clear_hi))

    def _closed(
        self, path: _Path, base_lo: float, base_hi: float, killed_lo: float, killed_hi: float
    ) -> tuple[float, float]:
        """The chance of no AD1 once the stretch of `path` has ended with the next notification at `base`."""
        clear_lo, clear_hi = path.clear_lo, path.clear_hi
        due_lo = path.base_lo + self._gap_lo
        if path.opened < 0 or due_lo > base_hi:
            return clear_lo, clear_hi
        due_hi = path.base_hi + self._gap_hi
        least = self._surely_answered(path, min(due_lo, killed_lo))
        if least < 1.0:
            self._sent_lo, self._sent_hi = min(self._sent_lo, due_lo), max(self._sent_hi, due_hi)
        if due_hi <= base_lo:
            clear_hi *= self._perhaps_answered(path, min(due_hi, killed_hi))
        return clear_lo * least, clear_hi

    def _surely_answered(self, path: _Path, at: float) -> float:
        """Least chance that the return notification of the last boot is sent before `at`."""
        if self._may_be_silent:
            last = bisect_left(self._starts_lo, at) - 1
            if last > path.boot and at <= self._losses[last].end_hi:
                at = self._starts_lo[last]
        return _ramp(at - path.ready_hi, self._wait_hi)

    def _perhaps_answered(self, path: _Path, at: float) -> float:
        """Greatest chance that the return notification of the last boot is sent before `at`."""
        if not self._may_send:
            last = bisect_left(self._starts_hi, at) - 1
            if last > path.boot and at <= self._losses[last].end_lo:
                at = self._starts_hi[last]
        return _ramp(at - path.ready_lo, self._wait_lo)


def _charged(charge: float, up: float, full: float, recharge: float) -> float:
    return full if up >= recharge else min(full, charge + up * full / recharge)


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
        else:
            apart = 0.0
        most = max(0.0, cut.start_hi_s - before.end_lo_s)
        out.append(_Loss(first, cut.start_hi_s, cut.end_lo_s, cut.end_hi_s, apart, most))
    return out


def _by_key(paths: list[_Path]) -> list[_Path]:
    """Paths with the same last boot and the same open gap become one that holds them all."""
    found: dict[tuple[int, int], _Path] = {}
    for path in paths:
        other = found.get(path[:2])
        found[path[:2]] = path if other is None else _hull(other, path)
    return list(found.values())


def _enclosed(paths: list[_Path]) -> list[_Path]:
    """At most two: all paths with an open gap, and all without."""
    opened: _Path | None = None
    closed: _Path | None = None
    for path in paths:
        if path.opened >= 0:
            opened = path if opened is None else _hull(opened, path)
        else:
            closed = path if closed is None else _hull(closed, path)
    return [path for path in (opened, closed) if path is not None]


def _hull(one: _Path, two: _Path) -> _Path:
    """One enclosure of both. The earlier boot is kept: from there on every cut may silence the hub."""
    boot_1, opened_1, a1, b1, c1, d1, e1, f1, g1, h1 = one
    boot_2, opened_2, a2, b2, c2, d2, e2, f2, g2, h2 = two
    return _Path(
        min(boot_2, boot_1),
        max(opened_2, opened_1),
        min(a2, a1),
        max(b2, b1),
        min(c2, c1),
        max(d2, d1),
        min(e2, e1),
        max(f2, f1),
        min(g2, g1),
        max(h2, h1),
    )
