"""From single looks to spans: each look proves a state at one moment, and says only between which two it was. Pure.

For an oscilloscope whose level is polled. Two looks that prove *down* join where at most `restore_min` apart, two that
prove *up* where at most `ride_through` apart, even where the first was as early and the second as late as it may have
been: as samples do, and by the same assumption. A look that proves nothing ends what was joined.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rig.rail.outages import RailSettings
from rig.rail.source import Source, Span, State


@dataclass(frozen=True)
class Instant:
    """At some moment of [`from_ns`, `to_ns`] the rail was surely `state`; None: nothing was proven."""

    from_ns: int
    to_ns: int
    state: State | None


def source_of_instants(name: str, node: str, instants: Iterable[Instant], settings: RailSettings) -> Source:
    """Looks in the order in which they were made, as a source of the common line.

    A span begins where its first look surely was over, and ends where its last had surely not begun: a single look
    gives none.
    """
    spans: list[Span] = []
    bridged = {"up": 0, "down": 0}
    gaps = {"up": settings.ride_through_ns, "down": settings.restore_min_ns}
    first: Instant | None = None
    last: Instant | None = None
    for one in [*instants, Instant(0, 0, None)]:
        if first is not None and last is not None and first.state is not None:
            apart = one.to_ns - last.from_ns
            if one.state == first.state and apart <= gaps[first.state]:
                bridged[first.state] = max(bridged[first.state], apart)
                last = one
                continue
            if last.from_ns > first.to_ns:
                spans.append(Span(first.to_ns, last.from_ns, first.state))
        first = last = one if one.state is not None else None
    found = Source.of(name, node, spans)
    return Source(
        name, node, found.up, found.down, found.seen, up_bridge_ns=bridged["up"], down_bridge_ns=bridged["down"]
    )
