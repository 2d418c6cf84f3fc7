"""SIGINT and SIGTERM ask what goes on to stop; it ends safe and keeps what was seen. A second one changes nothing."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from rig.errors import ExitCode

if TYPE_CHECKING:
    from types import FrameType

    from rig.clock import Clock

_STOPS = {signal.SIGINT: ExitCode.SIGINT, signal.SIGTERM: ExitCode.SIGTERM}


class Stoppable(Protocol):
    """What has a clock once its bench is open."""

    @property
    def clock(self) -> Clock | None: ...


def stopped_code(cancelled: str | None) -> ExitCode | None:
    """The exit code of the signal that ended it, None where none did."""
    return next((code for sig, code in _STOPS.items() if cancelled == sig.name), None)


@contextmanager
def stopping(what: Stoppable) -> Iterator[None]:
    """Inside, the signals ask `what` to stop."""

    def ask(number: int, _: FrameType | None) -> None:
        if what.clock is None:
            raise SystemExit(_STOPS[signal.Signals(number)])
        if what.clock.cancelled() is not None:
            os.write(2, b"rig: making the bench safe, please wait\n")
        what.clock.cancel(signal.Signals(number).name)

    before: list[tuple[int, Callable[[int, FrameType | None], object] | int | None]] = [
        (number, signal.signal(number, ask)) for number in _STOPS
    ]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)
