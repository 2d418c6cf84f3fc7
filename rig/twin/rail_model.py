"""The hub's 12 V node as physics: volts as a closed-form function of time. No I/O, no noise, no idea of who looks.

One capacitor, fed by sources through resistances and diodes (so a source never pulls the node down), loaded by the hub
(which switches itself off when starved) and by the bench's minimum load. Between two events the voltage is one
exponential, so every crossing of a threshold is known exactly and scheduled as an event.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rig.twin.ports import Cancellable, Timeline

_KEEP_SEGMENTS, _MOST_SEGMENTS = 500, 100_000
_KEEP_NS = 2 * 3600 * 1_000_000_000
"""The history that a probe may still ask for: the longest window of an oscilloscope, and more."""
_MARGIN_V = 1e-9


@dataclass(frozen=True)
class RailConstants:
    """Synthetic values of an ordinary hub on a bench; the twin's only claim is that they are plausible."""

    capacitance_f: float = 470e-6
    hub_ohm: float = 80.0
    min_load_ohm: float = 470.0
    hub_on_v: float = 9.0
    hub_off_v: float = 6.0


@dataclass(frozen=True)
class _Segment:
    start_ns: int
    volts: float
    final_v: float
    tau_s: float

    def at(self, now_ns: int) -> float:
        return self.final_v + (self.volts - self.final_v) * math.exp(-(now_ns - self.start_ns) / 1e9 / self.tau_s)

    def crossing(self, level_v: float, falling: bool) -> int | None:
        """The first instant at or beyond `level_v`, if nothing else happens; None when it never gets there."""
        away, beyond = self.volts - self.final_v, level_v - self.final_v
        if falling and not (self.volts > level_v > self.final_v):
            return None
        if not falling and not (self.volts < level_v < self.final_v):
            return None
        return self.start_ns + max(1, math.ceil(self.tau_s * math.log(away / beyond) * 1e9))


class Watcher:
    """Calls back once when the node crosses its level in its direction."""

    def __init__(self, model: RailModel, level_v: float, falling: bool, fn: Callable[[int], None]) -> None:
        self._model = model
        self.level_v = level_v
        self.falling = falling
        self._fn = fn
        self._event: Cancellable | None = None
        self._due_ns = 0

    def cancel(self) -> None:
        self.unplan()
        self._model.forget(self)

    def unplan(self) -> None:
        if self._event is not None:
            self._event.cancel()
            self._event = None

    def plan(self, segment: _Segment, timeline: Timeline) -> None:
        """Plan for a new course of the node. A crossing that happens at this very moment stays planned."""
        if self._event is not None and self._due_ns <= timeline.now():
            return
        self.unplan()
        at = segment.crossing(self.level_v, self.falling)
        if at is not None and at > timeline.now():  # else it was before somebody watched
            self._due_ns = at
            self._event = timeline.schedule(at, lambda: self._fire(at))

    def _fire(self, at: int) -> None:
        self._event = None
        self._model.forget(self)
        self._fn(at)


