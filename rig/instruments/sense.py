"""Sense lines through libgpiod's own binding: kernel-stamped edges, sequence numbers, and level reads.

The stamps are the kernel's CLOCK_MONOTONIC (libgpiod 2, `Clock.MONOTONIC`), the line of `Clock.now`, taken when the
interrupt is served: later than the edge by the interrupt's jitter, which belongs to a line's `latency_s`. No debounce
is asked for: the kernel would stamp an edge when its debounce ends. Knows lines and levels, not what they mean.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from rig.errors import BenchError, InputError, LinkError, Where
from rig.instruments.chips import OpenChip, chip_info, line_infos, load_open_chip
from rig.instruments.ports import LineEdge

if TYPE_CHECKING:
    from gpiod import EdgeEvent, LineRequest, LineSettings

EVENT_BUFFER = 1024
"""Edges that the kernel keeps for us, the most that it allows; a burst of 1,000 is read without loss."""


class RequestLines(Protocol):
    """`gpiod.request_lines`."""

    def __call__(
        self,
        path: str,
        config: Mapping[Iterable[int | str] | int | str, LineSettings | None],
        consumer: str | None = None,
        event_buffer_size: int | None = None,
    ) -> LineRequest: ...


def load_request_lines() -> RequestLines:
    """`gpiod.request_lines` of this machine. Raises BenchError where there is no gpiod."""
    try:
        import gpiod
    except ImportError as error:
        raise BenchError("no gpiod here: sense lines need Linux and the package gpiod") from error
    request: Any = gpiod.request_lines
    lines: RequestLines = request
    return lines


@dataclass(frozen=True)
class SenseLine:
    name: str
    line: int
    active_high: bool


class LinesRefusedError(InputError):
    """The kernel does not give these lines: nothing was touched. `line` is the one to blame, None for the chip."""

    def __init__(self, message: str, where: Where, line: int | None = None) -> None:
        super().__init__(message, where)
        self.line = line


class GpiodSenseLines:
    """Implements `rig.instruments.ports.SenseLines` for lines of one chip.

    Raises `LinesRefusedError` where there is no such chip or line, or somebody else has it; BenchError for whatever
    else the kernel or the library finds.
    """

    def __init__(
        self,
        chip: str,
        lines: tuple[SenseLine, ...],
        request_lines: RequestLines,
        open_chip: OpenChip | None = None,
    ) -> None:
        """`open_chip`: by what a chip that refuses is looked at; None = this machine's gpiod."""
        from gpiod import LineSettings
        from gpiod.line import Bias, Clock, Direction, Edge

        self._names = {line.line: line.name for line in lines}
        config: dict[Iterable[int | str] | int | str, LineSettings | None] = {
            line.line: LineSettings(
                direction=Direction.INPUT,
                edge_detection=Edge.BOTH,
                bias=Bias.AS_IS,
                event_clock=Clock.MONOTONIC,
                active_low=not line.active_high,
            )
            for line in lines
        }
        try:
            self._request = request_lines(chip, config, "ichis-rig", EVENT_BUFFER)
        except (OSError, ValueError, NotImplementedError) as error:  # gpiod's words for EINVAL and EOPNOTSUPP
            raise self._refused(chip, error, open_chip) from error

    def names(self) -> tuple[str, ...]:
        return tuple(self._names.values())

    def fileno(self) -> int:
        return self._request.fd

    def edges(self) -> list[LineEdge]:
        found: list[LineEdge] = []
        with self._calls():
            while self._request.wait_edge_events(0):
                found += [self._edge(event) for event in self._request.read_edge_events()]
        return found

    def levels(self) -> dict[str, bool]:
        from gpiod.line import Value

        offsets = list(self._names)
        with self._calls():
            values = self._request.get_values(offsets)
        return {self._names[n]: value is Value.ACTIVE for n, value in zip(offsets, values, strict=True)}

    def close(self) -> None:
        self._request.release()

    def _refused(self, chip: str, error: Exception, open_chip: OpenChip | None) -> BenchError | LinesRefusedError:
        number = error.errno if isinstance(error, OSError) else None
        if number == errno.ENOENT:
            there = ", ".join(sorted(str(path) for path in Path("/dev").glob("gpiochip*")))
            expected = there or "a machine that has GPIO chips"
            return LinesRefusedError("there is no such GPIO chip", Where(found=chip, expected=expected))
        if number in (errno.ENODEV, errno.ENOTTY):
            return LinesRefusedError("this is no GPIO chip", Where(found=chip, expected="/dev/gpiochipN"))
        if number in (errno.EACCES, errno.EPERM):
            expected = "a user in the group that owns it (on a Raspberry Pi: gpio)"
            return LinesRefusedError("this user may not open the GPIO chip", Where(found=chip, expected=expected))
        return self._blamed(chip, open_chip) or BenchError(f"sense lines: {chip} lines {sorted(self._names)}: {error}")

    def _blamed(self, chip: str, open_chip: OpenChip | None) -> LinesRefusedError | None:
        """The line for which the whole request was refused, when the chip shows it."""
        look = open_chip or load_open_chip()
        try:
            count = chip_info(look, chip).num_lines
            infos = line_infos(look, chip, [line for line in self._names if line < count])
        except BenchError:
            return None
        for line, name in self._names.items():
            if line >= count:
                where = Where(found=f"line {line} of {chip}", expected=f"0 to {count - 1}")
                return LinesRefusedError(f"the chip has no such line, which {name} is on", where, line)
            if infos[line].used:
                found = f"line {line} of {chip}, held by {infos[line].consumer or 'a consumer without a name'!r}"
                return LinesRefusedError(
                    f"the line of {name} is taken", Where(found=found, expected="a free one"), line
                )
        return None

    @contextmanager
    def _calls(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError) as error:
            raise LinkError(f"sense lines {', '.join(self.names())}: {error}") from error

    def _edge(self, event: EdgeEvent) -> LineEdge:
        rising = event.event_type is event.Type.RISING_EDGE
        return LineEdge(self._names[event.line_offset], event.timestamp_ns, rising, event.line_seqno)
