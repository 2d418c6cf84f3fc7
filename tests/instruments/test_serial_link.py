"""Serial instruments over a pseudo-terminal: SCPI lines, and replies that nothing ends."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator

import pytest

from rig.clock.base import to_ns
from rig.clock.system import SystemClock
from rig.clock.virtual import VirtualClock
from rig.errors import LinkError, LinkTimeout
from rig.instruments.byte_link import SerialByteLink
from rig.instruments.link import VisaLink
from rig.instruments.wires import LineSettings
from tests.instruments.wire_peers import SerialPeer

IDN = b"TENMA 72-2710 V2.1 SN:12345678"
Start = Callable[[Callable[[bytes], bytes | None]], SerialPeer]


@pytest.fixture
def start() -> Iterator[Start]:
    peers: list[SerialPeer] = []

    def started(answer: Callable[[bytes], bytes | None]) -> SerialPeer:
        peers.append(SerialPeer(answer))
        return peers[-1]

    yield started
    for peer in peers:
        peer.close()


def scpi(table: dict[bytes, bytes | None]) -> Callable[[bytes], bytes | None]:
    """Answers line by line; what has no answer is heard and not answered."""

    def answer(data: bytes) -> bytes | None:
        if not data.endswith(b"\n"):
            return None
        replies = [table.get(line) for line in data.splitlines()]
        return b"".join(reply for reply in replies if reply is not None)

    return answer


def korad(table: dict[bytes, bytes]) -> Callable[[bytes], bytes | None]:
    return table.get


def test_scpi_over_a_serial_port_is_lines_and_blocks_like_any_other(start: Start) -> None:
    block = bytes(range(256))
    peer = start(scpi({b"*IDN?": b"MAKER,MODEL,1,2\r\n", b":A?": b"1\r\n", b":D?": b"#3256" + block + b"\n"}))
    link = VisaLink(peer.address, VirtualClock(), 2.0, "device", line=LineSettings(115200))
    assert link.exchange(":A", ":A?") == ("1",)
    assert bytes(link.query_block(":D?")) == block
    assert link.openings == 1
    link.close()


def test_a_reply_of_a_known_length_is_read_without_waiting_for_silence(start: Start) -> None:
    peer = start(korad({b"*IDN?": IDN, b"VSET1?": b"12.00", b"STATUS?": b"\x51"}))
    clock = VirtualClock()
    link = SerialByteLink(peer.address, clock, 2.0, "psu", pause_s=0.1)
    before = clock.now()
    assert link.ask("VSET1?", 5) == b"12.00"
    assert link.ask("STATUS?", 1) == b"\x51"
    assert link.ask("*IDN?") == IDN
    assert clock.now() - before == to_ns(0.3)
    link.close()


def test_a_reply_that_goes_on_behind_its_length_is_an_error(start: Start) -> None:
    peer = start(korad({b"*IDN?": IDN, b"ISET1?": b"1.500K"}))
    link = SerialByteLink(peer.address, VirtualClock(), 2.0, "psu")
    with pytest.raises(LinkError, match="more than one reply"):
        link.ask("ISET1?", 5)
    link.close()


def test_a_late_answer_on_a_serial_line_is_waited_for_and_thrown_away(start: Start) -> None:
    table = {b"*IDN?": IDN}
    clock = VirtualClock()

    def answer(data: bytes) -> bytes | None:
        reply = table.get(data)  # before the clock goes on, and this test with it
        if reply is None and data.endswith(b"?"):
            clock.defer(None, lambda: None)
        return reply

    peer = start(answer)
    link = SerialByteLink(peer.address, clock, 2.0, "psu")
    began = clock.now()
    with pytest.raises(LinkTimeout, match=r"psu: 'VSET1\?': no answer within 2 s"):
        link.ask("VSET1?", 5)
    peer.say(b"12.00")
    table[b"VSET1?*IDN?"] = IDN  # the peer still has the question that it did not answer
    table[b"VSET1?"] = b"07.00"
    assert link.ask("VSET1?", 5) == b"07.00"
    assert clock.now() - began == to_ns(2.0 + 2.0), "the silence, and as long again until the line is believed"
    assert link.openings == 2
    link.close()


def test_another_serial_number_at_the_port_is_refused(start: Start) -> None:
    table = {b"*IDN?": IDN, b"VSET1?": b"12.00"}
    peer = start(korad(table))
    link = SerialByteLink(peer.address, VirtualClock(), 2.0, "psu")
    assert link.ask("VSET1?", 5) == b"12.00"
    link.close()
    table[b"*IDN?"] = IDN.replace(b"12345678", b"87654321")
    with pytest.raises(LinkError, match="another instrument answers"):
        link.ask("VSET1?", 5)
    link.close()


def test_the_watchdog_ends_a_read_of_a_serial_port(start: Start) -> None:
    asked = threading.Event()

    def answer(data: bytes) -> bytes | None:
        if data == b"*IDN?":
            return IDN
        asked.set()
        return None

    peer = start(answer)
    link = SerialByteLink(peer.address, SystemClock(), 60.0, "psu")
    aborter = threading.Thread(target=lambda: (asked.wait(), link.abort()))
    aborter.start()
    with pytest.raises(LinkError, match="ended from outside"):
        link.ask("STATUS?", 1)
    aborter.join()
    link.close()


def test_a_port_that_is_not_there_is_named(tmp_path: object) -> None:
    link = SerialByteLink("ASRL/dev/ttyNOBODY0::INSTR", VirtualClock(), 2.0, "psu")
    with pytest.raises(LinkError, match=r"psu: .*ttyNOBODY0"):
        link.ask("STATUS?", 1)


def test_a_port_that_is_pulled_out_is_an_error_at_once() -> None:
    master, slave = os.openpty()
    link = VisaLink(f"ASRL{os.ttyname(slave)}::INSTR", SystemClock(), 60.0, "device")
    puller = threading.Thread(target=lambda: (os.read(master, 1), os.close(master)))
    puller.start()
    with pytest.raises(LinkError, match="the link broke"):
        link.query(":A?")
    puller.join()
    os.close(slave)


def test_words_nobody_can_read_are_no_identity(start: Start) -> None:
    peer = start(korad({b"*IDN?": b"\xff\x80\x01"}))
    link = SerialByteLink(peer.address, VirtualClock(), 2.0, "psu")
    with pytest.raises(LinkError, match=r"wrong reply to '\*IDN\?'"):
        link.ask("STATUS?", 1)
    link.close()
