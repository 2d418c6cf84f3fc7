"""The Modbus driver on the real clock: against pymodbus's own server, and against sockets that misbehave."""

from __future__ import annotations

import hashlib
import os
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pymodbus.client import ModbusTcpClient

from rig.clock.system import SystemClock
from rig.errors import LinkError, LinkTimeout
from rig.meters.modbus import ModbusMeter
from rig.meters.modbus_link import TcpLink
from rig.meters.port import ImageState, MeterIdentity
from rig.meters.profile import Profile, Value, Version, load_profile
from tests.hurried import LONG_S, HurriedClock

SERVER = Path(__file__).with_name("foreign_server.py")
PROFILE = load_profile("synthetic-esme")
IMAGE = bytes(range(256)) * 4
HASH = hashlib.sha256(IMAGE).digest()


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    process = subprocess.Popen([sys.executable, str(SERVER)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        os.sched_yield()


def meter_at(
    port: int,
    unit: int = 1,
    timeout_s: float = LONG_S,
    profile: Profile = PROFILE,
    clock: SystemClock | None = None,
) -> ModbusMeter:
    clock = clock or SystemClock()
    return ModbusMeter(TcpLink("meter", "127.0.0.1", port, unit, clock, timeout_s), profile, clock)


# -- pymodbus's server -----------------------------------------------------------------------------------------------


def test_a_foreign_server_is_read(port: int) -> None:
    meter = meter_at(port)
    assert meter.identity() == MeterIdentity("Another Maker", "Model 7", "S-1")
    assert meter.version() == "3.2.1"
    assert meter.image_state() is ImageState.VERIFIED
    assert meter.uptime_s() == 65_541.0
    meter.close()


def test_a_foreign_server_takes_an_image_a_verification_and_an_activation(port: int) -> None:
    meter, told = meter_at(port), []
    meter.transfer(IMAGE, lambda done, total: told.append((done, total)))
    assert told[-1] == (len(IMAGE), len(IMAGE))
    assert meter.verify(HASH, len(IMAGE)) is ImageState.VERIFIED
    before = time.monotonic_ns()
    sent = meter.activate(HASH, len(IMAGE))
    assert before <= sent.before_ns <= sent.after_ns <= time.monotonic_ns()
    meter.close()
    client = ModbusTcpClient("127.0.0.1", port=port, timeout=LONG_S)
    assert client.connect()  # type: ignore[no-untyped-call]
    words = client.read_holding_registers(230, count=16, device_id=1).registers
    assert struct.pack(">16H", *words) == HASH
    words = client.read_holding_registers(200, count=18, device_id=1).registers
    assert struct.pack(">18H", *words) == HASH + struct.pack(">I", len(IMAGE))
    client.close()  # type: ignore[no-untyped-call]


def test_a_foreign_servers_exception_is_an_error(port: int) -> None:
    version = Version(parts=[Value(register=5000)])
    meter = meter_at(port, profile=PROFILE.model_copy(update={"version": version}))
    with pytest.raises(LinkError, match=r"Modbus exception 2 \(illegal data address\)"):
        meter.version()
    meter.close()


def test_a_unit_that_a_foreign_server_does_not_have_is_an_error(port: int) -> None:
    meter = meter_at(port, unit=9, timeout_s=0.05)
    with pytest.raises(LinkError):
        meter.version()
    meter.close()


# -- sockets that misbehave ------------------------------------------------------------------------------------------


class Peer:
    """A server of one client at a time; `play` is told the client's link and does what it likes."""

    def __init__(self, play: Callable[[socket.socket], None]) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.requests: list[bytes] = []
        self.received_ns: list[int] = []
        self._play = play
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while True:
            try:
                link, _ = self._listener.accept()
            except OSError:
                return
            with link:
                try:
                    self._play(link)
                except OSError:
                    continue

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(60)

    def request(self, link: socket.socket) -> bytes:
        """One whole frame; raises OSError when there is none."""
        head = self._bytes(link, 6)
        frame = head + self._bytes(link, struct.unpack(">H", head[4:])[0])
        self.received_ns.append(time.monotonic_ns())
        self.requests.append(frame)
        return frame

    @staticmethod
    def _bytes(link: socket.socket, count: int) -> bytes:
        data = b""
        while len(data) < count:
            chunk = link.recv(count - len(data))
            if not chunk:
                raise ConnectionResetError
            data += chunk
        return data


@contextmanager
def peer(play: Callable[[Peer, socket.socket], None]) -> Iterator[Peer]:
    it = Peer(lambda link: play(it, link))
    try:
        yield it
    finally:
        it.close()


def reply(request: bytes, pdu: bytes) -> bytes:
    return request[:4] + struct.pack(">H", len(pdu) + 1) + request[6:7] + pdu


VERSION = struct.pack(">BBHHH", 3, 6, 1, 2, 3)
STATE = struct.pack(">BBH", 3, 2, 3)


def answer(request: bytes) -> bytes:
    """A good answer to a read of version or image status."""
    return reply(request, VERSION if request[8:10] == struct.pack(">H", 130) else STATE)


def test_a_reply_that_stops_half_way_is_a_time_out_and_the_next_question_is_asked_anew() -> None:
    clock = HurriedClock()

    def play(it: Peer, link: socket.socket) -> None:
        while True:
            request = it.request(link)
            first = len(it.requests) == 1
            link.sendall(answer(request)[:9] if first else answer(request))
            if first:
                clock.time_is_over()

    with peer(play) as it:
        meter = meter_at(it.port, clock=clock)
        with pytest.raises(LinkTimeout):
            meter.version()
        assert meter.version() == "1.2.3"
        meter.close()


def test_a_reply_in_pieces_is_put_together() -> None:
    def play(it: Peer, link: socket.socket) -> None:
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while True:
            for byte in answer(it.request(link)):
                link.sendall(bytes([byte]))

    with peer(play) as it:
        meter = meter_at(it.port)
        assert meter.version() == "1.2.3"
        meter.close()


def test_a_reply_to_another_question_is_never_taken_for_this_one() -> None:
    def play(it: Peer, link: socket.socket) -> None:
        while True:
            request = it.request(link)
            stale = struct.pack(">H", struct.unpack(">H", request[:2])[0] + 100) + request[2:]
            link.sendall(reply(stale, struct.pack(">BBHHH", 3, 6, 9, 9, 9)) + answer(request))

    with peer(play) as it:
        meter = meter_at(it.port)
        assert meter.version() == "1.2.3"
        assert meter.version() == "1.2.3"
        meter.close()


@pytest.mark.parametrize("noise", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x00" * 40, b"\xff" * 300])
def test_a_peer_that_speaks_something_else_is_an_error(noise: bytes) -> None:
    clock = HurriedClock()

    def play(it: Peer, link: socket.socket) -> None:
        it.request(link)
        link.sendall(noise)
        clock.time_is_over()
        it.request(link)

    with peer(play) as it:
        meter = meter_at(it.port, clock=clock)
        with pytest.raises(LinkError):
            meter.version()
        meter.close()


def test_silence_is_ended_by_the_clock_and_not_by_the_library() -> None:
    clock = HurriedClock()

    def play(it: Peer, link: socket.socket) -> None:
        it.request(link)
        clock.time_is_over()
        it.request(link)

    with peer(play) as it:
        meter = meter_at(it.port, clock=clock)
        for _ in range(3):
            with pytest.raises(LinkTimeout):
                meter.version()
        assert len(it.requests) == 3


def activated(it: Peer, link: socket.socket, then: Callable[[bytes], None]) -> None:
    """Answer the question before the command; then do what `then` does with the command."""
    while True:
        request = it.request(link)
        if request[7] == 16:
            then(request)
            return
        link.sendall(answer(request))


def test_the_bracket_of_the_command_holds_its_sending_and_ends_before_its_answer() -> None:
    """The bracket is closed when the send has returned: a peer that answers only then proves that it does not wait."""
    meters: list[ModbusMeter] = []
    answered_ns: list[int] = []

    def play(it: Peer, link: socket.socket) -> None:
        def then(request: bytes) -> None:
            until(lambda: meters[0]._link.sent is not None)
            answered_ns.append(time.monotonic_ns())
            link.sendall(reply(request, request[7:12]))

        activated(it, link, then)

    with peer(play) as it:
        meters.append(meter_at(it.port))
        began_ns = time.monotonic_ns()
        sent = meters[0].activate(HASH, len(IMAGE))
        assert began_ns <= it.received_ns[0] <= sent.before_ns, "the question before it was answered before"
        assert sent.before_ns <= it.received_ns[1]
        assert sent.before_ns <= sent.after_ns <= answered_ns[0]
        meters[0].close()


@pytest.mark.parametrize("how", ["silence", "close", "reset"])
def test_a_command_whose_answer_never_comes_was_sent_once(how: str) -> None:
    clock = HurriedClock()

    def play(it: Peer, link: socket.socket) -> None:
        def then(_: bytes) -> None:
            if how == "silence":
                clock.time_is_over()
                it.request(link)
            elif how == "reset":
                link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

        activated(it, link, then)

    with peer(play) as it:
        meter = meter_at(it.port, clock=clock)
        sent = meter.activate(HASH, len(IMAGE))
        assert sent.before_ns <= it.received_ns[-1]
        assert [request[7] for request in it.requests].count(16) == 1
        meter.close()


def test_a_port_that_refuses_is_an_error_and_no_activation() -> None:
    meter = meter_at(1)  # no program is given a port this low
    with pytest.raises(LinkError, match="cannot connect") as caught:
        meter.activate(HASH, len(IMAGE))
    assert not isinstance(caught.value, LinkTimeout)


def test_a_command_that_could_not_be_sent_whole_is_told() -> None:
    def play(it: Peer, link: socket.socket) -> None:
        activated(it, link, lambda _: None)

    with peer(play) as it:
        meter = meter_at(it.port)
        meter.version()
        client = meter._link._client
        assert client is not None
        real = client.socket
        assert real is not None

        class Half:
            """A socket that takes half of what it is given."""

            def send(self, data: bytes) -> int:
                return len(data) // 2

        client.socket = Half()  # type: ignore[assignment]
        with pytest.raises(ConnectionError, match="6 of 12 bytes were sent"):
            client.send(b"a" * 12)
        client.socket = real
        meter.close()


def test_a_meter_leaves_no_descriptor_behind() -> None:
    def play(it: Peer, link: socket.socket) -> None:
        while True:
            link.sendall(answer(it.request(link)))

    with peer(play) as it:
        meter = meter_at(it.port)
        meter.version()
        meter.close()
        before = descriptors()
        for _ in range(20):
            meter.version()
            meter.close()
            meter.close()
        until(lambda: descriptors() <= before)
