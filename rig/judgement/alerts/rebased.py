"""South & Central, where a second shutdown notification re-bases the gap: bounds on the chance of an AD1.

Pure. In this reading a *worse* hub may be re-based more often, so nothing is monotone and corners prove nothing. Each
shutdown notification starts the gap afresh whether or not the one before was answered, so the chance of no AD1 is a
product over the stretches between notifications. Here the product is carried in interval arithmetic over every path
that the ranges and bounds allow: exact where all is exact; where a range decides whether a cut reboots the hub, or
one value serves several stretches, the bounds hold but may be wider than the extremes.

Paths with the same last boot and the same open gap are one. Where there are so many that following them takes more than
`_STEPS`, there is no answer, and only what holds without following any is left: no more than in the other reading
(`rig.judgement.alerts.south_central`), no less than what one cut alone makes sure. The same cuts with
wider bounds have all the paths of those with closer ones, so they never have an answer where those have none.

An unseen stretch in which the hub could boot, or after a cut that it may have ridden through, may hide notifications of
its own. The first and the last of them are two cuts that may not have been; what lies between is in the bounds of their
stretch.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

from rig.judgement.alerts.history import POWERED_S, Cut, History, may_hide
from rig.judgement.alerts.hub import Boot
from rig.judgement.alerts.settings import SouthCentralSettings

_STEPS = 120
"""Most steps of a path through a cut, where there is more than one path."""

_Path = tuple[int, int, float, float, float, float, float, float, float, float]
"""All hubs whose last boot followed cut `boot` and whose gap runs from cut `opened` (-1: none), as intervals (s):

