"""CSP South & Central: [lowest, highest] chance of an AD1 over what is not known.

Pure. With the gap counted from the *first* shutdown notification, two corners are enough. Call a hub better where its
hold-up is longer and fuller, its notification later, its reboot and wait shorter, or its cuts later and shorter. At
every moment the better hub is running, or ahead in its boot, or waiting with a remaining wait whose hazard rate is
nowhere lower (the hazard rate of U(0, W) rises with the time waited and falls with W), so the two can be coupled such
that the better one answers no later. Then each of its gaps lies inside a gap of the worse one, and the chance of an AD1
is monotone in every setting and every bound. `rig.judgement.alerts.rebased` has the other reading.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

from rig.judgement.alerts.history import History, Prediction
from rig.judgement.alerts.hub import Boot, Fate, Fixed, alert, earliest_returns, latest_returns, walk
from rig.judgement.alerts.rebased import enclose
from rig.judgement.alerts.settings import SouthCentralSettings
from rig.judgement.alerts.stories import by_fate, span


@dataclass(frozen=True)
class _End:
    """One end of everything that is not known: the hub, what it did, and the chance."""

    fixed: Fixed
    boots: list[Boot]
    fates: list[Fate]
    chance: float
    earliest: float

    @cached_property
    def returns(self) -> list[float]:
        """For each shutdown, the latest moment of the return notification after it."""
        return latest_returns(self.boots, self.fixed)


def predict(history: History, settings: SouthCentralSettings | None = None) -> Prediction:
    """Chance of an AD1 in South & Central, when it would be sent, and the story."""
    s = settings or SouthCentralSettings()
    cuts, into = history.worst()
    worst = _end(cuts, _worst_hub(s))
    best = _end(history.best(), _best_hub(s))
    lowest, highest = min(best.chance, worst.chance), worst.chance
    sent = _sent(history, s, worst, best, into) if highest > 0.0 else None
    if s.second_shutdown_rebases.may_be_yes:
        rebased = enclose(history, s)
        if s.second_shutdown_rebases.may_be_no:
            lowest = min(lowest, rebased.probability[0])
            sent = _hull(sent, rebased.sent_at_s)
        else:
            highest = min(highest, rebased.probability[1])
            lowest = min(rebased.probability[0], highest)
            sent = rebased.sent_at_s if highest > 0.0 else None
    story = _story(history, s, worst, best, into, (lowest, highest))
    return Prediction((lowest, highest), sent, story)


def _hull(one: tuple[float, float] | None, two: tuple[float, float] | None) -> tuple[float, float] | None:
    return (min(one[0], two[0]), max(one[1], two[1])) if one and two else one


def _end(cuts: list[tuple[float, float]], fixed: Fixed) -> _End:
    boots, fates = walk(cuts, fixed)
    return _End(fixed, boots, fates, *alert(boots, fixed))


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


def _sent(history: History, s: SouthCentralSettings, worst: _End, best: _End, into: list[int]) -> tuple[float, float]:
    """Earliest and latest moment at which an AD1 can leave.

    The earliest is the worst end's. The latest belongs to a cut that can open a gap (the hub may be running when it
    begins) and that can still be unanswered when the gap is full.
    """
    returns = dict(zip((boot.cut for boot in worst.boots), worst.returns, strict=True))
    shuts = {boot.cut: boot for boot in worst.boots}
    extra = best.fixed.holdup if best.fixed.returns_on_holdup else 0.0
    least, most = min(s.notify_s.lo, s.holdup_s.lo), min(s.notify_s.hi, s.holdup_s.hi)
    latest = worst.earliest
    ready, following = -math.inf, 0
    for index, cut in enumerate(history.cuts):
        loss = cut.start_hi_s + extra
        while following < len(best.boots) and best.boots[following].cut < index:
            ready = best.boots[following].ready
            following += 1
        boot = shuts.get(into[index])
        if boot is None or ready >= loss:
            continue
        first_of_joined = index == 0 or into[index - 1] != into[index]
        base = boot.base if first_of_joined else cut.start_lo_s + least
        last = returns[boot.cut]
        if last > base + s.gap_s.lo:
            latest = max(latest, min(cut.start_hi_s + most + s.gap_s.hi, last))
    return worst.earliest, latest


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
    pairs = [(worst.fates[into[i]], fate) for i, fate in enumerate(best.fates)]
    lines = by_fate(history.cuts, pairs, lambda pair: _told(*pair, s))
    if not worst.boots:
        return (*lines, "The hub never shut down: no AD1.")
    longest = _longest_gap(worst.boots, worst.returns)
    shortest = min(longest, _longest_gap(best.boots, earliest_returns(best.boots)))
    back = f"The hub's longest absence, from notification to notification: {span(shortest, longest)}"
    rebased = " (from the first shutdown notification)" if s.second_shutdown_rebases.may_be_yes else ""
    chance = f"AD1 from {s.gap_s} s on: chance {probability[0]:.3g} to {probability[1]:.3g}."
    return (*lines, f"{back}{rebased}.", chance)


def _told(worst: Fate, best: Fate, s: SouthCentralSettings) -> str:
    one, other = _words(worst, s), _words(best, s)
    return one if one == other else f"{one}; or, at the other end of what is not known, {other}"


def _words(fate: Fate, s: SouthCentralSettings) -> str:
    if fate is Fate.SHUT:
        return f"the hub shut down {s.holdup_s} s after the loss"
    if fate is Fate.CAUGHT:
        return "the hub shut down again, perhaps before its return notification had been sent"
    return _WORDS[fate]


def _longest_gap(boots: list[Boot], returns: list[float]) -> float:
    return max((at - b.base for b, at in zip(boots, returns, strict=True) if b.notified), default=0.0)
