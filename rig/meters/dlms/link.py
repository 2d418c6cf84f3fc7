"""A link that carries APDUs to one logical device and back: the port to it, and the TCP wrapper (IEC 62056-47).

Every call raises `LinkError` (a wrong answer, a broken link) or `LinkTimeout` (silence), and says what was wrong. Knows
no APDU's meaning. Nothing is sent twice here.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import struct
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import TypeVar

from rig.clock import Clock
from rig.errors import LinkError, LinkTimeout, RigError
from rig.meters.port import Sending
from rig.recording import Tap

LONGEST_APDU = 65_535
_HEADER = struct.Struct(">HHHH")
_VERSION = 1

_Result = TypeVar("_Result")


class Link(ABC):
    """See the module. `sent`: when the last APDU left."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.sent: Sending | None = None
        self._tap: Tap | None = None

    def record(self, tap: Tap) -> None:
        """It hears what is said from now on."""
        self._tap = tap

    @contextlib.contextmanager
    def secretly(self) -> Iterator[None]:
        """A secret is sent meanwhile: nothing of what is said is recorded, for frames may cut it anywhere.

        Nor afterwards where that ended with an error: an echo may still be on its way. It ends with the next answer to
        such a question.
        """
        if self._tap is not None:
            self._tap.hide(True)
        yield
        if self._tap is not None:
            self._tap.hide(False)

    @abstractmethod
    def connect(self) -> None:
        """From scratch: whatever was open before is not any more."""

    @abstractmethod
    def exchange(self, apdu: bytes, what: str, *, once: bool = False) -> bytes:
        """The APDU that answers this one. `once`: what is not answered is not asked for again either."""

    @abstractmethod
    def disconnect(self) -> None:
        """Sign off in order. May raise."""

    @abstractmethod
    def hang_up(self) -> None:
        """Give back what is open; where the meter can be told, it is, and no answer is waited for. Never raises for a
        link that is broken already."""

    @abstractmethod
    def abort(self) -> None:
        """See `rig.clock.Abortable`."""


class WrapperLink(Link):
    """The wrapper on TCP. A connection that broke is not used again, so no late answer is taken for another's."""

    def __init__(
        self, name: str, address: tuple[str, int], clients: tuple[int, int], clock: Clock, timeout_s: float
    ) -> None:
        """`clients`: the wrapper ports of the client and of the meter's logical device."""
        super().__init__(name)
        self._address = address
        self._client, self._server = clients
        self._clock = clock
        self._timeout_s = timeout_s
        self._socket: socket.socket | None = None
        self._wake = -1
        self._came = b""

    def connect(self) -> None:
        self.hang_up()

        def call() -> None:
            self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
            self._socket = socket.create_connection(self._address, self._clock.real_timeout_s(self._timeout_s))
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tap is not None:
                self._tap.opened(":".join(map(str, self._address)))

        self._guarded("connect", call)

    def exchange(self, apdu: bytes, what: str, *, once: bool = False) -> bytes:
        del once  # nothing is ever asked for again here
        link = self._socket
        if link is None:
            raise LinkError(f"{self.name}: {what}: not connected")

        def call() -> bytes:
            before = self._clock.now()
            request = _HEADER.pack(_VERSION, self._client, self._server, len(apdu)) + apdu
            if self._tap is not None:
                self._tap.sent(request)
            link.sendall(request)
            self.sent = Sending(before, self._clock.now())
            header = self._whole(link, _HEADER.size)
            version, sender, to, size = _HEADER.unpack(header)
            if version != _VERSION or not size:
                raise LinkError(
                    f"{self.name}: {what}: the answer is no wrapper of version 1 (it begins {header.hex()})"
                )
            if (sender, to) != (self._server, self._client):
                ours = f"{self._server} to {self._client}"
                raise LinkError(f"{self.name}: {what}: the answer goes from {sender} to {to}, not from {ours}")
            return self._whole(link, size)

        return self._guarded(what, call)

    def disconnect(self) -> None:
        self.hang_up()

    def hang_up(self) -> None:
        link, self._socket = self._socket, None
        wake, self._wake = self._wake, -1
        if link is not None:
            link.close()
            if self._tap is not None:
                self._tap.closed()
        if wake >= 0:
            os.close(wake)

    def abort(self) -> None:
        if self._wake >= 0:
            os.eventfd_write(self._wake, 1)

    def _guarded(self, what: str, call: Callable[[], _Result]) -> _Result:
        try:
            try:
                with self._clock.io(self, self._timeout_s):
                    return call()
            finally:
                self._tell_came()
        except BaseException as error:
            self.hang_up()
            if isinstance(error, LinkTimeout):
                raise LinkTimeout(f"{self.name}: {what}: no answer within {self._timeout_s:g} s") from None
            if isinstance(error, RigError) or not isinstance(error, OSError):
                raise
            raise LinkError(f"{self.name}: {what}: the link broke ({type(error).__name__})") from None

    def _tell_came(self) -> None:
        """In one piece for each answer: a secret in it is whole."""
        came, self._came = self._came, b""
        if self._tap is not None:
            self._tap.received(came)

    def _whole(self, link: socket.socket, count: int) -> bytes:
        data = b""
        while len(data) < count:
            poll = select.poll()
            poll.register(link, select.POLLIN)
            poll.register(self._wake, select.POLLIN)
            if self._wake in {fd for fd, _ in poll.poll()}:
                raise ConnectionAbortedError("aborted")
            part = link.recv(count - len(data))
            if not part:
                raise ConnectionResetError("the meter closed the connection")
            data += part
            self._came += part
        return data
