"""The twin's time on the system clock, for `rig twin serve`: the one place where model time and real time meet.

The model lives on a line of its own, on which a second takes `scale` real seconds. Whoever asks something of the model
first brings it to the present (`with timeline:`), so what is due happens in its order and at its own instant, however
late a thread woke up: a busy machine delays answers, never the physics. What has a clock of its own outside (the
oscilloscope, the stamps of edges) sees CLOCK_MONOTONIC, through `FaceTime` and `FaceProbe`.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from rig.clock.base import NS, to_ns
from rig.clock.event_queue import Entry, EventQueue
from rig.twin.ports import Cancellable
from rig.twin.rail_model import RailModel

_MODEL_START_NS = 1_000 * NS


class SystemTimeline:
    """Implements `rig.twin.ports.Timeline` for the model. Everything that touches the model does so `with` it.

    Inside, time stands still at the present instant, or at that of the event that runs. `failed` is readable when an
    event of the model raised; `failure` is what: the model stands still from then on.
    """

    def __init__(self, scale: float) -> None:
        self.scale = scale
        self.failure: Exception | None = None
        self.failed = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._turn = threading.Condition(threading.RLock())
        self._depth = 0
        self._queue = EventQueue()
        self._now = _MODEL_START_NS
        self._real_zero = time.monotonic_ns()
        self._wakes_at: int | None = None
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="twin time", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Nothing happens by itself any more."""
        with self._turn:
            self._closed = True
            self._turn.notify()
        self._thread.join()
        os.close(self.failed)

    # -- two lines of time ---------------------------------------------------------------------------------------

    def real_ns(self, model_ns: int) -> int:
        """The CLOCK_MONOTONIC of an instant of the model, to the nearest ns."""
        return self._real_zero + round((model_ns - _MODEL_START_NS) * self.scale)

    def model_ns(self, real_ns: int) -> int:
        return _MODEL_START_NS + round((real_ns - self._real_zero) / self.scale)

    def real_times(self, model_ns: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """`real_ns` of many."""
        real: npt.NDArray[np.int64] = np.rint((model_ns - _MODEL_START_NS) * self.scale).astype(np.int64)
        return real + self._real_zero

    def model_times(self, real_ns: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """`model_ns` of many."""
        return _MODEL_START_NS + np.rint((real_ns - self._real_zero) / self.scale).astype(np.int64)

    # -- the model's turn ----------------------------------------------------------------------------------------

    def __enter__(self) -> None:
        self._turn.acquire()
        self._depth += 1
        if self._depth == 1:
            self._advance()

    def __exit__(self, *_: object) -> None:
        self._depth -= 1
        due = self._queue.next_due()
        if self._depth == 0 and due is not None and (self._wakes_at is None or due < self._wakes_at):
            self._turn.notify()
        self._turn.release()

    def now(self) -> int:
        return self._now

    def schedule(self, at_ns: int, fn: Callable[[], None]) -> Entry:
        """See `Timeline`. An instant that is past counts as now."""

        def run() -> bool:
            fn()
            return False

        return self._queue.push(max(at_ns, self._now), 0, run)

    def defer(self, delay_s: float | None, reply: Callable[[], None]) -> None:
        """See `Timeline`."""
        if delay_s is not None:
            with self:
                self.schedule(self._now + to_ns(delay_s), reply)

    def fail(self, error: Exception) -> None:
        """The twin failed: the model stands still from now on, and who serves it is told."""
        if self.failure is None:
            self.failure = error
            os.eventfd_write(self.failed, 1)

    def _advance(self) -> None:
        """Bring the model to the present: what is due happens in its order, each at its own instant."""
        present = self.model_ns(time.monotonic_ns())
        while self.failure is None and (due := self._queue.next_due()) is not None and due <= present:
            entry = self._queue.pop()
            assert entry is not None  # noqa: S101 - it has just been seen
            self._now = max(self._now, due)
            try:
                entry.run()
            except Exception as error:  # noqa: BLE001 - this thread is a chance one: who serves the twin is told
                self.fail(error)
        if self.failure is None:
            self._now = max(self._now, present)

    def _run(self) -> None:
        """Let happen what is due while nobody asks."""
        with self._turn:
            while not self._closed:
                self._depth += 1
                self._advance()
                self._depth -= 1
                self._wakes_at = self._queue.next_due() if self.failure is None else None
                left_s = None
                if self._wakes_at is not None:
                    left_s = max(0, self.real_ns(self._wakes_at) - time.monotonic_ns()) / NS
                self._turn.wait(left_s)


class FaceTime:
    """Implements `rig.twin.ports.Timeline` in real nanoseconds, for a face whose own clock is seen from outside."""

    def __init__(self, timeline: SystemTimeline) -> None:
        self._timeline = timeline

    def now(self) -> int:
        return self._timeline.real_ns(self._timeline.now())

    def schedule(self, at_ns: int, fn: Callable[[], None]) -> Cancellable:
        return self._timeline.schedule(self._timeline.model_ns(at_ns), fn)

    def defer(self, delay_s: float | None, reply: Callable[[], None]) -> None:
        self._timeline.defer(delay_s, reply)


class FaceProbe:
    """Implements `rig.twin.ports.RailProbe` in real nanoseconds."""

    def __init__(self, timeline: SystemTimeline, rail: RailModel) -> None:
        self._timeline = timeline
        self._rail = rail

    def volts(self, at_ns: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        return self._rail.volts(self._timeline.model_times(at_ns))

    def turns(self, from_ns: int, to_ns: int) -> npt.NDArray[np.int64]:
        first, after = self._timeline.model_times(np.array([from_ns, to_ns], np.int64)).tolist()
        return self._timeline.real_times(self._rail.turns(first, after))

    def on_fall(self, level_v: float, fn: Callable[[int], None]) -> Cancellable:
        return self._rail.on_fall(level_v, lambda at: fn(self._timeline.real_ns(at)))
