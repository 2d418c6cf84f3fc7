"""The twin's wiring: mains, relays, meter, supply, rail and sense lines hang together as on a real bench."""

from __future__ import annotations

import threading
import tomllib
from collections.abc import Iterator
from string import Template

import pytest

from rig import firmware
from rig.bench.config import BenchConfig, SenseRole, check_bench
from rig.clock.virtual import VirtualClock
from rig.errors import InputError
from rig.twin.bench import Twin, names, template
from rig.twin.meter import BOOT_S, FEED_S, HOLD_S
from rig.twin.world import World

PINS = {"mains": 17, "meter-feed": 27, "supply-feed": 22}
ADDRESSES = {
    "supply": "TCPIP::192.0.2.10::5555::SOCKET",
    "oscilloscope": "TCPIP::192.0.2.11::5555::SOCKET",
    "modbus": "192.0.2.12:502",
}


def config(active: str = "high") -> BenchConfig:
    text = Template(template("twin")).substitute(ADDRESSES)
    head, relays = text.split("[[relay]]", 1)
    relays, tail = relays.split("[[sense]]", 1)
    text = head + "[[relay]]" + relays.replace('active = "high"', f'active = "{active}"') + "[[sense]]" + tail
    return check_bench(tomllib.loads(text), text, "bench.toml")


class Wired:
    def __init__(self, active: str = "high") -> None:
        self.clock = VirtualClock()
        self.active_high = active == "high"
        self.world = World(config(active), self.clock, {}, "1.0.0")
        self.world.gpio.setmode(self.world.gpio.BCM)

    def set_up(self) -> None:
        for pin in PINS.values():
            self.world.gpio.setup(pin, self.world.gpio.OUT, initial=int(not self.active_high))

    def relay(self, role: str, closed: bool) -> None:
        self.world.gpio.output(PINS[role], int(closed == self.active_high))
        self.clock.sleep(0.05)

    def levels(self) -> dict[SenseRole, bool]:
        return {role: signal.level for role, signal in self.world.lines.items()}


@pytest.fixture
def wired() -> Wired:
    it = Wired()
    it.set_up()
    return it


def test_at_rest_nothing_is_fed_and_the_lines_say_so(wired: Wired) -> None:
    wired.clock.sleep(1.0)
    assert wired.levels() == {
        "rail_up": False,
        "rail_down": True,
        "mains": False,
        "ac_lo": True,
        "mt_pr": False,
        "ch_pr": True,
    }


def test_mains_feeds_the_meter_which_feeds_the_hub_through_k2(wired: Wired) -> None:
    wired.relay("mains", True)
    wired.clock.sleep(FEED_S)
    assert wired.world.rail.now_v() == 0.0
    wired.relay("meter-feed", True)
    wired.clock.sleep(BOOT_S)
    assert 11.8 < wired.world.rail.now_v() < 12.0
    assert wired.levels() == {
        "rail_up": True,
        "rail_down": False,
        "mains": True,
        "ac_lo": False,
        "mt_pr": True,
        "ch_pr": True,
    }
    wired.relay("mains", False)
    assert not wired.levels()["mains"]
    assert wired.levels()["rail_up"], "the meter holds its 12 V for a while"
    wired.clock.sleep(HOLD_S + 1.0)
    assert wired.levels()["rail_down"]


def test_the_supply_feeds_the_hub_through_k3_only_while_its_output_is_on(wired: Wired) -> None:
    supply = wired.world.supply
    supply.program(12.0, 1.5)
    wired.relay("supply-feed", True)
    wired.clock.sleep(1.0)
    assert wired.world.rail.now_v() == 0.0
    assert supply.terminals() == (0.0, 0.0)
    supply.switch(True)
    wired.clock.sleep(1.0)
    volts, amps = supply.terminals()
    assert volts == pytest.approx(wired.world.rail.now_v())
    assert 0.1 < amps < 0.3
    assert not supply.constant_current()
    supply.program(12.0, 0.05)
    assert supply.constant_current()
    wired.relay("supply-feed", False)
    wired.clock.sleep(1.0)
    assert wired.levels()["rail_down"]
    assert supply.terminals() == (12.0, 0.0)


def test_the_mains_detector_lags_and_ignores_what_is_over_before_it_looks(wired: Wired) -> None:
    wired.relay("mains", True)
    edges: list[bool] = []
    wired.world.mains_present["mains"].listen(edges.append)
    wired.world.mains_supply(False)
    wired.clock.sleep(0.005)
    wired.world.mains_supply(True)
    wired.clock.sleep(1.0)
    assert edges == []
    wired.world.mains_supply(False)
    wired.clock.sleep(1.0)
    assert edges == [False]


def test_an_active_low_relay_is_energised_before_software_runs_and_lets_go_when_it_does() -> None:
    """Why the wiring asks for active-high relays: until the line is driven high, mains and both feeds are closed."""
    wired = Wired("low")
    wired.clock.sleep(1.0)
    assert all(contact.closed for contact in wired.world.contacts.values())
    wired.set_up()
    wired.clock.sleep(1.0)
    assert not any(contact.closed for contact in wired.world.contacts.values())


@pytest.mark.parametrize("active", ["high", "low"])
def test_relays_of_either_polarity_do_the_same(active: str) -> None:
    wired = Wired(active)
    wired.set_up()
    wired.clock.sleep(1.0)
    wired.relay("mains", True)
    wired.relay("meter-feed", True)
    wired.clock.sleep(BOOT_S)
    assert wired.levels()["rail_up"]


# -- the twin as a whole ---------------------------------------------------------------------------------------------


@pytest.fixture
def twin() -> Iterator[Twin]:
    it = Twin([firmware.load("cut-45s")], depth=120_000)
    yield it
    it.close()


def test_an_unknown_twin_is_told_with_the_nearest() -> None:
    assert "twin" in names()
    with pytest.raises(InputError, match=r"no bench 'twim'; did you mean 'twin'\?"):
        template("twim")


def test_every_packaged_twin_has_a_good_bench_file() -> None:
    for name in names():
        it = Twin([firmware.load("cut-45s")], name)
        it.close()


def test_the_bench_file_of_a_running_twin_names_its_real_addresses(twin: Twin) -> None:
    assert twin.config.supply[0].address == twin.supply_wire.address
    assert twin.config.oscilloscope[0].address == twin.scope_wire.address
    assert twin.config.meter.address == twin.meter_wire.endpoint
    assert twin.config.oscilloscope[0].depth == 120_000


def test_a_closed_twin_leaves_no_thread_behind() -> None:
    def servers() -> int:
        return sum(t.name.startswith(("supply", "oscilloscope", "modbus")) for t in threading.enumerate())

    before = servers()
    for _ in range(5):
        Twin([firmware.load("cut-45s")], depth=120_000).close()
    assert servers() <= before
