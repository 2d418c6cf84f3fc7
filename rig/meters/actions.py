"""A list of commands that activates: sent once, in order, and what became of it; and the end of a verification.

Knows no protocol.

Whatever ends the last one after it left (silence, a meter that reboots at once), it was sent. What ends the first
before it left, and a refusal of the first, is an error. A list that breaks off later is told in `Activation.problem`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from rig.clock import Clock, to_ns
from rig.errors import LinkError
from rig.meters.port import Activation, ImageState, Meter, MeterRefused, Sending

_VERIFY_POLL_S = 1.0
_BUSY = (ImageState.VERIFYING, ImageState.TRANSFERRING)


class Delayed(Protocol):
    """A command with waits around it."""

    @property
    def before_s(self) -> float: ...
    @property
    def after_s(self) -> float: ...


class Link(Protocol):
    """What they go over."""

    @property
    def name(self) -> str: ...
    @property
    def sent(self) -> Sending | None: ...
    def forget_sent(self) -> None: ...


def send_all(
    steps: Sequence[Delayed],
    perform: Callable[[int], None],
    link: Link,
    clock: Clock,
    is_refusal: Callable[[LinkError], bool] = lambda error: isinstance(error, MeterRefused),
) -> Activation:
    """`perform(index)` each of them. An answer that is no refusal by `is_refusal` lets the list go on.

    The wait before the first is over. Raises LinkError when nothing is under way.
    """
    first = last = None
    for index, step in enumerate(steps):
        if index > 0:
            clock.sleep(steps[index - 1].after_s + step.before_s)
        link.forget_sent()
        try:
            perform(index)
        except LinkError as error:
            first = first or link.sent
            if first is None or (index == 0 and is_refusal(error)):
                raise
            if is_refusal(error) or (index < len(steps) - 1 and not isinstance(error, MeterRefused)):
                problem = f"write {index + 1} of {len(steps)} of the activation: {error.one_line()}"
                return Activation(first.before_ns, clock.now(), problem)
        last = link.sent or last
        first = first or last
    if first is None or last is None:
        raise LinkError(f"{link.name}: nothing was sent")
    return Activation(first.before_ns, last.after_ns)


def verified(meter: Meter, clock: Clock, limit_s: float) -> ImageState:
    """Wait until the meter says what came of its verification. Raises LinkError when it does not in `limit_s`."""
    deadline = clock.now() + to_ns(limit_s)
    while True:
        state = meter.image_state()
        if state is not None and state not in _BUSY:
            return state
        if clock.now() >= deadline:
            raise LinkError(f"{meter.name}: verification did not end within {limit_s:g} s")
        clock.sleep(_VERIFY_POLL_S)
