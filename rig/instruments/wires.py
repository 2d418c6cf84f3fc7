"""What carries the bytes between a link and an instrument: a TCP socket or a serial port, and what every wire promises.

Knows no command and no reply, and opens nothing by itself. A plain socket and a serial port are spoken to directly:
no VISA library is needed for them, every wait is monotonic, and every wait can be ended from outside
(docs/decisions/0008-how-instruments-are-reached.md). The other kinds are in `rig.instruments.visa_wires`.
"""

from __future__ import annotations

import contextlib
import select
import socket
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Literal, Protocol

_CHUNK = 1 << 16
_LONGEST_LINE = 1 << 20


class Wire(Protocol):
    """One connection at a time. Every call but `close` and `abort` may raise `OSError`: then the wire is broken."""

    @property
    def settles_s(self) -> float:
        """How long it must be left alone after a broken exchange: what comes late cannot be told from an answer."""

    def open(self, timeout_s: float) -> None:
        """Connect. `timeout_s`: for this and every wait from now on; the clock's watchdog usually comes first."""

    def wait_at_most(self, timeout_s: float) -> None:
        """For every wait from now on."""

    def write(self, data: bytes) -> None:
        """All of it."""

    def read_line(self) -> bytes:
        """Up to and with the next line feed (of a wire with messages: to the message's end, which counts as one)."""

    def read(self, count: int) -> bytes | bytearray:
        """`count` bytes; fewer only where a message ended before."""

    def read_quiet(self, gap_s: float) -> bytes:
        """Waits for a byte, then takes all that comes until nothing has come for `gap_s` (of real time)."""

    def leftover(self) -> bytes:
        """What came and was not read; never waits. An end of the connection raises `OSError`."""

    def unread(self) -> bytes:
        """What had come when a read failed: half an answer, for who looks for the reason."""

    def clear(self) -> None:
        """The device clear of this kind of wire (IEEE 488.2, 5.8), where it has one."""

    def abort(self) -> None:
        """From any thread, any number of times: who is blocked gets an `OSError` at once, as far as that can be."""

    def close(self) -> None:
        """Never raises."""


class StreamWire(ABC):
    """A wire that is a stream of bytes. What was received beyond what was asked for waits in `_rest`."""

    settles_s = 0.0

    def __init__(self) -> None:
        self._rest = b""

    @abstractmethod
    def _receive(self, count: int) -> bytes:
        """Some bytes, at most `count`. Waits for the first. Raises OSError, also when nothing comes any more."""

    @abstractmethod
    def _readable(self, wait_s: float) -> bool: ...

    def read_line(self) -> bytes:
        searched = 0
        while (end := self._rest.find(b"\n", searched)) < 0:
            searched = len(self._rest)
            if searched > _LONGEST_LINE:
                raise ConnectionError(f"a line of more than {_LONGEST_LINE} bytes")
            self._rest += self._receive(_CHUNK)
        line, self._rest = self._rest[: end + 1], self._rest[end + 1 :]
        return line

    def read(self, count: int) -> bytes | bytearray:
        if len(self._rest) >= count:
            data, self._rest = self._rest[:count], self._rest[count:]
            return data
        whole = bytearray(count)
        at = len(self._rest)
        whole[:at] = self._rest
        try:
            with memoryview(whole) as view:
                while at < count:
                    at += self._receive_into(view[at:])
        except OSError:
            self._rest = bytes(whole[:at])
            raise
        self._rest = b""
        return whole

    def _receive_into(self, view: memoryview) -> int:
        """As `_receive`, into a buffer; how many bytes came."""
        chunk = self._receive(len(view))
        view[: len(chunk)] = chunk
        return len(chunk)

    def read_quiet(self, gap_s: float) -> bytes:
        self._rest = self._rest or self._receive(_CHUNK)
        while self._readable(gap_s) and len(self._rest) <= _LONGEST_LINE:
            self._rest += self._receive(_CHUNK)
        data, self._rest = self._rest, b""
        return data

    def unread(self) -> bytes:
        return self._rest

    def leftover(self) -> bytes:
        return self._rest or (self._receive(_CHUNK) if self._readable(0.0) else b"")

    def clear(self) -> None:
        """A stream has none; to open it anew is what takes its place."""
        return


