"""What the twin's faces (SCPI, Modbus, GPIO) may ask of its model. A face has no physics; the model has no I/O."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
import numpy.typing as npt


class Cancellable(Protocol):
    def cancel(self) -> None: ...


class Timeline(Protocol):
    """Time as the twin's faces use it: they never wait and never advance it. `VirtualClock` is one."""

    def now(self) -> int: ...

    def schedule(self, at_ns: int, fn: Callable[[], None]) -> Cancellable:
        """Run `fn` at `at_ns`."""

    def defer(self, delay_s: float | None, reply: Callable[[], None]) -> None:
        """From a server thread that holds a request: answer `delay_s` later, or never (None). Returns at once."""


class RailProbe(Protocol):
    """One node of the rail as a probe sees it."""

    def volts(self, at_ns: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Volts without noise at these instants (ns, ascending, not in the future). NaN before the model's history."""

    def turns(self, from_ns: int, to_ns: int) -> npt.NDArray[np.int64]:
        """The instants in [from, to) at which the node takes another course, ascending: it only rises, or only falls,
        from one to the next."""

    def on_fall(self, level_v: float, fn: Callable[[int], None]) -> Cancellable:
        """Call `fn(instant_ns)` once, when the node next falls through `level_v`."""


class SupplyHardware(Protocol):
    """The power stage of the bench supply."""

    def program(self, volts: float, amps: float) -> None: ...

    def switch(self, on: bool) -> None: ...

    def terminals(self) -> tuple[float, float]:
        """Volts and amps at the output now."""

    def constant_current(self) -> bool:
        """Whether the current limit acts now."""
