"""Checks that run beside each other, so that a device that does not answer costs its own time-out and no other's."""

from __future__ import annotations

from collections.abc import Callable

from rig.clock import Clock
from rig.errors import HarnessError
from rig.records.doctor import Area, Check, Desk

LIMIT_S = 20.0
"""Checks of this machine have time-outs of their own, all far below this."""


class Job:
    """One activity that makes checks. A check that stumbles over this machine is a failed check, not the end of all.

    Nor is one that hangs where no time-out of its own reaches (a name server, a library): after `limit_s` it is left.
    """

    def __init__(
        self, clock: Clock, area: Area, name: str, fn: Callable[[], list[Check]], limit_s: float = LIMIT_S
    ) -> None:
        self._desk = Desk(area)
        self._name = name
        self._fn = fn
        self._limit_s = limit_s
        self._checks: list[Check] = []
        self._activity = clock.spawn(f"doctor: {name}", self._run)

    def checks(self) -> list[Check]:
        """Wait for its end, or for the limit since this was asked."""
        self._activity.join(self._limit_s)
        if self._activity.done():
            return self._checks
        found = f"no end after {self._limit_s:g} s, beyond every time-out of its own"
        return [self._desk.failed(self._name, found, "is a host name resolved slowly, or a driver stuck? see dmesg")]

    def _run(self) -> None:
        try:
            self._checks = self._fn()
        except HarnessError:
            raise
        except Exception as error:  # noqa: BLE001 - told as what it is; all other checks go on
            found = f"the check itself failed: {type(error).__name__}: {error}"
            self._checks = [self._desk.failed(self._name, found, "please report this, with what is said here")]
