"""A serial port with a Modbus RTU device behind it: a pseudo-terminal that takes the line's own time. No registers.

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
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from rig.clock import to_ns
from rig.meters.modbus_frames import crc16, has_good_crc
from rig.twin.modbus_server import ModbusDevice
from rig.twin.ports import Timeline

_CHUNK = 4096
_GAP_MS = 50
"""Real time after which a half request is not going on: a program hands its frame to the system at once."""
_LENGTHS = {3: 8, 4: 8, 5: 8, 6: 8}
"""Whole requests of a fixed length, by function."""


@dataclass(frozen=True)
class LineRate:
    """`bits`: of one character, start and stop among them."""

    baud: int
    bits: int

    def seconds(self, characters: float) -> float:
        return characters * self.bits / self.baud


class RtuServer:
    """Serves one device on a pseudo-terminal, whose other end is `path`. One daemon thread."""

    def __init__(
        self, device: ModbusDevice, rate: LineRate, timeline: Timeline, lock: AbstractContextManager[object]
    ) -> None:
        self._device = device
        self._rate = rate
        self._timeline = timeline
        self._lock = lock
        self._delay_s = 0.0
        self.garble: Callable[[bytes], bytes] = lambda frame: frame
        """What the line does to a reply (a fault)."""
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.path: str = os.ttyname(self._slave)
        self._stop = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._guard = threading.Lock()
        self._open = True
        self._thread = threading.Thread(target=self._run, name="serial port", daemon=True)
        self._thread.start()

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
            ready = {fd for fd, _ in poll.poll(_GAP_MS if data else None)}
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
            while (length := request_length(data)) is not None and len(data) >= length:
                self._request(data[:length])
                data = data[length:]

    def _request(self, frame: bytes) -> None:
        reply = None
        if has_good_crc(frame) and self._same_rate():
            with self._lock:
                reply = self._device.answer(frame[0], frame[1:-2])
        if reply is None:
            self._timeline.defer(None, lambda: None)
            return
        answer = frame[:1] + reply
        whole = answer + crc16(answer)
        delay_s = self._rate.seconds(len(frame) + 3.5 + len(whole)) + self._delay_s
        arrives = self.garble(whole)
        if len(arrives) < len(whole):  # who asked is meant to wait for the rest in vain
            self._timeline.schedule(self._timeline.now() + to_ns(delay_s), lambda: self._deliver(arrives))
            self._timeline.defer(None, lambda: None)
        else:
            self._timeline.defer(delay_s, lambda: self._deliver(arrives))

    def _deliver(self, frame: bytes) -> None:
        with self._guard, contextlib.suppress(OSError):  # nobody reads, or it was unplugged
            if self._open:
                os.write(self._master, frame)

    def _same_rate(self) -> bool:
        """Whether who opened the port speaks at the line's rate: else all is noise."""
        with self._guard, contextlib.suppress(termios.error):
            if self._open:
                return bool(termios.tcgetattr(self._slave)[5] == getattr(termios, f"B{self._rate.baud}"))
        return False


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
