"""The characters of IEC 62056-21: known answers of others, and whatever may come over a line.

Vectors: the tests of the package iec62056-21 (facts: bytes and what they are), and LEM's EM4TII+ manual, page 27.
RIG_EXAMPLES=10000 was run when this was written, and 200,000 mutated blocks through each parser.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rig.errors import LinkError
from rig.meters.iec62056.frames import (
    BREAK,
    Block,
    Identification,
    block,
    block_check,
    block_end,
    command_message,
    data_sets,
    framed,
    identification,
    identification_end,
    option_select,
    readout_sets,
    request_message,
)
from rig.meters.serial_port import with_parity, without_parity

MORE = int(os.environ.get("RIG_EXAMPLES", "0")) or 300
LEM_READOUT = (
    "1-0:1.8.0*255(000000000.0*kWh)\r\n1-0:2.8.0*255(000000000.0*kWh)\r\n1-0:3.8.0*255(000000000.0*kvarh)\r\n"
    "1-0:4.8.0*255(000000000.0*kvarh)\r\n0-0:F.F.0*255(00000000)\r\n1-0:0.0.1*255()\r\n1-0:0.2.0*255(10600000)\r\n"
    "1-0:0.9.1*255(140253)\r\n1-0:0.9.2*255(121221)\r\n0-0:C.1.0*255(03878504)\r\n0-0:C.72.1*255()\r\n"
    "0-0:C.72.2*255()\r\n1-0:0.8.4*255(5*min)\r\n1-0:0.3.0*255(6.00*Imp/kWh)\r\n1-0:0.2.1*1(121120??)\r\n"
    "1-0:0.2.1*50(121120??)\r\n0-0:C.90.2*255(9F139CC2)\r\n1-0:C.1.9*255(Point-ID)\r\n!\r\n"
)

VECTORS = [
    bytes.fromhex("01573202433030332839313033323430393232333929031b"),
    b"\x01P0\x02(1234567)\x03P",
    b"\x023:171.0(0)\x03\x12",
    b"\x023:14(314*kWh)4:15(415*kWh)\r\n\x03\x04",
    b'\x023:14(314*kWh)4:15(415*kWh)\r\n!\r\n\x03"',
    b"\x01R1\x021.8.0(1)\x03k",
    b"\x01B0\x03q",
    b"\x01R5\x020.9.2()\x03\\",
    b"\x020.9.2(130103)\x039",
    b"\x01R5\x020.9.1()\x03_",
    b"\x020.9.1(101415)\x03:",
    b"\x01P0\x02()\x03`",
    b"\x01P1\x02(00000000)\x03a",
    b"\x01W5\x021-0:0.9.129*255(1301031605000002)(00000000)\x03^",
    b"\x02" + LEM_READOUT.encode() + b"\x03+",
]


@pytest.mark.parametrize("vector", VECTORS)
def test_a_published_block_has_the_check_that_was_published(vector: bytes) -> None:
    assert framed(vector[:-1]) == vector
    assert block_end(vector) == len(vector)


@pytest.mark.parametrize("vector", VECTORS)
def test_a_published_block_with_another_check_is_refused(vector: bytes) -> None:
    with pytest.raises(LinkError, match="the block check is wrong"):
        block_end(vector[:-1] + bytes([vector[-1] ^ 1]))


@pytest.mark.parametrize(
    ("command", "text", "message"),
    [
        ("R5", b"0.9.2()", b"\x01R5\x020.9.2()\x03\\"),
        ("P1", b"(00000000)", b"\x01P1\x02(00000000)\x03a"),
        ("B0", b"", BREAK),
    ],
)
def test_a_command_is_what_was_published(command: str, text: bytes, message: bytes) -> None:
    made = command_message(command, text)
    assert made == message
    assert block(made) == Block(command, text)


@pytest.mark.parametrize(
    ("line", "who"),
    [
        (b"/Els6\\2EK280\r\n", Identification("Els", "6", "EK280", enhanced=True)),
        (b"/EMH5\\@D4EM4TIIW001--\r\n", Identification("EMH", "5", "D4EM4TIIW001--")),
        (b"/nzr4SEM16_S_v1.12\r\n", Identification("nzr", "4", "SEM16_S_v1.12")),
        (b"/ABCD12345\r\n", Identification("ABC", "D", "12345")),
        (b"/ABCmeter 7\r\n", Identification("ABC", "", "meter 7")),
    ],
)
def test_an_identification_is_read(line: bytes, who: Identification) -> None:
    assert identification_end(line) == len(line)
    assert identification(line) == who


@pytest.mark.parametrize(
    ("character", "mode", "most", "rate"),
    [
        *((str(n), "C", 19_200, 300 << n) for n in range(7)),
        ("6", "C", 9600, 9600),
        ("5", "C", 300, 300),
        *((letter, "B", 19_200, 600 << n) for n, letter in enumerate("ABCDEF")),
    ],
)
def test_the_rate_is_the_highest_that_both_can_do(character: str, mode: str, most: int, rate: int) -> None:
    who = Identification("XYZ", character, "")
    assert who.mode == mode
    assert who.baud(most)[1] == rate


@pytest.mark.parametrize("character", list("789GHI"))
def test_a_reserved_rate_is_named(character: str) -> None:
    with pytest.raises(LinkError, match=f"the rate '{character}', which is reserved"):
        Identification("XYZ", character, "").baud(19_200)


def test_a_mode_b_that_is_too_fast_is_named() -> None:
    with pytest.raises(LinkError, match="9600 baud"):
        Identification("XYZ", "E", "").baud(4800)


def test_a_lower_case_third_letter_reacts_within_20_ms() -> None:
    assert Identification("nzr", "4", "").least_reaction_s == 0.02
    assert Identification("EMH", "5", "").least_reaction_s == 0.2


def test_requests_and_choices_are_what_was_published() -> None:
    assert request_message("45678903") == b"/?45678903!\r\n"
    assert request_message() == b"/?!\r\n"
    assert option_select("0", "5", "1") == b"\x06051\r\n"
    assert option_select("2", "5", "2") == b"\x06252\r\n"
    for wrong in ("1!", "a/b", "x" * 33, "é"):
        with pytest.raises(ValueError, match="at most 32"):
            request_message(wrong)


def test_a_readout_is_read_to_its_end() -> None:
    sets = dict(readout_sets(LEM_READOUT.encode()))
    assert sets["1-0:0.2.0*255"] == "10600000"
    assert sets["0-0:C.1.0*255"] == "03878504"
    assert sets["1-0:0.3.0*255"] == "6.00*Imp/kWh"
    assert len(sets) == 18
    with pytest.raises(LinkError, match="has no end"):
        readout_sets(LEM_READOUT.encode()[:-3])


def test_several_data_sets_stand_in_one_line_and_a_value_without_an_address_belongs_to_the_one_before() -> None:
    assert data_sets(b"12(12*kWh)13(13*kWh)14(14*kwh)\r\n") == [("12", "12*kWh"), ("13", "13*kWh"), ("14", "14*kwh")]
    assert data_sets(b"P.01(1)(2)(3)") == [("P.01", "1"), ("P.01", "2"), ("P.01", "3")]
    with pytest.raises(LinkError, match="no data set"):
        data_sets(b'"Tralalalala')
    with pytest.raises(LinkError, match="more than 3 data sets"):
        data_sets(b"(1)" * 4, 3)


# -- whatever comes ----------------------------------------------------------------------------------------------------

PIECES = st.sampled_from(
    [
        *VECTORS,
        b"/",
        b"/XYZ5\\2A\r\n",
        b"\x01",
        b"\x02",
        b"\x03",
        b"\x04",
        b"\x06",
        b"\x15",
        b"!",
        b"(",
        b")",
        b"\r\n",
        b"\\",
    ]
)
WHATEVER = st.binary(max_size=200) | st.lists(PIECES | st.binary(max_size=6), max_size=12).map(b"".join)
PARSERS: list[Callable[[bytes], object]] = [
    identification_end,
    identification,
    block_end,
    data_sets,
    readout_sets,
    lambda data: block(data[: block_end(data) or 0]),
]


def refusal(parse: Callable[[bytes], object], data: bytes) -> str:
    try:
        parse(data)
    except LinkError as error:
        return error.one_line()
    return ""


@settings(max_examples=MORE)
@given(data=WHATEVER)
@example(data=b"\x02" + b"(" * 10_000)
@example(data=b"\x01" * 10_000)
@example(data=b"/" + b"\\" * 10_000 + b"\r\n")
@example(data=b"/ABC5" + b"\\a" * 10_000)
@example(data=b"a" * 100_000)
def test_whatever_comes_is_read_or_refused_by_name_and_never_anything_else(data: bytes) -> None:
    for parse in PARSERS:
        told = refusal(parse, data)
        assert len(told) < 200
        assert told.isascii()


@settings(max_examples=MORE)
@given(data=st.binary(max_size=60))
def test_what_is_whole_is_no_longer_than_what_came(data: bytes) -> None:
    for parse in (identification_end, block_end):
        try:
            end = parse(data)
        except LinkError:
            continue
        assert end is None or 0 < end <= len(data)


TEXTS = st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters="()/!"), max_size=30)


@settings(max_examples=MORE)
@given(
    sets=st.lists(st.tuples(TEXTS.filter(bool), TEXTS), min_size=1, max_size=8), command=st.sampled_from(["R1", "W5"])
)
def test_what_was_framed_is_read_back(sets: list[tuple[str, str]], command: str) -> None:
    text = "".join(f"{address}({value})" for address, value in sets).encode("ascii")
    assert data_sets(text) == sets
    sent = command_message(command, text)
    assert block_end(sent) == len(sent)
    assert block(sent) == Block(command, text)
    assert without_parity(with_parity(sent)) == sent


@settings(max_examples=MORE)
@given(text=TEXTS.filter(bool), at=st.integers(0, 1 << 16), bit=st.integers(0, 7))
def test_one_flipped_bit_never_gets_through(text: str, at: int, bit: int) -> None:
    wire = with_parity(framed(b"\x02" + text.encode("ascii") + b"\x03"))
    at %= len(wire)
    assert without_parity(wire[:at] + bytes([wire[at] ^ 1 << bit]) + wire[at + 1 :]) is None


@given(data=st.binary(max_size=100))
def test_the_check_of_a_block_with_its_check_is_nothing(data: bytes) -> None:
    assert block_check(data + bytes([block_check(data)])) == 0
