"""The twin's GPIO call sets do what the real libraries do, for what the rig uses of them."""

from __future__ import annotations

import select
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import gpiod
import pytest
from gpiod.exception import RequestReleasedError
from gpiod.line import Clock, Direction, Edge, Value

from rig.clock.virtual import VirtualClock
from rig.twin.devices import Signal
from rig.twin.gpio import EVENTS_A_LINE, EVENTS_A_READ, MOST_EVENTS, TwinChip, TwinLineRequest, TwinRPiGPIO

CHIP = "/dev/gpiochip0"
BOTH = gpiod.LineSettings(direction=Direction.INPUT, edge_detection=Edge.BOTH)


class Chip:
    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.wires = {5: Signal(), 6: Signal(), 7: Signal()}
        self.chip = TwinChip(CHIP, self.clock, self.wires)
        self.requests: list[TwinLineRequest] = []

    def request(self, config: dict[Any, gpiod.LineSettings | None], size: int | None = None) -> TwinLineRequest:
        self.requests.append(self.chip.request_lines(CHIP, config, "test", size))
        return self.requests[-1]

    def toggle(self, line: int, times: int) -> None:
        for _ in range(times):
            self.wires[line].set(not self.wires[line].level)


@pytest.fixture
def chip() -> Iterator[Chip]:
    it = Chip()
    yield it
    for request in it.requests:
        request.release()


# -- the same names as gpiod's own classes -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["fd", "fileno", "offsets", "get_value", "get_values", "wait_edge_events", "read_edge_events", "release"],
)
def test_what_is_used_of_a_request_exists_in_gpiod_too(chip: Chip, name: str) -> None:
    assert hasattr(gpiod.LineRequest, name)
    assert hasattr(chip.request({5: BOTH}), name)


def test_request_lines_takes_the_arguments_of_gpiods_own() -> None:
    import inspect

    theirs = list(inspect.signature(gpiod.request_lines).parameters)
    ours = list(inspect.signature(TwinChip.request_lines).parameters)[1:]
    assert theirs[: len(ours)] == ours


# -- requests ------------------------------------------------------------------------------------------------------


def test_lines_are_named_by_offset_by_name_and_in_groups(chip: Chip) -> None:
    request = chip.request({(5, "GPIO6"): BOTH, "7": None})
    assert request.offsets == [5, 6, 7]
    chip.wires[6].set(True)
    assert request.get_values() == [Value.INACTIVE, Value.ACTIVE, Value.INACTIVE]
    assert request.get_values([]) == request.get_values()
    assert request.get_values([6, "GPIO5"]) == [Value.ACTIVE, Value.INACTIVE]
    assert request.get_value("GPIO6") is Value.ACTIVE


@pytest.mark.parametrize(
    ("config", "problem", "words"),
    [
        ({54: BOTH}, ValueError, "line offset of out range"),
        ({"55": BOTH}, ValueError, "line offset of out range"),
        ({"GPIO99": BOTH}, FileNotFoundError, "No such file"),
        ({5: BOTH, "GPIO5": None}, ValueError, "offset 5 repeats"),
        ({5: gpiod.LineSettings(direction=Direction.OUTPUT)}, NotImplementedError, "inputs"),
        ({5: gpiod.LineSettings(event_clock=Clock.REALTIME)}, NotImplementedError, "monotonic"),
    ],
)
def test_a_bad_request_is_refused_and_takes_no_line(
    chip: Chip, config: dict[Any, gpiod.LineSettings | None], problem: type[Exception], words: str
) -> None:
    with pytest.raises(problem, match=words):
        chip.request(config)
    chip.request({5: BOTH, 6: BOTH, 7: BOTH})


def test_another_chip_is_not_there(chip: Chip) -> None:
    with pytest.raises(FileNotFoundError):
        chip.chip.request_lines("/dev/gpiochip9", {5: BOTH})


