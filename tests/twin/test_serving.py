"""The served twin as drivers meet it: relays on its board move the rail, and its lines tell every edge of it."""

from __future__ import annotations

import socket
import threading
import time
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from rig import firmware
from rig.bench.config import BenchConfig, check_bench, load_bench
from rig.bench.meter_table import ModbusRtuTable
from rig.bench.opening import CallSets, open_bench
from rig.clock.system import SystemClock
from rig.errors import InputError
from rig.instruments.line_client import PROTOCOL, ServedSenseLines
from rig.instruments.sense import SenseLine
from rig.rail import LineTracker
from rig.twin.faults import KINDS, Fault, parse
from rig.twin.line_server import MOST_EVENTS
from rig.twin.meters import METERS
from rig.twin.rack import draft, names
from rig.twin.scaling import SLACK_S, served
from rig.twin.serving import ServedTwin
from tests.hurried import LONG_S
from tests.served import quick

ADDRESSES = {
    "supply": "TCPIP::127.0.0.1::1::SOCKET",
    "oscilloscope": "TCPIP::127.0.0.1::2::SOCKET",
    "relays": "127.0.0.1:4",
    "sense": "127.0.0.1:5",
}
PLACES = {
    "modbus-tcp": ("modbus", "127.0.0.1:3"),
    "modbus-rtu": ("serial", "/dev/ttyUSB0"),
    "dlms": ("dlms", "/dev/ttyUSB0"),
    "optical": ("optical", "/dev/ttyUSB0"),
}
"""By the meter's driver."""


def addresses(bench: BenchConfig) -> dict[str, str]:
    """Where everything of this bench might be."""
    kind, place = PLACES[bench.meter.driver]
    return {**ADDRESSES, kind: place}


UP, DOWN = SenseLine("up", 5, True), SenseLine("down", 6, True)


@pytest.fixture
def twin() -> Iterator[ServedTwin]:
    it = ServedTwin([firmware.load("cut-45s")], scale=0.01)
    yield it
    it.close()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        threading.Event().wait(0.001)


def lines_of(twin: ServedTwin, *lines: SenseLine) -> ServedSenseLines:
    return ServedSenseLines(twin.sense_wire.endpoint, lines or (UP, DOWN), SystemClock(), LONG_S)


# -- the bench file --------------------------------------------------------------------------------------------------


OUTSIDE = "twin-outside"


@pytest.mark.parametrize("name", [name for name in names() if name != OUTSIDE])
@pytest.mark.parametrize("scale", [0.001, 0.01, 0.1, 0.5, 1.0])
def test_every_twin_at_every_scale_has_a_good_bench_file(name: str, scale: float) -> None:
    whole, _ = draft(name)
    config = served(whole, scale, addresses(whole))
    assert config.limits.limit_s == pytest.approx(whole.limits.limit_s * scale)
    assert config.hub.settle_s == pytest.approx(whole.hub.settle_s * scale)
    assert config.topology.discharge_s == pytest.approx(whole.topology.discharge_s * scale + SLACK_S * (1 - scale))
    assert [s.latency_s for s in config.sense] == pytest.approx([s.latency_s * scale for s in whole.sense])
    assert config.supply[0].timeout_s == whole.supply[0].timeout_s
    assert [r.role for r in config.relay] == [r.role for r in whole.relay]


@pytest.mark.parametrize("meter", METERS)
def test_the_twin_is_served_with_each_of_its_meters_and_each_file_is_a_good_one(meter: str) -> None:
    twin = ServedTwin([firmware.load("cut-45s")], f"twin,meter={meter}", scale=0.01)
    try:
        assert twin.bench_text()
    finally:
        twin.close()


def test_a_contact_that_no_other_process_reaches_is_not_served() -> None:
    with pytest.raises(InputError, match="no other process reaches"):
        ServedTwin([firmware.load("cut-45s")], OUTSIDE)


