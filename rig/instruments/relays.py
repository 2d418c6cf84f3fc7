"""Relays on GPIO lines, through the call set of `RPi.GPIO` (RPi.GPIO, or rpi-lgpio which is a drop-in for it).

Knows one line each: its active level, its safe position, and how to read the line back. A line that reads back right
proves that the coil is driven, not that the contact moved: that is proven on the rail.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rig.errors import BenchError


class RPiGPIO(Protocol):
    """The part of the `RPi.GPIO` module that is used."""

    BCM: int
    OUT: int

    def setmode(self, mode: int) -> None: ...
    def setwarnings(self, flag: bool) -> None: ...
    def setup(self, channel: int, direction: int, *, initial: int | None = None) -> None: ...
    def output(self, channel: int, value: int) -> None: ...
    def input(self, channel: int) -> int: ...
    def cleanup(self, channel: int) -> None: ...


def load_gpio() -> RPiGPIO:
    """The `RPi.GPIO` module of this machine. Raises BenchError where there is none."""
    try:
        from RPi import GPIO
    except (ImportError, RuntimeError) as error:  # RPi.GPIO raises RuntimeError where there is no Raspberry Pi
        message = f"no RPi.GPIO here ({error}); on a Raspberry Pi install the extra: pip install 'ichis-rig[pi]'"
        raise BenchError(message) from error
    gpio: RPiGPIO = GPIO
    return gpio


class GpioRelay:
    """Implements `rig.instruments.ports.Relay`. `safe_closed` None = the safe position is where it stands.

    Such a relay (the mains contactor) is not moved by being opened or closed as a driver either: its line is taken over
    at the level that it has, and is not given back, for both libraries give a line back as a floating input, and the
    contactor would drop out.
    """

    def __init__(self, name: str, gpio: RPiGPIO, pin: int, *, active_high: bool, safe_closed: bool | None) -> None:
        self.name = name
        self._gpio = gpio
        self._pin = pin
        self._active_high = active_high
        self._safe_closed = safe_closed
        with self._calls("cannot be set up"):
            gpio.setwarnings(False)
            gpio.setmode(gpio.BCM)
            gpio.setup(pin, gpio.OUT, initial=None if safe_closed is None else self._level(safe_closed))

    def set(self, closed: bool) -> None:
        self._write(closed)
        if self.read() != closed:
            raise BenchError(
                f"relay {self.name}: GPIO {self._pin} does not follow: set {_word(closed)}, reads otherwise"
            )

    def read(self) -> bool:
        with self._calls("cannot be read"):
            return (self._gpio.input(self._pin) == 1) == self._active_high

    def make_safe(self) -> bool:
        if self._safe_closed is None:
            return True
        self._write(self._safe_closed)
        return self.read() == self._safe_closed

    def close(self) -> None:
        """Give the line back; it must be where an undriven line leaves it (see the class for those that are not)."""
        if self._safe_closed is not None:
            with self._calls("cannot be given back"):
                self._gpio.cleanup(self._pin)

    def _write(self, closed: bool) -> None:
        with self._calls("cannot be written"):
            self._gpio.output(self._pin, self._level(closed))

    def _level(self, closed: bool) -> int:
        return int(closed == self._active_high)

    @contextmanager
    def _calls(self, problem: str) -> Iterator[None]:
        """What the libraries raise (RuntimeError, ValueError, lgpio's own error) becomes one `BenchError`."""
        try:
            yield
        except Exception as error:
            raise BenchError(f"relay {self.name}: GPIO {self._pin} {problem}: {error}") from error


def _word(closed: bool) -> str:
    return "closed" if closed else "open"