def test_a_line_in_use_is_busy_until_it_is_released(chip: Chip) -> None:
    first = chip.request({5: BOTH})
    with pytest.raises(OSError, match="busy") as caught:
        chip.request({6: BOTH, 5: BOTH})
    assert caught.value.errno == 16
    first.release()
    first.release()
    chip.request({6: BOTH, 5: BOTH})


@pytest.mark.parametrize("use", ["fd", "offsets", "get_values", "wait_edge_events", "read_edge_events"])
def test_a_released_request_says_so(chip: Chip, use: str) -> None:
    request = chip.request({5: BOTH})
    request.release()
    chip.toggle(5, 3)
    arguments = (0,) if use == "wait_edge_events" else ()
    with pytest.raises(RequestReleasedError):
        getattr(request, use)(*arguments)


def test_a_released_request_leaves_no_descriptor(chip: Chip) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(50):
        chip.request({5: BOTH}).release()
    assert len(list(Path("/proc/self/fd").iterdir())) <= before


@pytest.mark.parametrize("line", [6, "GPIO6"])
def test_a_line_that_was_not_requested_cannot_be_read(chip: Chip, line: int | str) -> None:
    with pytest.raises(ValueError):
        chip.request({5: BOTH}).get_values([line])


# -- edges ---------------------------------------------------------------------------------------------------------


def test_events_are_gpiods_own_with_stamps_and_both_sequence_numbers(chip: Chip) -> None:
    request = chip.request({5: BOTH, 6: gpiod.LineSettings(edge_detection=Edge.BOTH, active_low=True)})
    start = chip.clock.now()
    chip.toggle(5, 1)
    chip.clock.sleep(1.0)
    chip.toggle(6, 1)
    chip.toggle(5, 1)
    events = request.read_edge_events()
    assert all(isinstance(event, gpiod.EdgeEvent) for event in events)
    rising, falling = gpiod.EdgeEvent.Type.RISING_EDGE, gpiod.EdgeEvent.Type.FALLING_EDGE
    assert [(e.line_offset, e.event_type, e.timestamp_ns - start, e.global_seqno, e.line_seqno) for e in events] == [
        (5, rising, 0, 1, 1),
        (6, falling, 1_000_000_000, 2, 1),
        (5, falling, 1_000_000_000, 3, 2),
    ]


@pytest.mark.parametrize(
    ("edge", "count"), [(Edge.NONE, 0), (Edge.RISING, 2), (Edge.FALLING, 2), (Edge.BOTH, 4), (None, 0)]
)
def test_only_the_edges_that_were_asked_for_are_told_and_counted(chip: Chip, edge: Edge | None, count: int) -> None:
    request = chip.request({5: gpiod.LineSettings(edge_detection=edge) if edge else None})
    chip.toggle(5, 4)
    assert request.wait_edge_events(0) is (count > 0)
    if count:
        assert [event.line_seqno for event in request.read_edge_events()] == list(range(1, count + 1))


def test_the_descriptor_is_readable_exactly_while_events_wait(chip: Chip) -> None:
    request = chip.request({5: BOTH})

    def readable() -> bool:
        return bool(select.select([request], [], [], 0)[0])

    assert not readable()
    chip.toggle(5, 3)
    assert readable()
    assert len(request.read_edge_events(2)) == 2
    assert readable()
    request.read_edge_events()
    assert not readable()
    chip.toggle(5, 1)
    assert readable()


def test_one_read_gives_no_more_than_gpiods_own_buffer(chip: Chip) -> None:
    request = chip.request({5: BOTH}, MOST_EVENTS)
    chip.toggle(5, 100)
    assert len(request.read_edge_events()) == EVENTS_A_READ
    assert len(request.read_edge_events()) == 100 - EVENTS_A_READ


@pytest.mark.parametrize("size", [None, 16, 17, 1024, 5000])
def test_a_queue_that_overruns_loses_its_oldest_events_and_the_numbers_show_it(chip: Chip, size: int | None) -> None:
    """Linux: 'If an overflow occurs then the oldest buffered event is discarded' (gpio-v2-line-event-read)."""
    room = {None: EVENTS_A_LINE, 16: 16, 17: 32, 1024: MOST_EVENTS, 5000: MOST_EVENTS}[size]
    request = chip.request({5: BOTH}, size)
    chip.toggle(5, room + 3)
    numbers: list[int] = []
    while request.wait_edge_events(0):
        numbers += [event.line_seqno for event in request.read_edge_events()]
    assert numbers == list(range(4, room + 4))


