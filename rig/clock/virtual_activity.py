"""Who runs on the virtual clock: activities, the flags that they wait for, their waits and their exchanges.

Only what each of them remembers; who runs when is decided in `rig.clock.virtual`.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rig.clock.base import Abortable, Readable
from rig.clock.event_queue import Entry

if TYPE_CHECKING:
    from rig.clock.virtual import VirtualClock


class VirtualActivity:
    """One activity: a thread that runs only while it holds the baton."""

    def __init__(self, clock: VirtualClock, name: str, order: int) -> None:
        self.name = name
        self.order = order
        self.turn = threading.Semaphore(0)
        self.shields = 0
        self.exchanges: list[Exchange] = []
        self._clock = clock
        self._done = False
        self._error: BaseException | None = None

    def done(self) -> bool:
        return self._done

    def join(self, timeout_s: float | None = None) -> None:
        if not self._done:
            self._clock.wait_for_end(self, timeout_s)
        error, self._error = self._error, None
        if error is not None:
            raise error

    def end(self, error: BaseException | None) -> None:
        """Called by the clock, once, by the activity's own thread."""
        self._error = error
        self._done = True


class VirtualFlag:
    """A flag whose waiters run next, in the order of their spawning."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._set = False

    def set(self) -> None:
        self._set = True
        self._clock.release(self)

    def is_set(self) -> bool:
        return self._set


Awaited = Readable | VirtualFlag | VirtualActivity | None
"""What an activity waits for; None: nothing but time."""


@dataclass(eq=False)
class Wait:
    """An activity without the baton. `queued` = its turn is in the queue, whatever its timer says."""

    activity: VirtualActivity
    ready: Awaited = None
    timer: Entry | None = None
    queued: bool = False
    satisfied: bool = False


@dataclass(eq=False)
class Exchange:
    """One `io` of one activity. `ends` are the two events of a deferred reply: it comes, or the time is over."""

    activity: VirtualActivity
    link: Abortable
    start_ns: int
    deadline: int
    ends: tuple[Entry, ...] = ()
    expired: bool = False
