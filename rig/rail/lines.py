"""What a stamped sense line knows: its level, from edges and level reads, and when that knowledge ends.

Pure. Edges must alternate, sequence numbers must not jump, and periodic level reads must agree; else the line's level
is unknown from the last good instant until the next good read. (`line_seqno` shows most lost events, but edges that were
coalesced before they were counted leave no gap, so neither check alone is enough.)
"""

from __future__ import annotations

from typing import Literal

from rig.rail.intervals import Intervals
from rig.rail.source import Source


class LineTracker:
    """One line. Feed edges and level reads in the order in which they were read.

    `latency_ns`: a stamp, or a level that was read, is later than what it tells of by 0 to `latency_ns` (comparator,
    isolator, interrupt).
    """

    def __init__(self, latency_ns: int) -> None:
        self._latency = latency_ns
        self._level: bool | None = None
        self._since = 0
        self._known_to = 0
        self._seqno: int | None = None
        self._pending: tuple[int, int, bool] | None = None
        self._active: list[tuple[int, int]] = []
        self._inactive: list[tuple[int, int]] = []
        self.losses: list[tuple[int, str]] = []

    @property
    def level(self) -> bool | None:
        """The level now, or None while it is not known."""
        return self._level

    @property
    def since_ns(self) -> int:
        """Since when the level is what it is (meaningful while it is known)."""
        return self._since

    @property
    def known_to_ns(self) -> int:
        """The last instant up to which the level is known."""
        return self._known_to

    def edge(self, at_ns: int, active: bool, seqno: int) -> None:
        """One edge, stamped `at_ns`, after which the level is `active`."""
        jumped = self._seqno is not None and seqno != self._seqno + 1
        self._seqno = seqno
        if self._level is None:
            return
        if jumped:
            self._lose("sequence numbers jumped")
        elif active == self._level:
            self._lose("edges do not alternate")
        else:
            self._record(at_ns - self._latency)
            self._level, self._since, self._known_to = active, at_ns, at_ns
            if self._pending is not None and self._pending[2] == active and at_ns <= self._pending[1] + self._latency:
                self._pending = None

    def read(self, sent_ns: int, received_ns: int, active: bool) -> None:
        """A level read that happened somewhere in [sent_ns, received_ns]; all edges that waited were fed before.

        A read that disagrees is kept until the next one: the edge that explains it may still be on its way.
        """
        if self._pending is not None:
            self._pending = None
            self._lose("a level read disagrees with the edges")
        if self._level is None:
            self._level, self._since, self._known_to = active, received_ns, received_ns
        elif active == self._level:
            self._known_to = max(self._known_to, sent_ns - self._latency)
        elif not self._since >= sent_ns:  # an edge inside the read may explain either level
            self._pending = (sent_ns, received_ns, active)

    def lost(self, why: str) -> None:
        """The line cannot be read any more (its request is gone)."""
        if self._level is not None:
            self._lose(why)

    def active(self) -> Intervals:
        """When the line was surely active."""
        return self._known(self._active, True)

    def inactive(self) -> Intervals:
        """When the line was surely inactive."""
        return self._known(self._inactive, False)

    def source(self, name: str, node: str, proves: Literal["up", "down"]) -> Source:
        """As a source: an active `rail_up` comparator proves up, an active `rail_down` comparator proves down."""
        active = self.active()
        seen = active.union(self.inactive()).join_closer_than(2 * self._latency + 1)
        empty = Intervals.empty()
        return Source(name, node, active, empty, seen) if proves == "up" else Source(name, node, empty, active, seen)

    def _known(self, rows: list[tuple[int, int]], level: bool) -> Intervals:
        current = [(self._since, self._known_to)] if self._level is level else []
        return Intervals.of(rows + current)

    def _record(self, end_ns: int) -> None:
        if end_ns >= self._since:
            (self._active if self._level else self._inactive).append((self._since, end_ns))

    def _lose(self, why: str) -> None:
        self._record(self._known_to)
        self.losses.append((self._known_to, why))
        self._level = None
