"""The wire between a device's face in the twin and any client, ours or foreign: TCP servers of requests and answers.

Knows sockets, threads and how a stream of bytes falls into requests (`Split`). Knows no SCPI, no registers and no
physics. Its threads never wait on the twin's time: a late reply and a meant silence are handed to the timeline.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from rig.twin.ports import Timeline

_CHUNK = 1 << 16
_LONGEST_LINE = 1 << 16


@dataclass(frozen=True)
class Deferred:
    """Answer with `reply` after `delay_s` on the timeline; `None` means never, and that this is meant."""

    delay_s: float | None
    reply: bytes = b""


@dataclass(frozen=True)
class HangUp:
    """Close this connection without an answer: a device that lost its power."""


SILENCE = Deferred(None)
"""The client asked and is meant to wait in vain."""

Answer = bytes | Deferred | HangUp | None
"""What a handler returns for a request; None: nothing to say, and nobody waits."""

Handler = Callable[[str], Answer]
"""What handles a line."""

Split = Callable[[bytes], tuple[list[bytes], bytes]]
"""The whole requests in what came, and the rest. Raises `NoRequest` when the bytes cannot become a request any more."""


class NoRequest(Exception):
    """What came is not of this protocol: the connection is closed, as a real device's is."""


class TcpServer:
    """Serves one device on `host` and an ephemeral port (or `port`), one daemon thread a connection.

    `split` finds the requests in what comes; `handler` answers each of them, under `lock` (one for a whole world, so
    that only one request is handled at a time).
    """

    def __init__(
        self,
        name: str,
        split: Split,
        handler: Callable[[bytes], Answer],
        timeline: Timeline,
        lock: AbstractContextManager[object],
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.name = name
        self._split = split
        self._handler = handler
        self._timeline = timeline
        self._lock = lock
        self._guard = threading.Lock()
        self._connections: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._closed = False
        self._taken = _taken(host, port)
        self.host: str = host
        self.port: int = self._taken.getsockname()[1]
        self._listen()

    @property
    def endpoint(self) -> str:
        """host:port."""
        return f"{self.host}:{self.port}"

    def plug(self) -> None:
        """It is on the network again, at its own port, after `unplug`."""
        with self._guard:
            if self._closed:
                self._closed = False
                self._listen()

    def _listen(self) -> None:
        self._listener = socket.create_server((self.host, self.port))
        self._acceptor = threading.Thread(
            target=self._accept, args=(self._listener,), name=f"{self.name} listener", daemon=True
        )
        self._acceptor.start()

    def hang_up(self) -> None:
        """Close all connections; who connects again is served. In any thread."""
        with self._guard:
            for connection in self._connections:
                _shut(connection)

    def unplug(self) -> None:
        """Close the listener and all connections: from now on the port refuses. May be called twice, in any thread.

        The port stays taken: it is nobody else's meanwhile, and it can be plugged in again.
        """
        with self._guard:
            if self._closed:
                return
            self._closed = True
            for connection in self._connections:
                _shut(connection)
        _shut(self._listener)
        self._listener.close()

    def close(self) -> None:
        """`unplug`, wait until the server's threads have ended, and give the port back."""
        self.unplug()
        me = threading.current_thread()
        with self._guard:
            threads = [self._acceptor, *self._threads]
        for thread in threads:
            if thread is not me:
                thread.join(5.0)
        self._taken.close()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:  # the listener was closed
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            thread = threading.Thread(target=self._serve, args=(connection,), name=f"{self.name} client", daemon=True)
            with self._guard:
                if self._closed:
                    connection.close()
                    return
                self._connections.add(connection)
                self._threads = [t for t in self._threads if t.is_alive()]
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            self._requests(connection)
        except (OSError, NoRequest):  # the client went away, or speaks something else
            return
        finally:
            with self._guard:
                self._connections.discard(connection)
            connection.close()

    def _handling(self) -> Callable[[bytes], Answer]:
        """What answers the requests of one new connection."""
        return self._handler

    def _requests(self, connection: socket.socket) -> None:
        rest, handle = b"", self._handling()
        while chunk := connection.recv(_CHUNK):
            requests, rest = self._split(rest + chunk)
            for request in requests:
                with self._lock:
                    answer = handle(request)
                if isinstance(answer, HangUp):
                    return
                self._send(connection, answer)

    def _send(self, connection: socket.socket, answer: bytes | Deferred | None) -> None:
        if isinstance(answer, Deferred):
            reply = answer.reply
            self._timeline.defer(answer.delay_s, lambda: _deliver(connection, reply))
        elif answer is not None:
            connection.sendall(answer)


class LineServer(TcpServer):
    """A server of lines, as SCPI instruments have it. `handler` gets each line without its end (LF or CR LF)."""

    def __init__(
        self,
        name: str,
        handler: Handler,
        timeline: Timeline,
        lock: AbstractContextManager[object],
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        super().__init__(name, split_lines, lambda line: handler(line.decode("latin-1")), timeline, lock, host, port)

    @property
    def address(self) -> str:
        """The VISA resource name of this server."""
        return f"TCPIP::{self.host}::{self.port}::SOCKET"


def split_lines(data: bytes) -> tuple[list[bytes], bytes]:
    """`Split` for lines of at most 64 KiB."""
    *lines, rest = data.split(b"\n")
    if len(rest) > _LONGEST_LINE:
        raise NoRequest
    return [line.rstrip(b"\r") for line in lines], rest


def _deliver(connection: socket.socket, reply: bytes) -> None:
    try:
        connection.sendall(reply)
    except OSError:  # the client went away while it waited
        return


def _taken(host: str, port: int) -> socket.socket:
    """The port (0: one that is free), for as long as this lives. Who connects to it is refused: it does not listen."""
    taken = socket.socket()
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as `create_server` does: both may have it
    taken.bind((host, port))
    return taken


def _shut(link: socket.socket) -> None:
    try:
        link.shutdown(socket.SHUT_RDWR)
    except OSError:  # not connected any more
        return
