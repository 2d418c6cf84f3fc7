"""What registers mean: every type and order there and back, and what is no value of its type."""

from __future__ import annotations

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.meters.registers import NumberType, Order, from_number, number, text, to_bytes, to_words, words_of

ORDERS = ("high-first", "low-first")
WHOLE: dict[NumberType, tuple[int, int]] = {
    "uint16": (0, 2**16 - 1),
    "int16": (-(2**15), 2**15 - 1),
    "uint32": (0, 2**32 - 1),
    "int32": (-(2**31), 2**31 - 1),
    "uint64": (0, 2**64 - 1),
    "int64": (-(2**63), 2**63 - 1),
}


@pytest.mark.parametrize("kind", WHOLE)
@given(data=st.data(), word_order=st.sampled_from(ORDERS), byte_order=st.sampled_from(ORDERS))
def test_a_whole_number_comes_back_from_its_registers(
    kind: NumberType, data: st.DataObject, word_order: Order, byte_order: Order
) -> None:
    value = data.draw(st.integers(*WHOLE[kind]))
    words = to_words(from_number(kind, value), word_order, byte_order)
    assert len(words) == words_of(kind)
    assert number(kind, to_bytes(words, word_order, byte_order)) == value


@given(value=st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_comes_back_from_its_registers(value: float) -> None:
    assert number("float64", to_bytes(to_words(from_number("float64", value)), "high-first", "high-first")) == value


def test_the_orders_are_those_of_the_wire() -> None:
    """0x01020304: the four layouts that makers use, as registers go over the wire."""
    layouts: dict[tuple[Order, Order], list[int]] = {
        ("high-first", "high-first"): [0x0102, 0x0304],
        ("low-first", "high-first"): [0x0304, 0x0102],
        ("high-first", "low-first"): [0x0201, 0x0403],
        ("low-first", "low-first"): [0x0403, 0x0201],
    }
    for (word_order, byte_order), words in layouts.items():
        assert number("uint32", to_bytes(words, word_order, byte_order)) == 0x01020304


@pytest.mark.parametrize(
    ("kind", "value"), [("uint16", 65_536), ("uint16", -1), ("int16", 32_768), ("uint32", 2**32), ("float32", 1e39)]
)
def test_a_number_that_its_type_cannot_hold_is_refused(kind: NumberType, value: float) -> None:
    with pytest.raises(ValueError, match=f"does not fit {kind}"):
        from_number(kind, value)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_float_that_is_no_number_is_no_value(value: float) -> None:
    with pytest.raises(ValueError, match="no finite number"):
        number("float32", struct.pack(">f", value))


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (b"Shark100", "Shark100"),
        (b"PM8\0\0\0", "PM8"),
        (b"B23 112-100 ", "B23 112-100"),
        (b"\0\0", ""),
        (b"a\0b\0", "a"),
    ],
)
def test_ascii_text_ends_at_a_zero_and_loses_its_padding(data: bytes, shown: str) -> None:
    assert text("ascii", data) == shown


@pytest.mark.parametrize("data", [b"\xc3\xa9", b"a\x01", b"\xff\xff", b"\r\n"])
def test_bytes_that_are_no_ascii_are_no_text(data: bytes) -> None:
    with pytest.raises(ValueError, match="no ASCII"):
        text("ascii", data)


def test_other_texts() -> None:
    assert text("bytes", bytes([2, 0, 11])) == "2.0.11"
    assert text("words", struct.pack(">3H", 1, 0, 300)) == "1.0.300"
    assert text("bcd", b"\x20\x26") == "2026"
    with pytest.raises(ValueError, match="no BCD"):
        text("bcd", b"\x2f")


@given(data=st.binary(min_size=2, max_size=40).filter(lambda d: len(d) % 2 == 0))
def test_no_bytes_at_all_make_a_text_with_anything_unprintable_in_it(data: bytes) -> None:
    for kind in ("ascii", "bcd", "bytes", "words"):
        try:
            found = text(kind, data)
        except ValueError:
            continue
        assert found.isprintable()
        assert found.isascii()
