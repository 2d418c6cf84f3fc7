"""What the guardian drives: from its charge to relay drivers, the watchdog's line and the emergency stop's line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Protocol, cast

from rig.errors import BenchError
from rig.guardian.charge import RelaySpec, StopSpec, WatchdogSpec
from rig.instruments.relays import GpioRelay, RPiGPIO, load_gpio

if TYPE_CHECKING:
    from rig.instruments.ports import Relay


class _Inputs(Protocol):
    """What the call set has for inputs."""

    IN: int
    PUD_UP: int
    PUD_DOWN: int

    def setup(self, channel: int, direction: int, *, pull_up_down: int) -> None: ...


def open_relays(specs: tuple[RelaySpec, ...], gpio: RPiGPIO | None = None) -> Mapping[str, Relay]:
    """The drivers by role; each feed goes to its safe position by being opened. `gpio` None = this machine's."""
    relays: dict[str, Relay] = {}
    with ExitStack() as stack:  # what was opened before one failed is given back
        for spec in specs:
            gpio = gpio or load_gpio()
            relay = GpioRelay(spec.name, gpio, spec.pin, active_high=spec.active_high, safe_closed=spec.safe_closed)
            relays[spec.role] = relay
            stack.callback(relay.close)
        stack.pop_all()
    return relays


class Watchdog:
    """Toggles its line: an edge every half period. Where the edges end, the hardware drops the feed."""

    def __init__(self, spec: WatchdogSpec, gpio: RPiGPIO, now: Callable[[], int]) -> None:
        self._spec = spec
        self._gpio = gpio
        self._now = now
        self._level = 0
        self.due_ns = now()
        with _told("the watchdog", spec.pin):
            gpio.setwarnings(False)
            gpio.setmode(gpio.BCM)
            gpio.setup(spec.pin, gpio.OUT, initial=0)

    def feed(self) -> None:
        """One edge, when it is due. Raises BenchError."""
        if self._now() < self.due_ns:
            return
        self._level = 1 - self._level
        with _told("the watchdog", self._spec.pin):
            self._gpio.output(self._spec.pin, self._level)
        self.due_ns = self._now() + round(self._spec.period_s * 5e8)


def stop_reader(spec: StopSpec, gpio: RPiGPIO) -> Callable[[], bool]:
    """Whether the emergency stop is pressed. The line is pulled to its pressed level, so that a broken wire stops."""
    with _told("the emergency stop", spec.pin):
        gpio.setwarnings(False)
        gpio.setmode(gpio.BCM)
        inputs = cast(_Inputs, gpio)
        pull = inputs.PUD_UP if spec.pressed_high else inputs.PUD_DOWN
        inputs.setup(spec.pin, inputs.IN, pull_up_down=pull)

    def pressed() -> bool:
        with _told("the emergency stop", spec.pin):
            return (gpio.input(spec.pin) == 1) == spec.pressed_high

    return pressed


@contextmanager
def _told(what: str, pin: int) -> Iterator[None]:
    """What the libraries raise becomes one `BenchError`."""
    try:
        yield
    except Exception as error:
        raise BenchError(f"{what}: GPIO {pin}: {error}") from error
