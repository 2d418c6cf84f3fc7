"""What is tried when something of the bench does not answer between two cycles: step by step, each one told.

Reconnect (close, open, identify, set again), power-cycle the meter, reset USB, and in the end stop safe. Only the steps
that the plan allows, again and again until everything answers or the time is over; what is hard on a device (its power,
its bus) only a few times.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

from rig.clock import Clock, to_ns
from rig.errors import HarnessError, RigError
from rig.instruments.usb import UsbBus
from rig.procedures.soak.plan_file import RecoveryTable
from rig.procedures.soak.visit import Visit

_HARD_TIMES = 3

Tell = Callable[[str, float | None], None]
"""What was done, and found; and how long it took (s), where that is worth telling."""


@dataclass(frozen=True)
class Ladder:
    """`usb` None: there is no USB bus here (the twin). `tell` is told of each step as it ends."""

    visit: Visit
    clock: Clock
    table: RecoveryTable
    meter: str
    usb: UsbBus | None
    tell: Tell

    def climb(self, missing: dict[str, str]) -> bool:
        """Whether all that is `missing` answers again. Raises Cancelled when it is told to stop meanwhile."""
        begun = self.clock.now()
        deadline = begun + to_ns(self.table.give_up_s)
        for round_ in itertools.count():
            for step in self.table.steps:
                if step == "reconnect" or round_ < _HARD_TIMES:
                    missing = self._step(step, missing)
                if not missing:
                    return True
            left_s = (deadline - self.clock.now()) / 1e9
            if left_s <= 0:
                return False
            self.clock.sleep(min(self.table.retry_s, left_s))
        raise AssertionError("counting never ends")

    def _step(self, step: str, missing: dict[str, str]) -> dict[str, str]:
        """One step, and who is still missing after it."""
        begun = self.clock.now()
        if step == "reconnect":
            return self._reconnect(missing)
        if step == "power-cycle-meter" and self.meter not in missing:
            return missing
        try:
            if step == "reset-usb":
                found = self._reset_usb()
            else:
                found = f"the meter runs {self.visit.power_cycle(self.table.off_s)}"
        except HarnessError:
            raise
        except RigError as error:
            found = error.one_line()
        self.tell(f"{step}: {found}", (self.clock.now() - begun) / 1e9)
        return self.visit.missing()

    def _reconnect(self, missing: dict[str, str]) -> dict[str, str]:
        left = {}
        for part in self.visit.parts():
            if part.name not in missing:
                continue
            begun = self.clock.now()
            try:
                part.again()
                found = "answers again"
            except HarnessError:
                raise
            except (RigError, OSError) as error:
                found = left[part.name] = error.one_line() if isinstance(error, RigError) else str(error)
            if found != missing[part.name]:  # the same again is not told again
                self.tell(f"reconnect {part.name}: {found}", (self.clock.now() - begun) / 1e9)
        return left

    def _reset_usb(self) -> str:
        if self.usb is None:
            return "no USB bus here (the twin has none)"
        return "; ".join(f"{device}: {self.usb.reset(device)}" for device in self.table.usb)
