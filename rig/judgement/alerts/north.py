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
  apart are the lowest, because the PRA that serves a joined one serves them all; and so are cuts that were not seen,
  because each sends a PRA: there may be many, so one is taken to arrive.
So the bounds are the extremes, but for three cases in which they hold and may be wider: the highest end where a later
PRA surely discards and some cut is not proven; the lowest end where a later PRA may discard and a stretch of a second
or more was not seen; and a supercapacitor that recharges slowly and may run out, because longer cuts then both raise
and lower the chance.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from enum import IntEnum

from rig.judgement.alerts.history import POWERED_S, Cut, History, Prediction, may_hide
from rig.judgement.alerts.settings import NORTH, NorthSettings, Range
from rig.judgement.alerts.stories import by_fate, chance

_Charge = tuple[float, float, float]
"""Hold-up (s) of the supercapacitor when a cut begins: the least and the most that it can have where the cut begins as
early as it may, and the least where an unseen stretch before what is sure of the cut hides others.
"""

_Loss = tuple[float, float, float, float]
"""One loss at one end of what is not known (s): its start, how long the hub lived in it, its end, its PRA's arrival."""


class _Fate(IntEnum):
    """What one loss raises: nothing; a held AD1 whose PRA, if not lost, is in time, or too late; AD1 by the timer."""

    NONE = 0
    HELD = 1
    LATE = 2
    PLAIN = 3


def predict(history: History, settings: NorthSettings | None = None) -> Prediction:
    """Chance of an AD1 in North, when it would be sent, and the story."""
    given = settings or NORTH
    s = given.on_clock(history.rate_ppm)
    cuts = history.cuts
    charges = _charges(cuts, s)
    worst, firsts = _worst(cuts, charges, s)
    best = _best(cuts, charges, s)
    worst_fates = _fates(worst, s.timer_s.lo, s.held_from_s.lo, s.hold_s.lo)
    best_fates = _fates(best, s.timer_s.hi, s.held_from_s.hi, s.hold_s.hi)
    highest = _highest(worst, worst_fates, firsts, history, s)
    lowest = min(highest, _lowest(best, best_fates, cuts, charges, s))
    sent = _sent(worst, firsts, cuts, s) if highest > 0.0 else None
    joined = [fate for number, fate in enumerate(worst_fates) for _ in range(firsts[number], firsts[number + 1])]
    lines = by_fate(cuts, list(zip(joined, best_fates, strict=True)), lambda pair: _told(*pair, given))
    return Prediction((lowest, highest), sent, (*lines, f"Chance of an AD1: {chance(lowest, highest)}."))


def _charges(cuts: Sequence[Cut], s: NorthSettings) -> list[_Charge]:
    full_lo, full_hi = low, high = s.holdup_s.lo, s.holdup_s.hi
    fast, slow = s.recharge_s.lo, s.recharge_s.hi
    if slow <= 0.0:
        return [(full_lo, full_hi, full_lo)] * len(cuts)
    out = []
    back_lo, back_hi = -math.inf, -math.inf
    for cut in cuts:
        start_lo, start_hi, end_lo, end_hi = cut.start_lo_s, cut.start_hi_s, cut.end_lo_s, cut.end_hi_s
        low = _charged(low, start_lo - back_hi, full_lo, slow) if start_lo - back_hi < slow else full_lo
        high = _charged(high, start_hi - back_lo, full_hi, fast) if start_hi - back_lo < fast else full_hi
        hidden = start_hi - start_lo if may_hide(start_lo, start_hi) else 0.0
        out.append((low, high, low - hidden if low > hidden else 0.0))
        longest, shortest = end_hi - start_lo, end_lo - start_hi
        low = low - longest if low > longest else 0.0
        if shortest > 0.0:
            high = high - shortest if high > shortest else 0.0
        back_lo, back_hi = end_lo, end_hi
    return out


def _charged(charge: float, up: float, full: float, recharge: float) -> float:
    """The hold-up (s) after `up` seconds of power, fewer than it takes to fill."""
    if up > 0.0:
        charge += up * full / recharge
    return charge if charge < full else full


def _worst(cuts: Sequence[Cut], charges: Sequence[_Charge], s: NorthSettings) -> tuple[list[_Loss], list[int]]:
    """Every cut as long as it may be, joined where they may be one; and the first cut of each, and one past all."""
    losses: list[_Loss] = []
    firsts: list[int] = []
    full, fast, latency, reboot = s.holdup_s.hi, s.recharge_s.lo, s.pra_latency_s.hi, s.reboot_s.hi
    opened, back, most, before, arrives = 0.0, -math.inf, 0.0, -math.inf, -math.inf
    for index, cut in enumerate(cuts):
        low, high, _ = charges[index]
        if losses and cut.start_lo_s <= back:
            losses.pop()
        else:
            firsts.append(index)
            opened, most, before = cut.start_lo_s, 0.0, arrives
        back = cut.end_hi_s
        length = back - opened
        fullest = _fullest(cut, high, full, fast) if high < full else full
        most = fullest if fullest > most else most
        arrives = back + latency + (reboot if length >= low else 0.0)
        arrives = arrives if arrives > before else before
        losses.append((opened, most if most < length else length, back, arrives))
    firsts.append(len(cuts))
    return losses, firsts


