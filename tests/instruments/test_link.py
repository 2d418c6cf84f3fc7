"""`VisaLink` over real loopback TCP, on the virtual clock: silence, closed peers, lying blocks, another instrument."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from rig.clock.base import to_ns
from rig.clock.system import SystemClock
from rig.clock.virtual import VirtualClock
from rig.errors import LinkError, LinkTimeout
from rig.instruments.link import VisaLink
from rig.twin.wire import SILENCE, Answer, Deferred, HangUp, LineServer

IDN = b"RIGOL TECHNOLOGIES,DP832,DP8C1,00.01\n"
Serve = Callable[[dict[str, Answer]], tuple[VisaLink, VirtualClock, LineServer]]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """A server that answers from a table (looked up anew for each line), and a link to it."""
    opened: list[tuple[VisaLink, LineServer]] = []

    def start(table: dict[str, Answer]) -> tuple[VisaLink, VirtualClock, LineServer]:
        table.setdefault("*IDN?", IDN)
        table.setdefault("*CLS", None)
        clock = VirtualClock()
        server = LineServer("device", lambda line: table[line], clock, threading.RLock())
        link = VisaLink(server.address, clock, 2.0, "device")
        opened.append((link, server))
        return link, clock, server

    yield start
    for link, server in opened:
        link.close()
        server.close()


def test_commands_and_queries_of_one_exchange_come_in_order(serve: Serve):
    link, clock, _ = serve({":A": None, ":A?": b"1\n", ":B?": b"two\r\n"})
    before = clock.now()
    assert link.exchange(":A", ":A?", ":B?") == ("1", "two")
    assert clock.now() == before


def test_an_exchange_must_end_with_a_query(serve: Serve):
    link, _, _ = serve({})
    with pytest.raises(ValueError, match="ends with a query"):
        link.exchange(":A")


def test_silence_costs_exactly_the_timeout_and_names_device_and_command(serve: Serve):
    link, clock, _ = serve({":A?": SILENCE})
    before = clock.now()
    with pytest.raises(LinkTimeout, match=r"device: ':A\?': no answer within 2 s"):
        link.query(":A?")
    assert clock.now() - before == to_ns(2.0)


def test_a_late_reply_within_the_timeout_is_read_when_it_comes(serve: Serve):
    link, clock, _ = serve({":A?": Deferred(1.5, b"late\n")})
    before = clock.now()
    assert link.query(":A?") == "late"
    assert clock.now() - before == to_ns(1.5)


def test_a_reply_after_the_timeout_is_never_taken_for_the_next_answer(serve: Serve):
    table: dict[str, Answer] = {":A?": Deferred(2.5, b"late\n"), ":B?": b"right\n"}
    link, clock, _ = serve(table)
    with pytest.raises(LinkTimeout):
        link.query(":A?")
    clock.sleep(1.0)
    assert link.query(":B?") == "right"


def test_after_silence_the_same_instrument_is_welcome_again(serve: Serve):
    table: dict[str, Answer] = {":A?": SILENCE}
    link, _, _ = serve(table)
    with pytest.raises(LinkTimeout):
        link.query(":A?")
    table[":A?"] = b"1\n"
    assert link.query(":A?") == "1"
    assert link.reopen().serial == "DP8C1"


def test_who_only_looks_leaves_the_error_queue_alone():
    heard: list[str] = []
    clock = VirtualClock()

    def handle(line: str) -> Answer:
        heard.append(line)
        return IDN if line.endswith("?") else None

    server = LineServer("device", handle, clock, threading.RLock())
    for clears in (False, True):
        link = VisaLink(server.address, clock, 2.0, "device", clears=clears)
        link.query(":A?")
        link.close()
    server.close()
    assert heard == ["*IDN?", ":A?", "*CLS", "*IDN?", ":A?"]


def test_after_silence_another_serial_number_is_refused(serve: Serve):
    table: dict[str, Answer] = {":A?": SILENCE}
    link, _, _ = serve(table)
    with pytest.raises(LinkTimeout):
        link.query(":A?")
    table["*IDN?"] = IDN.replace(b"DP8C1", b"DP8C2")
    with pytest.raises(LinkError, match="another instrument"):
        link.query(":A?")


def test_a_device_that_hangs_up_in_the_middle_is_an_error_at_once(serve: Serve):
    link, clock, _ = serve({":A?": HangUp()})
    before = clock.now()
    with pytest.raises(LinkError, match="broke"):
        link.query(":A?")
    assert clock.now() == before


def test_a_device_that_went_away_between_exchanges_is_told_once_and_then_refuses(serve: Serve):
    link, _, server = serve({":A?": b"1\n"})
    assert link.query(":A?") == "1"
    server.unplug()
    for _ in range(2):
        with pytest.raises(LinkError, match="broke"):
            link.query(":A?")


def test_a_port_where_nobody_listens_is_an_error_and_not_an_open_link(serve: Serve):
    link, _, server = serve({})
    server.unplug()
    with pytest.raises(LinkError):
        link.query("*IDN?")


@pytest.mark.parametrize("reply", [b"RIGOL TECHNOLOGIES,DP832\n", b"\n", b"\xff\xfe\n"])
def test_half_an_identity_is_an_error(serve: Serve, reply: bytes):
    link, _, _ = serve({"*IDN?": reply, ":A?": b"1\n"})
    with pytest.raises(LinkError):
        link.query(":A?")


def test_two_replies_to_one_question_are_an_error(serve: Serve):
    link, _, _ = serve({":A?": b"1\n2\n"})
    with pytest.raises(LinkError):
        link.query(":A?")


@pytest.mark.parametrize("fill", [0x0A, 0x00, 0x23])
def test_a_block_is_read_whatever_its_bytes_are(serve: Serve, fill: int):
    data = np.full(250_000, fill, np.uint8)
    link, _, _ = serve({":D?": b"#9000250000" + data.tobytes() + b"\n", ":A?": b"1\n"})
    assert np.array_equal(link.query_block(":D?"), data)
    assert link.query(":A?") == "1"


@pytest.mark.parametrize("reply", [b"#15hello!\n", b"hello\n", b"#0hello\n", b"#2x5hello\n"])
def test_a_block_that_is_none_is_an_error_and_the_link_recovers(serve: Serve, reply: bytes):
    link, _, _ = serve({":D?": reply, ":A?": b"1\n"})
    with pytest.raises(LinkError):
        link.query_block(":D?")
    assert link.query(":A?") == "1"


def test_a_block_that_stops_short_is_a_timeout_when_the_silence_is_meant(serve: Serve):
    link, clock, _ = serve({":D?": Deferred(None), ":A?": b"1\n"})
    before = clock.now()
    with pytest.raises(LinkTimeout):
        link.query_block(":D?", timeout_s=30.0)
    assert clock.now() - before == to_ns(30.0)


def test_abort_ends_a_blocked_read_on_the_real_clock():
    clock = SystemClock()
    asked = threading.Event()

    def handler(line: str) -> Answer:
        if line == ":A?":
            asked.set()
        return IDN if line == "*IDN?" else None

    server = LineServer("device", handler, VirtualClock(), threading.RLock())
    link = VisaLink(server.address, clock, 60.0, "device")
    aborter = threading.Thread(target=lambda: (asked.wait(), link.abort()))
    aborter.start()
    with pytest.raises(LinkError, match="broke"):
        link.query(":A?")
    aborter.join()
    link.abort()
    link.close()
    server.close()


def test_many_activities_may_wait_on_slow_instruments_in_one_order(serve: Serve):
    table: dict[str, Answer] = {":A?": Deferred(1.0, b"1\n")}
    link, clock, _ = serve(table)
    seen: list[tuple[str, int]] = []
    start = clock.now()

    def watch() -> None:
        for _ in range(4):
            clock.sleep(0.4)
            seen.append(("watch", clock.now() - start))

    activity = clock.spawn("watch", watch)
    link.query(":A?")
    seen.append(("answer", clock.now() - start))
    activity.join()
    assert seen == [
        ("watch", to_ns(0.4)),
        ("watch", to_ns(0.8)),
        ("answer", to_ns(1.0)),
        ("watch", to_ns(1.2)),
        ("watch", to_ns(1.6)),
    ]


def test_a_peer_that_closes_in_the_middle_of_a_block_is_an_error_at_once():
    clock = VirtualClock()
    listener = socket.create_server(("127.0.0.1", 0))

    def peer() -> None:
        connection, _ = listener.accept()
        with connection, connection.makefile("rb") as lines:
            for line in lines:
                if line == b"*IDN?\n":
                    connection.sendall(IDN)
                if line == b":D?\n":
                    connection.sendall(b"#9000250000" + bytes(1000))
                    return

    thread = threading.Thread(target=peer)
    thread.start()
    link = VisaLink(f"TCPIP::127.0.0.1::{listener.getsockname()[1]}::SOCKET", clock, 2.0, "device")
    with pytest.raises(LinkError, match="broke"):
        link.query_block(":D?")
    thread.join()
    listener.close()
