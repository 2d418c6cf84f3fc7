"""A serial port of the twin: a pseudo-terminal that takes the line's own time; with Modbus RTU behind it. No registers.

Modbus over Serial Line V1.02, 2.5.1. Every character takes its bits at the line's rate: a reply is there when request,
silence and reply have gone over the wire. A request with a wrong checksum, at another rate or for another unit is not
answered, as on a real line.
"""

from __future__ import annotations

import contextlib
import os
import select
import termios
import threading
import tty
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from rig.clock import to_ns
from rig.meters.modbus_frames import crc16, has_good_crc
from rig.twin.modbus_server import ModbusDevice
from rig.twin.ports import Timeline

_CHUNK = 4096
_GAP_MS = 50
"""Real time after which what begins no known request is not going on: a program hands its frame to the system at once.
"""
_HALF_MS = 3000
"""The same of what begins a known one: it is half, or the machine is slow, which must not look like a damaged frame."""
_RATES = (300, 600, 1200, 2400, 4800, 9600, 19_200, 38_400, 57_600, 115_200)
_LENGTHS = {3: 8, 4: 8, 5: 8, 6: 8}
"""Whole requests of a fixed length, by function."""
_COUNTED = (15, 16, 21)
"""Functions whose requests say how long they are."""


@dataclass(frozen=True)
class LineRate:
    """`bits`: of one character, start and stop among them."""

    baud: int
    bits: int

    def seconds(self, characters: float) -> float:
        return characters * self.bits / self.baud


class PtyServer(ABC):
    """A serial port: a pseudo-terminal whose other end is `path`. One daemon thread."""

    def __init__(self, timeline: Timeline, lock: AbstractContextManager[object], gap_ms: int | None) -> None:
        """`gap_ms`: real time after which a half request is not going on; None: it is waited for."""
        self._timeline = timeline
        self._lock = lock
        self._gap_ms = gap_ms
        self._delay_s = 0.0
        self._coming: _Coming | None = None
        self.garble: Callable[[bytes], bytes] = lambda frame: frame
        """What the line does to an answer (a fault)."""
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.path: str = os.ttyname(self._slave)
        self._stop = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._guard = threading.Lock()
        self._open = True
        self._thread = threading.Thread(target=self._run, name="serial port", daemon=True)
        self._thread.start()

    @abstractmethod
    def _split(self, data: bytes) -> tuple[bytes | None, bytes]:
        """The first request in what came, or None while there is none, and the rest."""

    @abstractmethod
    def _request(self, request: bytes) -> None:
        """Answer it, or tell the timeline that silence is meant."""

    def _patience_ms(self, data: bytes) -> int | None:
        """Real time for which the rest of what came is waited for; None: for ever."""
        del data
        return self._gap_ms

    def delay(self, seconds: float) -> None:
        """Every answer comes this late from now on (a fault)."""
        self._delay_s = seconds

    def unplug(self) -> None:
        """The port is gone from now on. May be called twice, in any thread."""
        with self._guard:
            if self._open:
                self._open = False
                os.eventfd_write(self._stop, 1)
                os.close(self._master)
                os.close(self._slave)

    def close(self) -> None:
        """`unplug`, and wait until the thread has ended."""
        self.unplug()
        if self._thread is not threading.current_thread() and self._thread.is_alive():
            self._thread.join(5.0)
        if self._stop >= 0:
            os.close(self._stop)
            self._stop = -1

    def _run(self) -> None:
        data, poll = b"", select.poll()
        poll.register(self._master, select.POLLIN)
        poll.register(self._stop, select.POLLIN)
        while True:
            ready = {fd for fd, _ in poll.poll(self._patience_ms(data) if data else None)}
            if self._stop in ready:
                return
            if not ready:
                self._request(data)  # nothing more comes: whatever it is, it is all
                data = b""
                continue
            try:
                data += os.read(self._master, _CHUNK)
            except BlockingIOError:
                continue
            except OSError:  # unplugged meanwhile
                return
            while True:
                request, data = self._split(data)
                if request is None:
                    break
                self._request(request)

    def _reply(self, whole: bytes, delay_s: float, echo: bytes = b"") -> None:
        """`whole` comes `delay_s` from now, or what the line makes of it. Who asked waits for what never comes.

        `echo`: what a head sends back of the question; it comes with the answer.
        """
        arrives, delay_s = self.garble(whole), delay_s + self._delay_s
        if self._breaks_off(arrives, whole):
            with self._lock:
                self._timeline.schedule(self._timeline.now() + to_ns(delay_s), lambda: self._deliver(echo + arrives))
            self._timeline.defer(None, lambda: None)
        else:
            late, self._coming = self._coming, None
            now = self._timeline.now()
            here = _Coming((late.take(now) if late is not None else b"") + echo + arrives, now + to_ns(delay_s))
            self._coming = here
            self._timeline.defer(delay_s, lambda: self._deliver(here.take(0)))

    def _breaks_off(self, arrives: bytes, whole: bytes) -> bool:
        """Whether who asked waits in vain for more than what arrives of an answer."""
        return len(arrives) < len(whole)

    def _deliver(self, data: bytes) -> None:
        with self._guard, contextlib.suppress(OSError):  # nobody reads, or it was unplugged
            while self._open and data:
                data = data[os.write(self._master, data) :]

    def _port_baud(self) -> int | None:
        """The rate at which who opened the port speaks."""
        with self._guard, contextlib.suppress(termios.error):
            if self._open:
                speed = termios.tcgetattr(self._slave)[5]
                return next((rate for rate in _RATES if getattr(termios, f"B{rate}") == speed), None)
        return None