class RailModel:
    """The node. Feeds are named; `set_feed` is the only way to change what happens from outside."""

    def __init__(self, timeline: Timeline, constants: RailConstants | None = None) -> None:
        self.constants = constants or RailConstants()
        self._timeline = timeline
        self._feeds: dict[str, tuple[float, float]] = {}
        self._hub_on = False
        self._watchers: list[Watcher] = []
        self._turn: Cancellable | None = None
        self._segments = [_Segment(timeline.now(), 0.0, 0.0, 1.0)]
        self._starts: list[int] = [timeline.now()]
        self._own = [
            Watcher(self, self.constants.hub_off_v, True, lambda _: self._hub(False)),
            Watcher(self, self.constants.hub_on_v, False, lambda _: self._hub(True)),
        ]

    def set_feed(self, name: str, volts: float | None, ohms: float = 0.3) -> None:
        """Connect a source of `volts` behind `ohms`, or disconnect it (None)."""
        if volts is None:
            self._feeds.pop(name, None)
        else:
            self._feeds[name] = (volts, ohms)
        self._resolve()

    def now_v(self) -> float:
        return self._segments[-1].at(self._timeline.now())

    def current_from(self, name: str) -> float:
        """Amps that this feed delivers now."""
        if name not in self._feeds:
            return 0.0
        volts, ohms = self._feeds[name]
        return max(0.0, (volts - self.now_v()) / ohms)

    def volts(self, at_ns: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """See `rig.twin.ports.RailProbe`."""
        first = int(np.searchsorted(self._starts, int(at_ns[0]), side="right")) - 1 if len(at_ns) else 0
        out = np.full(len(at_ns), np.nan)
        for index in range(max(0, first), len(self._segments)):
            segment = self._segments[index]
            low = int(np.searchsorted(at_ns, segment.start_ns))
            last = index + 1 == len(self._segments)
            high = len(at_ns) if last else int(np.searchsorted(at_ns, self._starts[index + 1]))
            if low >= len(at_ns):
                break
            out[low:high] = segment.final_v
            # Beyond 45 time constants what is left is 3e-20 of the step: nothing that a double could hold beside volts.
            moving = int(np.searchsorted(at_ns[low:high], segment.start_ns + round(45e9 * segment.tau_s)))
            age = (at_ns[low : low + moving] - segment.start_ns) * (-1e-9 / segment.tau_s)
            out[low : low + moving] += (segment.volts - segment.final_v) * np.exp(age)
        return out

    def turns(self, from_ns: int, to_ns: int) -> npt.NDArray[np.int64]:
        """See `rig.twin.ports.RailProbe`."""
        first, after = np.searchsorted(self._starts, (from_ns, to_ns))
        return np.array(self._starts[int(first) : int(after)], np.int64)

    def on_fall(self, level_v: float, fn: Callable[[int], None]) -> Watcher:
        return self.watch(level_v, True, fn)

    def watch(self, level_v: float, falling: bool, fn: Callable[[int], None]) -> Watcher:
        """Call `fn(instant_ns)` once, when the node crosses `level_v` in that direction after this moment."""
        watcher = Watcher(self, level_v, falling, fn)
        self._watchers.append(watcher)
        watcher.plan(self._segments[-1], self._timeline)
        return watcher

    def forget(self, watcher: Watcher) -> None:
        if watcher in self._watchers:
            self._watchers.remove(watcher)

    def _hub(self, on: bool) -> None:
        self._hub_on = on
        self._resolve()

    def _resolve(self) -> None:
        """A new segment from now on: which feeds conduct, where the voltage goes, and when that will change."""
        now, volts = self._timeline.now(), self.now_v()
        conducting = [f for f in self._feeds.values() if f[0] > volts + _MARGIN_V]
        load = 1 / self.constants.min_load_ohm + (1 / self.constants.hub_ohm if self._hub_on else 0.0)
        conductance = load + sum(1 / ohms for _, ohms in conducting)
        final = sum(v / ohms for v, ohms in conducting) / conductance
        segment = _Segment(now, volts, final, self.constants.capacitance_f / conductance)
        if self._segments[-1].start_ns == now:
            self._segments[-1] = segment
        else:
            self._segments.append(segment)
            self._starts.append(now)
        self._forget(now)
        self._plan(segment)

    def _forget(self, now: int) -> None:
        """What is older than any probe asks for; and more than any night of pulses has."""
        kept = len(self._segments)
        old = kept > 2 * _KEEP_SEGMENTS and self._starts[_KEEP_SEGMENTS] < now - _KEEP_NS
        if old or kept > _MOST_SEGMENTS:
            del self._segments[:_KEEP_SEGMENTS]
            del self._starts[:_KEEP_SEGMENTS]

    def _plan(self, segment: _Segment) -> None:
        off, on = self._own
        (on if self._hub_on else off).unplan()
        (off if self._hub_on else on).plan(segment, self._timeline)
        for watcher in list(self._watchers):
            watcher.plan(segment, self._timeline)
        self._turn_diodes(segment)

    def _turn_diodes(self, segment: _Segment) -> None:
        """Resolve anew when the node falls to a source that is blocked now, or rises beyond one that conducts now."""
        if self._turn is not None:
            self._turn.cancel()
        turns = []
        for volts, _ in self._feeds.values():
            turns.append(segment.crossing(volts - 2 * _MARGIN_V, True))
            turns.append(segment.crossing(volts, False))
        at = min((turn for turn in turns if turn is not None), default=None)
        self._turn = None if at is None else self._timeline.schedule(at, self._resolve)
