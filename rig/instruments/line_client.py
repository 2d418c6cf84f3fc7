"""Sense lines that another process of this machine stamps and serves over a local socket: the protocol `rig.lines/1`.

It carries what a gpiod request gives, and nothing more: edges with stamp, line and number, and level reads. Text lines,
each ended by LF, numbers in decimal:

    client  rig.lines/1 5 6 12                 once, first: these lines, from now on
    server  rig.lines/1 BOOT_ID NOW_NS         the kernel's boot id, and CLOCK_MONOTONIC as it answers
    client  levels
    server  levels 1 0 1                       in the order in which the lines were asked for
    server  edge LINE SEQNO AT_NS LEVEL        at any time; LEVEL after the edge; AT_NS on CLOCK_MONOTONIC
    server  error TEXT                         and it hangs up

Levels are electrical, 0 or 1; what is active is the client's business. SEQNO counts the edges of a line from 1 since
the request. A server whose buffer is full drops the oldest edges, and their numbers are missing. Every edge that
happened before levels were read is sent before that answer. Each connection is a request of its own.

The stamps are of the clock that this process reads, or they mean nothing here: so the server must be on this machine
(loopback or a Unix socket), of this boot, and its clock must read between our question and its answer. Strict: anything
else ends the knowledge of all lines.
"""

from __future__ import annotations

import re
import select
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rig.clock.base import Clock
from rig.errors import BenchError, LinkError, Where
from rig.instruments.ports import LineEdge
from rig.instruments.sense import SenseLine

PROTOCOL = "rig.lines/1"
ANSWER_S = 5.0
"""How long the server may take to answer; it is on this machine."""
_CHUNK = 1 << 16
_LONGEST_LINE = 4096
_HELLO = re.compile(rf"{re.escape(PROTOCOL)} ([0-9a-f-]{{36}}) ([0-9]{{1,19}})")
_EDGE = re.compile(r"edge ([0-9]{1,4}) ([0-9]{1,18}) ([0-9]{1,19}) ([01])")


def boot_id() -> str:
    """This kernel's boot."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


class ServedSenseLines:
    """Implements `rig.instruments.ports.SenseLines`. `address`: host:port on loopback, or the path of a Unix socket."""

    def __init__(self, address: str, lines: tuple[SenseLine, ...], clock: Clock, timeout_s: float = ANSWER_S) -> None:
        self._clock = clock
        self._timeout_s = timeout_s
        self._lines = {line.line: line for line in lines}
        self._rest = b""
        self._edges: list[LineEdge] = []
        self._socket: socket.socket | None = None
        try:
            with self._told(), clock.io(self, timeout_s):
                self._socket = _connected(address, clock.real_timeout_s(timeout_s))
                self._request()
        except LinkError as error:
            raise BenchError(f"{error.message} (line server at {address})", error.where) from error

    def names(self) -> tuple[str, ...]:
        return tuple(line.name for line in self._lines.values())

    def fileno(self) -> int:
        return self._link().fileno()

    def edges(self) -> list[LineEdge]:
        with self._told():
            while select.select([self._link()], [], [], 0)[0]:
                for line in self._received():
                    self._edge(line)
        found, self._edges = self._edges, []
        return found

    def levels(self) -> dict[str, bool]:
        with self._told():
            with self._clock.io(self, self._timeout_s):
                self._link().sendall(b"levels\n")
                answer = self._answer()
            words = answer.split(" ")
            if len(words) != len(self._lines) + 1 or words[0] != "levels" or not {"0", "1"}.issuperset(words[1:]):
                raise _wrong(answer, f"levels, and {len(self._lines)} of 0 or 1")
        return {
            line.name: (word == "1") == line.active_high
            for line, word in zip(self._lines.values(), words[1:], strict=True)
        }

    def close(self) -> None:
        link, self._socket = self._socket, None
        if link is not None:
            link.close()

    def abort(self) -> None:
        """See `rig.clock.Abortable`."""
        if self._socket is not None:
            try:
                self._socket.shutdown(socket.SHUT_RDWR)
            except OSError:  # closed already
                return

    # -- the protocol --------------------------------------------------------------------------------------------

    def _request(self) -> None:
        asked = self._clock.now()
        self._link().sendall(f"{PROTOCOL} {' '.join(str(number) for number in self._lines)}\n".encode("ascii"))
        hello = self._answer()
        received = self._clock.now()
        found = _HELLO.fullmatch(hello)
        if found is None:
            raise LinkError("this is no line server", Where(found=hello[:80], expected=f"{PROTOCOL} BOOT_ID NOW_NS"))
        if found[1] != boot_id():
            raise LinkError("the server is of another machine or boot: its stamps are of another clock")
        if not asked <= int(found[2]) <= received:
            expected = f"{asked} to {received}"
            raise LinkError(
                "the server's clock is not CLOCK_MONOTONIC of here", Where(found=found[2], expected=expected)
            )

    def _answer(self) -> str:
        """The next line that is no edge. Edges before it are kept."""
        while True:
            lines = self._received()
            for number, line in enumerate(lines):
                if not line.startswith("edge "):
                    for edge in lines[number + 1 :]:
                        self._edge(edge)
                    return line
                self._edge(line)

    def _received(self) -> list[str]:
        """The whole lines of one read. Waits for something to come."""
        data = self._link().recv(_CHUNK)
        if not data:
            raise ConnectionResetError("the line server closed the connection")
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > _LONGEST_LINE:
            raise _wrong(repr(self._rest[:40]), "lines that end")
        texts = [line.decode("ascii", "backslashreplace") for line in lines]
        for text in texts:
            if text.startswith("error "):
                raise LinkError(f"the line server says: {text.removeprefix('error ')[:200]}")
        return texts

    def _edge(self, text: str) -> None:
        found = _EDGE.fullmatch(text)
        line = None if found is None else self._lines.get(int(found[1]))
        if found is None or line is None:
            raise _wrong(text, "edge LINE SEQNO AT_NS LEVEL, of a line that was asked for")
        at_ns = int(found[3])
        if at_ns > self._clock.now():
            raise _wrong(text, "a stamp that is not in the future")
        self._edges.append(LineEdge(line.name, at_ns, (found[4] == "1") == line.active_high, int(found[2])))

    # -- the link ------------------------------------------------------------------------------------------------

    def _link(self) -> socket.socket:
        if self._socket is None:
            raise LinkError("the line server is gone")
        return self._socket

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Whatever breaks ends the knowledge of all lines: the link is closed, and not opened again."""
        try:
            yield
        except LinkError as error:
            self.close()
            raise type(error)(f"sense lines: {error.message}", error.where) from error
        except OSError as error:
            self.close()
            raise LinkError(f"sense lines: the line server is gone: {error.strerror or error}") from error
        except BaseException:
            self.close()
            raise


def _wrong(found: str, expected: str) -> LinkError:
    return LinkError("the line server speaks wrongly", Where(found=found[:80], expected=expected))


def _connected(address: str, timeout_s: float) -> socket.socket:
    if address.startswith("/"):
        link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        link.settimeout(timeout_s)
        try:
            link.connect(address)
        except OSError:
            link.close()
            raise
        return link
    host, _, port = address.rpartition(":")
    link = socket.create_connection((host.removeprefix("[").removesuffix("]"), int(port)), timeout_s)
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return link