class _Coming:
    """An answer on its way. One that comes after the next question comes in front of the next answer."""

    def __init__(self, data: bytes, due_ns: int) -> None:
        self._data = data
        self._due_ns = due_ns

    def take(self, now_ns: int) -> bytes:
        """It, once, where it is not there before `now_ns`: then nobody waited, and it was thrown away."""
        data, self._data = self._data, b""
        return data if self._due_ns > now_ns else b""


class RtuServer(PtyServer):
    """Serves one Modbus RTU device on a serial port."""

    def __init__(
        self, device: ModbusDevice, rate: LineRate, timeline: Timeline, lock: AbstractContextManager[object]
    ) -> None:
        self._device = device
        self._rate = rate
        super().__init__(timeline, lock, _GAP_MS)

    def _split(self, data: bytes) -> tuple[bytes | None, bytes]:
        length = request_length(data)
        return (None, data) if length is None or len(data) < length else (data[:length], data[length:])

    def _patience_ms(self, data: bytes) -> int:
        return patience_ms(data)

    def _request(self, request: bytes) -> None:
        reply = None
        if has_good_crc(request) and self._port_baud() == self._rate.baud:
            with self._lock:
                reply = self._device.answer(request[0], request[1:-2])
        if reply is None:
            self._timeline.defer(None, lambda: None)
            return
        answer = request[:1] + reply
        whole = answer + crc16(answer)
        self._reply(whole, self._rate.seconds(len(request) + 3.5 + len(whole)))


def patience_ms(data: bytes) -> int:
    """How long (real time) the rest of what came is waited for."""
    known = len(data) < 2 or data[1] in _LENGTHS or data[1] in _COUNTED
    return _HALF_MS if known else _GAP_MS


def request_length(data: bytes) -> int | None:
    """How long the request is that begins with `data`; None while that cannot be told."""
    if len(data) < 2:
        return None
    function = data[1]
    if function in _LENGTHS:
        return _LENGTHS[function]
    if function in (15, 16):
        return 9 + data[6] if len(data) > 6 else None
    if function == 21:
        return 5 + data[2] if len(data) > 2 else None
    return None
