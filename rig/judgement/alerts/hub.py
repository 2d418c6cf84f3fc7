"""One South & Central hub with every setting fixed, over exact cuts: what it does, and how likely an AD1 is.

Pure. The hub's states are: running; on hold-up; down; booting; waiting (booted, its return notification not yet sent).
Which cut shuts it down never depends on the random wait, so the walk is one path; only the moment of the return
notification of each boot is random, and its distribution function is piecewise linear: the integral is a finite sum.

Readings taken, where MP102A is silent:
- a cut that the hold-up outlasts shuts nothing down, and its notification, if any was sent, opens no gap;
- a hub that is cut while booting is not on the network: it sends no shutdown notification when it goes down; one whose
  boot ends on hold-up does, and is taken to have sent it at its usual moment after the loss;
- a return notification that falls due on hold-up and may not be sent there goes out when the power is back;
- one that is sent on hold-up, after the shutdown notification of that cut, answers only the notifications before it;
- AD1 is sent when the gap reaches its limit, whether or not a return notification ever comes.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

_SMALL = 1e-100
"""Far above the least float, so that nothing divided by it overflows."""

Boot = tuple[int, float, bool, float, float]
"""One shutdown and the boot that follows it: (cut, base, notified, ready, killed), times in s.

`cut`: its number. `base`: the shutdown notification; `notified`: the hub was out of the boot before, so that it did
notify. `ready`: when the wait begins; `killed`: no return notification of this boot is sent at or after it.
"""


class Fate(IntEnum):
    """What one cut did to the hub: none at all, ridden through on the hold-up, shut down, shut down perhaps before its
    return notification was sent, restarted the boot.
    """

    NONE = 0
    RIDDEN = 1
    SHUT = 2
    CAUGHT = 3
    RESTARTED = 4


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


@dataclass(frozen=True, slots=True)
class Course:
    """What one hub did: every shutdown in order, the fate of every cut, and the dips that hold back a return."""

    boots: list[Boot]
    fates: list[Fate]
    dips: list[tuple[float, float]]

    def sent_at(self, due: float) -> float:
        """When a return notification that falls due at `due` goes out."""
        dip = self._dip(due)
        return due if dip is None else dip[1]

    def due_before(self, sent: float) -> float:
        """The moment before which a return notification must fall due to go out before `sent`."""
        dip = self._dip(sent)
        return sent if dip is None else dip[0]

    def _dip(self, at: float) -> tuple[float, float] | None:
        number = bisect_left(self.dips, (at,))
        return self.dips[number - 1] if number and at <= self.dips[number - 1][1] else None

    def longest_absence(self, wait: float) -> float:
        """The longest time (s) from a shutdown notification to the return after it, where each falls due after `wait`.

        With a wait of 0 it is the shortest that this can be, with the longest wait the longest.
        """
        longest, since = 0.0, None
        for _, base, _, ready, killed in self.boots:
            if since is None:
                since = base
            sent = self.sent_at(ready + wait) if self.dips else ready + wait
            if sent < killed or (sent == killed and wait > 0.0):
                if sent - since > longest:
                    longest = sent - since
                since = None
        return longest if since is None else math.inf


def walk(cuts: Sequence[tuple[float, float]], hub: Fixed) -> Course:
    """What the hub did. Cuts are (start, end) in s, in order; end <= start is no cut."""
    boots: list[Boot] = []
    fates: list[Fate] = []
    dips: list[tuple[float, float]] = []
    full, recharge, notify, reboot, wait = hub.holdup, hub.recharge, hub.notify, hub.reboot, hub.wait
    rides, sends = hub.booting_rides, hub.returns_on_holdup
    charge, back, cut, base, notified, ready = full, -math.inf, -1, 0.0, True, -math.inf
    for index, (start, end) in enumerate(cuts):
        length = end - start
        if length <= 0.0:
            fates.append(Fate.NONE)
            continue
        if start - back < recharge:
            charge += (start - back) * full / recharge
        if charge > full or start - back >= recharge:
            charge = full
        reserve = charge if rides or ready <= start else 0.0
        back = end
        if length < reserve:
            charge -= length
            fates.append(Fate.RIDDEN)
            if not sends:
                dips.append((start, end))
            continue
        down = start + reserve
        if cut >= 0:
            boots.append((cut, base, notified, ready, down if sends else start))
        notified = ready <= down
        if notified:
            fates.append(Fate.SHUT if start >= ready + wait else Fate.CAUGHT)
        else:
            fates.append(Fate.RESTARTED)
        cut, base, ready, charge = index, start + (notify if notify < reserve else reserve), end + reboot, 0.0
    if cut >= 0:
        boots.append((cut, base, notified, ready, math.inf))
    return Course(boots, fates, dips)


def alert(course: Course, hub: Fixed) -> tuple[float, float]:
    """Chance of an AD1 with the gap from the first notification, and its earliest moment (infinite: there is none).

    A hub has all its notifications answered (chance `running`), or it has one open, or its AD1 is sent (`risk`). `live`
    holds each notification that may be open: when its gap is full, and how likely it is that it was sent and not
    answered, in units of `scale`. A return notification answers all that are open, so its chance is a factor of all of
    them: the sum is linear in the number of cuts.
    """
    gap, wait, dips = hub.gap, hub.wait, course.dips
    live: deque[tuple[float, float]] = deque()
    running, scale, risk, earliest = 1.0, 1.0, 0.0, math.inf
    for _, base, notified, ready, killed in course.boots:
        if notified and running > 0.0:
            live.append((base + gap, running / scale))
            running = 0.0
        while live and live[0][0] <= killed:
            due, share = live.popleft()
            mass = share * scale
            waited = (course.due_before(due) if dips else due) - ready
            if waited <= 0.0:
                late = mass
            elif waited < wait:
                late = mass - mass * waited / wait
            else:
                late = 0.0
            if late > 0.0:
                risk += late
                if due < earliest:
                    earliest = due
            running += mass - late
        waited = killed - ready
        if not live or (waited >= wait and waited > 0.0):
            live.clear()
            running, scale = 1.0 - risk, 1.0
        elif waited > 0.0:
            answered = waited / wait
            running += answered * (1.0 - risk - running)
            scale *= 1.0 - answered
            if scale < _SMALL:
                live, scale = deque((due, share * scale) for due, share in live), 1.0
    return min(1.0, risk), earliest
