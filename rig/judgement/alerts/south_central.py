"""CSP South & Central: [lowest, highest] chance of an AD1 over what is not known.

Pure. With the gap counted from the *first* shutdown notification, two corners are enough. Call a hub better where its
hold-up is longer and fuller, its notification later, its reboot and wait shorter, or its cuts later and shorter. At
every moment the better hub is running, or ahead in its boot, or waiting with a remaining wait whose hazard rate is
nowhere lower (the hazard rate of U(0, W) rises with the time waited and falls with W), so the two can be coupled such
that the better one answers no later. Then each of its gaps lies inside a gap of the worse one, and the chance of an AD1
is monotone in every setting and every bound: these bounds are the extremes. `rig.judgement.alerts.rebased` has the
other reading, where they may be wider, and says when. The times of sending are outer bounds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from rig.judgement.alerts.history import POWERED_S, History, Prediction, may_hide
from rig.judgement.alerts.hub import Course, Fate, Fixed, alert, walk
from rig.judgement.alerts.rebased import enclose, surely
from rig.judgement.alerts.settings import SOUTH_CENTRAL, SouthCentralSettings
from rig.judgement.alerts.stories import by_fate, chance, span


@dataclass(frozen=True, slots=True)
class _End:
    """One end of everything that is not known: the hub, and what it did."""

    fixed: Fixed
    course: Course

    @staticmethod
    def of(cuts: list[tuple[float, float]], fixed: Fixed) -> _End:
        return _End(fixed, walk(cuts, fixed))


def predict(history: History, settings: SouthCentralSettings | None = None) -> Prediction:
    """Chance of an AD1 in South & Central, when it would be sent, and the story."""
    given = settings or SOUTH_CENTRAL
    s = given.on_clock(history.rate_ppm)
    cuts, into = history.worst()
    worst = _End.of(cuts, _worst_hub(s))
    best = _End.of(history.best(), _best_hub(s))
    probability, sent = _predicted(history, s, worst, best, into)
    return Prediction(probability, sent, _story(history, given, worst, best, into, probability))


def _predicted(
    history: History, s: SouthCentralSettings, worst: _End, best: _End, into: list[int]
) -> tuple[tuple[float, float], tuple[float, float] | None]:
    """The chance and when it would be sent. Re-basing never makes an AD1 likelier."""
    highest, earliest = alert(worst.course, worst.fixed)
    if highest <= 0.0:
        return (0.0, 0.0), None
    rebases = s.second_shutdown_rebases
    lowest = min(alert(best.course, best.fixed)[0], highest) if rebases.may_be_no else highest
    enclosed = enclose(history, s) if lowest > 0.0 and rebases.may_be_yes else None
    if lowest > 0.0 and rebases.may_be_yes:
        sure = surely(history, s, best.course.boots)
        lowest = min(lowest, sure if enclosed is None else max(sure, enclosed.lowest))
    if enclosed is not None and not rebases.may_be_no:
        highest = min(highest, enclosed.highest)
        sent = (enclosed.sent_lo, enclosed.sent_hi) if highest > 0.0 else None
        return (min(lowest, highest), highest), sent
    return (lowest, highest), (earliest, _latest(history, s, worst, best, into, earliest))


def _worst_hub(s: SouthCentralSettings) -> Fixed:
    return Fixed(
        notify=s.notify_s.lo,
        holdup=s.holdup_s.lo,
        recharge=s.recharge_s.hi,
        reboot=s.reboot_s.hi,
        wait=s.wait_s.hi,
        gap=s.gap_s.lo,
        booting_rides=not s.booting_rides_on_holdup.may_be_no,
        returns_on_holdup=not s.returns_on_holdup.may_be_no,
    )


def _best_hub(s: SouthCentralSettings) -> Fixed:
    return Fixed(
        notify=s.notify_s.hi,
        holdup=s.holdup_s.hi,
        recharge=s.recharge_s.lo,
        reboot=s.reboot_s.lo,
        wait=s.wait_s.lo,
        gap=s.gap_s.hi,
        booting_rides=s.booting_rides_on_holdup.may_be_yes,
        returns_on_holdup=s.returns_on_holdup.may_be_yes,
    )


def _latest(
    history: History, s: SouthCentralSettings, worst: _End, best: _End, into: list[int], earliest: float
) -> float:
    """The latest moment at which an AD1 can leave.

    It belongs to the last cut that can open a gap and that can still be unanswered when the gap is full. A cut opens
    one where the hub may be running when it begins, or, where a boot may end on hold-up and be told of, when it goes
    down. One that was not seen, after a boot or after one that was ridden through, may open one too.
    """
    on_holdup = best.fixed.returns_on_holdup or s.second_shutdown_rebases.may_be_yes
    extra = best.fixed.holdup if on_holdup and best.fixed.booting_rides else 0.0
    least, most = min(s.notify_s.lo, s.holdup_s.lo), min(s.notify_s.hi, s.holdup_s.hi)
    wait, gap, boots, best_boots = worst.fixed.wait, s.gap_s.lo, worst.course.boots, best.course.boots
    left, best_left = len(boots), len(best_boots)
    number, answered = len(into), math.inf
    for index in range(len(into) - 1, -1, -1):
        while left and into[index] < number:
            left -= 1
            number, base, _, ready, killed = boots[left]
            sent = worst.course.sent_at(ready + wait) if worst.course.dips else ready + wait
            if sent < killed or (sent == killed and wait > 0.0):
                answered = sent
        if into[index] != number:
            continue
        cut = history.cuts[index]
        ridden = best.course.fates[index] is Fate.RIDDEN
        if may_hide(cut.end_lo_s, cut.end_hi_s, POWERED_S if ridden else max(s.reboot_s.lo, POWERED_S)):
            hidden = cut.end_lo_s + (0.0 if ridden else s.reboot_s.lo) + least
            if answered > hidden + gap:
                return max(earliest, min(cut.end_hi_s + most + s.gap_s.hi, answered))
        while best_left and best_boots[best_left - 1][0] >= index:
            best_left -= 1
        opened = base if index == 0 or into[index - 1] != number else cut.start_lo_s + least
        running = not best_left or best_boots[best_left - 1][3] <= cut.start_hi_s + extra
        if running and answered > opened + gap:
            return max(earliest, min(cut.start_hi_s + most + s.gap_s.hi, answered))
    return earliest


_WORDS = {
    Fate.NONE: "perhaps no cut at all",
    Fate.RIDDEN: "ridden through on the hold-up",
    Fate.RESTARTED: "the boot was restarted",
}


def _story(
    history: History,
    s: SouthCentralSettings,
    worst: _End,
    best: _End,
    into: list[int],
    probability: tuple[float, float],
) -> tuple[str, ...]:
    fates = worst.course.fates
    pairs = list(zip([fates[number] for number in into], best.course.fates, strict=True))
    lines = by_fate(history.cuts, pairs, lambda pair: _told(*pair, s))
    if not worst.course.boots:
        return (*lines, "The hub never shut down: no AD1.")
    longest = worst.course.longest_absence(worst.fixed.wait)
    shortest = min(longest, best.course.longest_absence(0.0))
    back = f"The hub's longest absence, from notification to notification: {span(shortest, longest)}"
    rebased = " (from the first shutdown notification)" if s.second_shutdown_rebases.may_be_yes else ""
    return (*lines, f"{back}{rebased}.", f"AD1 from {s.gap_s} s on: chance {chance(*probability)}.")


def _told(worst: Fate, best: Fate, s: SouthCentralSettings) -> str:
    one, other = _words(worst, s), _words(best, s)
    return one if one == other else f"{one}; or, at the other end of what is not known, {other}"


def _words(fate: Fate, s: SouthCentralSettings) -> str:
    if fate is Fate.SHUT:
        return f"the hub shut down {s.holdup_s} s after the loss"
    if fate is Fate.CAUGHT:
        return "the hub shut down again, perhaps before its return notification had been sent"
    return _WORDS[fate]
