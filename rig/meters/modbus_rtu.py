"""Modbus RTU on a serial line: `rig.meters.modbus_link` with what a line without transaction numbers needs.

Modbus over Serial Line V1.02. pymodbus's serial client asks again and again whether something came, on the wall clock;
here it waits for bytes and for the clock's watchdog.
"""

from __future__ import annotations

import os
import select
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from rig.clock import NS, Clock
from rig.errors import LinkError, LinkTimeout
from rig.meters.modbus_frames import Expected, check_rtu, read_reply, unfinished_rtu
from rig.meters.modbus_link import ExceptionReply, ModbusLink

if TYPE_CHECKING:
    from pymodbus.client.base import ModbusBaseSyncClient

_LEAST_SILENCE_S = 0.00175
_MOST_DRAINS = 200

Parity = Literal["none", "even", "odd"]


@dataclass(frozen=True)
class SerialLine:
    """A serial port and how it is set. Eight data bits, as RTU has them."""

    port: str
    baud: int
    parity: Parity
    stop_bits: int

    def bits(self) -> int:
        """Of one character on the wire."""
        return 1 + 8 + (self.parity != "none") + self.stop_bits

    def seconds(self, characters: float) -> float:
        return characters * self.bits() / self.baud

    def silence_s(self) -> float:
        """Between two frames: 3.5 characters, and above 19,200 baud 1.75 ms (Serial Line V1.02, 2.5.1.1)."""
        return max(self.seconds(3.5), _LEAST_SILENCE_S) if self.baud > 19_200 else self.seconds(3.5)


Probe = tuple[int, int, int]
"""A question that may be asked at any time: register, count, function."""


class RtuLink(ModbusLink):
    """Modbus RTU on a serial line.

    Before each request the line is quiet for the time between frames, and what came meanwhile is thrown away. After a
    question that was not answered, the next one could be taken to be answered by the late reply: so a question of
    another shape (`probes`) is asked first. A meter answers in order: once that is answered, nothing older comes.
    """

    _place = "port"

    def __init__(
        self, name: str, line: SerialLine, unit: int, clock: Clock, timeout_s: float, probes: Sequence[Probe]
    ) -> None:
        super().__init__(name, unit, clock, timeout_s)
        self._line = line
        self._probes = list(probes)
        self._unanswered: list[Expected] = []
        self._heard = b""
        self._wrong: str | None = None

    @property
    def where(self) -> str:
        return self._line.port

    def abort(self) -> None:
        if self._client is not None:
            self._client.wake()

    def _before(self, expected: Expected) -> None:
        if self._unanswered:
            self._catch_up()
        super()._before(expected)
        self._heard, self._wrong = b"", None
        self._clock.sleep(self._line.silence_s())

    def _catch_up(self) -> None:
        """Until nothing that is still on its way can be taken for an answer to the next question."""
        owed, self._unanswered = self._unanswered, []
        self._drain()
        probe = next((p for p in self._probes if all(read_reply(p[2], p[1]).differs_from(o) for o in owed)), None)
        if probe is None:
            self._clock.sleep(self._timeout_s)
            self._drain()
            return
        register, count, function = probe
        try:
            self.read(register, count, function)
        except ExceptionReply:
            return  # an answer too
        except BaseException:
            self._unanswered = [*owed, *self._unanswered]
            raise

    def _drain(self) -> None:
        """Throw away what comes until the line is quiet."""
        for _ in range(_MOST_DRAINS):
            self._clock.sleep(self._line.silence_s())
            client = self._client
            if client is None:
                return  # it was closed: opening throws away what waits
            if not client.waiting():
                return
        raise LinkError(f"{self.name}: the line is never quiet")

    def _failed(self, expected: Expected) -> None:
        self._unanswered.append(expected)

    def _problem(self, error: Exception) -> str | None:
        if self._wrong is None and self._heard and isinstance(error, LinkTimeout):
            return unfinished_rtu(self._heard, self._expected)
        return self._wrong

    def _hear(self, data: bytes) -> None:
        self._heard = data
        try:
            check_rtu(data, self._unit, self._expected)
        except LinkError as error:
            self._wrong = error.message
            raise

    def _open(self, timeout_s: float) -> ModbusBaseSyncClient:
        return _client(self._line, timeout_s, self._clock, self._note_sent, self._traced)

    def _traced(self, sending: bool, data: bytes) -> None:
        self._trace(sending, data)
        if not sending:
            self._hear(data)


def _client(
    line: SerialLine,
    timeout_s: float,
    clock: Clock,
    sent: Callable[[int, int], None],
    trace: Callable[[bool, bytes], None],
) -> ModbusBaseSyncClient:
    """pymodbus's client on this line. `sent`: between which instants a request left; `trace`: it, and all since."""
    from pymodbus.client import ModbusSerialClient

    class Client(ModbusSerialClient):
        _wake = -1

        def connect(self) -> bool:
            if self._wake < 0:
                self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
            return bool(super().connect())

        def close(self) -> None:
            super().close()  # type: ignore[no-untyped-call]
            wake, self._wake = self._wake, -1
            if wake >= 0:
                os.close(wake)

        def wake(self) -> None:
            """Ends a `recv` that waits, in any thread."""
            os.eventfd_write(self._wake, 1)

        def send(self, request: bytes, addr: tuple[object, ...] | None = None) -> int:
            del addr
            before = clock.now()
            count = _write(self.socket, request)
            on_the_line = round(line.seconds(len(request)) * NS)
            sent(before, max(clock.now(), before + on_the_line))
            if count != len(request):
                raise ConnectionError(f"{count} of {len(request)} bytes were sent")
            return count

        def recv(self, size: int | None) -> bytes:
            del size
            return _read(self.socket, self._wake, timeout_s)

        def waiting(self) -> bool:
            """Whether something came; it is thrown away."""
            return _thrown_away(self.socket)

    def heard(sending: bool, data: bytes) -> bytes:
        trace(sending, data)
        return data

    return Client(
        line.port,
        baudrate=line.baud,
        parity={"none": "N", "even": "E", "odd": "O"}[line.parity],
        stopbits=line.stop_bits,
        timeout=timeout_s,
        retries=0,
        trace_packet=heard,
    )


def _write(port: Any, request: bytes) -> int:
    port.reset_input_buffer()
    count = int(port.write(request))
    port.flush()
    return count


def _read(port: Any, wake: int, timeout_s: float) -> bytes:
    """What comes next, or nothing when the time is over or `wake` is readable."""
    fd, poll = port.fileno(), select.poll()
    poll.register(fd, select.POLLIN)
    poll.register(wake, select.POLLIN)
    found = {ready for ready, _ in poll.poll(1000 * timeout_s)}
    if wake in found and not _comes(fd):
        return b""  # the time is over, and nothing is on its way through the kernel
    return os.read(fd, 4096) if found else b""


def _thrown_away(port: Any) -> bool:
    came = _comes(port.fileno())
    port.reset_input_buffer()
    return came


def _comes(fd: int) -> bool:
    """Whether something came. Who polls a pseudo-terminal is first given what is on its way through the kernel."""
    return bool(select.select([fd], [], [], 0)[0])
