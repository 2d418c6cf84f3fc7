"""Relays on the `RPi.GPIO` call set: levels, read-back, safe positions, and what happens to the line at the ends."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from rig.errors import BenchError
from rig.instruments.relays import GpioRelay, RPiGPIO, load_gpio
from rig.twin.gpio import TwinRPiGPIO

PIN = 17


class Lines:
    """The twin's call set, and the levels that it drove."""

    def __init__(self) -> None:
        self.driven: list[tuple[int, bool]] = []
        self.gpio = TwinRPiGPIO(lambda pin, level: self.driven.append((pin, level)))

    def relay(self, *, active_high: bool = True, safe_closed: bool | None = False) -> GpioRelay:
        gpio: RPiGPIO = self.gpio
        return GpioRelay("K", gpio, PIN, active_high=active_high, safe_closed=safe_closed)


@pytest.mark.parametrize("active_high", [True, False])
def test_closed_is_the_active_level_and_it_is_read_back(active_high: bool) -> None:
    lines = Lines()
    relay = lines.relay(active_high=active_high)
    assert not relay.read()
    relay.set(True)
    assert lines.gpio.input(PIN) == int(active_high)
    assert relay.read()
    relay.set(False)
    assert lines.gpio.input(PIN) == int(not active_high)
    assert not relay.read()


def test_a_line_that_does_not_follow_is_an_error() -> None:
    lines = Lines()
    relay = lines.relay()
    lines.gpio.stuck[PIN] = 0
    with pytest.raises(BenchError, match="relay K: GPIO 17 does not follow: set closed, reads otherwise"):
        relay.set(True)


@pytest.mark.parametrize("active_high", [True, False])
def test_the_safe_position_is_taken_and_read_back(active_high: bool) -> None:
    lines = Lines()
    relay = lines.relay(active_high=active_high)
    relay.set(True)
    assert relay.make_safe()
    assert not relay.read()
    relay.set(True)
    lines.gpio.stuck[PIN] = int(active_high)
    assert not relay.make_safe()


def test_a_relay_that_is_safe_as_it_is_stays_so() -> None:
    lines = Lines()
    relay = lines.relay(safe_closed=None)
    relay.set(True)
    assert relay.make_safe()
    assert relay.read()


@pytest.mark.parametrize("closed", [True, False])
def test_a_relay_that_is_safe_as_it_is_is_moved_by_neither_end_of_a_driver(closed: bool) -> None:
    lines = Lines()
    first = lines.relay(safe_closed=None)
    first.set(closed)
    moves = len(lines.driven)
    first.close()
    again = lines.relay(safe_closed=None)
    assert again.read() == closed
    assert len(lines.driven) == moves


def test_a_feed_is_opened_when_its_driver_begins() -> None:
    lines = Lines()
    lines.relay().set(True)
    assert not lines.relay().read()
    assert lines.driven == [(PIN, True), (PIN, False)]


def test_a_feeds_line_is_given_back() -> None:
    lines = Lines()
    relay = lines.relay()
    relay.close()
    with pytest.raises(BenchError, match="relay K: GPIO 17 cannot be read: You must setup"):
        relay.read()
    with pytest.raises(BenchError, match="relay K: GPIO 17 cannot be written"):
        relay.make_safe()


def test_pins_numbered_another_way_by_somebody_else_are_an_error() -> None:
    lines = Lines()
    lines.gpio.setmode(TwinRPiGPIO.BOARD)
    with pytest.raises(BenchError, match="relay K: GPIO 17 cannot be set up: A different mode"):
        lines.relay()


def test_a_machine_without_gpio_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "RPi", None)
    with pytest.raises(BenchError, match=r"pip install 'ichis-rig\[pi\]'"):
        load_gpio()


def test_the_machines_own_module_is_used_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    package, module = ModuleType("RPi"), ModuleType("RPi.GPIO")
    package.GPIO = module  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "RPi", package)
    monkeypatch.setitem(sys.modules, "RPi.GPIO", module)
    assert load_gpio() is module  # type: ignore[comparison-overlap]
