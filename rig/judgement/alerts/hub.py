"""One South & Central hub with every setting fixed, over exact cuts: what it does, and how likely an AD1 is.

Pure. The hub's states are: running; on hold-up; down; booting; waiting (booted, its return notification not yet sent).
Which cut shuts it down never depends on the random wait, so the walk is one path; only the moment of the return
notification of each boot is random, and its distribution function is piecewise linear: the integral is a finite sum.

Readings taken, where MP102A is silent:
- a cut that the hold-up outlasts shuts nothing down, and its notification, if any was sent, opens no gap;
- a hub that is cut while booting is not on the network: it sends no shutdown notification when it goes down;
- a return notification that falls due on hold-up and may not be sent there goes out when the power is back;
- AD1 is sent when the gap reaches its limit, whether or not a return notification ever comes.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

_SMALL = 1e-100
"""Far above the least float, so that nothing divided by it overflows."""


class Fate(Enum):
    """What one cut did to the hub."""

    NONE = "no cut"
    RIDDEN = "ridden through on the hold-up"
    SHUT = "the hub shut down"
    CAUGHT = "the hub shut down, perhaps before its return notification was sent"
    RESTARTED = "restarted the boot"


@dataclass(frozen=True, slots=True)
class Fixed:
    """All settings of one hub and its provider as plain numbers (s)."""

    notify: float
    holdup: float
    recharge: float
    reboot: float
    wait: float
    gap: float
    booting_rides: bool
    returns_on_holdup: bool

    def charged(self, charge: float, up: float) -> float:
        """The hold-up (s) left after `up` seconds of power, fewer than it takes to fill."""
        return min(self.holdup, charge + up * self.holdup / self.recharge)


@dataclass(slots=True)
class Boot:
    """One shutdown and the boot that follows it.

    `base`: the shutdown notification; `notified`: the hub was out of the boot before, so that it did notify. `ready`:
    when the wait begins; `killed`: no return notification of this boot is sent at or after it.
    """

    cut: int
    base: float
    notified: bool
    ready: float
    killed: float = math.inf
    dips: tuple[tuple[float, float], ...] = ()

    def sent_before(self, at: float, wait: float) -> float:
        """Chance that the return notification is sent before `at`, if no later cut stops it."""
        for start, end in self.dips:
            if start < at <= end:
                at = start
                break
        waited = at - self.ready
        if waited <= 0.0:
            return 0.0
        return waited / wait if waited < wait else 1.0

    def not_sent_in_dip(self, at: float) -> float:
        """`at`, or the end of the dip in which it falls."""
        if not self.dips:
            return at
        return next((end for start, end in self.dips if start < at <= end), at)


def walk(cuts: Sequence[tuple[float, float]], fixed: Fixed) -> tuple[list[Boot], list[Fate]]:
    """Every shutdown in order, and what each cut did. Cuts are (start, end) in s, in order; end <= start is no cut."""
    boots: list[Boot] = []
    fates: list[Fate] = []
    boot: Boot | None = None
    full, recharge, notify, reboot = fixed.holdup, fixed.recharge, fixed.notify, fixed.reboot
    charge, back = full, -math.inf
    for index, (start, end) in enumerate(cuts):
        if end <= start:
            fates.append(Fate.NONE)
            continue
        charge = full if start - back >= recharge else fixed.charged(charge, start - back)
        out_of_boot = boot is None or boot.ready <= start
        reserve = charge if out_of_boot or fixed.booting_rides else 0.0
        back = end
        if end - start < reserve:
            charge -= end - start
            if boot is not None and not fixed.returns_on_holdup:
                boot.dips += ((start, end),)
            fates.append(Fate.RIDDEN)
            continue
        down = start + reserve
        notified = boot is None or boot.ready <= down
        fates.append(_fate(boot, start, notified, fixed))
        if boot is not None:
            boot.killed = down if fixed.returns_on_holdup else start
        boot = Boot(index, start + (min(reserve, notify)), notified, end + reboot)
        boots.append(boot)
        charge = 0.0
    return boots, fates


def _fate(boot: Boot | None, start: float, notified: bool, fixed: Fixed) -> Fate:
    if not notified:
        return Fate.RESTARTED
    return Fate.SHUT if boot is None or start >= boot.ready + fixed.wait else Fate.CAUGHT


def alert(boots: Sequence[Boot], fixed: Fixed) -> tuple[float, float]:
    """Chance of an AD1 with the gap from the first notification, and its earliest moment (infinite: there is none).

    `live` holds each shutdown notification that may be unanswered: when its gap is full, and how likely it is that it
    was sent and not answered, in units of `scale`. A return notification answers all that are open, so its chance is a
    factor of all of them: the sum is linear in the number of cuts.
    """
    live: deque[tuple[float, float]] = deque()
    running, unanswered, scale, risk, earliest = 1.0, 0.0, 1.0, 0.0, math.inf
    for boot in boots:
        if boot.notified:
            if running > 0.0:
                live.append((boot.base + fixed.gap, running / scale))
            unanswered, running = unanswered + running, 0.0
        killed = boot.killed
        while live and live[0][0] <= killed:
            due, share = live.popleft()
            mass = share * scale
            late = mass * (1.0 - boot.sent_before(due, fixed.wait))
            unanswered -= mass
            running += mass - late
            if late > 0.0:
                risk += late
                earliest = min(earliest, due)
        answered = boot.sent_before(killed, fixed.wait) if live else 1.0
        running += answered * unanswered if live else 0.0
        if answered == 1.0:
            live.clear()
            unanswered, scale = 0.0, 1.0
            if running <= 0.0:
                break
        elif answered > 0.0:
            unanswered *= 1.0 - answered
            scale *= 1.0 - answered
            if scale < _SMALL:
                live, scale = deque((due, share * scale) for due, share in live), 1.0
    return min(1.0, risk), earliest


def latest_returns(boots: Sequence[Boot], fixed: Fixed) -> list[float]:
    """For each shutdown, the latest moment at which the return notification after it can go out."""
    out = [math.inf] * len(boots)
    following = math.inf
    for index in range(len(boots) - 1, -1, -1):
        last = boots[index].not_sent_in_dip(boots[index].ready + fixed.wait)
        out[index] = following = last if last <= boots[index].killed else following
    return out


def earliest_returns(boots: Sequence[Boot]) -> list[float]:
    """For each shutdown, the earliest moment at which the return notification after it can go out."""
    out = [math.inf] * len(boots)
    following = math.inf
    for index in range(len(boots) - 1, -1, -1):
        first = boots[index].not_sent_in_dip(boots[index].ready)
        out[index] = following = first if first < boots[index].killed else following
    return out
