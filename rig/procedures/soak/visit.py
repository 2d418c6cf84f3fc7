"""Between two cycles: who of the bench answers, what the meter runs, K1 off and on, the safe state proven anew.

The feeds stay open in all of this: nothing here arms the guardian. Mains is never cut while an activation may be going
on, for that can brick a meter.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rig.bench.opening import Bench
from rig.bench.safe import make_safe
from rig.clock import to_ns
from rig.errors import BenchError, HarnessError, LinkError, RigError
from rig.guardian.port import Check
from rig.meters.port import ImageState
from rig.procedures.watch import Watch

_BUSY = (ImageState.TRANSFERRING, ImageState.ACTIVATING)


@dataclass(frozen=True)
class Part:
    """Something of the bench that answers, or does not. `again` closes it, opens it, and sets it as a run begins."""

    name: str
    ask: Callable[[], object]
    again: Callable[[], object]


class Visit:
    """What is asked and moved on an open bench between two cycles."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._clock = bench.clock
        self._has_mains = any(table.role == "mains" for table in bench.config.relay)
        self._not_before_ns: int | None = None

    # -- who answers -------------------------------------------------------------------------------------------------

    def missing(self) -> dict[str, str]:
        """The parts of the bench that do not answer, by name, and what was wrong."""
        found = {}
        for part in self.parts():
            try:
                part.ask()
            except HarnessError:
                raise
            except (RigError, OSError) as error:
                found[part.name] = error.one_line() if isinstance(error, RigError) else str(error)
        return found

    def parts(self) -> tuple[Part, ...]:
        """All of them; the meter comes last, for it may take long."""
        bench = self._bench

        def supply_again() -> None:
            bench.supply.close()
            bench.supply.identify()
            bench.supply.output(False)
            bench.supply.apply(bench.supply_settings())

        def scope_again() -> None:
            bench.oscilloscope.close()
            bench.oscilloscope.identify()
            bench.oscilloscope.make_safe()

        def meter_again() -> str:
            bench.meter.close()
            return self.version()

        return (
            Part(bench.supply.name, bench.supply.identify, supply_again),
            Part(bench.oscilloscope.name, bench.oscilloscope.identify, scope_again),
            Part("sense lines", bench.sense.levels, bench.sense.levels),
            Part(bench.meter.name, self.version, meter_again),
        )

    def version(self) -> str:
        """What the meter runs, once it answers. It gets mains for that, and has `start_s`. Raises BenchError."""
        self.mains(on=True)
        deadline = self._clock.now() + to_ns(self._bench.config.meter.start_s)
        while True:
            try:
                return self._bench.meter.version()
            except LinkError:
                if self._clock.now() >= deadline:
                    raise
                self._clock.sleep(self._bench.config.meter.poll_s)

    # -- mains -------------------------------------------------------------------------------------------------------

    @property
    def has_mains(self) -> bool:
        """Whether K1 is there to be opened."""
        return self._has_mains

    def activated(self, at_ns: int, *, over: bool) -> None:
        """An activation was started then; `over`: it is known to have ended."""
        self._not_before_ns = None if over else at_ns + to_ns(self._bench.config.meter.max_s)

    def mains(self, *, on: bool) -> None:
        """K1, where there is one. Raises Refused, BenchError."""
        if self._has_mains and self._bench.relays.closed("mains") != on:
            self._bench.relays.set("mains", on)

    def why_mains_stays(self) -> str | None:
        """Why K1 must not be opened now, or None."""
        if not self._has_mains:
            return "this bench has no K1"
        if self._not_before_ns is not None and self._clock.now() < self._not_before_ns:
            return "an activation may still be going on"
        try:
            state = self._bench.meter.image_state()
        except LinkError:  # it does not answer, and nothing that was started can still be going on
            return None
        return f"the meter is {state.value}" if state in _BUSY else None

    def power_cycle(self, off_s: float) -> str:
        """K1 off for `off_s`, and on again; the version that the meter runs then. Raises BenchError."""
        stays = self.why_mains_stays()
        if stays is not None:
            raise BenchError(f"no power cycle: {stays}")
        self.mains(on=False)
        try:
            self._clock.sleep(off_s)
        finally:
            with self._clock.shielded():
                self.mains(on=True)
        self._bench.meter.close()
        return self.version()

    # -- the safe state ----------------------------------------------------------------------------------------------

    def prove_safe(self) -> tuple[Check, ...]:
        """The safe state, made and read back anew. A mark that was set because it could not be proven is taken back."""
        bench = self._bench
        watch = Watch(bench.config, bench.sense, self._clock)
        watch.start()
        try:
            checks = make_safe(bench, lambda timeout_s: _is_down(watch, timeout_s))
        finally:
            watch.stop()
        if all(check.proven for check in checks):
            bench.relays.stand_down()
            if bench.lease is not None:
                bench.lease.clear()
        return checks


def _is_down(watch: Watch, timeout_s: float) -> bool:
    return watch.wait_state("down", timeout_s)
