"""One instrument behind each kind of wire that can be served here: a socket, a serial line, VXI-11, HiSLIP.

The servers were written from the specifications (VXI-11 1.0 tables B.x over RFC 1057; IVI-6.1 1.1 tables 3 and 4), not
from the client that they test. What is asked and has no reply is meant silence, and costs the virtual time-out.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import struct
import threading
import tty
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

from rig.twin.ports import Timeline


@dataclass(frozen=True)
class Cut:
    """So much of a reply, and then the connection is gone."""

    reply: bytes = b""


class CutOff(Exception):
    """The peer hangs up."""


Reply = bytes | Cut | None


class Instrument:
    """What is said to which line. `heard`: every line, and `<clear>` for a device clear."""

    def __init__(self, replies: dict[str, Reply], timeline: Timeline) -> None:
        self.replies = replies
        self.heard: list[str] = []
        self._timeline = timeline

    def say(self, line: str) -> Reply:
        """The reply. None: nothing comes; where something was asked, that is meant."""
        self.heard.append(line)
        reply = self.replies.get(line)
        if reply is None and "?" in line:
            self._timeline.defer(None, lambda: None)
        return reply


class Peer(ABC):
    """A server of one instrument, on loopback, a thread for each connection."""

    def __init__(self, instrument: Instrument) -> None:
        self.instrument = instrument
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    @abstractmethod
    def address(self) -> str: ...

    @abstractmethod
    def converse(self, link: socket.socket) -> None: ...

    def close(self) -> None:
        for link in (self._listener, *self._open):
            with contextlib.suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(10.0)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                link, _ = self._listener.accept()
                link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._open.add(link)
                self._threads.append(threading.Thread(target=self._serve, args=(link,), daemon=True))
                self._threads[-1].start()

    def _serve(self, link: socket.socket) -> None:
        with contextlib.suppress(OSError, CutOff, EOFError), link:
            self.converse(link)
        self._open.discard(link)


def exactly(link: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        if not (chunk := link.recv(count - len(data))):
            raise EOFError
        data += chunk
    return data


class SocketPeer(Peer):
    @property
    def address(self) -> str:
        return f"TCPIP::127.0.0.1::{self.port}::SOCKET"

    def converse(self, link: socket.socket) -> None:
        with link.makefile("rb") as lines:
            for line in lines:
                reply = self.instrument.say(line.decode().strip())
                if isinstance(reply, Cut):
                    link.sendall(reply.reply)
                    return
                link.sendall(reply or b"")


class Vxi11Peer(Peer):
    """The core channel alone: the port stands in the address, so no port mapper is asked."""

    max_receive = 1 << 20

    @property
    def address(self) -> str:
        return f"TCPIP::127.0.0.1,{self.port}::inst0::INSTR"

    def converse(self, link: socket.socket) -> None:
        self._rest: bytes | None = None
        while True:
            (mark,) = struct.unpack(">I", exactly(link, 4))
            call = exactly(link, mark & 0x7FFFFFFF)
            xid, _, _, _, _, procedure = struct.unpack_from(">6I", call)
            result = self._result(procedure, call[40:])
            reply = struct.pack(">6I", xid, 1, 0, 0, 0, 0) + result
            link.sendall(struct.pack(">I", 0x80000000 | len(reply)) + reply)

    def _result(self, procedure: int, words: bytes) -> bytes:
        if procedure == 10:  # create_link
            return struct.pack(">4I", 0, 1, 0, self.max_receive)
        if procedure == 11:  # device_write
            (size,) = struct.unpack_from(">I", words, 16)
            return self._written(words[20 : 20 + size])
        if procedure == 12:  # device_read
            return self._read(struct.unpack_from(">I", words, 4)[0])
        if procedure == 15:  # device_clear
            self._rest = None
            self.instrument.heard.append("<clear>")
        return struct.pack(">I", 0)

    def _written(self, data: bytes) -> bytes:
        reply = self.instrument.say(data.decode().strip())
        if isinstance(reply, Cut):
            raise CutOff
        self._rest = reply
        return struct.pack(">2I", 0, len(data))

    def _read(self, size: int) -> bytes:
        if self._rest is None:
            raise CutOff  # the silence was meant when it was written: nobody waits any more
        rest = self._rest
        data, self._rest = rest[:size], rest[size:]
        return struct.pack(">3I", 0, 0 if self._rest else 4, len(data)) + data + bytes(-len(data) % 4)


class HislipPeer(Peer):
    @property
    def address(self) -> str:
        return f"TCPIP::127.0.0.1::hislip0,{self.port}::INSTR"

    def converse(self, link: socket.socket) -> None:
        line = b""
        while True:
            prologue, kind, _, number, size = struct.unpack(">2sBBIQ", exactly(link, 16))
            assert prologue == b"HS"
            data = exactly(link, size)
            if kind in (6, 7):  # Data, DataEnd
                line += data
                if kind == 7:
                    self._answered(link, number, line.decode().strip())
                    line = b""
            elif kind == 0:  # Initialize
                self._send(link, 1, 0x0100 << 16 | 7)
            elif kind == 17:  # AsyncInitialize
                self._send(link, 18)
            elif kind == 15:  # AsyncMaxMsgSize
                self._send(link, 16, 0, struct.pack(">Q", 1 << 20))
            elif kind == 19:  # AsyncDeviceClear
                self.instrument.heard.append("<clear>")
                self._send(link, 23)
            elif kind == 8:  # DeviceClearComplete
                self._send(link, 9)

    def _answered(self, link: socket.socket, number: int, line: str) -> None:
        reply = self.instrument.say(line)
        if isinstance(reply, Cut):
            self._send(link, 6, number, reply.reply)
            raise CutOff
        if reply is not None:
            self._send(link, 7, number, reply)

    @staticmethod
    def _send(link: socket.socket, kind: int, number: int = 0, data: bytes = b"") -> None:
        link.sendall(struct.pack(">2sBBIQ", b"HS", kind, 0, number, len(data)) + data)


class SerialPeer:
    """An instrument on a pseudo-terminal. `answer` gets what came since the last answer; None: it waits for more."""

    def __init__(self, answer: Callable[[bytes], bytes | Cut | None]) -> None:
        self._answer = answer
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.device = os.ttyname(self._slave)
        self._stop = os.eventfd(0)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        return f"ASRL{self.device}::INSTR"

    def say(self, data: bytes) -> None:
        """Without having been asked. Returns when it lies in the line: a pseudo-terminal hands on in its own time."""
        os.write(self._master, data)
        select.select([self._slave], [], [])

    def close(self) -> None:
        os.eventfd_write(self._stop, 1)
        self._thread.join(10.0)
        self._unplug()
        os.close(self._slave)
        os.close(self._stop)

    def _unplug(self) -> None:
        master, self._master = self._master, -1
        if master >= 0:
            os.close(master)

    def _run(self) -> None:
        data = b""
        while self._stop not in select.select([self._master, self._stop], [], [])[0]:
            data += os.read(self._master, 4096)
            reply = self._answer(data)
            if reply is None:
                continue
            data = b""
            os.write(self._master, reply.reply if isinstance(reply, Cut) else reply)
            if isinstance(reply, Cut):
                self._unplug()
                return


class SerialInstrument(SerialPeer):
    """The same instrument as behind the others."""

    def __init__(self, instrument: Instrument) -> None:
        self.instrument = instrument
        super().__init__(self._lines)

    def _lines(self, data: bytes) -> bytes | Cut | None:
        if not data.endswith(b"\n"):
            return None
        whole = b""
        for line in data.splitlines():
            reply = self.instrument.say(line.decode())
            if isinstance(reply, Cut):
                return Cut(whole + reply.reply)
            whole += reply or b""
        return whole


KINDS: dict[str, Callable[[Instrument], Peer | SerialInstrument]] = {
    "socket": SocketPeer,
    "serial": SerialInstrument,
    "VXI-11": Vxi11Peer,
    "HiSLIP": HislipPeer,
}
