"""What a stamped sense line knows: its level, from edges and level reads, and when that knowledge ends.

Pure. Edges must alternate, sequence numbers must not jump, and periodic level reads must agree; else the line's level
is unknown from the last good instant until the next good read. (`line_seqno` shows most lost events, but edges that
were coalesced before they were counted leave no gap, so no check alone is enough.) The last good instant is the last
level read that agreed; where numbers jumped it is the last edge, for a pair of lost edges may have come at any time
since, and no read need have seen it.

What can hide from all of it is a pulse within one latency whose two edges became none: it must be shorter than
`ride_through`, which is a printed assumption about the latency.
"""

from __future__ import annotations

from array import array
from typing import Literal

import numpy as np

from rig.rail.intervals import Intervals
from rig.rail.source import Source


class LineTracker:
    """One line. Feed edges and level reads in the order in which they were read.

    `latency_ns`: a stamp, or a level that was read, is later than what it tells of by 0 to `latency_ns` (comparator,
    isolator, interrupt). Only stretches are kept, 16 bytes each, so that a night fits.
    """

    def __init__(self, latency_ns: int) -> None:
        self._latency = latency_ns
        self._level: bool | None = None
        self._since = 0
        self._known_to = 0
        self._seqno = 0
        self._last_edge: int | None = None
        self._adopted = False
        self._pending: tuple[int, int, bool] | None = None
        self._stretches = {True: array("q"), False: array("q")}
        self._unconfirmed: list[tuple[bool, int, int]] = []
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
        """The last instant up to which the level is known (before `since_ns`: not yet)."""
        return self._known_to

    def edge(self, at_ns: int, active: bool, seqno: int) -> None:
        """One edge, stamped `at_ns`, after which the level is `active`. A request's first edge has `seqno` 1."""
        jumped = seqno != self._seqno + 1
        backwards = self._last_edge is not None and at_ns < self._last_edge
        self._seqno, self._last_edge = seqno, at_ns
        if jumped or backwards:
            self._known_to = self._since - 1  # the lost ones may have come at any time since the last edge
            self.lost("sequence numbers jumped" if jumped else "stamps go backwards")
            self._unconfirmed.clear()
            return
        self._follow(at_ns, active)
        for level, start, end in self._unconfirmed:
            self._stretches[level].extend((start, end))
        self._unconfirmed.clear()

    def read(self, sent_ns: int, received_ns: int, active: bool) -> None:
        """A level read that happened somewhere in [sent_ns, received_ns]; all edges that waited were fed before.

        A read that disagrees is kept until the next one: the edge that explains it may still be on its way.
        """
        if self._pending is not None:
            self._lose("a level read disagrees with the edges")
        raced = self._last_edge is not None and self._last_edge >= sent_ns  # which came first is not known
        if raced:
            return
        if self._level is None:
            self._level, self._since, self._known_to = active, received_ns, sent_ns - self._latency
            self._adopted = True
        elif active == self._level:
            self._known_to = max(self._known_to, sent_ns - self._latency)
        else:
            self._pending = (sent_ns, received_ns, active)

    def lost(self, why: str) -> None:
        """The line cannot be read any more (its request is gone)."""
        if self._level is not None:
            self._lose(why)

    def active(self) -> Intervals:
        """When the line was surely active."""
        return self._known(True)

    def inactive(self) -> Intervals:
        """When the line was surely inactive."""
        return self._known(False)

    def source(self, name: str, node: str, proves: Literal["up", "down"]) -> Source:
        """As a source: an active `rail_up` comparator proves up, an active `rail_down` comparator proves down."""
        active = self.active()
        seen = active.union(self.inactive()).join_closer_than(2 * self._latency + 1)
        empty, bridge = Intervals.empty(), self._latency
        if proves == "up":
            return Source(name, node, active, empty, seen, up_bridge_ns=bridge)
        return Source(name, node, empty, active, seen, down_bridge_ns=bridge)

    def _follow(self, at_ns: int, active: bool) -> None:
        """An edge before which none was lost that was counted."""
        if self._level is None:
            return
        if self._pending is not None and not self._explains(at_ns, active):
            self._lose("a level read disagrees with the edges")
        elif active != self._level:
            ahead = at_ns if self._pending is None else min(at_ns, self._pending[0])
            self._record(ahead - self._latency)
            self._level, self._since, self._known_to = active, at_ns, at_ns - self._latency
            self._pending, self._adopted = None, False
        elif not (self._adopted and at_ns <= self._since):  # the read may have been ahead of its own edge
            self._lose("edges do not alternate")

    def _explains(self, at_ns: int, active: bool) -> bool:
        """Whether an edge may be the one that a read which disagreed was ahead of."""
        return self._pending is not None and active == self._pending[2] and at_ns <= self._pending[1] + self._latency

    def _known(self, level: bool) -> Intervals:
        now = [] if self._level is None else [(self._level, self._since, self._known_to)]
        rows = array("q", self._stretches[level])
        for what, start, end in (*self._unconfirmed, *now):
            if what is level and end >= start:
                rows.extend((start, end))
        pairs = np.array(rows, np.int64).reshape(-1, 2)
        return Intervals.normalised(pairs[:, 0], pairs[:, 1])

    def _record(self, end_ns: int) -> None:
        """The present stretch ends, confirmed by an edge whose number follows."""
        if self._level is not None and end_ns >= self._since:
            self._stretches[self._level].extend((self._since, end_ns))

    def _lose(self, why: str) -> None:
        """The present stretch ends at the last good instant; the next edge's number confirms it, or not."""
        if self._level is not None and self._known_to >= self._since:
            self._unconfirmed.append((self._level, self._since, self._known_to))
        self.losses.append((max(self._known_to, self._since), why))
        self._level, self._pending = None, None
