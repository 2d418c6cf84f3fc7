"""The twin's GPIO: the call sets of `RPi.GPIO` (relay lines) and of `gpiod` (sense lines), over signals of the model.

No physics. What a real chip does is kept: lines must be set up before use, a line in use is refused, edges carry the
kernel's stamp and sequence numbers, and a queue that overruns drops its oldest event (Linux kernel documentation,
userspace-api/gpio/gpio-v2-line-event-read). What would wait for real time is refused: waiting is the clock's work.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from rig.twin.devices import Signal
from rig.twin.ports import Timeline

if TYPE_CHECKING:
    from gpiod import ChipInfo, EdgeEvent, LineInfo, LineSettings
    from gpiod.line import Value

EVENTS_A_LINE = 16
"""The kernel's default event buffer is 16 events for each requested line."""
MOST_EVENTS = 64 * EVENTS_A_LINE
"""The kernel allows 64 lines in a request, and no more events than 16 for each of them."""
EVENTS_A_READ = 64
"""gpiod reads at most so many events at once when it is not told how many."""

LineId = int | str
LineConfig = Mapping[LineId | Iterable[LineId], "LineSettings | None"]


class TwinRPiGPIO:
    """The part of the `RPi.GPIO` module that a relay driver uses; `drive(pin, level)` tells that a line changed.

    An undriven line is low: the relay board pulls it down.
    """

    BCM, BOARD = 11, 10
    OUT, IN = 0, 1
    LOW, HIGH = 0, 1

    def __init__(self, drive: Callable[[int, bool], None]) -> None:
        self._drive = drive
        self._mode: int | None = None
        self._levels: dict[int, int] = {}
        self._outputs: set[int] = set()
        self.stuck: dict[int, int] = {}
        """Lines that ignore what is written, by pin (a fault)."""

    def setwarnings(self, flag: bool) -> None:
        del flag

    def setmode(self, mode: int) -> None:
        if self._mode not in (None, mode):
            raise ValueError("A different mode has already been set!")
        self._mode = mode

    def getmode(self) -> int | None:
        return self._mode

    def setup(self, channel: int, direction: int, *, initial: int | None = None) -> None:
        """Without `initial` the line keeps the level that it has."""
        if self._mode is None:
            raise RuntimeError("Please set pin numbering mode using GPIO.setmode(GPIO.BOARD) or GPIO.setmode(GPIO.BCM)")
        if direction != self.OUT:
            raise ValueError("the twin's relay lines are outputs")
        self._outputs.add(channel)
        if initial is not None:
            self.output(channel, initial)

    def output(self, channel: int, value: int | bool) -> None:
        if channel not in self._outputs:
            raise RuntimeError("The GPIO channel has not been set up as an OUTPUT")
        self._move(channel, int(bool(value)))

    def input(self, channel: int) -> int:
        if channel not in self._outputs:
            raise RuntimeError("You must setup() the GPIO channel first")
        return self._levels.get(channel, self.LOW)

    def cleanup(self, channel: int | None = None) -> None:
        """The line becomes an input without pull, as in both libraries; then the relay board pulls it down."""
        for pin in [channel] if channel is not None else list(self._outputs):
            if pin in self._outputs:
                self._outputs.remove(pin)
                self._move(pin, self.LOW)
        if channel is None:
            self._mode = None

    def _move(self, pin: int, wanted: int) -> None:
        level = self.stuck.get(pin, wanted)
        if level != self._levels.get(pin, self.LOW):
            self._levels[pin] = level
            self._drive(pin, bool(level))


