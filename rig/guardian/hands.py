"""What the guardian drives: from its charge to relay drivers, the watchdog's line and the emergency stop's line.

Only the drivers that a charge names are loaded: how fast the guardian is up counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol, cast

from rig.errors import BenchError
from rig.guardian.charge import CoilSpec, RelaySpec, StopSpec, WatchdogSpec

if TYPE_CHECKING:
    from rig.clock.base import Clock
    from rig.instruments.modbus_coil import ModbusLink
    from rig.instruments.ports import Relay
    from rig.instruments.relays import RPiGPIO


class _Inputs(Protocol):
    """What the call set has for inputs."""

    IN: int
    PUD_UP: int
    PUD_DOWN: int

    def setup(self, channel: int, direction: int, *, pull_up_down: int) -> None: ...


def open_relays(specs: tuple[RelaySpec, ...], clock: Clock, gpio: RPiGPIO | None = None) -> Mapping[str, Relay]:
    """The drivers by role; each feed goes to its safe position by being opened. `gpio` None = this machine's.

    Relays of one board share its link. Raises BenchError (a line that is taken) or LinkError (a board that is dead).
    """
    relays: dict[str, Relay] = {}
    links: dict[object, ModbusLink] = {}
    with ExitStack() as stack:  # what was opened before one failed is given back
        for number, spec in enumerate(specs):
            with placed(f"relay[{number}].{'coil' if spec.gpio is None else 'pin'}"):
                relay = open_relay(spec, clock, links, gpio)
            relays[spec.role] = relay
            stack.callback(relay.close)
        stack.pop_all()
    return relays


def open_relay(spec: RelaySpec, clock: Clock, links: dict[object, ModbusLink], gpio: RPiGPIO | None = None) -> Relay:
    """One driver; `links` keeps those of the boards that were opened before."""
    return _on_a_line(spec, gpio) if spec.gpio is not None else _on_a_board(spec, clock, links)


@contextmanager
def placed(key: str) -> Iterator[None]:
    """Whatever fails inside is told with this key of the bench file."""
    try:
        yield
    except BenchError as error:
        error.where = replace(error.where, key=key)
        raise


def _on_a_line(spec: RelaySpec, gpio: RPiGPIO | None) -> Relay:
    from rig.instruments.relays import GpioRelay, load_gpio

    assert spec.gpio is not None  # noqa: S101 - who calls has seen to it
    pin, active_high = spec.gpio.pin, spec.gpio.active_high
    return GpioRelay(spec.name, gpio or load_gpio(), pin, active_high=active_high, safe_closed=spec.safe_closed)


def _on_a_board(spec: RelaySpec, clock: Clock, links: dict[object, ModbusLink]) -> Relay:
    from rig.instruments.modbus_coil import CoilRelay

    assert spec.coil is not None  # noqa: S101 - the spec has seen to it
    place = (spec.coil.host, spec.coil.tcp_port, spec.coil.device)
    if place not in links:
        links[place] = _link(spec.coil, clock)
    return CoilRelay(spec.name, links[place], spec.coil.unit, spec.coil.coil, safe_closed=spec.safe_closed)


def _link(coil: CoilSpec, clock: Clock) -> ModbusLink:
    from rig.instruments.modbus_link import SerialModbusLink, TcpModbusLink

    if coil.host is not None and coil.tcp_port is not None:
        return TcpModbusLink(coil.host, coil.tcp_port, clock, coil.timeout_s)
    return SerialModbusLink(coil.device or "", coil.baud, coil.parity, clock, coil.timeout_s)


class Watchdog:
    """Toggles its line: an edge every half period. Where the edges end, the hardware drops the feed."""

    def __init__(self, spec: WatchdogSpec, now: Callable[[], int]) -> None:
        self._spec = spec
        self._gpio = gpio = _header()
        self._now = now
        self._level = 0
        self.due_ns = now()
        with _told("the watchdog", spec.pin):
            gpio.setup(spec.pin, gpio.OUT, initial=0)

    def feed(self) -> None:
        """One edge, when it is due. Raises BenchError."""
        if self._now() < self.due_ns:
            return
        self._level = 1 - self._level
        with _told("the watchdog", self._spec.pin):
            self._gpio.output(self._spec.pin, self._level)
        self.due_ns = self._now() + round(self._spec.period_s * 5e8)


def stop_reader(spec: StopSpec) -> Callable[[], bool]:
    """Whether the emergency stop is pressed. The line is pulled to its pressed level, so that a broken wire stops."""
    gpio = _header()
    with _told("the emergency stop", spec.pin):
        inputs = cast(_Inputs, gpio)
        pull = inputs.PUD_UP if spec.pressed_high else inputs.PUD_DOWN
        inputs.setup(spec.pin, inputs.IN, pull_up_down=pull)

    def pressed() -> bool:
        with _told("the emergency stop", spec.pin):
            return (gpio.input(spec.pin) == 1) == spec.pressed_high

    return pressed


def _header() -> RPiGPIO:
    """This machine's header, its pins by their BCM numbers. Raises BenchError."""
    from rig.instruments.relays import load_gpio

    gpio = load_gpio()
    gpio.setwarnings(False)
    gpio.setmode(gpio.BCM)
    return gpio


@contextmanager
def _told(what: str, pin: int) -> Iterator[None]:
    """What the libraries raise becomes one `BenchError`."""
    try:
        yield
    except Exception as error:
        raise BenchError(f"{what}: GPIO {pin}: {error}") from error
