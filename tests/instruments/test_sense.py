"""Sense lines on gpiod's call set: polarity, stamps, sequence numbers, and what a lost line looks like."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import Any

import gpiod
import pytest

from rig.clock.virtual import VirtualClock
from rig.errors import BenchError, LinkError
from rig.instruments.ports import LineEdge
from rig.instruments.sense import (
    EVENT_BUFFER,
    GpiodSenseLines,
    LinesRefusedError,
    SenseLine,
    load_request_lines,
)
from rig.twin.devices import Signal
from rig.twin.gpio import TwinChip

CHIP = "/dev/gpiochip0"
LINES = (SenseLine("up", 5, True), SenseLine("present", 16, False))


class Wires:
    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.up, self.present = Signal(), Signal()
        self.chip = TwinChip(CHIP, self.clock, {5: self.up, 16: self.present})

    def lines(self) -> GpiodSenseLines:
        return GpiodSenseLines(CHIP, LINES, self.chip.request_lines, self.chip.open)  # type: ignore[arg-type]


def nothing_wrong(_: str) -> Any:
    """A chip whose lines are all there, and free."""
    return TwinChip(CHIP, VirtualClock(), {}).open(CHIP)


@pytest.fixture
def wires() -> Wires:
    return Wires()


def test_levels_speak_of_active_whatever_the_polarity(wires: Wires) -> None:
    lines = wires.lines()
    assert lines.names() == ("up", "present")
    assert lines.levels() == {"up": False, "present": True}
    wires.up.set(True)
    wires.present.set(True)
    assert lines.levels() == {"up": True, "present": False}
    lines.close()


def test_edges_come_oldest_first_with_stamp_level_and_sequence_number(wires: Wires) -> None:
    lines = wires.lines()
    start = wires.clock.now()
    wires.up.set(True)
    wires.clock.sleep(1e-9)
    wires.present.set(True)
    wires.clock.sleep(0.5)
    wires.up.set(False)
    assert lines.edges() == [
        LineEdge("up", start, True, 1),
        LineEdge("present", start + 1, False, 1),
        LineEdge("up", start + 500_000_001, False, 2),
    ]
    assert lines.edges() == []
    lines.close()


def test_the_descriptor_wakes_who_waits_on_the_clock(wires: Wires) -> None:
    lines = wires.lines()
    wires.clock.schedule(wires.clock.now() + 7, lambda: wires.up.set(True))
    assert wires.clock.wait(lines, 1.0)
    assert lines.edges() == [LineEdge("up", wires.clock.now(), True, 1)]
    assert not wires.clock.wait(lines, 0.0)
    lines.close()


def test_a_burst_of_a_thousand_edges_is_read_without_loss(wires: Wires) -> None:
    lines = wires.lines()
    for number in range(1000):
        wires.up.set(number % 2 == 0)
    assert [edge.line_seqno for edge in lines.edges()] == list(range(1, 1001))
    lines.close()


def test_an_overrun_shows_as_a_jump_of_the_sequence_number(wires: Wires) -> None:
    lines = wires.lines()
    for number in range(EVENT_BUFFER + 10):
        wires.up.set(number % 2 == 0)
    edges = lines.edges()
    assert len(edges) == EVENT_BUFFER
    assert edges[0].line_seqno == 11
    lines.close()


def test_the_kernel_is_asked_for_monotonic_stamps_and_both_edges() -> None:
    asked: dict[Any, gpiod.LineSettings | None] = {}

    def request(
        path: str,
        config: Mapping[Iterable[int | str] | int | str, gpiod.LineSettings | None],
        consumer: str | None = None,
        event_buffer_size: int | None = None,
    ) -> gpiod.LineRequest:
        asked.update(config)
        assert (path, event_buffer_size) == (CHIP, EVENT_BUFFER)
        assert consumer
        raise OSError(16, "Device or resource busy")

    with pytest.raises(BenchError, match=r"sense lines: /dev/gpiochip0 lines \[5, 16\]: .*busy"):
        GpiodSenseLines(CHIP, LINES, request, nothing_wrong)
    for settings in asked.values():
        assert settings is not None
        assert settings.event_clock is gpiod.line.Clock.MONOTONIC
        assert settings.edge_detection is gpiod.line.Edge.BOTH
        assert settings.direction is gpiod.line.Direction.INPUT
    assert [settings.active_low for settings in asked.values() if settings] == [False, True]


@pytest.mark.parametrize("problem", [ValueError("line offset of out range"), NotImplementedError(95, "not supported")])
def test_what_gpiod_raises_for_a_bad_request_is_a_bench_error(problem: Exception) -> None:
    def request(*_: object) -> gpiod.LineRequest:
        raise problem

    with pytest.raises(BenchError, match="sense lines"):
        GpiodSenseLines(CHIP, LINES, request, nothing_wrong)


@pytest.mark.parametrize("call", ["edges", "levels"])
def test_a_chip_that_goes_away_is_a_link_error(wires: Wires, call: str) -> None:
    class Gone:
        def gone(self, *_: object) -> Any:
            raise OSError(19, "No such device")

        wait_edge_events = get_values = gone

    lines = GpiodSenseLines(CHIP, LINES, lambda *_: Gone())  # type: ignore[arg-type,return-value]
    with pytest.raises(LinkError, match=r"sense lines up, present: .*No such device"):
        getattr(lines, call)()


def test_a_line_that_somebody_has_is_refused_by_name_and_free_again_after_close(wires: Wires) -> None:
    other = wires.chip.request_lines(CHIP, {16: None}, "gpiomon")
    with pytest.raises(LinesRefusedError) as caught:
        wires.lines()
    assert caught.value.line == 16
    told = "the line of present is taken (found line 16 of /dev/gpiochip0, held by 'gpiomon', expected a free one)"
    assert caught.value.one_line() == told
    other.release()
    wires.lines().close()


def test_a_line_that_the_chip_does_not_have_is_refused_by_name(wires: Wires) -> None:
    lines = (*LINES, SenseLine("mains", 99, True))
    with pytest.raises(LinesRefusedError, match="the chip has no such line, which mains is on") as caught:
        GpiodSenseLines(CHIP, lines, wires.chip.request_lines, wires.chip.open)  # type: ignore[arg-type]
    assert caught.value.line == 99


@pytest.mark.parametrize(
    ("problem", "told"),
    [
        (FileNotFoundError(2, "No such file or directory"), "there is no such GPIO chip"),
        (OSError(19, "No such device"), "this is no GPIO chip"),
        (OSError(25, "Inappropriate ioctl for device"), "this is no GPIO chip"),
        (PermissionError(13, "Permission denied"), "this user may not open the GPIO chip"),
    ],
)
def test_a_chip_that_cannot_be_used_is_refused_by_its_name(problem: OSError, told: str) -> None:
    def request(*_: object) -> gpiod.LineRequest:
        raise problem

    with pytest.raises(LinesRefusedError, match=told) as caught:
        GpiodSenseLines(CHIP, LINES, request)
    assert caught.value.where.found == CHIP
    assert caught.value.line is None
    assert caught.value.code == 2


def test_this_machines_gpiod_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_request_lines() is gpiod.request_lines
    with pytest.raises(LinesRefusedError, match="there is no such GPIO chip"):
        GpiodSenseLines("/dev/gpiochip-none", LINES, load_request_lines())
    monkeypatch.setitem(sys.modules, "gpiod", None)
    with pytest.raises(BenchError, match="no gpiod here"):
        load_request_lines()
