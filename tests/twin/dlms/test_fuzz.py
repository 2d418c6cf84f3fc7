"""The twin's DLMS server on whatever comes: frames, APDUs, data. It answers or is silent, and never fails or grows."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rig.meters.dlms.axdr import NoData, Source, Tag, Value, array, decode, number, octets, structure
from rig.meters.dlms.hdlc import Address, Frame, Parameters
from rig.twin.dlms.association import GMAC, LOW, Association, Client, Counters, Security
from rig.twin.dlms.face import LinkSettings, TwinDlms, answer_wrapped, split_wrapped
from rig.twin.dlms.objects import CLOCK, IMAGE, Objects
from rig.twin.dlms.services import Services
from rig.twin.dlms.station import Station
from tests.meters.dlms.lab import still_meter

KEY, AUTH_KEY, TITLE = bytes(range(16)), bytes(range(0xD0, 0xE0)), b"SYN\0\0\0\0\1"
OURS = b"RIG\0\0\0\0\1"
SEALED = [b"\xc8", b"\xdb\0", b"\xdb\x08" + OURS, b"\xdb\x08ANOTHER1"]
"""What stands before a sealed body: a request of its own kind, or a general one, with or without a title."""
AARQ = bytes.fromhex("601DA109060760857405080101BE10040E01000000065F1F0400001E1DFFFF")

leaves = st.one_of(
    st.builds(number, st.sampled_from([Tag.UINT8, Tag.ENUM]), st.integers(0, 255)),
    st.builds(lambda n: number(Tag.UINT32, n), st.integers(0, 0xFFFF_FFFF)),
    st.builds(lambda n: number(Tag.INT16, n), st.integers(-0x8000, 0x7FFF)),
    st.builds(octets, st.binary(max_size=300)),
    st.just(Value(Tag.NULL)),
)
values = st.recursive(
    leaves, lambda inner: st.builds(lambda v: structure(*v), st.lists(inner, max_size=5)), max_leaves=8
)


def services(longest: int = 0) -> Services:
    return Services(Objects(still_meter(), 64), longest, lambda _: None)


def association(client: Client | None = None) -> Association:
    security = Security({16: client or Client()}, TITLE, KEY, AUTH_KEY)
    return Association(Objects(still_meter(), 64), security, Counters(), lambda: bytes(16))


@given(values)
def test_data_comes_back_as_it_was(value: Value) -> None:
    assert decode(value.encode()) == value


@settings(max_examples=600)
@given(st.binary(max_size=200))
def test_any_bytes_are_data_or_refused(data: bytes) -> None:
    try:
        found = Source(data).value()
    except NoData:
        return
    assert isinstance(found, Value)


def test_what_nests_without_end_is_refused() -> None:
    with pytest.raises(NoData, match="too deep"):
        decode(b"\x02\x01" * 10_000)
    with pytest.raises(NoData, match="more members than bytes"):
        decode(b"\x01\x84\xff\xff\xff\xff")


requests = st.one_of(
    st.binary(max_size=120),
    st.builds(
        lambda head, class_id, name, index, rest: bytes([*head, 0x41]) + class_id + name + bytes([index]) + rest,
        st.sampled_from([(0xC0, 1), (0xC0, 2), (0xC1, 1), (0xC1, 2), (0xC1, 3), (0xC3, 1), (0xC3, 4), (0xC3, 6)]),
        st.sampled_from([b"\0\x12", b"\0\x08", b"\0\x07", b"\0\x16", b"\0\x0f"]),
        st.sampled_from([IMAGE, CLOCK, bytes.fromhex("0100636100ff"), bytes.fromhex("00000f0002ff")]),
        st.integers(0, 9),
        st.one_of(st.binary(max_size=80), st.builds(lambda v: b"\x01" + v.encode(), values)),
    ),
)


@settings(max_examples=600)
@given(st.lists(requests, max_size=6), st.sampled_from([0, 20, 200]))
def test_any_requests_are_answered(asked: list[bytes], longest: int) -> None:
    it = services(longest)
    for request in asked:
        answer = it.answer(request)
        assert answer[0] in (0xC4, 0xC5, 0xC7, 0xD8)
        assert len(it._collected or b"") <= 65_536


@settings(max_examples=400)
@given(st.lists(st.one_of(requests, st.just(AARQ), st.binary(max_size=60).map(lambda b: b"\x60" + b)), max_size=5))
def test_any_apdus_are_answered(asked: list[bytes]) -> None:
    for client in (None, Client(LOW, b"x"), Client(GMAC, b"", True)):
        it = association(client)
        for apdu in asked:
            assert it.answer(16, apdu)


@settings(max_examples=300)
@given(st.sampled_from(SEALED), st.binary(min_size=17, max_size=60), st.integers(0, 0xFFFF_FFFF))
def test_nothing_that_is_not_sealed_with_the_key_is_opened(head: bytes, body: bytes, counter: int) -> None:
    it = association(Client(ciphered=True))
    it._client, it._settled, it._title = Client(ciphered=True), True, OURS
    it._services = services()
    sealed = b"\x30" + counter.to_bytes(4, "big") + body
    answer = it.answer(16, head + bytes([len(sealed)]) + sealed)
    assert answer == b"\xd8\x01\x05"


@settings(max_examples=400)
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=60),
            st.builds(
                lambda control, data, more: Frame(Address(1), Address(16), control, data, more).encode(),
                st.integers(0, 255),
                st.binary(max_size=150),
                st.booleans(),
            ),
        ),
        max_size=12,
    )
)
def test_any_frames_are_answered_or_not(parts: list[bytes]) -> None:
    station = TwinDlms(still_meter(), link=LinkSettings(128, 3)).station()
    for part in parts:
        said = station.feed(part)
        assert said is None or isinstance(said, bytes)
        assert len(station._collected) <= 16_384


@settings(max_examples=300)
@given(st.lists(st.binary(max_size=60), max_size=6))
def test_any_bytes_on_tcp_are_requests_or_the_connection_ends(parts: list[bytes]) -> None:
    it, rest = association(), b""
    for part in parts:
        try:
            found, rest = split_wrapped(rest + part)
        except ValueError:
            return
        for request in found:
            answer_wrapped(it, request)


# -- the station ------------------------------------------------------------------------------------------------------


def connected() -> Station:
    heard: list[bytes] = []

    def answer(_client: int, apdu: bytes) -> bytes:
        heard.append(apdu)
        return bytes([len(heard)]) * 300

    station = Station(1, Parameters(128, 128, 1, 1), answer, lambda: None)
    assert station.feed(Frame(Address(1), Address(16), 0x93).encode())
    return station


def test_a_frame_that_is_sent_twice_is_taken_once() -> None:
    station = connected()
    question = Frame(Address(1), Address(16), 0x10, b"\xe6\xe6\x00\xc0").encode()
    first = station.feed(question)
    assert station.feed(question) == first, "the same answer, not a second one"


def test_what_was_not_acknowledged_is_said_again() -> None:
    station = connected()
    first = station.feed(Frame(Address(1), Address(16), 0x10, b"\xe6\xe6\x00\xc0").encode())
    assert station.feed(Frame(Address(1), Address(16), 0x11).encode()) == first
    assert station.feed(Frame(Address(1), Address(16), 0x31).encode()) not in (first, None, b"")


def test_who_is_not_called_says_nothing() -> None:
    station = connected()
    assert station.feed(Frame(Address(2), Address(16), 0x93).encode()) is None
    assert station.feed(b"\x7e\xa0") == b"", "more may come"
    assert station.feed(b"\x07") == b""


def test_a_disconnected_station_says_so() -> None:
    station = connected()
    (ua, dm) = (station.feed(Frame(Address(1), Address(16), 0x53).encode()) for _ in range(2))
    assert ua == Frame(Address(16), Address(1), 0x73).encode()
    assert dm == Frame(Address(16), Address(1), 0x1F).encode()


def test_an_array_of_the_objects_is_read_in_blocks() -> None:
    it = services(200)
    first = it.answer(b"\xc0\x01\x41\x00\x0f" + bytes.fromhex("0000280000ff") + b"\x02\x00")
    assert first[:3] == b"\xc4\x02\x41"
    whole, answer = b"", first
    while True:
        source = Source(answer[3:])
        last, block = source.byte(), int.from_bytes(source.take(4), "big")
        source.byte()
        whole += source.take(source.length())
        if last:
            break
        answer = it.answer(b"\xc0\x02\x41" + block.to_bytes(4, "big"))
    assert decode(whole).tag is array().tag
    assert len(decode(whole).items) >= 12
