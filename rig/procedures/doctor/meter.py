"""The meter under test, asked by its own driver: who it is, and which version it runs. Reads only; writes no register.

A meter without mains cannot answer, and the doctor closes no relay: then its silence is told, and not called a failure.
"""

from __future__ import annotations

from rig.bench.config import MeterTable
from rig.clock import Clock
from rig.errors import RigError
from rig.meters.modbus import ModbusMeter
from rig.meters.profile import Profile, Text, Version
from rig.procedures.doctor.instruments import unanswered
from rig.records.doctor import Check, Desk, with_asked

_DESK = Desk("meter")
IDENTITY = "meter: identity"


class MeterLook:
    """`error` is why it did not answer, `seen` who did."""

    def __init__(self, table: MeterTable, profile: Profile, clock: Clock) -> None:
        self._table = table
        self._profile = profile
        self._clock = clock
        self.error: RigError | None = None
        self.seen: str | None = None

    def run(self) -> list[Check]:
        table, who = self._table, self._profile.identity
        meter = ModbusMeter(table.address, table.unit, self._profile, self._clock, table.timeout_s)
        try:
            identity, version = meter.identity(), meter.version()
        except RigError as error:
            self.error = error
            return []
        finally:
            meter.close()
        self.seen = f"{identity.maker} {identity.model}, serial {identity.serial}"
        checks = [
            _DESK.ok(IDENTITY, self.seen),
            _DESK.ok("meter: firmware", version),
        ]
        return with_asked(checks, [self._asked(who.maker, who.model, who.serial, self._profile.version)])

    @staticmethod
    def _asked(*registers: Text | Version) -> str:
        told = ", ".join(f"{r.register_} to {r.register_ + r.words - 1}" for r in registers)
        return f"Modbus: read holding registers {told}"

    def unanswered(self, mains: bool | None) -> list[Check]:
        """The check of a meter that did not answer; `mains` is the bench's own detector, None where it is not known."""
        if self.error is None:
            return []
        found, address = self.error.one_line(), self._table.address
        if mains is False:
            to_do = "give it mains (close K1, which the doctor does not do), wait until it is up, and ask again"
            checks = [_DESK.warning(IDENTITY, f"{found}; there is no mains at its terminals", to_do)]
        else:
            to_do = f"{unanswered(self.error, address.rpartition(':')[0])} its address is {address}"
            checks = [_DESK.failed(IDENTITY, found, to_do)]
        return with_asked(checks, [self._asked(self._profile.identity.maker)])
