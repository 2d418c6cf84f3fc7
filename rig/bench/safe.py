"""The safe state of a bench, and its proof: output off, feeds open, rail down. Goes on whatever fails on the way.

K1 (mains) stays as it is: mains cut in the middle of an activation can brick a meter.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rig.bench.opening import Bench
from rig.errors import RigError


@dataclass(frozen=True)
class Check:
    """One part of the safe state: what, whether it was proven, and what was read."""

    what: str
    proven: bool
    found: str


def make_safe(bench: Bench, rail_is_down: Callable[[float], bool]) -> tuple[Check, ...]:
    """Bring the bench to its safe state; every part that was read back, proven or not.

    `rail_is_down(timeout_s)` waits until the rail is proven below `safe_v`, or says False.
    """
    relays = bench.relays.make_safe()
    checks = [_supply_off(bench)]
    checks += [
        Check(f"relay {name}", safe, "line reads safe" if safe else "not proven") for name, safe in relays.items()
    ]
    topology = bench.config.topology
    down = rail_is_down(topology.discharge_s)
    found = f"below {topology.safe_v:g} V" if down else f"not below {topology.safe_v:g} V in {topology.discharge_s:g} s"
    return (*checks, Check("rail discharged", down, found))


def _supply_off(bench: Bench) -> Check:
    what = f"supply {bench.supply.name} off"
    try:
        reading = bench.supply.make_safe()
    except RigError as error:
        return Check(what, False, error.one_line())
    return Check(what, not reading.output_on, "output reads off" if not reading.output_on else "output reads on")
