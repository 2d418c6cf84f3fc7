"""What a bad instrument or a bad link may do, on every kind of wire that can be served here: a named error, or nothing.

Never a hang, never a wrong number. USB cannot be served here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from rig.clock.base import Cancelled, to_ns
from rig.clock.virtual import VirtualClock
from rig.errors import LinkError, LinkTimeout
from rig.instruments.catalogue import supply
from rig.instruments.link import VisaLink
from rig.instruments.ports import SupplyLimits
from rig.instruments.scpi import command
from tests.instruments.wire_peers import KINDS, Cut, Instrument, Reply

IDN = b"RIGOL TECHNOLOGIES,DP832,DP8C1,00.01\n"
DP832: dict[str, Reply] = {
    "*IDN?": IDN,
    ":SYST:ERR?": b'0,"No error"\n',
    ":MEAS:ALL? CH1": b"12.000,0.500,6.000\n",
    ":OUTP? CH1": b"ON\n",
    ":OUTP:CVCC? CH1": b"CV\n",
    ":OUTP:OVP:QUES? CH1": b"NO\n",
    ":OUTP:OCP:QUES? CH1": b"NO\n",
}
Start = Callable[..., tuple[VisaLink, VirtualClock, Instrument]]


@pytest.fixture(params=list(KINDS))
def start(request: pytest.FixtureRequest) -> Iterator[Start]:
    opened: list[object] = []

    def started(replies: dict[str, Reply]) -> tuple[VisaLink, VirtualClock, Instrument]:
        clock = VirtualClock()
        instrument = Instrument({**DP832, **replies}, clock)
        peer = KINDS[request.param](instrument)
        link = VisaLink(peer.address, clock, 2.0, "psu")
        opened.extend((link, peer))
        return link, clock, instrument

    yield started
    for each in opened:
        each.close()  # type: ignore[attr-defined]


@pytest.fixture
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.node.callspec.params["start"])


def test_a_driver_reads_its_instrument(start: Start) -> None:
    link, clock, _ = start({})
    psu = supply("rigol-dp800").open("psu", link, 1, SupplyLimits(14.0, 2.5))
    before = clock.now()
    assert psu.identify().serial == "DP8C1"
    reading = psu.read()
    assert (reading.volts, reading.amps, reading.mode, reading.output_on) == (12.0, 0.5, "CV", True)
    assert clock.now() == before


@pytest.mark.parametrize("fill", [0x0A, 0x00, 0x23])
def test_a_long_block_is_read_whatever_its_bytes_are(start: Start, fill: int) -> None:
    data = np.full(1_500_000, fill, np.uint8)
    link, _, _ = start({":D?": b"#71500000" + data.tobytes() + b"\n"})
    assert np.array_equal(link.query_block(":D?"), data)
    assert link.query(":OUTP? CH1") == "ON"


def test_another_instrument_at_the_address_is_named(start: Start) -> None:
    link, _, _ = start({"*IDN?": b"SIGLENT,SPD3303X,S1,1.0\n"})
    psu = supply("rigol-dp800").open("psu", link, 1, SupplyLimits(14.0, 2.5))
    with pytest.raises(LinkError, match="psu: this is another instrument"):
        psu.identify()


@pytest.mark.parametrize("half", [b"RIGOL TECHNOLOGIES,DP832\n", b"\n", b"\xff\xfe,\x01,2,3\n"])
def test_half_an_identity_is_an_error(start: Start, half: bytes) -> None:
    link, _, _ = start({"*IDN?": half})
    with pytest.raises(LinkError, match=r"psu: .*\*IDN\?"):
        link.query(":OUTP? CH1")


def test_a_link_that_is_cut_in_the_identity_is_an_error_at_once(start: Start) -> None:
    link, clock, _ = start({"*IDN?": Cut(b"RIGOL TECHNO")})
    before = clock.now()
    with pytest.raises(LinkError, match="the link broke"):
        link.query(":OUTP? CH1")
    assert clock.now() == before


def test_a_command_that_the_instrument_does_not_know_is_named_with_its_error(start: Start) -> None:
    link, _, instrument = start({})
    link.query(":OUTP? CH1")
    errors = iter([b'-113,"Undefined header"\n', b'0,"No error"\n'])
    instrument.say = lambda line: next(errors) if line.endswith("ERR?") else None  # type: ignore[method-assign]
    with pytest.raises(LinkError, match=r"':NOSUCH 1' was refused by the instrument: -113,\"Undefined header\""):
        command(link, ":NOSUCH 1")


def test_a_header_that_promises_more_than_comes_is_an_error_and_never_a_shorter_record(start: Start, kind: str) -> None:
    link, clock, instrument = start({":D?": b"#3999" + bytes(500) + b"\n"})
    if kind in ("socket", "serial"):  # a stream goes on, so who promised more is waited for

        def say(line: str) -> Reply:
            reply = Instrument.say(instrument, line)
            if line == ":D?":
                clock.defer(None, lambda: None)
            return reply

        instrument.say = say  # type: ignore[method-assign]
    with pytest.raises(LinkError) as caught:
        link.query_block(":D?")
    assert re.search("no answer within 2 s|501 bytes.*expected the 999 bytes", caught.value.one_line())
    assert isinstance(caught.value, LinkTimeout) == (kind in ("socket", "serial"))


def test_a_header_that_promises_less_than_comes_is_an_error(start: Start) -> None:
    link, _, _ = start({":D?": b"#3100" + bytes(500) + b"\n"})
    with pytest.raises(LinkError, match=r"wrong reply to ':D\?'"):
        link.query_block(":D?")
    assert link.query(":OUTP? CH1") == "ON"


@pytest.mark.parametrize("number", [b"NAN", b"9.9E37", b"9.91E+37", b"-9.9E37", b"INF", b"", b"twelve"])
def test_what_is_no_number_is_never_a_reading(start: Start, number: bytes) -> None:
    link, _, _ = start({":MEAS:ALL? CH1": number + b",0.500,6.000\n"})
    psu = supply("rigol-dp800").open("psu", link, 1, SupplyLimits(14.0, 2.5))
    with pytest.raises(LinkError) as caught:
        psu.read()
    assert "expected a finite number" in caught.value.one_line()


def test_a_link_that_is_dropped_inside_a_block_is_an_error_at_once(start: Start) -> None:
    link, clock, instrument = start({":D?": Cut(b"#6250000" + bytes(1000))})
    before = clock.now()
    with pytest.raises(LinkError, match=r"':D\?': the link broke"):
        link.query_block(":D?")
    assert clock.now() == before
    del instrument.replies[":D?"]


def test_silence_costs_exactly_the_time_out_and_the_next_question_gets_its_own_answer(start: Start, kind: str) -> None:
    link, clock, instrument = start({":A?": None})
    before = clock.now()
    with pytest.raises(LinkTimeout, match=r"psu: ':A\?': no answer within 2 s"):
        link.query(":A?")
    assert clock.now() - before == to_ns(2.0)
    instrument.replies[":A?"] = b"now\n"
    assert link.query(":A?") == "now"
    assert link.openings == 2
    assert instrument.heard.count("<clear>") == (kind in ("VXI-11", "HiSLIP"))


def test_an_instrument_that_comes_back_with_another_serial_number_is_refused(start: Start) -> None:
    link, _, instrument = start({":A?": None})
    with pytest.raises(LinkTimeout):
        link.query(":A?")
    instrument.replies["*IDN?"] = IDN.replace(b"DP8C1", b"DP8C2")
    for _ in range(2):
        with pytest.raises(LinkError, match="another instrument answers at its address"):
            link.query(":A?")


def test_two_replies_to_one_question_are_an_error(start: Start) -> None:
    link, _, _ = start({":A?": b"1\n2\n"})
    with pytest.raises(LinkError, match="more than one reply"):
        link.query(":A?")


def test_a_message_that_ends_without_a_line_feed_is_whole(start: Start, kind: str) -> None:
    if kind not in ("VXI-11", "HiSLIP"):
        pytest.skip("a stream has no other end than the line feed")
    link, _, _ = start({":A?": b"1", ":D?": b"#13abc"})
    assert link.query(":A?") == "1"
    assert bytes(link.query_block(":D?")) == b"abc"


@pytest.mark.parametrize(
    "address",
    [
        "TCPIP::127.0.0.1::{}::SOCKET",
        "TCPIP::127.0.0.1,{}::inst0::INSTR",
        "TCPIP::127.0.0.1::hislip0,{}::INSTR",
    ],
)
def test_a_port_where_nobody_listens_is_an_error_and_no_open_link(address: str) -> None:
    link = VisaLink(address.format(1), VirtualClock(), 2.0, "psu")  # no program is given a port this low
    with pytest.raises(LinkError, match=r"psu: .*the link broke"):
        link.query(":A?")
    assert link.openings == 0


def test_a_request_to_stop_lets_the_exchange_end_and_leaves_nothing_in_flight(start: Start) -> None:
    link, clock, instrument = start({":A?": b"1\n", ":B?": b"2\n"})
    link.query(":A?")

    def say(line: str) -> Reply:
        clock.cancel("Ctrl-C")
        return Instrument.say(instrument, line)

    instrument.say = say  # type: ignore[method-assign]
    assert link.query(":A?") == "1"
    with pytest.raises(Cancelled):
        link.query(":A?")
    with clock.shielded():
        assert link.query(":B?") == "2"
    assert link.openings == 1


def test_an_interrupt_in_the_middle_of_an_exchange_costs_the_connection_and_never_an_answer(
    start: Start, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    link, _, _ = start({":A?": b"1\n", ":B?": b"2\n"})
    link.query(":A?")
    wire = link._wire._wire
    read_line = wire.read_line

    def interrupted() -> bytes:
        if kind == "serial":  # what is late there is waited for, which takes no real time here
            read_line()
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(wire, "read_line", interrupted)
        with pytest.raises(KeyboardInterrupt):
            link.query(":A?")
    assert not link.is_open
    assert link.query(":B?") == "2"
    assert link.openings == 2
