"""A real clock for tests of time-outs: the time is over when the test says so, which no slow machine can miss."""

from __future__ import annotations

from rig.clock.system import SystemClock

LONG_S = 60.0
"""Never waited for: something else ends the wait, or the test fails."""


class HurriedClock(SystemClock):
    def time_is_over(self) -> None:
        """For every exchange that is under way, as if its time-out had passed. From any thread."""
        watchdog = self._watchdog
        with watchdog._condition:
            for guarded in watchdog._guarded:
                guarded.deadline = 0
            watchdog._condition.notify()
