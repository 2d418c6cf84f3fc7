"""The twin's GPIO: the call sets of `RPi.GPIO` (relay lines) and of `gpiod` (sense lines), over signals of the model.

No physics. What a real chip does is kept: lines must be set up before use, a line in use is refused, edges carry the
kernel's stamp and sequence numbers, and a queue that overruns drops its oldest events.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from rig.twin.devices import Signal
from rig.twin.ports import Timeline

if TYPE_CHECKING:
    from gpiod import EdgeEvent, LineSettings
    from gpiod.line import Value

DEFAULT_EVENTS = 16
"""libgpiod: the kernel's default event buffer is 16 events for each requested line."""


class TwinRPiGPIO:
    """The part of the `RPi.GPIO` module that a relay driver uses; `drive(pin, level)` tells that an output changed."""

    BCM, BOARD = 11, 10
    OUT, IN = 0, 1
    LOW, HIGH = 0, 1

    def __init__(self, drive: Callable[[int, bool], None]) -> None:
        self._drive = drive
        self._mode: int | None = None
        self._levels: dict[int, int] = {}
        self.stuck: dict[int, int] = {}
        """Lines that ignore what is written, by pin (a fault)."""

    def setwarnings(self, flag: bool) -> None:
        del flag

    def setmode(self, mode: int) -> None:
        self._mode = mode

    def getmode(self) -> int | None:
        return self._mode

    def setup(self, channel: int, direction: int, initial: int | None = None) -> None:
        if self._mode is None:
            raise RuntimeError("Please set pin numbering mode using GPIO.setmode(GPIO.BOARD) or GPIO.setmode(GPIO.BCM)")
        if direction != self.OUT:
            raise ValueError("the twin's relay lines are outputs")
        self._levels.setdefault(channel, self.LOW)
        if initial is not None:
            self.output(channel, initial)

    def output(self, channel: int, value: int | bool) -> None:
        if channel not in self._levels:
            raise RuntimeError("The GPIO channel has not been set up as an OUTPUT")
        level = self.stuck.get(channel, int(bool(value)))
        if level != self._levels[channel]:
            self._levels[channel] = level
            self._drive(channel, bool(level))

    def input(self, channel: int) -> int:
        if channel not in self._levels:
            raise RuntimeError("You must setup() the GPIO channel first")
        return self._levels[channel]

    def cleanup(self, channel: int | None = None) -> None:
        """Released lines keep their level, as on a Raspberry Pi's kernel."""
        for pin in [channel] if channel is not None else list(self._levels):
            self._levels.pop(pin, None)


class TwinChip:
    """One GPIO chip with input lines; `request_lines` is gpiod's own call."""

    def __init__(self, path: str, timeline: Timeline, lines: Mapping[int, Signal]) -> None:
        self.path = path
        self._timeline = timeline
        self._lines = dict(lines)
        self._taken: set[int] = set()
        self.drop_next: dict[int, int] = {}
        """How many of the next edges of a line get lost (a fault)."""

    def request_lines(
        self,
        path: str,
        config: Mapping[int, LineSettings | None],
        consumer: str | None = None,
        event_buffer_size: int | None = None,
    ) -> TwinLineRequest:
        del consumer
        if path != self.path:
            raise FileNotFoundError(2, "No such file or directory", path)
        for offset in config:
            if offset not in self._lines:
                raise ValueError(f"line offset {offset} is out of range")
            if offset in self._taken:
                raise OSError(16, "Device or resource busy")
        self._taken.update(config)
        size = event_buffer_size or DEFAULT_EVENTS * len(config)
        lines = {offset: self._lines[offset] for offset in config}
        return TwinLineRequest(self, self._timeline, lines, config, size)

    def release(self, offsets: list[int]) -> None:
        self._taken.difference_update(offsets)


class TwinLineRequest:
    """gpiod's `LineRequest` for input lines with edge detection."""

    def __init__(
        self,
        chip: TwinChip,
        timeline: Timeline,
        lines: dict[int, Signal],
        settings: Mapping[int, LineSettings | None],
        size: int,
    ) -> None:
        self._chip = chip
        self._timeline = timeline
        self._lines = lines
        self._low_active = {n: bool(s is not None and s.active_low) for n, s in settings.items()}
        self._events: deque[EdgeEvent] = deque(maxlen=size)
        self._seqno = dict.fromkeys(lines, 0)
        self._all = 0
        self._ready = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._open = True
        for offset, signal in lines.items():
            signal.listen(lambda level, n=offset: self._edge(n, level))  # type: ignore[misc]

    @property
    def fd(self) -> int:
        return self._ready

    @property
    def offsets(self) -> list[int]:
        return list(self._lines)

    def get_values(self, lines: list[int] | None = None) -> list[Value]:
        self._check()
        return [self.get_value(n) for n in (lines if lines is not None else self._lines)]

    def get_value(self, line: int) -> Value:
        from gpiod.line import Value as GpiodValue

        self._check()
        active = self._lines[line].level != self._low_active[line]
        return GpiodValue.ACTIVE if active else GpiodValue.INACTIVE

    def wait_edge_events(self, timeout: timedelta | float | None = None) -> bool:
        """Whether events wait now. Waiting is the clock's work; this never blocks."""
        del timeout
        self._check()
        return bool(self._events)

    def read_edge_events(self, max_events: int | None = None) -> list[EdgeEvent]:
        self._check()
        count = min(max_events or len(self._events), len(self._events))
        taken = [self._events.popleft() for _ in range(count)]
        if taken and not self._events:
            os.eventfd_read(self._ready)
        return taken

    def release(self) -> None:
        if self._open:
            self._open = False
            self._chip.release(list(self._lines))
            os.close(self._ready)

    def _edge(self, offset: int, level: bool) -> None:
        if not self._open:
            return
        from gpiod import EdgeEvent as GpiodEvent

        self._seqno[offset] += 1
        self._all += 1
        if self._chip.drop_next.get(offset, 0) > 0:
            self._chip.drop_next[offset] -= 1
            return
        active = level != self._low_active[offset]
        kind: Any = (GpiodEvent.Type.RISING_EDGE if active else GpiodEvent.Type.FALLING_EDGE).value
        if not self._events:
            os.eventfd_write(self._ready, 1)
        self._events.append(GpiodEvent(kind, self._timeline.now(), offset, self._all, self._seqno[offset]))

    def _check(self) -> None:
        if not self._open:
            from gpiod.exception import RequestReleasedError

            raise RequestReleasedError
