"""One Modbus request and its reply, over TCP (MBAP) or a serial line (RTU). Standard library only. Knows no coils.

Modbus Messaging on TCP/IP V1.0b, 3.1.3; Modbus over Serial Line V1.02, 2.5.1. Strict: transaction, protocol, unit,
length and CRC must be right, or the reply counts for nothing. RTU has no transaction number, so whatever comes late is
thrown away before a request leaves. Nothing is sent twice.
"""

from __future__ import annotations

import errno
import fcntl
import math
import os
import select
import socket
import struct
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rig.errors import LinkError, LinkTimeout, Where

if TYPE_CHECKING:
    from rig.clock.base import Clock

_HEADER = struct.Struct(">HHHB")
_EXCEPTION_BYTES = 2


class TcpModbusLink:
    """Implements `rig.instruments.modbus_coil.ModbusLink`. Connects with the first exchange.

    A connection that the board closed meanwhile, or on which a late reply waits, is replaced before anything is sent.
    """

    def __init__(self, host: str, port: int, clock: Clock, timeout_s: float) -> None:
        self._place = (host, port)
        self._clock = clock
        self._timeout_s = timeout_s
        self._socket: socket.socket | None = None
        self._transaction = 0

    def exchange(self, unit: int, request: bytes, reply_bytes: int) -> bytes:
        with _guarded(self, self._clock, self._timeout_s):
            link = self._ready()
            self._transaction = self._transaction % 0xFFFF + 1
            link.sendall(_HEADER.pack(self._transaction, 0, len(request) + 1, unit) + request)
            transaction, protocol, length, who = _HEADER.unpack(_whole(link, _HEADER.size))
            if (transaction, protocol, who) != (self._transaction, 0, unit):
                raise LinkError(
                    "the reply is to another request",
                    Where(
                        found=f"transaction {transaction}, protocol {protocol}, unit {who}",
                        expected=f"{self._transaction}, 0, {unit}",
                    ),
                )
            if length - 1 not in (reply_bytes, _EXCEPTION_BYTES):
                raise LinkError("the reply has a wrong length", Where(found=str(length), expected=str(reply_bytes + 1)))
            return _whole(link, length - 1)

    def abort(self) -> None:
        """See `rig.clock.Abortable`."""
        if self._socket is not None:
            try:
                self._socket.shutdown(socket.SHUT_RDWR)
            except OSError:  # closed already
                return

    def close(self) -> None:
        link, self._socket = self._socket, None
        if link is not None:
            link.close()

    def _ready(self) -> socket.socket:
        if self._socket is not None and select.select([self._socket], [], [], 0)[0]:
            self.close()
        if self._socket is None:
            self._socket = socket.create_connection(self._place, self._clock.real_timeout_s(self._timeout_s))
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._socket


def _whole(link: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        part = link.recv(count - len(data))
        if not part:
            raise ConnectionResetError(errno.ECONNRESET, "the board closed the connection")
        data += part
    return data


class SerialModbusLink:
    """Implements `rig.instruments.modbus_coil.ModbusLink` on a serial port, eight data bits, taken for us alone.

    `parity`: none (with one stop bit, as relay boards have it, where the standard asks for two), even or odd.
    """

    def __init__(self, port: str, baud: int, parity: str, clock: Clock, timeout_s: float) -> None:
        self._port = port
        self._baud = baud
        self._parity = parity
        self._clock = clock
        self._timeout_s = timeout_s
        self._silence_ms = math.ceil(max(1.75, 3.5 * 11_000 / baud)) + 1
        """3.5 characters of 11 bits, and at least 1.75 ms (2.5.1.1); a millisecond more for `poll`'s rounding."""
        self._fd = self._wake = -1

    def exchange(self, unit: int, request: bytes, reply_bytes: int) -> bytes:
        with _guarded(self, self._clock, self._timeout_s):
            if self._fd < 0:
                self._open()
            self._calm()
            while self._readable(self._silence_ms):  # a late reply, or noise: not an answer to what comes now
                os.read(self._fd, 4096)
            self._send(_with_crc(bytes([unit]) + request))
            frame = self._whole(2)
            rest = _EXCEPTION_BYTES if frame[1] & 0x80 else reply_bytes
            frame += self._whole(1 + rest + 2 - len(frame))
            if frame != _with_crc(frame[:-2]):
                raise LinkError("the reply's CRC is wrong", Where(found=frame.hex(" ")))
            if frame[0] != unit:
                raise LinkError("another unit answered", Where(found=str(frame[0]), expected=str(unit)))
            return frame[1:-2]

    def abort(self) -> None:
        """See `rig.clock.Abortable`."""
        if self._wake >= 0:  # only inside an exchange, which closes nothing
            os.eventfd_write(self._wake, 1)

    def close(self) -> None:
        open_ones, self._fd, self._wake = (self._fd, self._wake), -1, -1
        for fd in open_ones:
            if fd >= 0:
                os.close(fd)

    def _open(self) -> None:
        """Raw, and for us alone: another program's request between ours and its reply would be taken for it."""
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._fd = fd = os.open(self._port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.ioctl(fd, termios.TIOCEXCL)
        speed = getattr(termios, f"B{self._baud}")
        parity = {"none": 0, "even": termios.PARENB, "odd": termios.PARENB | termios.PARODD}[self._parity]
        control = termios.tcgetattr(fd)[6]
        control[termios.VMIN], control[termios.VTIME] = 0, 0
        flags = termios.CS8 | termios.CREAD | termios.CLOCAL | parity
        check = termios.INPCK if parity else 0
        termios.tcsetattr(fd, termios.TCSANOW, [check, 0, flags, 0, speed, speed, control])
        if termios.tcgetattr(fd)[2] & (termios.PARENB | termios.PARODD) != parity:
            raise OSError(errno.EINVAL, f"the port has no parity '{self._parity}'")

    def _calm(self) -> None:
        """An abort that came after its exchange had ended is not meant for this one."""
        try:
            os.eventfd_read(self._wake)
        except BlockingIOError:
            return

    def _send(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._fd, data) :]

    def _whole(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            if not self._readable(math.ceil(1000 * self._clock.real_timeout_s(self._timeout_s))):
                raise TimeoutError(errno.ETIMEDOUT, "no answer")
            part = os.read(self._fd, count - len(data))
            if not part:
                raise OSError(errno.EIO, "the port is gone")
            data += part
        return data

    def _readable(self, timeout_ms: int) -> bool:
        poll = select.poll()
        poll.register(self._fd, select.POLLIN)
        poll.register(self._wake, select.POLLIN)
        found = {fd for fd, _ in poll.poll(timeout_ms)}
        if self._wake in found:
            raise TimeoutError(errno.ETIMEDOUT, "aborted")
        return self._fd in found


@contextmanager
def _guarded(link: TcpModbusLink | SerialModbusLink, clock: Clock, timeout_s: float) -> Iterator[None]:
    """One exchange under the clock's watchdog. However it breaks, the link is closed and nothing is sent again."""
    try:
        with clock.io(link, timeout_s):
            yield
    except LinkTimeout:
        link.close()
        raise
    except OSError as error:
        link.close()
        raise LinkError(f"the link to its board broke: {error.strerror or error}") from error
    except BaseException:
        link.close()
        raise


def _with_crc(frame: bytes) -> bytes:
    """CRC-16 of Modbus (Serial Line V1.02, 6.2.2), low byte first."""
    crc = 0xFFFF
    for byte in frame:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0xA001 if crc & 1 else 0)
    return frame + struct.pack("<H", crc)