def test_a_meter_on_a_serial_line_is_served_on_its_pseudo_terminal() -> None:
    twin = ServedTwin([firmware.load("cut-45s")], "twin-rtu", scale=0.01)
    meter = twin.config.meter
    assert isinstance(meter, ModbusRtuTable)
    assert meter.port == twin.addresses["serial"]
    assert "modbus" not in twin.addresses
    twin.bench_text()
    twin.close()


def test_the_file_that_is_written_is_the_bench_that_is_served(twin: ServedTwin, tmp_path: object) -> None:
    from pathlib import Path

    file = Path(str(tmp_path)) / "twin.toml"
    file.write_text(twin.bench_text(), encoding="utf-8")
    assert load_bench(file) == twin.config


def test_no_relay_of_a_twin_is_counted_on_this_machine(twin: ServedTwin) -> None:
    assert {r.rated_operations for r in twin.config.relay} == {None}


# -- wires -----------------------------------------------------------------------------------------------------------


def test_the_drivers_of_its_bench_file_move_the_rail_and_see_it(twin: ServedTwin) -> None:
    clock, text = SystemClock(), quick(twin.bench_text())
    bench = open_bench(check_bench(tomllib.loads(text), text, "served"), clock, CallSets())
    try:
        clock.sleep(twin.config.topology.dead_time_s)
        assert bench.sense.levels()["rail_down"]
        bench.supply.apply(bench.supply_settings())
        bench.supply.output(True)
        bench.relays.arm()
        bench.relays.set("supply-feed", True)
        until(lambda: bench.sense.levels()["rail_up"])
        assert bench.supply.read().volts == pytest.approx(12.0, abs=0.1)
        clock.sleep(twin.config.relay_of("supply-feed").least_dwell_s)
        bench.relays.set("supply-feed", False)
        until(lambda: bench.sense.levels()["rail_down"])
    finally:
        bench.close()


def test_the_meter_of_a_bench_that_stands_ready_answers(twin: ServedTwin) -> None:
    twin.stand_ready()
    until(lambda: twin.world.meter.answers)


def test_every_edge_is_sent_before_the_levels_that_follow_it_and_its_stamp_lies_in_the_past(twin: ServedTwin) -> None:
    lines, clock = lines_of(twin), SystemClock()
    trackers = {"up": LineTracker(20_000), "down": LineTracker(20_000)}
    for number in range(200):
        with twin.timeline:
            twin.world.rail.set_feed("meter", 12.0 if number % 2 == 0 else None)
        sent = clock.now()
        levels = lines.levels()
        received = clock.now()
        for edge in lines.edges():
            assert edge.at_ns <= received
            trackers[edge.line].edge(edge.at_ns, edge.active, edge.line_seqno)
        for name, active in levels.items():
            trackers[name].read(sent, received, active)
    assert [tracker.losses for tracker in trackers.values()] == [[], []]
    lines.close()


def test_a_burst_of_a_thousand_edges_loses_none(twin: ServedTwin) -> None:
    lines = lines_of(twin, UP)
    with twin.timeline:
        for number in range(1000):
            twin.world.wires[5].set(number % 2 == 0)
    lines.levels()
    assert [edge.line_seqno for edge in lines.edges()] == list(range(1, 1001))
    lines.close()


def test_an_overrun_drops_the_oldest_and_their_numbers_are_missing(twin: ServedTwin) -> None:
    with twin.timeline:  # nobody is sent anything meanwhile
        pass
    lines = lines_of(twin, UP)
    with twin.timeline:
        for number in range(MOST_EVENTS + 10):
            twin.world.wires[5].set(number % 2 == 0)
    lines.levels()
    seqnos = [edge.line_seqno for edge in lines.edges()]
    assert seqnos == list(range(11, MOST_EVENTS + 11))
    lines.close()


