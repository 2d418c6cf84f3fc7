"""What feeds the hub during the activation: the meter through K2, or (hot shoe) the supply through K3. All read back.

On an ICHIS bench nothing else may feed the rail, or the meter's cut could not be seen. On a hot-shoe bench the supply
is the hub's normal feed and the meter feeds nothing: then a run shows that the rail stayed up, and no more.
"""

from __future__ import annotations

from typing import Literal

from rig.bench.config import RelayRole
from rig.bench.opening import Bench
from rig.errors import BenchError
from rig.procedures.watch import Watch

_MAINS_S = 5.0
_SUPPLY_S = 5.0
GAS = (
    "the gas meter does not feed the hub: this shows that the hub's rail stayed up through the activation, and no more"
)


class FeedPath:
    """The feed of one run. `words` says it to people."""

    def __init__(self, bench: Bench, watch: Watch) -> None:
        self._bench = bench
        self._watch = watch
        self._hot_shoe = bench.config.topology.kind == "hot-shoe"

    @property
    def words(self) -> str:
        return (
            "the supply feeds the hub; the meter does not"
            if self._hot_shoe
            else "meter feeds the hub, and nothing else"
        )

    @property
    def caveat(self) -> str | None:
        """What this run cannot show, whatever it finds."""
        return GAS if self._hot_shoe else None

    @property
    def feed(self) -> Literal["supply-feed", "meter-feed"]:
        """The relay that feeds the hub during an activation."""
        return "supply-feed" if self._hot_shoe else "meter-feed"

    def close(self) -> None:
        """Let the hub be fed, when everything is open. Raises BenchError when it is not."""
        if self._hot_shoe:
            self._wake_meter()
            self.from_supply()
        else:
            self.from_meter()
        wrong = self.fault()
        if wrong is not None:
            raise BenchError(wrong)

    def fault(self) -> str | None:
        """What is wrong with `words`, or None; all read back."""
        bench = self._bench
        wanted: dict[RelayRole, bool] = (
            {"supply-feed": True} if self._hot_shoe else {"mains": True, "meter-feed": True, "supply-feed": False}
        )
        for role, closed in wanted.items():
            if bench.relays.closed(role) != closed:
                return f"relay {bench.relays.name(role)} does not read {'closed' if closed else 'open'}"
        if bench.supply.read().output_on != self._hot_shoe:
            return f"supply {bench.supply.name}: its output is {'off' if self._hot_shoe else 'on'} during an activation"
        return None

    def from_supply(self) -> None:
        """The supply feeds the rail. Raises BenchError when the rail does not come up."""
        self._bench.supply.output(True)
        self._bench.relays.set("supply-feed", True)
        if not self._watch.wait_state("up", _SUPPLY_S):
            raise BenchError("the supply is on and its relay closed, but the rail is not proven up")

    def from_meter(self) -> None:
        """The meter feeds the rail. Raises BenchError when the rail does not come up, or no meter can feed it here."""
        relays, watch = self._bench.relays, self._watch
        if self._hot_shoe:
            raise BenchError("on a hot-shoe bench no meter feeds the hub")
        relays.set("mains", True)
        if not watch.wait_until(watch.mains_now, _MAINS_S):
            raise BenchError(f"{relays.name('mains')} is closed, but the mains detector sees no mains at the meter")
        self._bench.clock.sleep(self._bench.config.topology.dead_time_s)
        relays.set("meter-feed", True)
        if not watch.wait_state("up", self._bench.config.meter.start_s):
            raise BenchError(f"{relays.name('meter-feed')} is closed, but the meter does not bring the rail up")

    def _wake_meter(self) -> None:
        """A gas meter that has mains gets it; and the feed's relay has the rest that it needs."""
        bench = self._bench
        if any(relay.role == "mains" for relay in bench.config.relay):
            bench.relays.set("mains", True)
        bench.clock.sleep(max(bench.config.topology.least_off_s, *(r.least_dwell_s for r in bench.config.relay)))
