"""The twin's sense lines on a socket: the server's side of `rig.lines/1` (see `rig.instruments.line_client`).

Each connection is a request of its own, with numbers and a buffer of its own, as a gpiod request is. No physics: lines
are signals of the model, stamped by the time line that is given.
"""

from __future__ import annotations

import os
import re
import select
import socket
import time
from collections import deque
from collections.abc import Mapping
from contextlib import AbstractContextManager

from rig.instruments.line_client import PROTOCOL, boot_id
from rig.twin.devices import Signal
from rig.twin.ports import Timeline
from rig.twin.wire import TcpServer, split_lines

MOST_EVENTS = 1024
"""As the kernel keeps for one request."""
_MOST_LINES = 64
_REQUEST = re.compile(rf"{re.escape(PROTOCOL)}((?: [0-9]{{1,4}}){{1,{_MOST_LINES}}})")


class _Refused(Exception):
    """What the client is told before the connection ends."""


class _Request:
    """One client's lines: its numbers, and the edges that it has not been sent. Guarded by the twin's lock."""

    def __init__(self, lines: list[int]) -> None:
        self.lines = lines
        self.ready = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._numbers = dict.fromkeys(lines, 0)
        self._edges: deque[str] = deque(maxlen=MOST_EVENTS)

    def edge(self, line: int, at_ns: int, level: bool, lost: bool) -> None:
        if line not in self._numbers:
            return
        self._numbers[line] += 1
        if not lost:
            if not self._edges:
                os.eventfd_write(self.ready, 1)
            self._edges.append(f"edge {line} {self._numbers[line]} {at_ns} {int(level)}\n")

    def taken(self) -> str:
        """The edges that wait, as they go on the wire."""
        text = "".join(self._edges)
        if self._edges:
            self._edges.clear()
            os.eventfd_read(self.ready)
        return text


class SenseServer(TcpServer):
    """Serves these lines, by number. `faces` stamps: its `now` is CLOCK_MONOTONIC in the model's present."""

    def __init__(
        self,
        lines: Mapping[int, Signal],
        faces: Timeline,
        lock: AbstractContextManager[object],
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self._lines = dict(lines)
        self._faces = faces
        self._requests_open: list[_Request] = []
        self.drop_next: dict[int, int] = {}
        """How many of the next edges of a line get lost (a fault)."""
        for number, signal in self._lines.items():
            signal.listen(lambda level, n=number: self._edge(n, level))  # type: ignore[misc]
        super().__init__("sense", split_lines, lambda _: None, faces, lock, host, port)

    def _edge(self, line: int, level: bool) -> None:
        lost = self.drop_next.get(line, 0) > 0
        if lost:
            self.drop_next[line] -= 1
        for request in self._requests_open:
            request.edge(line, self._faces.now(), level, lost)

    def _requests(self, connection: socket.socket) -> None:
        request: _Request | None = None
        rest = b""
        try:
            while chunk := self._wait(connection, request):
                lines, rest = split_lines(rest + chunk)
                for line in lines:
                    if request is None:
                        request = self._open(connection, line.decode("ascii", "replace"))
                    else:
                        self._levels(connection, request, line)
        except _Refused as error:
            connection.sendall(f"error {error}\n".encode("ascii"))
        finally:
            if request is not None:
                with self._lock:
                    self._requests_open.remove(request)
                os.close(request.ready)

    def _wait(self, connection: socket.socket, request: _Request | None) -> bytes:
        """What the client sent next; meanwhile it is sent its edges."""
        poll = select.poll()
        poll.register(connection, select.POLLIN)
        if request is not None:
            poll.register(request.ready, select.POLLIN)
        while True:
            found = {fd for fd, _ in poll.poll()}
            if request is not None and request.ready in found:
                with self._lock:
                    text = request.taken()
                connection.sendall(text.encode("ascii"))
            if connection.fileno() in found:
                return connection.recv(1 << 16)

    def _open(self, connection: socket.socket, line: str) -> _Request:
        words = _REQUEST.fullmatch(line)
        if words is None:
            raise _Refused(f"a request is: {PROTOCOL} and the numbers of 1 to {_MOST_LINES} lines")
        numbers = [int(word) for word in words[1].split()]
        unknown = [number for number in numbers if number not in self._lines]
        if unknown:
            raise _Refused(f"no line {unknown[0]}; there are {', '.join(str(n) for n in sorted(self._lines))}")
        if len(set(numbers)) != len(numbers):
            raise _Refused("a line is asked for twice")
        request = _Request(numbers)
        with self._lock:
            self._requests_open.append(request)
        connection.sendall(f"{PROTOCOL} {boot_id()} {time.monotonic_ns()}\n".encode("ascii"))
        return request

    def _levels(self, connection: socket.socket, request: _Request, line: bytes) -> None:
        if line != b"levels":
            raise _Refused("after the request, all there is to ask for is: levels")
        with self._lock:  # brings the model to the present: what happened until now is among the edges
            edges = request.taken()
            levels = " ".join(str(int(self._lines[number].level)) for number in request.lines)
        connection.sendall(f"{edges}levels {levels}\n".encode("ascii"))
