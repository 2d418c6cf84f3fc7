"""What is due when, in one order: (due time, order, sequence). Entries may be cancelled; dead ones do not pile up.

Pure. The virtual clock keeps events and turns of activities in it.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field

_SMALLEST_PURGE = 256


@dataclass(order=True)
class Entry:
    """`run` returns whether it handed the baton to a thread."""

    due: int
    order: int
    seq: int
    run: Callable[[], bool] = field(compare=False)
    dead: bool = field(default=False, compare=False)

    def cancel(self) -> None:
        """It will not run. May be called at any time, also after it ran."""
        self.dead = True


class EventQueue:
    """A heap of entries. Not thread-safe: the clock's lock guards it."""

    def __init__(self) -> None:
        self._heap: list[Entry] = []
        self._purge_at = _SMALLEST_PURGE
        self._seq = 0

    def __len__(self) -> int:
        """How many entries there are, cancelled ones that were not cleared away yet among them."""
        return len(self._heap)

    def push(self, due: int, order: int, run: Callable[[], bool]) -> Entry:
        if len(self._heap) >= self._purge_at:
            self._heap = [entry for entry in self._heap if not entry.dead]
            heapq.heapify(self._heap)
            self._purge_at = max(_SMALLEST_PURGE, 2 * len(self._heap))
        self._seq += 1
        entry = Entry(due, order, self._seq, run)
        heapq.heappush(self._heap, entry)
        return entry

    def next_due(self) -> int | None:
        """When the next entry that was not cancelled is due, or None."""
        while self._heap and self._heap[0].dead:
            heapq.heappop(self._heap)
        return self._heap[0].due if self._heap else None

    def pop(self) -> Entry | None:
        """The next entry that was not cancelled, or None."""
        while self._heap:
            entry = heapq.heappop(self._heap)
            if not entry.dead:
                return entry
        return None
