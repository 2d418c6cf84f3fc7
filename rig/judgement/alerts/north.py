"""CSP North: [lowest, highest] chance of an AD1 over what is not known.

Pure. Reading taken of MP102A: a loss that persists `timer_s` (3 min) sends AD1, always. In the 30 s mode a loss of
`held_from_s` (30 s) sends AD1 to the provider at that moment, which holds it for `hold_s` (2½ min) more: a Power
Restoration Alert that has arrived *before* `held_from_s + hold_s` (180 s) after the loss discards it; lost, or later,
the AD1 is forwarded at that moment. Power that is back sends one PRA for each loss; a PRA says when its power came
back, so it discards no AD1 of a later loss; the PRAs of one hub arrive in order. A hub has the 30 s mode or not:
`held_share` is one draw for all cuts, each lost PRA is a draw of its own. A hub whose supercapacitor has run out sends
nothing until it has booted.

Extremes: the 30 s mode is never less likely to alert than the plain one, so the chance rises with `held_share`; it
rises with lost PRAs and latency, and falls with every timer, because each only adds held AD1s or takes PRAs from the
set that can discard one. Matching each PRA to its own AD1 only is the higher reading. Over the rail, within a stretch
in which the power was never surely there:
- a timer that may run out, or a PRA that may be late, does so for the longest cut, and then nothing else counts;
- matched to their own, the PRAs count, one for each held AD1: at the highest end as many as fit, for what was not
  seen may hide several cuts; at the lowest end as few as cover every loss that surely held, cuts that may be one being
  one as long as that makes no AD1 certain. Taking the earliest end, or the furthest partner, is best for each count;
- matched to a later one too, one cut that fills a stretch is the highest of all rails with a cut there, because its
  PRA is the last and its deadline the first; a stretch that may hold no cut falls back on the count. Cuts that are
  apart are the lowest, because the PRA that serves a joined one serves them all.
So the bounds are the extremes, but for two cases in which they hold and may be wider: the highest end where a later PRA
surely discards and some cut is not proven; and a supercapacitor that recharges slowly and may run out, because longer
cuts then both raise and lower the chance.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Sequence
from enum import Enum
from typing import NamedTuple

from rig.judgement.alerts.history import Cut, History, Prediction
from rig.judgement.alerts.settings import NorthSettings, Range
from rig.judgement.alerts.stories import by_fate

_Charged = tuple[Cut, float, float]
_POWERED_S = 1.0
"""Power for less than this restores nothing: no more losses than one a second fit where held AD1s need no time."""


class _Fate(Enum):
    NONE = 0
    HELD = 1
    LATE = 2
    PLAIN = 3


class _Alarm(NamedTuple):
    """What one cut raises at one end of what is not known. Times in s.

    `opened`: bounds of the loss. `plain`: AD1 by the timer. `held`: AD1 in the 30 s mode. `deadline`: when a held AD1
    is forwarded. `back`: the end of the cut. `arrives`: when its PRA arrives, if it is not lost. `held_ads`: how many
    held AD1s this stands for: at the highest end as many as fit into it, at the lowest none if it may be one with
    a cut before it that counts.
    """

    opened: tuple[float, float]
    plain: bool
    held: bool
    deadline: float
    back: float
    arrives: float
    held_ads: int = 1

    @property
    def late(self) -> bool:
        return self.arrives >= self.deadline

    def fate(self) -> _Fate:
        if self.plain:
            return _Fate.PLAIN
        if not self.held:
            return _Fate.NONE
        return _Fate.LATE if self.late else _Fate.HELD


def predict(history: History, settings: NorthSettings | None = None) -> Prediction:
    """Chance of an AD1 in North, when it would be sent, and the story."""
    s = settings or NorthSettings()
    charged = list(_charges(history, s))
    worst, into = _worst(charged, s)
    best = _best(charged, s)
    shared = not s.later_pra_discards.may_be_no and history.all_proven()
    highest = _mixed(_chance(worst, s.pra_lost.hi, later=shared), worst, s.held_share.hi)
    lowest = _mixed(_chance(best, s.pra_lost.lo, later=s.later_pra_discards.may_be_yes), best, s.held_share.lo)
    lowest = min(lowest, highest)
    sent = _sent(worst, s) if highest > 0.0 else None
    pairs = [(worst[into[i]].fate(), alarm.fate()) for i, alarm in enumerate(best)]
    lines = by_fate(history.cuts, pairs, lambda pair: _told(*pair, s))
    chance = f"Chance of an AD1: {lowest:.3g} to {highest:.3g}."
    return Prediction((lowest, highest), sent, (*lines, chance))


def _mixed(held: float, alarms: Sequence[_Alarm], share: float) -> float:
    return 1.0 if any(alarm.plain for alarm in alarms) else share * held


def _charges(history: History, s: NorthSettings) -> Iterator[_Charged]:
    """Each cut with the least and most hold-up (s) that the supercapacitor can have when it begins."""
    low, high = s.holdup_s.lo, s.holdup_s.hi
    back_lo, back_hi = -math.inf, -math.inf
    for cut in history.cuts:
        low = _charged(low, cut.start_lo_s - back_hi, s.holdup_s.lo, s.recharge_s.hi)
        high = _charged(high, cut.start_hi_s - back_lo, s.holdup_s.hi, s.recharge_s.lo)
        yield cut, low, high
        low = max(0.0, low - (cut.end_hi_s - cut.start_lo_s))
        high = max(0.0, high - max(0.0, cut.end_lo_s - cut.start_hi_s))
        back_lo, back_hi = cut.end_lo_s, cut.end_hi_s


def _worst(charged: list[_Charged], s: NorthSettings) -> tuple[list[_Alarm], list[int]]:
    """Every cut as long as it may be, joined where they may be one; and for each cut the alarm it went into."""
    alarms: list[_Alarm] = []
    into: list[int] = []
    opened, most, before, full, fits = 0.0, 0.0, -math.inf, 0.0, 0
    timer, held_from, deadline = s.timer_s.lo, s.held_from_s.lo, s.held_from_s.lo + s.hold_s.lo
    latency, reboot = s.pra_latency_s.hi, s.reboot_s.hi
    for cut, low, high in charged:
        if alarms and cut.start_lo_s <= alarms[-1].back:
            alarms.pop()
        else:
            opened = full = cut.start_lo_s
            most, fits = 0.0, 0
            before = alarms[-1].arrives if alarms else -math.inf
        length = cut.end_hi_s - opened
        unseen = cut.end_hi_s - cut.end_lo_s if cut.end_hi_s < math.inf else 0.0
        drained = max(0.0, high - max(0.0, cut.end_lo_s - cut.start_hi_s))
        most = max(most, high, _charged(drained, unseen, s.holdup_s.hi, s.recharge_s.lo))
        lived = min(most, length)
        arrives = cut.end_hi_s + latency + (reboot if length >= low else 0.0)
        full, fits = _fitted(full, fits, cut, held_from)
        latest = cut.end_hi_s - held_from if unseen >= held_from and unseen > 0.0 else cut.start_hi_s
        last = int((cut.end_hi_s - full) // held_from) if held_from >= _POWERED_S and length < math.inf else 0
        alarms.append(
            _Alarm(
                (opened, max(cut.start_hi_s, latest)),
                lived >= timer,
                lived >= held_from,
                opened + deadline,
                cut.end_hi_s,
                max(before, arrives),
                max(1, fits + last),
            )
        )
        into.append(len(alarms) - 1)
    return alarms, into


def _fitted(full: float, fits: int, cut: Cut, held_from: float) -> tuple[float, int]:
    """How many losses of `held_from` s fit to the end of what is sure of `cut`, and where the last of them ends.

    Each begins where the one before ends, and ends as soon as it is long enough and the rail is not surely down.
    """
    if held_from < _POWERED_S:
        longest = cut.end_hi_s - cut.start_lo_s
        return full, fits + 1 + (int(longest) if longest < math.inf else 0)
    if cut.end_lo_s <= cut.start_hi_s:
        return full, fits
    more = max(0, int((cut.start_hi_s - full) // held_from))
    full += more * held_from
    if full + held_from > cut.end_lo_s:
        return full, fits + more
    return cut.end_lo_s, fits + more + 1


def _best(charged: list[_Charged], s: NorthSettings) -> list[_Alarm]:
    """Every cut as short as it may be. One that may not have been raises nothing, yet its PRA may have come."""
    alarms: list[_Alarm] = []
    before, back = -math.inf, -math.inf
    first: tuple[float, float, float] | None = None
    timer, held_from, deadline = s.timer_s.hi, s.held_from_s.hi, s.held_from_s.hi + s.hold_s.hi
    latency, reboot = s.pra_latency_s.lo, s.reboot_s.lo
    for cut, low, high in charged:
        opened = cut.start_hi_s
        length = cut.end_lo_s - opened
        lived = min(low, length)
        arrives = cut.end_lo_s + latency + (reboot if length >= high else 0.0)
        before = max(before, arrives)
        held = lived >= held_from
        ads = 0
        if cut.start_lo_s > back:
            first = None
        if held and not (first is not None and _may_be_one(first, cut.end_lo_s, timer, deadline, latency, reboot)):
            first, ads = (opened, low, high), 1
        back = cut.end_hi_s
        alarms.append(_Alarm((opened, opened), lived >= timer, held, opened + deadline, cut.end_lo_s, before, ads))
    return alarms


def _may_be_one(
    first: tuple[float, float, float], end: float, timer: float, deadline: float, latency: float, reboot: float
) -> bool:
    """Whether one loss from the start of `first` (start, least and most hold-up) to `end` makes no AD1 certain."""
    opened, low, high = first
    length = end - opened
    arrives = end + latency + (reboot if length >= high else 0.0)
    return min(low, length) < timer and arrives < opened + deadline


def _charged(charge: float, up: float, full: float, recharge: float) -> float:
    up = max(0.0, up)
    return full if up >= recharge else min(full, charge + up * full / recharge)


def _chance(alarms: Sequence[_Alarm], lost: float, *, later: bool) -> float:
    """Chance that a hub with the 30 s mode has an AD1 forwarded, each PRA lost with chance `lost`."""
    if any(alarm.held and alarm.late for alarm in alarms):
        return 1.0
    if not later:
        return 1.0 - (1.0 - lost) ** sum(alarm.held_ads for alarm in alarms if alarm.held)
    return 1.0 - _all_discarded(alarms, lost)


def _all_discarded(alarms: Sequence[_Alarm], lost: float) -> float:
    """Chance that each held AD1 meets a PRA of its own or of a later cut in time.

    The sum runs over the last PRA that arrived: `open_ones` holds (its index, chance when it arrived), each to be
    multiplied by one `lost` for every PRA since. A deadline passes between two arrivals; there, all whose last PRA is
    older than the loss in question leave the sum.
    """
    owed = _owed(alarms)
    open_ones: deque[tuple[int, float]] = deque([(-1, 1.0)])
    total = 1.0
    for index, oldest in enumerate(owed):
        open_ones.append((index, (1.0 - lost) * total))
        while open_ones and open_ones[0][0] < oldest:
            since, chance = open_ones.popleft()
            total -= chance * lost ** (index - since)
    return min(1.0, max(0.0, total))


def _owed(alarms: Sequence[_Alarm]) -> list[int]:
    """For each PRA: the last held AD1 that no PRA after this one can still discard, or -1."""
    owed = [-1] * len(alarms)
    last = 0
    for index, alarm in enumerate(alarms):
        last = max(last, index)
        while last + 1 < len(alarms) and alarms[last + 1].arrives < alarm.deadline:
            last += 1
        if alarm.held:
            owed[last] = index
    return owed


def _sent(worst: Sequence[_Alarm], s: NorthSettings) -> tuple[float, float]:
    """From the earliest to the latest moment at which an AD1 can reach the operator."""
    first, last = math.inf, -math.inf
    forwarded = (s.held_from_s.lo + s.hold_s.lo, s.held_from_s.hi + s.hold_s.hi)
    for alarm in worst:
        if alarm.plain:
            first = min(first, alarm.opened[0] + s.timer_s.lo)
            last = max(last, min(alarm.opened[1] + s.timer_s.hi, alarm.back))
        if alarm.held and s.held_share.hi > 0.0 and (alarm.late or s.pra_lost.hi > 0.0):
            first = min(first, alarm.opened[0] + forwarded[0])
            latest = alarm.opened[1] + forwarded[1]
            last = max(last, latest if s.pra_lost.hi > 0.0 else min(latest, alarm.arrives))
    return first, last


def _told(worst: _Fate, best: _Fate, s: NorthSettings) -> str:
    one, other = _words(worst, s), _words(best, s)
    return one if one == other else f"{one}; or, at the other end of what is not known, {other}"


def _words(fate: _Fate, s: NorthSettings) -> str:
    held = f"in the 30 s mode AD1 is held from {s.held_from_s} s after the loss"
    return {
        _Fate.NONE: "no AD1",
        _Fate.HELD: f"{held} and forwarded if the PRA is lost ({_percent(s.pra_lost)})",
        _Fate.LATE: f"{held} and forwarded, because the PRA comes too late",
        _Fate.PLAIN: f"the loss lasted {s.timer_s} s: AD1",
    }[fate]


def _percent(chance: Range) -> str:
    low, high = f"{100 * chance.lo:g}", f"{100 * chance.hi:g}"
    return f"{low} %" if low == high else f"{low} to {high} %"
