"""VXI-11, HiSLIP and USBTMC through pyvisa and pyvisa-py: wires of messages, each of which has an end of its own.

Knows pyvisa-py's sessions, so that the clock's watchdog can end what they wait for: their own time-outs are on the wall
clock. **What cannot be ended from outside**: the first words of VXI-11 and HiSLIP with a peer that took the
connection and says nothing (until pyvisa-py's own 5 s are over), a host's name that nobody resolves, and all of USB,
where libusb's own time-out, one second more than the link's, is the bound. USB needs the extra `usb`.
"""

from __future__ import annotations

import contextlib
import select
import socket
import sys
from collections.abc import Iterator
from typing import Any

from rig.instruments.address import Address, Kind
from rig.instruments.wires import SocketWire

_USUAL_PORTS = {Kind.VXI11: 111, Kind.HISLIP: 4880}
"""Where such an instrument is asked first: VXI-11 at its port mapper."""
_CHUNK = 1 << 20
_LEAST = 1 << 12
"""Bytes that are asked for at least: a header and a short block come in one piece."""


class _Socket(socket.socket):
    """A session's socket, except that the peer's end of file is an error at once: pyvisa-py takes it for silence."""

    def recv(self, bufsize: int, flags: int = 0) -> bytes:
        data = super().recv(bufsize, flags)
        if not data:
            raise ConnectionResetError("the connection was closed")
        return data


class VisaWire:
    """See `rig.instruments.wires.Wire`. A message that ends without a line feed is taken as if it had one.

    pyvisa-py does not always tell a message's end from a full buffer, so more is asked for than is needed.
    """

    settles_s = 0.0

    def __init__(self, address: Address) -> None:
        self._address = address
        self._manager: Any = None
        self._number: Any = None
        self._session: Any = None
        self._sockets: tuple[socket.socket, ...] = ()
        self._looking: SocketWire | None = None
        self._rest = b""
        self._ended = True

    def open(self, timeout_s: float) -> None:
        import pyvisa

        self._rest, self._ended = b"", True
        self._look(timeout_s)
        with _library():
            if self._manager is None:
                self._manager = pyvisa.ResourceManager("@py")
            with contextlib.redirect_stdout(sys.stderr):  # pyvisa-py prints which mode a HiSLIP server would prefer
                self._number, _ = self._manager.open_bare_resource(
                    self._address.text, open_timeout=int(timeout_s * 1000)
                )
            self._session = self._manager.visalib.sessions[self._number]
            self._sockets = self._reachable()
        self.wait_at_most(timeout_s)

    def _look(self, timeout_s: float) -> None:
        """Whether anybody listens there: that can be ended from outside, and pyvisa-py forgets to close what failed."""
        at = self._address
        if at.host is not None:
            looking = SocketWire(at.host, at.port or _USUAL_PORTS[at.kind])
            self._looking = looking
            try:
                looking.open(timeout_s)
            finally:
                self._looking = None
                looking.close()

    def wait_at_most(self, timeout_s: float) -> None:
        from pyvisa.constants import ResourceAttribute

        with _library():
            self._open().set_attribute(ResourceAttribute.timeout_value, int(timeout_s * 1000))

    def write(self, data: bytes) -> None:
        with _library():
            _, status = self._open().write(data)
        _check(status)
        self._ended = False

    def read_line(self) -> bytes:
        while not self._ended:
            self._receive(_CHUNK)
        line, self._rest = self._rest, b""
        return line

    def read(self, count: int) -> bytes:
        while len(self._rest) < count and not self._ended:
            self._receive(count - len(self._rest) + 4)
        data, self._rest = self._rest[:count], self._rest[count:]
        return data

    def read_quiet(self, gap_s: float) -> bytes:
        """A message has an end: nothing needs to be waited for."""
        del gap_s
        return self.read_line()

    def leftover(self) -> bytes:
        link = self._sockets[:1]
        if link and select.select(link, [], [], 0.0)[0]:
            raise ConnectionResetError("the instrument closed it, or sent what nobody asked for")
        return self._rest if self._ended else self.read_line()

    def unread(self) -> bytes:
        return self._rest

    def clear(self) -> None:
        """USB has none in pyvisa-py: there the port is opened anew, and that is all."""
        if self._address.kind is not Kind.USB:
            with _library():
                _check(self._open().clear())

    def abort(self) -> None:
        looking = self._looking
        if looking is not None:
            looking.abort()
        for link in self._sockets:
            with contextlib.suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        number, self._number, self._session, self._sockets = self._number, None, None, ()
        if number is not None:
            library = self._manager.visalib
            with contextlib.suppress(Exception):  # it is gone, which is what was wanted
                library.sessions.pop(number).close()

    def _receive(self, count: int) -> None:
        asked = max(count, _LEAST)
        with _library():
            data, status = self._open().read(asked)
        _check(status)
        self._ended = len(data) < asked
        self._rest += data
        if self._ended and not self._rest.endswith(b"\n"):
            self._rest += b"\n"

    def _reachable(self) -> tuple[socket.socket, ...]:
        """The session's sockets, the one with the answers first; what a wait on them is ended by."""
        interface = self._session.interface
        if self._address.kind is Kind.HISLIP:
            return (interface._sync, interface._async)  # noqa: SLF001 - pyvisa-py shows them nowhere else
        if self._address.kind is Kind.VXI11:
            interface.sock = _Socket(fileno=interface.sock.detach())
            return (interface.sock,)
        return ()

    def _open(self) -> Any:
        if self._session is None:
            raise ConnectionResetError("it was closed meanwhile")
        return self._session


@contextlib.contextmanager
def _library() -> Iterator[None]:
    """Whatever pyvisa and pyvisa-py raise (their own errors, RPC's, assertions) means that the wire is broken."""
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        raise ConnectionError(str(error) or type(error).__name__) from error


def _check(status: Any) -> None:
    from pyvisa.constants import StatusCode

    if status == StatusCode.error_timeout:
        raise TimeoutError("no answer within VISA's time-out")
    if status < 0:
        raise ConnectionError(f"VISA says {StatusCode(status).name}")
