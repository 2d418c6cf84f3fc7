"""The meter under test, asked by its own driver: who it is, and which version it runs. Reads only; writes no register.

A meter without mains cannot answer, and the doctor closes no relay: then its silence is told, and not called a failure.
"""

from __future__ import annotations

from rig.bench.config import BenchConfig
from rig.bench.meter_opening import open_reader
from rig.bench.meter_table import ModbusTcpPart, place, readable
from rig.clock import Clock
from rig.errors import RigError
from rig.meters.profile import Profile, Value, load_profile
from rig.procedures.doctor.instruments import unanswered
from rig.records.doctor import Check, Desk, with_asked

_DESK = Desk("meter")
IDENTITY = "meter: identity"


class MeterLook:
    """`error` is why it did not answer, `seen` who did. Raises InputError for a profile that there is not."""

    def __init__(self, config: BenchConfig, clock: Clock) -> None:
        self._table = readable(config.meter)
        self._driver = config.meter.driver
        self._profile = load_profile(self._table.profile) if self._table is not None else None
        self._clock = clock
        self.error: RigError | None = None
        self.seen: str | None = None

    @property
    def timeout_s(self) -> float:
        """Of one question."""
        return self._table.timeout_s if self._table is not None else 0.0

    def run(self) -> list[Check]:
        if self._table is None or self._profile is None:
            return [_DESK.not_here(IDENTITY, f"the driver '{self._driver}' is not asked: it is not only read")]
        try:
            meter = open_reader(self._table, self._clock)
            try:
                identity, version = meter.identity(), meter.version()
            finally:
                meter.close()
        except RigError as error:
            self.error = error
            return []
        self.seen = f"{identity.maker} {identity.model}, serial {identity.serial}"
        checks = [
            _DESK.ok(IDENTITY, self.seen),
            _DESK.ok("meter: firmware", version),
        ]
        return with_asked(checks, [_asked(self._profile)])

    def unanswered(self, mains: bool | None) -> list[Check]:
        """The check of a meter that did not answer; `mains` is the bench's own detector, None where it is not known."""
        if self.error is None or self._table is None or self._profile is None:
            return []
        found, where = self.error.one_line(), place(self._table)
        if mains is False:
            to_do = "give it mains (close K1, which the doctor does not do), wait until it is up, and ask again"
            checks = [_DESK.warning(IDENTITY, f"{found}; there is no mains at its terminals", to_do)]
        elif isinstance(self._table, ModbusTcpPart):
            to_do = f"{unanswered(self.error, self._table.address.rpartition(':')[0])} its address is {where}"
            checks = [_DESK.failed(IDENTITY, found, to_do)]
        else:
            to_do = f"is it powered, wired to {where}, and set to this speed, parity and unit?"
            checks = [_DESK.failed(IDENTITY, found, to_do)]
        return with_asked(checks, [_asked(self._profile)])


def _asked(profile: Profile) -> str:
    """The registers of identity and version."""
    who = profile.identity
    values = [v for v in (who.maker, who.model, who.serial) if isinstance(v, Value)] if who is not None else []
    kinds = {3: "holding", 4: "input"}
    told = ", ".join(
        f"{kinds[v.function]} {v.span.start} to {v.span.stop - 1}" for v in (*values, *profile.version.parts)
    )
    return f"Modbus: read registers {told}"
