"""The twin's relays, comparators and mains: what stands between the node and the lines. Physics only, no I/O."""

from __future__ import annotations

from collections.abc import Callable

from rig.clock import to_ns
from rig.twin.ports import Timeline
from rig.twin.rail_model import RailModel

Listener = Callable[[bool], None]


class Signal:
    """A digital level with listeners; `force` sticks it (a fault)."""

    def __init__(self, level: bool = False) -> None:
        self._level = level
        self._forced: bool | None = None
        self._listeners: list[Listener] = []

    @property
    def level(self) -> bool:
        return self._level if self._forced is None else self._forced

    def listen(self, fn: Listener) -> None:
        self._listeners.append(fn)

    def set(self, level: bool) -> None:
        self._change(level, self._forced)

    def force(self, level: bool | None) -> None:
        self._change(self._level, level)

    def _change(self, level: bool, forced: bool | None) -> None:
        before = self.level
        self._level, self._forced = level, forced
        if self.level != before:
            for fn in self._listeners:
                fn(self.level)


class Contact:
    """A relay's contact behind its coil: operate and release times, and bounce on closing."""

    OPERATE_S = 0.008
    RELEASE_S = 0.004
    BOUNCES_S = (0.0004, 0.0003, 0.0002)
    """Open stretches after the first touch, each followed by as long a closed one."""

    def __init__(self, timeline: Timeline, moved: Listener) -> None:
        self._timeline = timeline
        self._moved = moved
        self._coil = False
        self._moves = 0
        self.closed = False
        self._stuck: bool | None = None

    def coil(self, on: bool) -> None:
        """The coil's drive changed."""
        if on == self._coil:
            return
        self._coil = on
        self._moves += 1
        start = self._timeline.now() + to_ns(self.OPERATE_S if on else self.RELEASE_S)
        self._at(start, on)
        if on:
            for gap in self.BOUNCES_S:
                self._at(start + to_ns(gap), False)
                start += to_ns(2 * gap)
                self._at(start, True)

    def stick(self, closed: bool | None) -> None:
        """Weld the contact closed, break it open, or mend it (None)."""
        self._stuck = closed
        self._apply(self._coil if closed is None else closed)

    def _at(self, when: int, closed: bool) -> None:
        move = self._moves

        def act() -> None:
            if move == self._moves and self._stuck is None:
                self._apply(closed)

        self._timeline.schedule(when, act)

    def _apply(self, closed: bool) -> None:
        if closed != self.closed:
            self.closed = closed
            self._moved(closed)


class Comparator:
    """Watches the node with hysteresis and drives a signal after its delay; active = above (or below) its band."""

    def __init__(
        self, timeline: Timeline, rail: RailModel, fall_v: float, rise_v: float, active_above: bool, delay_s: float
    ) -> None:
        self._timeline = timeline
        self._rail = rail
        self._fall_v, self._rise_v = fall_v, rise_v
        self._active_above = active_above
        self._delay_ns = to_ns(delay_s)
        above = rail.now_v() >= rise_v
        self.signal = Signal(above == active_above)
        self._arm(above)

    def _arm(self, above: bool) -> None:
        level = self._fall_v if above else self._rise_v
        self._rail.watch(level, above, lambda _: self._switch(not above))

    def _switch(self, above: bool) -> None:
        active = above == self._active_above
        self._timeline.schedule(self._timeline.now() + self._delay_ns, lambda: self.signal.set(active))
        self._arm(above)