def test_a_lost_edge_leaves_a_gap_in_the_numbers(chip: Chip) -> None:
    request = chip.request({5: BOTH})
    chip.toggle(5, 1)
    chip.chip.drop_next[5] = 2
    chip.toggle(5, 3)
    assert [(event.line_seqno, event.global_seqno) for event in request.read_edge_events()] == [(1, 1), (4, 4)]


@pytest.mark.parametrize("timeout", [None, 1.0, timedelta(seconds=1)])
def test_nobody_waits_for_the_twin_in_real_time(chip: Chip, timeout: timedelta | float | None) -> None:
    request = chip.request({5: BOTH})
    with pytest.raises(RuntimeError, match="through the clock"):
        request.wait_edge_events(timeout)
    with pytest.raises(RuntimeError, match="would block"):
        request.read_edge_events()
    assert request.wait_edge_events(timedelta(0)) is False
    chip.toggle(5, 1)
    assert request.wait_edge_events(timeout) is True


# -- RPi.GPIO --------------------------------------------------------------------------------------------------------


def outputs() -> tuple[TwinRPiGPIO, list[tuple[int, bool]]]:
    driven: list[tuple[int, bool]] = []
    gpio = TwinRPiGPIO(lambda pin, level: driven.append((pin, level)))
    gpio.setwarnings(False)
    gpio.setmode(gpio.BCM)
    return gpio, driven


def test_a_line_must_be_set_up_before_it_is_used() -> None:
    gpio, _ = outputs()
    with pytest.raises(RuntimeError, match="has not been set up as an OUTPUT"):
        gpio.output(17, 1)
    with pytest.raises(RuntimeError, match=r"setup\(\) the GPIO channel first"):
        gpio.input(17)
    with pytest.raises(RuntimeError, match="pin numbering mode"):
        TwinRPiGPIO(lambda *_: None).setup(17, gpio.OUT)
    with pytest.raises(ValueError, match="outputs"):
        gpio.setup(17, gpio.IN)


def test_the_numbering_cannot_be_changed_until_all_is_given_back() -> None:
    gpio, _ = outputs()
    gpio.setmode(gpio.BCM)
    with pytest.raises(ValueError, match="different mode"):
        gpio.setmode(gpio.BOARD)
    gpio.cleanup()
    assert gpio.getmode() is None
    gpio.setmode(gpio.BOARD)


def test_only_changes_drive_the_line() -> None:
    gpio, driven = outputs()
    gpio.setup(17, gpio.OUT, initial=gpio.LOW)
    for value in (1, True, 0, False, 1):
        gpio.output(17, value)
    assert driven == [(17, True), (17, False), (17, True)]


def test_a_setup_without_initial_keeps_the_level() -> None:
    gpio, driven = outputs()
    gpio.setup(17, gpio.OUT, initial=gpio.HIGH)
    gpio.setup(17, gpio.OUT)
    assert gpio.input(17) == 1
    assert driven == [(17, True)]


def test_a_line_that_is_given_back_is_pulled_down_by_the_relay_board() -> None:
    gpio, driven = outputs()
    for pin in (17, 27):
        gpio.setup(pin, gpio.OUT, initial=gpio.HIGH)
    gpio.cleanup(17)
    assert driven[-1] == (17, False)
    gpio.cleanup()
    assert driven[-1] == (27, False)
    gpio.cleanup(22)


def test_a_stuck_line_ignores_what_is_written() -> None:
    gpio, driven = outputs()
    gpio.setup(17, gpio.OUT, initial=gpio.HIGH)
    gpio.stuck[17] = 1
    gpio.output(17, 0)
    gpio.cleanup(17)
    assert driven == [(17, True)]
