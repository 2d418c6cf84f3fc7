"""The safe state of a bench, and its proof: output off, feeds open, rail down. Goes on whatever fails on the way.

K1 (mains) stays as it is: mains cut in the middle of an activation can brick a meter.
"""

from __future__ import annotations

from collections.abc import Callable

from rig.bench.config import TopologyTable
from rig.bench.opening import Bench
from rig.errors import HarnessError, RigError
from rig.guardian.emergency import relay_check
from rig.guardian.port import Check


def make_safe(bench: Bench, rail_is_down: Callable[[float], bool]) -> tuple[Check, ...]:
    """Bring the bench to its safe state; every part that was read back, proven or not.

    `rail_is_down(timeout_s)` waits until the rail is proven below `safe_v`, or says False.
    """
    relays = bench.relays.make_safe()
    stays = {table.name for table in bench.config.relay if table.safe == "as-is"}
    checks = [_supply_off(bench)]
    checks += [relay_check(name, safe, name in stays) for name, safe in relays.items()]
    checks.append(_rail_down(bench.config.topology, rail_is_down))
    return tuple(checks)


def _supply_off(bench: Bench) -> Check:
    what = f"supply {bench.supply.name} off"
    try:
        reading = bench.supply.make_safe()
    except HarnessError:
        raise
    except (RigError, OSError) as error:
        return Check(what, False, _line(error))
    return Check(what, not reading.output_on, "output reads off" if not reading.output_on else "output reads on")


def _rail_down(topology: TopologyTable, rail_is_down: Callable[[float], bool]) -> Check:
    what = "rail discharged"
    try:
        down = rail_is_down(topology.discharge_s)
    except HarnessError:
        raise
    except (RigError, OSError) as error:
        return Check(what, False, _line(error))
    words = f"below {topology.safe_v:g} V"
    return Check(what, down, words if down else f"not {words} in {topology.discharge_s:g} s")


def _line(error: RigError | OSError) -> str:
    return error.one_line() if isinstance(error, RigError) else str(error)
