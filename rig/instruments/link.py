"""A VISA link over a TCP socket: pyvisa with pyvisa-py, made safe against silence, half replies and closed peers.

Knows pyvisa-py's socket session. Knows no instrument. Every exchange runs under the clock's watchdog, because the
library's own time-out is on the wall clock, which an NTP step moves.
"""

from __future__ import annotations

import select
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rig.clock.base import Clock
from rig.errors import LinkError, LinkTimeout, Where
from rig.instruments.ports import Identity
from rig.instruments.scpi import PLAIN, Block, Frame, is_query, parse_identity, read_block

_CHUNK = 1 << 20


class _Socket(socket.socket):
    """The session's socket, except that the peer's end of file is an error at once.

    pyvisa-py's socket session takes an empty read for 'nothing yet' and spins until its time-out.
    """

    def recv(self, bufsize: int, flags: int = 0) -> bytes:
        data = super().recv(bufsize, flags)
        if not data:
            raise ConnectionResetError("the connection was closed")
        return data


class VisaLink:
    """`ScpiLink` over `TCPIP::host::port::SOCKET`. Opens with the first exchange; each exchange has `timeout_s`.

    After silence or any broken exchange the link is closed; the next exchange opens it again and refuses (`LinkError`)
    an instrument whose `*IDN?` is not that of the first opening. A reply that comes late is never read as an answer.
    `clears` False: the opening does not empty the error queue, for who only looks at an instrument.
    """

    def __init__(self, address: str, clock: Clock, timeout_s: float, name: str, *, clears: bool = True) -> None:
        self._address = address
        self._clock = clock
        self._timeout_s = timeout_s
        self._name = name
        self._clears = clears
        self._manager: Any = None
        self._resource: Any = None
        self._session: Any = None
        self._socket: _Socket | None = None
        self._identity: Identity | None = None

    @property
    def name(self) -> str:
        return self._name

    def exchange(self, *commands: str) -> tuple[str, ...]:
        """See `ScpiLink`."""
        if not commands or not is_query(commands[-1]):
            raise ValueError("an exchange ends with a query")
        with self._guarded(commands[-1], self._timeout_s) as resource:
            replies = []
            for text in commands:
                resource.write(text)
                if is_query(text):
                    replies.append(_text(self._name, text, resource.read_raw(_CHUNK)))
            return tuple(replies)

    def query(self, command: str) -> str:
        return self.exchange(command)[0]

    def query_block(self, command: str, timeout_s: float | None = None, frame: Frame = PLAIN) -> Block:
        """See `ScpiLink`. A header that lies closes the link: what follows could not be told from data."""
        with self._guarded(command, self._timeout_s if timeout_s is None else timeout_s) as resource:
            resource.write(command)
            # With the termination character on, data bytes that look like it cut every read: 8 s per MB.
            with resource.read_termination_context(None):
                return read_block(self._name, command, lambda n: resource.read_bytes(n, chunk_size=_CHUNK), frame)

    def abort(self) -> None:
        """From the clock's watchdog, in any thread: a blocked read ends at once with an error."""
        if self._socket is not None:
            _shut(self._socket)

    def close(self) -> None:
        """Close; the next exchange would open again. Never raises for a link that is already broken."""
        resource, self._resource, self._socket = self._resource, None, None
        if resource is not None:
            try:
                resource.close()
            except Exception:  # noqa: BLE001 - it is gone, which is what was wanted
                return

    def reopen(self) -> Identity:
        """Close, open and identify again; returns who answered."""
        self.close()
        self.query("*IDN?")
        assert self._identity is not None  # noqa: S101 - the opening above has set it or raised
        return self._identity

    @contextmanager
    def _guarded(self, command: str, timeout_s: float) -> Iterator[Any]:
        """One exchange under the watchdog; a library's exceptions become `LinkError`, and the link is closed then."""
        from pyvisa.errors import Error as VisaError

        try:
            with self._clock.io(self, timeout_s):
                resource = self._ready(timeout_s)
                resource.timeout = self._clock.real_timeout_s(timeout_s) * 1000
                yield resource
                self._check_nothing_left(command)
        except LinkTimeout as error:
            self.close()
            raise LinkTimeout(f"{self._name}: {command!r}: {error.message}") from error
        except (VisaError, OSError, ValueError, TypeError, AttributeError) as error:
            # pyvisa-py lets the socket's own errors through, and stumbles over a session that was closed under it.
            self.close()
            raise LinkError(f"{self._name}: {command!r}: the link broke: {error}") from error
        except BaseException:
            self.close()
            raise

    def _ready(self, timeout_s: float) -> Any:
        """The open resource. A peer that went away meanwhile is told to the caller: its settings may be gone too."""
        if self._socket is not None and select.select([self._socket], [], [], 0)[0]:
            raise ConnectionResetError("the instrument closed it, or sent what nobody asked for")
        if self._resource is None:
            self._open(timeout_s)
        return self._resource

    def _open(self, timeout_s: float) -> None:
        import pyvisa

        wait_ms = self._clock.real_timeout_s(timeout_s) * 1000
        if self._manager is None:
            self._manager = pyvisa.ResourceManager("@py")
        resource: Any = self._manager.open_resource(
            self._address, open_timeout=int(wait_ms), read_termination="\n", write_termination="\n"
        )
        self._resource = resource
        resource.timeout = wait_ms
        session = self._session = resource.visalib.sessions[resource.session]
        session.interface = self._socket = _Socket(fileno=session.interface.detach())
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        session.max_recv_size = _CHUNK
        self._check_identity(resource)

    def _check_nothing_left(self, command: str) -> None:
        """Bytes behind the reply would be taken for the answer to the next question."""
        left = self._session._pending_buffer  # noqa: SLF001 - pyvisa-py tells it nowhere else
        if left:
            raise LinkError(f"{self._name}: more than one reply to {command!r}", Where(found=repr(bytes(left[:40]))))

    def _check_identity(self, resource: Any) -> None:
        """A refused socket 'opens' all the same, so ask at once; the error queue starts empty."""
        if self._clears:
            resource.write("*CLS")
        resource.write("*IDN?")
        found = parse_identity(self._name, _text(self._name, "*IDN?", resource.read_raw(_CHUNK)))
        known = self._identity
        if known is not None and (found.model, found.serial) != (known.model, known.serial):
            raise LinkError(
                f"{self._name}: another instrument answers at its address",
                Where(found=f"{found.model} {found.serial}", expected=f"{known.model} {known.serial}"),
            )
        self._identity = found


def _text(name: str, command: str, raw: bytes) -> str:
    if not raw.endswith(b"\n"):
        raise LinkError(f"{name}: half a reply to {command!r}", Where(found=repr(raw)))
    try:
        return raw.decode("ascii").strip()
    except UnicodeDecodeError:
        raise LinkError(f"{name}: the reply to {command!r} is no text", Where(found=repr(raw[:40]))) from None


def _shut(link: socket.socket) -> None:
    try:
        link.shutdown(socket.SHUT_RDWR)
    except OSError:  # the peer was faster, or it is closed already
        return
