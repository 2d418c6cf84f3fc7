"""A separately written Monte Carlo of both regions: events in the order of time, many hubs at once, random draws.

Shares no code with the models: it knows only their settings' names. Every setting and every time is one number here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Rng = np.random.Generator
Cuts = list[tuple[float, float]]
NEVER = np.inf


@dataclass(frozen=True)
class Hub:
    """One South & Central hub: seconds and readings."""

    notify: float = 20.0
    holdup: float = 20.0
    recharge: float = 0.0
    reboot: float = 60.0
    wait: float = 120.0
    gap: float = 420.0
    booting_rides: bool = True
    returns_on_holdup: bool = False
    rebases: bool = False


def south_central(cuts: Cuts, hub: Hub, trials: int, rng: Rng) -> float:
    """Share of `trials` hubs whose provider sends an AD1."""
    open_since = np.full(trials, NEVER)  # the shutdown notification that is not answered yet
    on_network_at = np.full(trials, -NEVER)  # end of the last boot
    answer_at = np.full(trials, NEVER)  # when the return notification falls due
    stored = np.full(trials, hub.holdup)
    alerted = np.zeros(trials, dtype=bool)

    def answer(who: npt.NDArray[np.bool_], at: npt.NDArray[np.float64]) -> None:
        alerted[who] |= at[who] - open_since[who] >= hub.gap
        open_since[who] = NEVER
        answer_at[who] = NEVER

    powered_since = -NEVER
    for loss, back in cuts:
        answer(answer_at < loss, answer_at)
        if np.isfinite(powered_since) and loss - powered_since < hub.recharge:
            stored = np.minimum(hub.holdup, stored + (loss - powered_since) / hub.recharge * hub.holdup)
        else:
            stored = np.full(trials, hub.holdup)
        usable = np.where((on_network_at > loss) & (not hub.booting_rides), 0.0, stored)
        dies_at = loss + usable
        dies = back - loss >= usable
        tells = dies & (on_network_at <= dies_at)
        told_at = loss + np.minimum(hub.notify, usable)
        if hub.returns_on_holdup:
            counted_until = np.where(tells & hub.rebases, np.minimum(answer_at, told_at), answer_at)
            answer(answer_at < np.where(dies, dies_at, back), counted_until)
        else:
            answer_at = np.where(~dies & (answer_at >= loss) & (answer_at < back), back, answer_at)

        if hub.rebases:
            waiting = tells & np.isfinite(open_since)
            alerted[waiting] |= told_at[waiting] - open_since[waiting] >= hub.gap
            open_since = np.where(tells, told_at, open_since)
        else:
            open_since = np.where(tells & np.isinf(open_since), told_at, open_since)
        on_network_at = np.where(dies, back + hub.reboot, on_network_at)
        answer_at = np.where(dies, back + hub.reboot + hub.wait * rng.random(trials), answer_at)
        stored = np.where(dies, 0.0, stored - (back - loss))
        powered_since = back
    still = np.isfinite(open_since)
    answer(still, answer_at)
    return float(alerted.mean())


@dataclass(frozen=True)
class NorthHub:
    """One North hub and its provider: seconds, chances and readings."""

    timer: float = 180.0
    held_from: float = 30.0
    hold: float = 150.0
    held_share: float = 1.0
    pra_lost: float = 0.1
    latency: float = 5.0
    later_discards: bool = False
    holdup: float = 600.0
    recharge: float = 0.0
    reboot: float = 60.0


def north(cuts: Cuts, hub: NorthHub, trials: int, rng: Rng) -> float:
    """Share of `trials` hubs whose AD1 reaches the operator."""
    has_mode = rng.random(trials) < hub.held_share
    alerted = np.zeros(trials, dtype=bool)
    held: list[tuple[int, float]] = []
    restored: list[tuple[float, npt.NDArray[np.bool_]]] = []
    stored, powered_since, newest = hub.holdup, -NEVER, -NEVER
    for number, (loss, back) in enumerate(cuts):
        if loss - powered_since < hub.recharge:
            stored = min(hub.holdup, stored + (loss - powered_since) / hub.recharge * hub.holdup)
        else:
            stored = hub.holdup
        awake = min(back - loss, stored)
        if awake >= hub.timer:
            alerted[:] = True
        if awake >= hub.held_from:
            held.append((number, loss + hub.held_from + hub.hold))
        newest = max(newest, back + (hub.reboot if back - loss >= stored else 0.0) + hub.latency)
        restored.append((newest, rng.random(trials) >= hub.pra_lost))
        stored = max(0.0, stored - (back - loss))
        powered_since = back
    for number, deadline in held:
        discarded = np.zeros(trials, dtype=bool)
        for arrives, arrived in restored[number:] if hub.later_discards else restored[number : number + 1]:
            if arrives < deadline:
                discarded |= arrived
        alerted |= has_mode & ~discarded
    return float(alerted.mean())
