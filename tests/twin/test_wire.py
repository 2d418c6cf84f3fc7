"""The wire: requests out of a stream, late answers, silence, hanging up, and a cable that is pulled."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.clock.virtual import VirtualClock
from rig.twin.wire import Answer, Deferred, HangUp, LineServer, NoRequest, TcpServer, split_lines


class Recorder:
    """A timeline that only remembers what it was given."""

    def __init__(self) -> None:
        self.deferred: list[tuple[float | None, Callable[[], None]]] = []
        self.asked = threading.Event()

    def now(self) -> int:
        return 0

    def schedule(self, at_ns: int, fn: Callable[[], None]) -> threading.Timer:
        raise NotImplementedError

    def defer(self, delay_s: float | None, reply: Callable[[], None]) -> None:
        self.deferred.append((delay_s, reply))
        self.asked.set()


def connected(server: TcpServer) -> socket.socket:
    link = socket.create_connection((server.host, server.port))
    link.settimeout(60)
    return link


def lines(handler: Callable[[str], Answer]) -> LineServer:
    return LineServer("device", handler, VirtualClock(), threading.RLock())


def test_lines_end_with_lf_or_cr_lf() -> None:
    got: list[str] = []
    server = lines(lambda line: (got.append(line), b"done\n" if line == "end" else None)[1])
    with connected(server) as link:
        link.sendall(b"one\ntw")
        link.sendall(b"o\r\n\nend\n")
        assert link.recv(16) == b"done\n"
    server.close()
    assert got == ["one", "two", "", "end"]


@given(
    st.lists(st.binary(max_size=20).map(lambda b: b.replace(b"\n", b"").replace(b"\r", b"")), max_size=10), st.data()
)
def test_a_stream_falls_into_the_same_lines_however_it_is_cut(sent: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(line + b"\n" for line in sent)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=5)))
    found: list[bytes] = []
    rest, start = b"", 0
    for cut in [*cuts, len(stream)]:
        requests, rest = split_lines(rest + stream[start:cut])
        found += requests
        start = cut
    assert (found, rest) == (sent, b"")


def test_a_line_without_an_end_closes_the_connection() -> None:
    with pytest.raises(NoRequest):
        split_lines(b"x" * (1 << 17))
    server = lines(lambda _: b"never\n")
    with connected(server) as link:
        try:
            link.sendall(b"x" * (1 << 18))
            assert link.recv(16) == b""
        except ConnectionError:
            pass
    server.close()


def test_a_device_that_hangs_up_closes_only_that_connection() -> None:
    server = lines(lambda line: HangUp() if line == "off" else b"on\n")
    with connected(server) as first, connected(server) as second:
        first.sendall(b"off\n")
        assert first.recv(16) == b""
        second.sendall(b"?\n")
        assert second.recv(16) == b"on\n"
    server.close()


def test_an_unplugged_device_refuses_and_all_its_connections_end() -> None:
    server = lines(lambda _: b"ok\n")
    with connected(server) as link:
        link.sendall(b"?\n")
        assert link.recv(16) == b"ok\n"
        server.unplug()
        server.unplug()
        assert link.recv(16) == b""
        with pytest.raises(ConnectionRefusedError):
            connected(server)
    server.close()


def test_an_unplugged_device_keeps_its_port_and_is_there_again_when_it_is_plugged_in() -> None:
    server = lines(lambda _: b"ok\n")
    for _ in range(3):
        server.unplug()
        with pytest.raises(OSError, match="in use"), socket.socket() as another:
            another.bind((server.host, server.port))
        server.plug()
        server.plug()
        with connected(server) as link:
            link.sendall(b"?\n")
            assert link.recv(16) == b"ok\n"
    server.close()


def threads() -> int:
    return sum(thread.name.startswith("device") for thread in threading.enumerate())


def test_closing_leaves_no_thread_behind() -> None:
    before = threads()
    servers = [lines(lambda _: b"ok\n") for _ in range(5)]
    links = [connected(server) for server in servers for _ in range(3)]
    for link in links:
        link.sendall(b"?\n")
        assert link.recv(16) == b"ok\n"
    for server in servers:
        server.close()
    assert threads() <= before
    for link in links:
        link.close()


def test_closing_while_clients_connect_leaves_no_thread_behind() -> None:
    before = threads()
    for _ in range(50):
        server = lines(lambda _: b"ok\n")
        links = [connected(server) for _ in range(3)]
        server.close()
        for link in links:
            link.close()
    assert threads() <= before


def test_a_handler_is_never_entered_twice_at_once() -> None:
    inside, worst, lock = [0], [0], threading.RLock()

    def handler(_: str) -> Answer:
        inside[0] += 1
        worst[0] = max(worst[0], inside[0])
        sum(range(2_000))
        inside[0] -= 1
        return b"ok\n"

    servers = [LineServer("device", handler, VirtualClock(), lock) for _ in range(2)]
    links = [connected(server) for server in servers for _ in range(3)]
    for _ in range(30):
        for link in links:
            link.sendall(b"?\n")
        for link in links:
            assert link.recv(16) == b"ok\n"
    for link in links:
        link.close()
    for server in servers:
        server.close()
    assert worst == [1]


def test_a_late_answer_to_a_client_that_went_away_is_dropped() -> None:
    timeline = Recorder()
    server = LineServer("device", lambda _: Deferred(1.0, b"late\n"), timeline, threading.RLock())
    link = connected(server)
    link.sendall(b"?\n")
    assert timeline.asked.wait(60)
    link.close()
    server.close()
    [(delay_s, reply)] = timeline.deferred
    assert delay_s == 1.0
    reply()


def test_the_address_is_a_visa_resource_name() -> None:
    server = lines(lambda _: None)
    assert server.address == f"TCPIP::127.0.0.1::{server.port}::SOCKET"
    assert server.endpoint == f"127.0.0.1:{server.port}"
    server.close()