def test_each_connection_is_a_request_of_its_own(twin: ServedTwin) -> None:
    first = lines_of(twin, UP)
    with twin.timeline:
        twin.world.wires[5].set(True)
    first.levels()
    second = lines_of(twin, UP)
    with twin.timeline:
        twin.world.wires[5].set(False)
    for lines, numbers in ((first, [1, 2]), (second, [1])):
        lines.levels()
        assert [edge.line_seqno for edge in lines.edges()] == numbers
        lines.close()
    until(lambda: not twin.sense_wire._requests_open)


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        ("GET / HTTP/1.0", "a request is: rig.lines/1 and the numbers of 1 to 64 lines"),
        (PROTOCOL, "a request is"),
        (f"{PROTOCOL} 5 99", "no line 99; there are 5, 6, 12, 13, 16, 26"),
        (f"{PROTOCOL} 5 5", "a line is asked for twice"),
        (f"{PROTOCOL} 5\nvalues", "after the request, all there is to ask for is: levels"),
    ],
)
def test_a_wrong_request_is_told_and_hung_up_on(twin: ServedTwin, request_: str, told: str) -> None:
    with socket.create_connection((twin.sense_wire.host, twin.sense_wire.port), 60) as link:
        link.sendall(f"{request_}\n".encode())
        answer = b""
        while part := link.recv(4096):
            answer += part
    assert f"error {told}" in answer.decode().splitlines()[-1]


def test_the_meter_tells_its_up_time_in_seconds_of_this_world() -> None:
    twin = ServedTwin([firmware.load("cut-45s")], scale=0.001)
    with twin.timeline:
        twin.world.meter._booted_ns = twin.timeline.now() - 12_345 * 10**9
        told = twin.meter_wire._device._table()  # type: ignore[attr-defined]
        assert (told[142], told[143]) == (0, 12)
    twin.close()


# -- faults and bad input --------------------------------------------------------------------------------------------


def one_that_can_have(fault: Fault) -> str:
    """The first of these twins on which this fault can be."""
    for bench in ("twin", "twin-rtu", "twin-polyphase", "twin-dlms", "twin-optical"):
        try:
            fault.check(draft(bench)[0])
        except InputError:
            continue
        return bench
    raise AssertionError(f"no twin can have {fault.name}")


@pytest.mark.parametrize("name", [name for name, kind in KINDS.items() if not kind.own_clock])
def test_every_fault_that_needs_no_clock_of_its_own_acts_on_it(name: str) -> None:
    fault = parse(name)
    twin = ServedTwin([firmware.load("cut-45s")], one_that_can_have(fault), scale=0.001, faults=[fault])
    with twin.timeline:
        fault.act(twin)
    twin.close()
    assert twin.timeline.failure is None


def test_a_lost_edge_is_counted_and_not_sent() -> None:
    twin = ServedTwin([firmware.load("cut-45s")], scale=0.001)
    twin.lose_edge(5)
    lines = lines_of(twin, UP)
    with twin.timeline:
        twin.world.wires[5].set(True)
        twin.world.wires[5].set(False)
    lines.levels()
    assert [(edge.line_seqno, edge.active) for edge in lines.edges()] == [(2, False)]
    lines.close()
    twin.close()


def test_what_cannot_be_served_leaves_no_thread_behind() -> None:
    def ours() -> list[str]:
        return [t.name for t in threading.enumerate() if t.name.startswith(("twin", "supply", "modbus", "relays"))]

    before = ours()
    with pytest.raises(InputError, match="not a scale"):
        ServedTwin([firmware.load("cut-45s")], scale=2.0)
    with pytest.raises(InputError, match="did you mean 'twin'"):
        ServedTwin([firmware.load("cut-45s")], name="twim")
    unknown = replace(firmware.load("cut-181s"), behaviour=None)
    with pytest.raises(InputError, match="'cut-181s' has no"):
        ServedTwin([firmware.load("cut-45s"), unknown])
    ServedTwin([firmware.load("cut-45s")]).close()
    assert ours() == before


def test_the_scaled_bench_differs_from_the_twins_own_only_where_it_says() -> None:
    """At scale 1 nothing is shrunk: only the drivers and their addresses differ."""
    whole, _ = draft("twin")
    config = served(whole, 1.0, addresses(whole))

    def plain(bench: BenchConfig) -> dict[str, object]:
        data = bench.model_dump(exclude={"relay", "sense"})
        data["bench"].pop("description")
        return data

    assert plain(config) == plain(whole)