class TwinChip:
    """One GPIO chip with lines named `GPIO0` on, of which `lines` are wired; `request_lines` is gpiod's own call."""

    LINES = 54

    def __init__(self, path: str, timeline: Timeline, lines: Mapping[int, Signal]) -> None:
        self.path = path
        self._timeline = timeline
        self._lines = dict(lines)
        self._taken: dict[int, str] = {}
        self.drop_next: dict[int, int] = {}
        """How many of the next edges of a line get lost (a fault)."""

    def request_lines(
        self,
        path: str,
        config: LineConfig,
        consumer: str | None = None,
        event_buffer_size: int | None = None,
    ) -> TwinLineRequest:
        self._check_path(path)
        settings: dict[int, LineSettings | None] = {}
        names: dict[str, int] = {}
        for line, how in _each(config):
            offset = self._offset(line)
            if offset in settings:
                raise ValueError(f"line must be configured exactly once - offset {offset} repeats")
            settings[offset] = how
            names[line if isinstance(line, str) else f"GPIO{offset}"] = offset
        if not self._taken.keys().isdisjoint(settings):
            raise OSError(16, "Device or resource busy")
        lines = {offset: self._lines[offset] for offset in settings}
        size = min(event_buffer_size or EVENTS_A_LINE * len(lines), MOST_EVENTS)
        request = TwinLineRequest(self, self._timeline, lines, settings, names, size)
        self._taken.update(dict.fromkeys(settings, consumer or "?"))  # gpiod's own default
        return request

    def release(self, offsets: Iterable[int]) -> None:
        for offset in offsets:
            self._taken.pop(offset, None)

    def open(self, path: str) -> TwinChipFace:
        """gpiod's `Chip(path)`."""
        self._check_path(path)
        return TwinChipFace(self)

    def consumer(self, offset: int) -> str | None:
        """Who has requested this line; None: it is free."""
        return self._taken.get(offset)

    def _check_path(self, path: str) -> None:
        if path != self.path:
            raise FileNotFoundError(2, "No such file or directory", path)

    def _offset(self, line: LineId) -> int:
        if isinstance(line, str):
            known = {f"GPIO{n}": n for n in self._lines}
            if line not in known and not line.isdecimal():
                raise FileNotFoundError(2, "No such file or directory")
            line = known[line] if line in known else int(line)
        if line not in self._lines:
            raise ValueError("line offset of out range")  # gpiod's own words
        return line


class TwinChipFace:
    """The part of gpiod's `Chip` that only looks. Relay lines are driven by another call set: here they look free."""

    def __init__(self, chip: TwinChip) -> None:
        self._chip = chip

    def get_info(self) -> ChipInfo:
        from gpiod import ChipInfo as GpiodInfo

        return GpiodInfo(self._chip.path.rpartition("/")[2], "twin", self._chip.LINES)

    def get_line_info(self, line: int | str) -> LineInfo:
        from gpiod import LineInfo as GpiodInfo
        from gpiod.line import Bias, Clock, Direction, Drive, Edge

        if not isinstance(line, int) or not 0 <= line < self._chip.LINES:
            raise ValueError("line offset of out range")  # gpiod's own words
        consumer = self._chip.consumer(line)
        return GpiodInfo(
            offset=line,
            name=f"GPIO{line}",
            used=consumer is not None,
            consumer=consumer or "",
            direction=Direction.INPUT.value,
            active_low=False,
            bias=Bias.UNKNOWN.value,
            drive=Drive.PUSH_PULL.value,
            edge_detection=Edge.NONE.value,
            event_clock=Clock.MONOTONIC.value,
            debounced=False,
            debounce_period_us=0,
        )

    def close(self) -> None:
        """Nothing is held."""


