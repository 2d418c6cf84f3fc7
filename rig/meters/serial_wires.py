"""What pyserial opens, so that a blocked read or write can be ended from another thread. Knows no protocol and no time.

A device is read through its descriptor; a URL (an RFC 2217 server, a plain socket) has none, and is asked in slices.
"""

from __future__ import annotations

import math
import os
import select
from abc import ABC, abstractmethod
from typing import Any

_SLICE_S = 0.1
_CHUNK = 4096
_MOST_CHUNKS = 200
_UNIX98_PTY = range(136, 144)
"""Major numbers of pseudo-terminals (Linux, Documentation/admin-guide/devices.txt)."""


class Wire(ABC):
    """An open port of pyserial's."""

    has_line = True
    """Whether characters take their time: not on a pseudo-terminal, not on a plain socket."""

    def __init__(self, port: Any) -> None:
        self._port = port

    def set_baud(self, baud: int) -> None:
        self._port.baudrate = baud

    @abstractmethod
    def write(self, data: bytes) -> None:
        """Hand all of it over, and wait until it left as far as the port tells."""

    @abstractmethod
    def read(self, timeout_s: float) -> bytes:
        """What comes next; nothing when the time is over, or after `wake`."""

    @abstractmethod
    def discard(self) -> bool:
        """Throw away what came; returns whether there was something."""

    @abstractmethod
    def pause(self, seconds: float) -> None: ...

    @abstractmethod
    def wake(self) -> None:
        """End what blocks, in any thread."""

    @abstractmethod
    def rest(self) -> None:
        """Forget an old `wake`."""

    def close(self) -> None:
        self._port.close()


class _DeviceWire(Wire):
    """A port with a descriptor of its own."""

    def __init__(self, port: Any) -> None:
        super().__init__(port)
        self._fd = int(port.fileno())
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self.has_line = os.major(os.fstat(self._fd).st_rdev) not in _UNIX98_PTY

    def write(self, data: bytes) -> None:
        while data:
            if self._wake in self._ready(select.POLLOUT, None):
                raise ConnectionError("aborted")
            data = data[os.write(self._fd, data) :]
        self._port.flush()

    def read(self, timeout_s: float) -> bytes:
        found = self._ready(select.POLLIN, timeout_s)
        if self._wake in found and not self._comes():
            return b""  # the time is over, and nothing is on its way through the kernel
        if not found:
            return b""
        data = os.read(self._fd, _CHUNK)
        if not data:
            raise ConnectionError("hung up")
        return data

    def discard(self) -> bool:
        came = self._comes()
        self._port.reset_input_buffer()
        return came

    def pause(self, seconds: float) -> None:
        self._ready(0, seconds)

    def wake(self) -> None:
        if self._wake >= 0:
            os.eventfd_write(self._wake, 1)

    def rest(self) -> None:
        try:
            os.eventfd_read(self._wake)
        except BlockingIOError:
            return

    def close(self) -> None:
        super().close()
        wake, self._wake = self._wake, -1
        if wake >= 0:
            os.close(wake)

    def _ready(self, events: int, timeout_s: float | None) -> set[int]:
        poll = select.poll()
        poll.register(self._wake, select.POLLIN)
        if events:
            poll.register(self._fd, events)
        return {fd for fd, _ in poll.poll(None if timeout_s is None else math.ceil(1000 * timeout_s))}

    def _comes(self) -> bool:
        """Whether something came. Who polls a pseudo-terminal is first given what is on its way through the kernel."""
        return bool(select.select([self._fd], [], [], 0)[0])


class _UrlWire(Wire):
    """A port without a descriptor: it is asked in slices of time, so that `wake` ends it."""

    def __init__(self, port: Any) -> None:
        super().__init__(port)
        self._woken = False

    def write(self, data: bytes) -> None:
        self._port.write(data)
        self._port.flush()

    def read(self, timeout_s: float) -> bytes:
        for _ in range(max(1, math.ceil(timeout_s / _SLICE_S))):
            data = bytes(self._port.read(1))
            if data:
                return data + self._waiting()
            if self._woken:
                return b""
        return b""

    def discard(self) -> bool:
        came = False
        for _ in range(_MOST_CHUNKS):
            if not self._waiting():
                return came
            came = True
        raise ConnectionError("never quiet")

    def _waiting(self) -> bytes:
        count = min(_CHUNK, int(self._port.in_waiting))  # on a plain socket it is 1 while there is something
        return bytes(self._port.read(count)) if count else b""

    def pause(self, seconds: float) -> None:
        select.select([], [], [], seconds)

    def wake(self) -> None:
        self._woken = True

    def rest(self) -> None:
        self._woken = False


def open_wire(address: str, baud: int) -> Wire:
    import serial

    if "://" not in address:
        return _DeviceWire(serial.Serial(address, baud, timeout=0, exclusive=True))
    wire = _UrlWire(serial.serial_for_url(address, baudrate=baud, timeout=_SLICE_S))
    wire.has_line = not address.startswith("socket:")  # a plain socket has no rate to change
    return wire