class SocketWire(StreamWire):
    """A plain TCP socket."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__()
        self._place = (host, port)
        self._socket: socket.socket | None = None

    def open(self, timeout_s: float) -> None:
        self._rest = b""
        *others, last = socket.getaddrinfo(*self._place, type=socket.SOCK_STREAM)  # a name may have several addresses
        for place in others:
            with contextlib.suppress(ConnectionError):
                return self._connect(place[0], place[4], timeout_s)
        return self._connect(last[0], last[4], timeout_s)

    def _connect(self, family: socket.AddressFamily, address: Any, timeout_s: float) -> None:
        self.close()
        link = self._socket = socket.socket(family, socket.SOCK_STREAM)  # from here on `abort` ends the waiting
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        link.settimeout(timeout_s)
        link.connect(address)

    def wait_at_most(self, timeout_s: float) -> None:
        self._open().settimeout(timeout_s)

    def write(self, data: bytes) -> None:
        self._open().sendall(data)

    def _receive(self, count: int) -> bytes:
        data = self._open().recv(count)
        if not data:
            raise ConnectionResetError("the connection was closed")
        return data

    def _receive_into(self, view: memoryview) -> int:
        count = self._open().recv_into(view)
        if not count:
            raise ConnectionResetError("the connection was closed")
        return count

    def _readable(self, wait_s: float) -> bool:
        return bool(select.select([self._open()], [], [], wait_s)[0])

    def abort(self) -> None:
        link = self._socket
        if link is not None:
            with contextlib.suppress(OSError):  # the peer was faster, or it is closed already
                link.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        link, self._socket = self._socket, None
        if link is not None:
            link.close()

    def _open(self) -> socket.socket:
        if self._socket is None:
            raise ConnectionResetError("it was closed meanwhile")
        return self._socket


Parity = Literal["none", "even", "odd"]


@dataclass(frozen=True)
class LineSettings:
    """How a serial line is set: 8 data bits always."""

    baud: int = 9600
    parity: Parity = "none"
    stop_bits: Literal[1, 2] = 1


class SerialWire(StreamWire):
    """A serial port. It has no connection to close: what comes late stays in the line, so it settles first."""

    def __init__(self, device: str, line: LineSettings, settles_s: float) -> None:
        super().__init__()
        self.settles_s = settles_s
        self._device = device
        self._line = line
        self._port: Any = None
        self._aborted = False

    def open(self, timeout_s: float) -> None:
        import serial

        self._rest = b""
        self._aborted = False
        parity = {"none": serial.PARITY_NONE, "even": serial.PARITY_EVEN, "odd": serial.PARITY_ODD}[self._line.parity]
        self._port = serial.Serial(
            self._device,
            self._line.baud,
            parity=parity,
            stopbits=self._line.stop_bits,
            timeout=timeout_s,
            write_timeout=timeout_s,
            exclusive=True,
        )
        self._port.reset_input_buffer()

    def wait_at_most(self, timeout_s: float) -> None:
        port = self._open()
        if port.timeout != timeout_s:
            port.timeout = port.write_timeout = timeout_s

    def write(self, data: bytes) -> None:
        self._open().write(data)

    def _receive(self, count: int) -> bytes:
        port = self._open()
        data: bytes = port.read(min(count, max(1, port.in_waiting)))
        if self._aborted:
            raise ConnectionAbortedError("it was ended from outside")
        if not data:
            raise TimeoutError("nothing came")
        return data

    def _readable(self, wait_s: float) -> bool:
        return bool(select.select([self._open()], [], [], wait_s)[0])

    def abort(self) -> None:
        port = self._port
        if port is not None:
            self._aborted = True
            port.cancel_read()
            port.cancel_write()

    def close(self) -> None:
        port, self._port = self._port, None
        if port is not None:
            with contextlib.suppress(OSError):  # unplugged
                port.close()

    def _open(self) -> Any:
        if self._port is None:
            raise ConnectionResetError("it was closed meanwhile")
        return self._port
