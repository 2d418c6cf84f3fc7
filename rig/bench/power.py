"""Feeding the hub's rail is a lifetime: entered when the interlocks agree, left in a safe state that was read back.

Whatever happens inside, it ends with the safe state and its proof. What could not be proven marks the bench as not to
be used; what was proven lets the guardian stand down.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from rig.bench.interlocks import Interlocks
from rig.bench.safe import make_safe
from rig.errors import BenchError
from rig.guardian.port import Check


@contextmanager
def power(
    interlocks: Interlocks,
    agreed: Callable[[tuple[Check, ...]], None],
    ended: Callable[[tuple[Check, ...]], None],
) -> Iterator[None]:
    """Inside, the feeds may be closed. `agreed` gets what the interlocks found, `ended` the proof of the safe state.

    Raises Refused when an interlock does not agree; the bench is made safe then too. Never interrupted on its way out.
    """
    bench = interlocks.bench
    try:
        agreed(interlocks.agree())
        bench.relays.arm()
        if bench.lease is not None:
            bench.lease.proven = False
        yield
    finally:
        with bench.clock.shielded():
            checks = make_safe(bench, interlocks.rail_is_down)
            unproven = [f"{check.what}: {check.found}" for check in checks if not check.proven]
            if not unproven:
                with suppress(BenchError):  # a guardian that died after the proof needs not be told
                    bench.relays.stand_down()
            if bench.lease is not None:
                if unproven:
                    bench.lease.mark(f"its safe state could not be proven ({'; '.join(unproven)})")
                bench.lease.proven = not unproven
            ended(checks)