class TwinLineRequest:
    """gpiod's `LineRequest` for input lines."""

    def __init__(
        self,
        chip: TwinChip,
        timeline: Timeline,
        lines: dict[int, Signal],
        settings: Mapping[int, LineSettings | None],
        names: Mapping[str, int],
        size: int,
    ) -> None:
        self._chip = chip
        self._timeline = timeline
        self._lines = lines
        self._names = names
        self._low_active = {n: s is not None and s.active_low for n, s in settings.items()}
        self._told = {n: _told(s) for n, s in settings.items()}
        self._events: deque[EdgeEvent] = deque(maxlen=_power_of_two(size))
        self._seqno = dict.fromkeys(lines, 0)
        self._all = 0
        self._ready = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._open = True
        for offset, signal in lines.items():
            signal.listen(lambda level, n=offset: self._edge(n, level))  # type: ignore[misc]

    @property
    def fd(self) -> int:
        self._check()
        return self._ready

    def fileno(self) -> int:
        return self.fd

    @property
    def offsets(self) -> list[int]:
        self._check()
        return list(self._lines)

    def get_values(self, lines: Iterable[LineId] | None = None) -> list[Value]:
        self._check()
        wanted = list(lines) if lines is not None else []
        return [self.get_value(n) for n in wanted or self._lines]

    def get_value(self, line: LineId) -> Value:
        from gpiod.line import Value as GpiodValue

        self._check()
        if isinstance(line, str):
            if line not in self._names:
                raise ValueError(f"unknown line name: {line}")
            line = self._names[line]
        if line not in self._lines:
            raise ValueError(22, "Invalid argument")
        active = self._lines[line].level != self._low_active[line]
        return GpiodValue.ACTIVE if active else GpiodValue.INACTIVE

    def wait_edge_events(self, timeout: timedelta | float | None = None) -> bool:
        """Whether events wait now. With a time-out of 0 only: a real chip would wait in real time."""
        self._check()
        seconds = timeout.total_seconds() if isinstance(timeout, timedelta) else timeout
        if not self._events and seconds != 0:
            raise RuntimeError("nobody waits for the twin's lines in real time: wait for `fd` through the clock")
        return bool(self._events)

    def read_edge_events(self, max_events: int | None = None) -> list[EdgeEvent]:
        self._check()
        if not self._events:
            raise RuntimeError("no event waits: on a real chip this read would block")
        count = min(max_events if max_events is not None else EVENTS_A_READ, len(self._events))
        taken = [self._events.popleft() for _ in range(count)]
        if not self._events:
            os.eventfd_read(self._ready)
        return taken

    def release(self) -> None:
        if self._open:
            self._open = False
            self._chip.release(self._lines)
            os.close(self._ready)

    def _edge(self, offset: int, level: bool) -> None:
        from gpiod import EdgeEvent as GpiodEvent

        active = level != self._low_active[offset]
        kind = GpiodEvent.Type.RISING_EDGE if active else GpiodEvent.Type.FALLING_EDGE
        if not self._open or kind not in self._told[offset]:
            return
        self._seqno[offset] += 1
        self._all += 1
        if self._chip.drop_next.get(offset, 0) > 0:
            self._chip.drop_next[offset] -= 1
            return
        if not self._events:
            os.eventfd_write(self._ready, 1)
        number: Any = kind.value
        self._events.append(GpiodEvent(number, self._timeline.now(), offset, self._all, self._seqno[offset]))

    def _check(self) -> None:
        if not self._open:
            from gpiod.exception import RequestReleasedError

            raise RequestReleasedError


def _each(config: LineConfig) -> Iterator[tuple[LineId, LineSettings | None]]:
    for key, settings in config.items():
        for line in [key] if isinstance(key, int | str) else key:
            yield line, settings


def _told(settings: LineSettings | None) -> tuple[EdgeEvent.Type, ...]:
    """The edges that the kernel reports. Raises for settings that the twin's lines cannot have."""
    from gpiod import EdgeEvent as GpiodEvent
    from gpiod.line import Clock, Direction, Edge

    if settings is None:
        return ()
    if settings.direction is Direction.OUTPUT or settings.event_clock is not Clock.MONOTONIC:
        raise NotImplementedError("the twin's sense lines are inputs, stamped on the monotonic clock")
    rising, falling = GpiodEvent.Type.RISING_EDGE, GpiodEvent.Type.FALLING_EDGE
    return {Edge.NONE: (), Edge.RISING: (rising,), Edge.FALLING: (falling,), Edge.BOTH: (rising, falling)}[
        settings.edge_detection
    ]


def _power_of_two(size: int) -> int:
    """The kernel rounds a queue's size up (kfifo)."""
    return 1 << max(0, size - 1).bit_length()
