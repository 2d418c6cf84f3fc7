"""Checks that run beside each other, so that a device that does not answer costs its own time-out and no other's."""

from __future__ import annotations

from collections.abc import Callable

from rig.clock import Clock
from rig.errors import HarnessError
from rig.records.doctor import Area, Check, Desk


class Job:
    """One activity that makes checks. A check that stumbles over this machine is a failed check, not the end of all."""

    def __init__(self, clock: Clock, area: Area, name: str, fn: Callable[[], list[Check]]) -> None:
        self._area = area
        self._name = name
        self._fn = fn
        self._checks: list[Check] = []
        self._activity = clock.spawn(f"doctor: {name}", self._run)

    def checks(self) -> list[Check]:
        """Wait for its end."""
        self._activity.join()
        return self._checks

    def _run(self) -> None:
        try:
            self._checks = self._fn()
        except HarnessError:
            raise
        except Exception as error:  # noqa: BLE001 - told as what it is; all other checks go on
            found = f"the check itself failed: {type(error).__name__}: {error}"
            self._checks = [Desk(self._area).failed(self._name, found, "please report this, with what is said here")]
