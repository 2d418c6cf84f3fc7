"""Several sources of one node become one knowledge; what they say against each other is found and named. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress

from rig.rail.intervals import Intervals
from rig.rail.source import Contradiction, Crossings, Source


@dataclass(frozen=True)
class Knowledge:
    """All that is known of one node: surely up, surely down, looked at; what is contradicted is neither up nor down."""

    node: str
    up: Intervals
    down: Intervals
    seen: Intervals
    sources: tuple[Source, ...]
    contradictions: tuple[Contradiction, ...]
    crossings: Crossings

    def as_source(self, name: str) -> Source:
        """All of it as one source: a reference for placing another on the common line."""
        up_bridge = max((s.up_bridge_ns for s in self.sources), default=0)
        down_bridge = max((s.down_bridge_ns for s in self.sources), default=0)
        return Source(
            name, self.node, self.up, self.down, self.seen, up_bridge_ns=up_bridge, down_bridge_ns=down_bridge
        )

    def names_that_prove_down(self, stretches: Intervals) -> list[tuple[str, ...]]:
        """For each stretch, the sources that proved something in it down."""
        proven = [(s.down.measure(stretches.start, stretches.end) > 0).tolist() for s in self.sources]
        names = [s.name for s in self.sources]
        return [tuple(compress(names, row)) for row in zip(*proven, strict=True)]


def merge(sources: Sequence[Source]) -> Knowledge:
    """The union of what the sources prove.

    Raises ValueError when they speak of different nodes. Where one proves up and another down, neither is believed; it
    is a `Contradiction` when it lasts longer than what the two bridge between their instants of evidence. So two
    truthful sources never contradict each other, but where the rail dips for less than `ride_through` just when sampled
    down readings look (the printed assumption on which those rest).
    """
    nodes = {s.node for s in sources}
    if len(nodes) != 1:
        raise ValueError(f"sources of one node can be merged, these speak of {sorted(nodes)}")
    up = Intervals.empty().union(*(s.up for s in sources))
    down = Intervals.empty().union(*(s.down for s in sources))
    seen = Intervals.empty().union(*(s.seen for s in sources))
    both = up.intersection(down)
    found = [c for s in sources for c in s.contradictions]
    if len(both):
        found += [c for a in sources for b in sources for c in _between(a, b)]
    return Knowledge(
        nodes.pop(),
        up.minus(both),
        down.minus(both),
        seen,
        tuple(sources),
        tuple(sorted(found, key=lambda c: (c.start_ns, c.end_ns, c.says_up, c.says_down))),
        Crossings.merged(s.crossings for s in sources),
    )


def _between(a: Source, b: Source) -> list[Contradiction]:
    bridged = a.up_bridge_ns + b.down_bridge_ns
    return [
        Contradiction(a.node, start, end, a.name, b.name)
        for start, end in a.up.intersection(b.down)
        if end - start > bridged
    ]