def _fullest(cut: Cut, charge: float, full: float, recharge: float) -> float:
    """The most hold-up (s) that a hub can have at the start of a loss within the bounds of one cut."""
    unseen = cut.end_hi_s - cut.end_lo_s if cut.end_hi_s < math.inf else 0.0
    if unseen >= recharge:
        return full
    shortest = cut.end_lo_s - cut.start_hi_s
    if shortest <= 0.0:
        return _charged(charge, unseen, full, recharge)
    recharged = _charged(charge - shortest if charge > shortest else 0.0, unseen, full, recharge)
    return recharged if recharged > charge else charge


def _best(cuts: Sequence[Cut], charges: Sequence[_Charge], s: NorthSettings) -> list[_Loss]:
    """Every cut as short as it may be. One that may not have been raises nothing, yet its PRA may have come."""
    losses: list[_Loss] = []
    latency, reboot, before = s.pra_latency_s.lo, s.reboot_s.lo, -math.inf
    for index, cut in enumerate(cuts):
        _, high, low = charges[index]
        opened, back = cut.start_hi_s, cut.end_lo_s
        length = back - opened
        arrives = back + latency + (reboot if length >= high else 0.0)
        before = arrives if arrives > before else before
        losses.append((opened, low if low < length else length, back, before))
    return losses


def _fates(losses: Sequence[_Loss], timer: float, held_from: float, hold: float) -> list[_Fate]:
    fates = []
    for opened, lived, _, arrives in losses:
        if lived >= timer:
            fates.append(_Fate.PLAIN)
        elif lived < held_from:
            fates.append(_Fate.NONE)
        else:
            fates.append(_Fate.LATE if arrives >= opened + held_from + hold else _Fate.HELD)
    return fates


def _highest(
    losses: Sequence[_Loss], fates: Sequence[_Fate], firsts: Sequence[int], history: History, s: NorthSettings
) -> float:
    if _Fate.PLAIN in fates:
        return 1.0
    share, lost, held_from = s.held_share.hi, s.pra_lost.hi, s.held_from_s.lo
    if share <= 0.0 or _Fate.LATE in fates:
        return share if _Fate.LATE in fates else 0.0
    if not s.later_pra_discards.may_be_no and history.all_proven():
        return share * (1.0 - _all_discarded(losses, fates, held_from + s.hold_s.lo, lost))
    held = [number for number, fate in enumerate(fates) if fate is _Fate.HELD]
    count = sum(_most(history.cuts[firsts[number] : firsts[number + 1]], held_from) for number in held)
    return share * (1.0 - (1.0 - lost) ** count)


