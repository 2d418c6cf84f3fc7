"""The wires of relay boards, on the real clock, against peers that misbehave: strict, and nothing is sent twice."""

from __future__ import annotations

import os
import select
import socket
import threading
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.framer.rtu import FramerRTU

from rig.clock.system import SystemClock
from rig.errors import LinkError, LinkTimeout
from rig.instruments.modbus_link import SerialModbusLink, TcpModbusLink, _with_crc
from tests.hurried import LONG_S, HurriedClock

REQUEST = bytes.fromhex("05 00 01 ff 00")
Play = Callable[[bytes], bytes | None]
"""A peer's answer to one request; None: it hangs up."""


class TcpPeer:
    """Serves one client after the other, and remembers every request and how many clients came."""

    def __init__(self, play: Play) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.requests: list[bytes] = []
        self.clients = 0
        self._play = play
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _run(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.clients += 1
            with client, suppress(ConnectionError):  # it need not wait for what we say
                while request := client.recv(12):
                    self.requests.append(request)
                    answer = self._play(request)
                    if answer is None:
                        break
                    client.sendall(answer)


@contextmanager
def tcp(play: Play, clock: SystemClock | None = None) -> Iterator[tuple[TcpModbusLink, TcpPeer]]:
    peer = TcpPeer(play)
    link = TcpModbusLink("127.0.0.1", peer.port, clock or SystemClock(), LONG_S)
    try:
        yield link, peer
    finally:
        link.close()
        peer.close()


def test_requests_are_numbered_and_answers_belong_to_theirs() -> None:
    with tcp(lambda request: request) as (link, peer):
        for _ in range(3):
            assert link.exchange(9, REQUEST, 5) == REQUEST
    assert [request[:2] for request in peer.requests] == [b"\0\1", b"\0\2", b"\0\3"]
    assert peer.requests[0][2:] == bytes.fromhex("00 00 00 06 09") + REQUEST
    assert peer.clients == 1


WRONG = {
    "another transaction": lambda request: b"\x12\x34" + request[2:],
    "another protocol": lambda request: request[:2] + b"\0\1" + request[4:],
    "another unit": lambda request: request[:6] + b"\7" + request[7:],
    "too long": lambda request: request[:4] + b"\0\7" + request[6:] + b"\0",
    "half of it": lambda request: request[:8],
    "nothing": lambda _: None,
}


@pytest.mark.parametrize("play", WRONG.values(), ids=WRONG.keys())
def test_a_wrong_answer_is_an_error_and_the_request_was_sent_once(play: Play) -> None:
    stop, clock = iter([True]), HurriedClock()

    def once(request: bytes) -> bytes | None:
        if not next(stop, False):
            return request
        if play is WRONG["half of it"]:
            clock.time_is_over()
        return play(request)

    with tcp(once, clock) as (link, peer):
        with pytest.raises(LinkError):
            link.exchange(1, REQUEST, 5)
        assert len(peer.requests) == 1
        assert link.exchange(1, REQUEST, 5) == REQUEST, "the next one has a link of its own"
        assert peer.clients == 2


def test_silence_is_a_timeout_and_its_late_answer_is_never_taken_for_another() -> None:
    late, clock = threading.Event(), HurriedClock()

    def play(request: bytes) -> bytes:
        if request[:2] == b"\0\1":
            clock.time_is_over()
            late.wait(LONG_S)
            return request[:8] + bytes.fromhex("00 07 00 00")
        return request

    with tcp(play, clock) as (link, peer):
        with pytest.raises(LinkTimeout, match=r"no answer within 60 s"):
            link.exchange(1, REQUEST, 5)
        late.set()
        assert link.exchange(1, REQUEST, 5) == REQUEST
        assert len(peer.requests) == 2


def test_a_connection_that_the_board_closed_meanwhile_is_replaced_before_anything_is_sent() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    link = TcpModbusLink("127.0.0.1", listener.getsockname()[1], SystemClock(), LONG_S)

    def serve(count: int) -> None:
        for _ in range(count):
            client, _ = listener.accept()
            with client:
                client.sendall(client.recv(12))

    thread = threading.Thread(target=serve, args=(2,))
    thread.start()
    assert link.exchange(1, REQUEST, 5) == REQUEST
    assert link._socket is not None
    select.select([link._socket], [], [], 60)  # the end of the connection has arrived
    assert link.exchange(1, REQUEST, 5) == REQUEST
    thread.join()
    link.close()
    listener.close()


def test_a_board_that_refuses_is_an_error_that_says_so() -> None:
    link = TcpModbusLink("127.0.0.1", 1, SystemClock(), LONG_S)  # no program is given a port this low
    with pytest.raises(LinkError, match="the link to its board broke: Connection refused"):
        link.exchange(1, REQUEST, 5)


# -- the serial line -------------------------------------------------------------------------------------------------


@contextmanager
def serial(clock: SystemClock | None = None) -> Iterator[tuple[SerialModbusLink, int]]:
    """A link on a pseudo-terminal, and the other end of the line."""
    master, slave = os.openpty()
    tty.setraw(slave)
    link = SerialModbusLink(os.ttyname(slave), 115_200, "none", clock or SystemClock(), LONG_S)
    try:
        yield link, master
    finally:
        link.close()
        os.close(slave)
        os.close(master)


@contextmanager
def board(master: int, *answers: bytes, clock: HurriedClock | None = None) -> Iterator[list[bytes]]:
    """Gives these answers, one to each request. `clock`: the time is over when the last one was given."""
    requests: list[bytes] = []

    def run() -> None:
        for answer in answers:
            requests.append(os.read(master, 8))
            os.write(master, answer)
        if clock is not None:
            clock.time_is_over()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield requests
    finally:
        thread.join()


GOOD = _with_crc(b"\1" + REQUEST)


def test_a_frame_goes_out_with_its_crc_and_the_answer_comes_back_without() -> None:
    with serial() as (link, master), board(master, GOOD) as requests:
        assert link.exchange(1, REQUEST, 5) == REQUEST
    assert requests == [GOOD]


def test_an_exception_is_shorter_and_comes_whole() -> None:
    with serial() as (link, master), board(master, _with_crc(b"\1\x85\2")):
        assert link.exchange(1, REQUEST, 5) == b"\x85\2"


@pytest.mark.parametrize(
    ("answer", "told"),
    [(GOOD[:-1] + b"\0", "the reply's CRC is wrong"), (_with_crc(b"\2" + REQUEST), "another unit answered")],
)
def test_a_wrong_frame_is_an_error(answer: bytes, told: str) -> None:
    with serial() as (link, master), board(master, answer), pytest.raises(LinkError, match=told):
        link.exchange(1, REQUEST, 5)


def test_what_comes_late_is_thrown_away_before_the_next_request() -> None:
    """On a serial line nothing says which request an answer belongs to."""
    stale = _with_crc(bytes.fromhex("01 05 00 01 00 00"))
    with serial() as (link, master):
        with board(master, GOOD):
            link.exchange(1, REQUEST, 5)
        os.write(master, stale)
        select.select([link._fd], [], [])  # a pseudo-terminal hands on in its own time
        with board(master, GOOD) as requests:
            assert link.exchange(1, REQUEST, 5) == REQUEST
    assert requests == [GOOD]


def test_silence_on_the_line_is_a_timeout_and_the_next_exchange_is_sound() -> None:
    clock = HurriedClock()
    with serial(clock) as (link, master):
        with board(master, b"", clock=clock) as requests, pytest.raises(LinkTimeout):
            link.exchange(1, REQUEST, 5)
        with board(master, GOOD) as again:
            assert link.exchange(1, REQUEST, 5) == REQUEST
    assert (requests, again) == ([GOOD], [GOOD]), "each was sent once"


def test_half_a_frame_is_silence_too() -> None:
    clock = HurriedClock()
    with serial(clock) as (link, master), board(master, GOOD[:4], clock=clock), pytest.raises(LinkTimeout):
        link.exchange(1, REQUEST, 5)


def test_a_port_that_another_program_has_is_refused() -> None:
    with serial() as (link, master), board(master, GOOD):
        link.exchange(1, REQUEST, 5)
        other = SerialModbusLink(link._port, 115_200, "none", SystemClock(), LONG_S)
        with pytest.raises(LinkError, match="the link to its board broke: "):
            other.exchange(1, REQUEST, 5)


def test_a_port_that_is_not_there_is_told() -> None:
    link = SerialModbusLink("/dev/nothing", 9600, "none", SystemClock(), LONG_S)
    with pytest.raises(LinkError, match="No such file or directory"):
        link.exchange(1, REQUEST, 5)


@given(st.binary(min_size=1, max_size=253))
def test_the_crc_is_that_of_another_implementation(frame: bytes) -> None:
    other = FramerRTU.compute_CRC(frame)
    assert int.from_bytes(_with_crc(frame)[-2:], "big") == other
