"""The meter under test, asked by its own driver: who it is, and which version it runs. Reads only; writes no register.

A meter without mains cannot answer, and the doctor closes no relay: then its silence is told, and not called a failure.
"""

from __future__ import annotations

from rig.bench.config import BenchConfig
from rig.bench.meter_opening import open_reader
from rig.bench.meter_table import place, readable
from rig.bench.optical_table import OpticalPart
from rig.clock import Clock
from rig.errors import LinkTimeout, RigError
from rig.procedures.doctor.instruments import unanswered
from rig.recording import Taps
from rig.records.doctor import Check, Desk, with_asked

_DESK = Desk("meter")
IDENTITY = "meter: identity"


class MeterLook:
    """`error` is why it did not answer, `seen` who did."""

    def __init__(self, config: BenchConfig, clock: Clock, taps: Taps | None = None) -> None:
        """Raises InputError for a profile, or a credential, that there is not."""
        part = readable(config.meter)
        self.timeout_s = part.timeout_s if part is not None else 0.0
        self._address: str | None = getattr(part, "address", None)
        self._optical = isinstance(part, OpticalPart)
        self._place = place(config.meter)
        self._reader = open_reader(config, clock, taps)
        self.error: RigError | None = None
        self.seen: str | None = None

    def run(self) -> list[Check]:
        meter = self._reader
        if meter is None:
            return [_DESK.not_here(IDENTITY, f"not asked ({self._place})")]
        try:
            identity, version = meter.identity(), meter.version()
        except RigError as error:
            self.error = error
            return []
        finally:
            meter.close()
        self.seen = f"{identity.maker} {identity.model}, serial {identity.serial}".strip()
        checks = [
            _DESK.ok(IDENTITY, self.seen),
            _DESK.ok("meter: firmware", version),
        ]
        return with_asked(checks, [meter.introduction()])

    def unanswered(self, mains: bool | None) -> list[Check]:
        """The check of a meter that did not answer; `mains` is the bench's own detector, None where it is not known."""
        if self.error is None or self._reader is None:
            return []
        found = self.error.one_line()
        if mains is False:
            to_do = "give it mains (close K1, which the doctor does not do), wait until it is up, and ask again"
            checks = [_DESK.warning(IDENTITY, f"{found}; there is no mains at its terminals", to_do)]
        else:
            to_do = f"{self._advice(self.error)} it is at {self._place}"
            checks = [_DESK.failed(IDENTITY, found, to_do)]
        return with_asked(checks, [self._reader.introduction()])

    def _advice(self, error: RigError) -> str:
        if self._address is not None:
            return unanswered(error, self._address.rpartition(":")[0])
        if self._optical and isinstance(error, LinkTimeout):
            return "is the head on the meter, the right way round and powered, and does the meter sleep (wake_up)?"
        if isinstance(error, LinkTimeout):
            return (
                "is it switched on, are the line's two wires the right way round, are baud rate and parity the meter's?"
            )
        return "is the serial adapter there, and used by no other program? are baud rate and parity right?"