def _most(cuts: Sequence[Cut], held_from: float) -> int:
    """How many held AD1s fit into cuts that may be one.

    Each loss begins where the one before ends, and ends as soon as it is long enough and the rail is not surely down.
    """
    period = max(held_from, POWERED_S)
    full, fits = cuts[0].start_lo_s, 0
    if len(cuts) == 1:
        cut = cuts[0]
        if cut.start_hi_s - full < period > cut.end_hi_s - cut.end_lo_s and cut.end_lo_s > cut.start_hi_s:
            return 1
    for cut in cuts:
        if cut.end_lo_s <= cut.start_hi_s:
            continue
        if cut.start_hi_s - full >= period:
            more = int((cut.start_hi_s - full) // period)
            full += more * period
            fits += more
        if full + period <= cut.end_lo_s:
            full = cut.end_lo_s
            fits += 1
    last = int((cuts[-1].end_hi_s - full) // period) + (held_from < POWERED_S)
    return max(1, fits + last)


def _lowest(
    losses: Sequence[_Loss], fates: Sequence[_Fate], cuts: Sequence[Cut], charges: Sequence[_Charge], s: NorthSettings
) -> float:
    if _Fate.PLAIN in fates:
        return 1.0
    share, lost = s.held_share.lo, s.pra_lost.lo
    if share <= 0.0 or _Fate.LATE in fates:
        return share if _Fate.LATE in fates else 0.0
    if lost <= 0.0:
        return 0.0
    if s.later_pra_discards.may_be_yes:
        hidden = _hidden(losses, cuts, s.pra_latency_s.lo)
        return share * (1.0 - _all_discarded(losses, fates, s.held_from_s.hi + s.hold_s.hi, lost, hidden))
    return share * (1.0 - (1.0 - lost) ** _fewest(losses, fates, cuts, charges, s))


def _fewest(
    losses: Sequence[_Loss], fates: Sequence[_Fate], cuts: Sequence[Cut], charges: Sequence[_Charge], s: NorthSettings
) -> int:
    """The least number of held AD1s: cuts that may be one count as one while that makes no AD1 certain."""
    count, back, held = 0, -math.inf, False
    opened = low = high = 0.0
    timer, deadline = s.timer_s.hi, s.held_from_s.hi + s.hold_s.hi
    for cut, loss, fate, charge in zip(cuts, losses, fates, charges, strict=True):
        held = held and cut.start_lo_s <= back
        back = cut.end_hi_s
        if fate is not _Fate.HELD:
            continue
        end = loss[2]
        arrives = end + s.pra_latency_s.lo + (s.reboot_s.lo if end - opened >= high else 0.0)
        if held and min(low, end - opened) < timer and arrives < opened + deadline:
            continue
        held, opened, (_, high, low) = True, loss[0], charge
        count += 1
    return count


def _all_discarded(
    losses: Sequence[_Loss], fates: Sequence[_Fate], deadline: float, lost: float, hidden: Sequence[float] = ()
) -> float:
    """Chance that each held AD1 meets a PRA of its own or of a later cut in time.

    The sum runs over the last PRA that arrived: `last_ones` holds (its number, chance when it arrived), each to be
    multiplied by one `lost` for every PRA since. Before the next PRA arrives, deadlines pass; there, all whose last
    PRA is older than the loss in question leave the sum. `hidden`: after each loss, when PRAs of hidden ones arrive.
    """
    last_ones: deque[tuple[int, float]] = deque([(-1, 1.0)])
    total, passed, oldest = 1.0, 0, -1
    for index in range(len(losses)):
        last_ones.append((index, (1.0 - lost) * total))
        following = losses[index + 1][3] if index + 1 < len(losses) else math.inf
        arrives = hidden[index] if hidden and hidden[index] < following else following
        while passed <= index and losses[passed][0] + deadline <= arrives:
            if fates[passed] is _Fate.HELD:
                oldest = passed
            passed += 1
        while last_ones[0][0] < oldest:
            number, chance = last_ones.popleft()
            total -= chance * lost ** (index - number)
        if hidden and hidden[index] < math.inf:
            last_ones = deque([(index, total)])
            passed = index + 1
    return min(1.0, max(0.0, total))


def _hidden(losses: Sequence[_Loss], cuts: Sequence[Cut], latency: float) -> list[float]:
    """After each loss, the earliest arrival (s) of the PRAs of such that an unseen stretch may hide, before the next.

    There may be one a second: that all of them are lost is not counted on.
    """
    out = []
    for index, cut in enumerate(cuts):
        at, arrives = math.inf, losses[index][3]
        if cut.end_hi_s > cut.end_lo_s and may_hide(cut.end_lo_s, cut.end_hi_s):
            at = cut.end_lo_s + POWERED_S + latency
        if index + 1 < len(cuts):
            start_lo, start_hi = cuts[index + 1].start_lo_s, cuts[index + 1].start_hi_s
            if start_hi > start_lo and start_lo + latency < at and may_hide(start_lo, start_hi):
                at = start_lo + latency
        out.append(at if at > arrives else arrives)
    return out


def _sent(losses: Sequence[_Loss], firsts: Sequence[int], cuts: Sequence[Cut], s: NorthSettings) -> tuple[float, float]:
    """From the earliest to the latest moment at which an AD1 can reach the operator."""
    held_from, may_lose = s.held_from_s.lo, s.pra_lost.hi > 0.0
    least, most = held_from + s.hold_s.lo, s.held_from_s.hi + s.hold_s.hi
    plain = [number for number, loss in enumerate(losses) if loss[1] >= s.timer_s.lo]
    held = [
        number
        for number, (opened, lived, _, arrives) in enumerate(losses)
        if lived >= held_from and (may_lose or arrives >= opened + least)
    ]
    first, last = [], []
    if plain:
        first.append(losses[plain[0]][0] + s.timer_s.lo)
        last.append(min(_last_start(cuts[firsts[plain[-1] + 1] - 1], held_from) + s.timer_s.hi, losses[plain[-1]][2]))
    if held and s.held_share.hi > 0.0:
        first.append(losses[held[0]][0] + least)
        latest = _last_start(cuts[firsts[held[-1] + 1] - 1], held_from) + most
        last.append(latest if may_lose else min(latest, losses[held[-1]][3]))
    return min(first), max(last)


def _last_start(cut: Cut, held_from: float) -> float:
    """The latest start of a loss of `held_from` s within the bounds of one cut."""
    hides = may_hide(cut.end_lo_s, cut.end_hi_s, held_from)
    return max(cut.start_hi_s, cut.end_hi_s - held_from) if hides else cut.start_hi_s


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