(boot, opened, base_lo, base_hi, ready_lo, ready_hi, charge_lo, charge_hi, clear_lo, clear_hi). `base`: the notification
that opened the gap, empty where there is none. `ready`: the end of the boot, -inf where there was none. `charge`: the
hold-up left. `clear`: the chance that no AD1 came from the stretches that are over.
"""

_Loss = tuple[float, float, float, float, float, float]
"""One cut: the bounds of its start, its end, and of the power before it. The lowest start reaches back to the first cut
that it may be one with.
"""


class Enclosed(NamedTuple):
    """Bounds on the chance of an AD1, and from when to when one can leave (empty where none can)."""

    lowest: float
    highest: float
    sent_lo: float
    sent_hi: float


def enclose(history: History, settings: SouthCentralSettings) -> Enclosed | None:
    """What all paths allow, or None where there are too many."""
    return _Paths(history, settings).follow()


def surely(history: History, settings: SouthCentralSettings, best: Sequence[Boot]) -> float:
    """The chance that one cut alone makes sure, from the shutdowns of the best hub: each of them is every hub's.

    From the last notification before each, no later than the best hub's own, until that hub has booted, or its boot may
    end on hold-up, there is no other; nor is there one before the next cut.
    """
    s, cuts = settings, history.cuts
    gap, wait = s.gap_s.hi, s.wait_s.lo
    on_holdup = s.holdup_s.hi if s.booting_rides_on_holdup.may_be_yes else 0.0
    least = 0.0
    for number, base, _, ready, _ in best:
        due = base + gap
        late = 1.0 - _ramp(due - ready, wait)
        if late > least:
            cut, told = cuts[number], ready - on_holdup
            if not may_hide(cut.end_lo_s, cut.end_hi_s, max(s.reboot_s.lo, POWERED_S)):
                told = max(told, cuts[number + 1].start_lo_s) if number + 1 < len(cuts) else math.inf
            if due <= told:
                least = late
    return least


class _Paths:
    def __init__(self, history: History, settings: SouthCentralSettings) -> None:
        s = self._settings = settings
        self._losses = _losses(history.cuts, max(s.reboot_s.lo, POWERED_S), s.holdup_s.hi)
        self._starts_lo = [loss[0] for loss in self._losses]
        self._starts_hi = [loss[1] for loss in self._losses]
        self._full_lo, self._full_hi = s.holdup_s.lo, s.holdup_s.hi
        self._fast, self._slow = s.recharge_s.lo, s.recharge_s.hi
        self._notify_lo, self._notify_hi = s.notify_s.lo, s.notify_s.hi
        self._reboot_lo, self._reboot_hi = s.reboot_s.lo, s.reboot_s.hi
        self._gap_lo, self._gap_hi = s.gap_s.lo, s.gap_s.hi
        self._wait_lo, self._wait_hi = s.wait_s.lo, s.wait_s.hi
        self._may_restart, self._may_ride = s.booting_rides_on_holdup.may_be_no, s.booting_rides_on_holdup.may_be_yes
        self._may_be_silent, self._may_send = s.returns_on_holdup.may_be_no, s.returns_on_holdup.may_be_yes
        self._sent_lo, self._sent_hi = math.inf, -math.inf

    def follow(self) -> Enclosed | None:
        never = -math.inf
        paths: list[_Path] = [(-1, -1, math.inf, never, never, never, self._full_lo, self._full_hi, 1.0, 1.0)]
        left = max(0, _STEPS - len(self._losses))
        for index, loss in enumerate(self._losses):
            after: list[_Path] = []
            for path in paths:
                self._through(path, index, loss, after)
            paths = after if len(paths) == 1 else _by_key(after)
            left -= len(paths) - 1
            if left < 0:
                return None
        clear = [self._closed(path, len(self._losses), math.inf, math.inf, math.inf, math.inf) for path in paths]
        lowest = 1.0 - max(high for _, high in clear)
        highest = 1.0 - min(low for low, _ in clear)
        return Enclosed(lowest, highest, self._sent_lo, self._sent_hi)

    def _through(self, path: _Path, index: int, loss: _Loss, after: list[_Path]) -> None:
        """Where one path can lead through one cut: ridden through, down while booting, down with a notification."""
        start_lo, start_hi, end_lo, end_hi, up_lo, up_hi = loss
        boot, opened, base_lo, base_hi, ready_lo, ready_hi, charge_lo, charge_hi, clear_lo, clear_hi = path
        charge_lo = _charged(charge_lo, up_lo, self._full_lo, self._slow) if up_lo < self._slow else self._full_lo
        charge_hi = _charged(charge_hi, up_hi, self._full_hi, self._fast) if up_hi < self._fast else self._full_hi
        reserve_lo = 0.0 if ready_hi > start_lo and self._may_restart else charge_lo
        reserve_hi = charge_hi if ready_lo <= start_hi or self._may_ride else 0.0
        shortest, longest = end_lo - start_hi, end_hi - start_lo
        if shortest < reserve_hi or shortest <= 0.0:
            charge_lo = charge_lo - longest if charge_lo > longest else 0.0
            charge_hi = charge_hi if shortest <= 0.0 else charge_hi - shortest
            held = (charge_lo, charge_hi, clear_lo, clear_hi)
            after.append((boot, opened, base_lo, base_hi, ready_lo, ready_hi, *held))
        if longest <= 0.0 or longest < reserve_lo:
            return
        down_lo, down_hi = start_lo + reserve_lo, start_hi + reserve_hi
        back_lo, back_hi = end_lo + self._reboot_lo, end_hi + self._reboot_hi
        if ready_hi > down_lo:
            after.append((index, opened, base_lo, base_hi, back_lo, back_hi, 0.0, 0.0, clear_lo, clear_hi))
        if ready_lo <= down_hi:
            told_lo = start_lo + (self._notify_lo if self._notify_lo < reserve_lo else reserve_lo)
            told_hi = start_hi + (self._notify_hi if self._notify_hi < reserve_hi else reserve_hi)
            if base_lo + self._gap_lo <= told_hi:
                killed_lo = start_lo if self._may_be_silent else down_lo
                killed_hi = down_hi if self._may_send else start_hi
                clear_lo, clear_hi = self._closed(path, index, told_lo, told_hi, killed_lo, killed_hi)
            after.append((index, index, told_lo, told_hi, back_lo, back_hi, 0.0, 0.0, clear_lo, clear_hi))

    def _closed(
        self, path: _Path, index: int, told_lo: float, told_hi: float, killed_lo: float, killed_hi: float
    ) -> tuple[float, float]:
        """The chance of no AD1 once the stretch of `path` has ended with a notification `told`, of cut `index`."""
        boot, opened, base_lo, base_hi, ready_lo, ready_hi, _, _, clear_lo, clear_hi = path
        due_lo, due_hi = base_lo + self._gap_lo, base_hi + self._gap_hi
        if opened < 0 or due_lo > told_hi:
            return clear_lo, clear_hi
        dips = boot + 1 < index
        at = due_lo if due_lo < killed_lo else killed_lo
        if dips and self._may_be_silent:
            at = self._perhaps_before_dip(boot, at)
        if at - ready_hi < self._wait_hi or at <= ready_hi:
            clear_lo *= _ramp(at - ready_hi, self._wait_hi)
            if due_lo < self._sent_lo:
                self._sent_lo = due_lo
            if due_hi > self._sent_hi:
                self._sent_hi = due_hi
        if due_hi <= told_lo:
            at = due_hi if due_hi < killed_hi else killed_hi
            if dips and not self._may_send:
                at = self._surely_before_dip(boot, at)
            clear_hi *= _ramp(at - ready_lo, self._wait_lo)
        return clear_lo, clear_hi

    def _perhaps_before_dip(self, boot: int, at: float) -> float:
        """The earliest start of a cut after `boot` that `at` may fall into, or `at`."""
        last = bisect_left(self._starts_lo, at) - 1
        return self._starts_lo[last] if last > boot and at <= self._losses[last][3] else at

    def _surely_before_dip(self, boot: int, at: float) -> float:
        """The latest start of a cut after `boot` that `at` surely falls into, or `at`."""
        last = bisect_left(self._starts_hi, at) - 1
        return self._starts_hi[last] if last > boot and at <= self._losses[last][2] else at


def _charged(charge: float, up: float, full: float, recharge: float) -> float:
    charge += up * full / recharge
    return charge if charge < full else full


def _ramp(waited: float, wait: float) -> float:
    """Chance that a wait of U(0, `wait`) is over before `waited`."""
    if waited <= 0.0:
        return 0.0
    return waited / wait if waited < wait else 1.0


def _losses(cuts: Sequence[Cut], reboot_s: float, holdup_s: float) -> list[_Loss]:
    """The cuts, and the first and the last that may not have been in each unseen stretch that may hide a notification.

    It must be long enough for a boot, or follow what may have been ridden through. A stretch of which nothing is known
    is itself the first of its two.
    """
    out: list[_Loss] = []
    first, back_lo, back_hi = -math.inf, -math.inf, -math.inf
    for cut in cuts:
        start_lo, start_hi, end_lo, end_hi = cut.start_lo_s, cut.start_hi_s, cut.end_lo_s, cut.end_hi_s
        if start_lo > back_hi:
            first = start_lo
        whole = start_lo == end_lo and start_hi == end_hi
        told = whole or (start_lo == back_lo and start_hi == back_hi)
        if start_hi > start_lo and not told and may_hide(start_lo, start_hi, reboot_s):
            out += _hidden(first, start_lo, start_hi, back_lo, back_hi)
            back_lo, back_hi = start_lo, start_hi
        up_lo, up_hi = start_lo - back_hi, start_hi - back_lo
        out.append((first, start_hi, end_lo, end_hi, up_lo if up_lo > 0.0 else 0.0, up_hi if up_hi > 0.0 else 0.0))
        back_lo, back_hi = end_lo, end_hi
        ridden = 0.0 < end_lo - start_hi < holdup_s
        if end_hi > end_lo and may_hide(end_lo, end_hi, POWERED_S if ridden else reboot_s):
            hidden = _hidden(first, end_lo, end_hi, back_lo, back_hi)
            out += hidden[1:] if whole else hidden
    return out


def _hidden(first: float, lo: float, hi: float, back_lo: float, back_hi: float) -> list[_Loss]:
    """Two cuts that may not have been, anywhere in [lo, hi]."""
    up_lo, up_hi = max(0.0, lo - back_hi), max(0.0, hi - back_lo)
    return [(first, hi, lo, hi, up_lo, up_hi), (first, hi, lo, hi, 0.0, hi - lo)]


def _by_key(paths: Sequence[_Path]) -> list[_Path]:
    """Paths with the same last boot and the same open gap become one that holds them all."""
    found: dict[tuple[int, int], _Path] = {}
    for path in paths:
        other = found.get(path[:2])
        found[path[:2]] = path if other is None else _hull(other, path)
    return list(found.values())


def _hull(one: _Path, two: _Path) -> _Path:
    """One enclosure of both. The earlier boot is kept: from there on every cut may silence the hub."""
    boot_1, opened_1, a1, b1, c1, d1, e1, f1, g1, h1 = one
    boot_2, opened_2, a2, b2, c2, d2, e2, f2, g2, h2 = two
    return (
        boot_1 if boot_1 < boot_2 else boot_2,
        opened_1 if opened_1 > opened_2 else opened_2,
        a1 if a1 < a2 else a2,
        b1 if b1 > b2 else b2,
        c1 if c1 < c2 else c2,
        d1 if d1 > d2 else d2,
        e1 if e1 < e2 else e2,
        f1 if f1 > f2 else f2,
        g1 if g1 < g2 else g2,
        h1 if h1 > h2 else h2,
    )
