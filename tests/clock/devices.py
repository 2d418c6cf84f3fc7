"""Devices on sockets for tests of the virtual clock, and small helpers."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rig.clock import NS
from rig.clock.virtual import VirtualClock
from rig.twin.wire import SILENCE, Answer, Deferred, LineServer

T0 = 1_000 * NS


class Link:
    """A client that sends lines and reads replies, as a driver's link does."""

    def __init__(self, server: LineServer) -> None:
        self._socket = socket.create_connection((server.host, server.port))
        self._file = self._socket.makefile("rb")
        self.aborts = 0

    def ask(self, text: str) -> str:
        self.send(text)
        return self.read()

    def send(self, text: str) -> None:
        self._socket.sendall(text.encode() + b"\n")

    def read(self) -> str:
        reply = self._file.readline()
        if not reply:
            raise ConnectionResetError("closed")
        return reply.decode().strip()

    def abort(self) -> None:
        self.aborts += 1
        self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._file.close()
        self._socket.close()


@contextmanager
def served(clock: VirtualClock, handler: Callable[[str], Answer], links: int = 1) -> Iterator[list[Link]]:
    server = LineServer("device", handler, clock, threading.RLock())
    clients = [Link(server) for _ in range(links)]
    try:
        yield clients
    finally:
        for client in clients:
            client.close()
        server.close()


def echo(line: str) -> Answer:
    """`late 2 x` is answered with x after 2 s, `never` not at all, all else at once."""
    word, *rest = line.split()
    if word == "late":
        return Deferred(float(rest[0]), rest[1].encode() + b"\n")
    return SILENCE if word == "never" else line.encode() + b"\n"


class Nothing:
    """A link to nothing."""

    def abort(self) -> None:
        raise AssertionError("nothing was silent")


def from_another_thread(fn: Callable[[], None]) -> None:
    """As a signal handler of the main thread or a watchdog would: no activity, no baton."""
    thread = threading.Thread(target=fn)
    thread.start()
    thread.join()


def until(condition: Callable[[], bool]) -> None:
    """Let the other threads run. (After a harness error there is no baton any more.)"""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        os.sched_yield()
