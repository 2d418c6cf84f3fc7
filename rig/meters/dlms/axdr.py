"""COSEM data in A-XDR (IEC 61334-6, Blue Book 4.1.5): values to bytes and back, for the driver and for the twin.

Pure. A length is believed only as far as bytes are there, and nothing nests deeper than `_DEEPEST`.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum

_DEEPEST = 16


class Tag(IntEnum):
    """Blue Book 4.1.5, table 3."""

    NULL = 0
    ARRAY = 1
    STRUCTURE = 2
    BOOLEAN = 3
    BITS = 4
    INT32 = 5
    UINT32 = 6
    OCTETS = 9
    VISIBLE = 10
    INT8 = 15
    INT16 = 16
    UINT8 = 17
    UINT16 = 18
    INT64 = 20
    UINT64 = 21
    ENUM = 22


_NUMBERS = {
    Tag.BOOLEAN: ">B",
    Tag.INT32: ">i",
    Tag.UINT32: ">I",
    Tag.INT8: ">b",
    Tag.INT16: ">h",
    Tag.UINT8: ">B",
    Tag.UINT16: ">H",
    Tag.INT64: ">q",
    Tag.UINT64: ">Q",
    Tag.ENUM: ">B",
}


class NoData(ValueError):
    """The bytes are no data of these types."""


@dataclass(frozen=True)
class Value:
    """One value: a number, bytes (a bit string packed, with how many `bits`), or members of an array or structure."""

    tag: Tag
    number: int = 0
    data: bytes = b""
    items: tuple[Value, ...] = ()
    bits: int = 0

    def encode(self) -> bytes:
        head = bytes([self.tag])
        if self.tag in _NUMBERS:
            return head + struct.pack(_NUMBERS[self.tag], self.number)
        if self.tag in (Tag.ARRAY, Tag.STRUCTURE):
            return head + length(len(self.items)) + b"".join(item.encode() for item in self.items)
        if self.tag is Tag.BITS:
            return head + length(self.bits) + self.data
        return head if self.tag is Tag.NULL else head + length(len(self.data)) + self.data


def number(tag: Tag, value: int) -> Value:
    return Value(tag, number=value)


def octets(data: bytes) -> Value:
    return Value(Tag.OCTETS, data=data)


def visible(text: str) -> Value:
    return Value(Tag.VISIBLE, data=text.encode("ascii"))


def array(*items: Value) -> Value:
    return Value(Tag.ARRAY, items=items)


def structure(*items: Value) -> Value:
    return Value(Tag.STRUCTURE, items=items)


def bit_string(flags: list[bool]) -> Value:
    """The first flag is the most significant bit of the first byte."""
    packed = bytearray((len(flags) + 7) // 8)
    for at, flag in enumerate(flags):
        packed[at // 8] |= flag << (7 - at % 8)
    return Value(Tag.BITS, data=bytes(packed), bits=len(flags))


def length(count: int) -> bytes:
    """One byte below 128; else how many bytes follow, and they."""
    if count < 0x80:
        return bytes([count])
    size = (count.bit_length() + 7) // 8
    return bytes([0x80 | size]) + count.to_bytes(size, "big")


class Source:
    """Bytes that are taken from the front. Raises NoData when they are not there."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def take(self, count: int) -> bytes:
        if count > self.left:
            raise NoData("it ends too early")
        self._at += count
        return self._data[self._at - count : self._at]

    def byte(self) -> int:
        return self.take(1)[0]

    def length(self) -> int:
        first = self.byte()
        if first < 0x80:
            return first
        if not 1 <= first & 0x7F <= 4:
            raise NoData("no such length")
        return int.from_bytes(self.take(first & 0x7F), "big")

    def rest(self) -> bytes:
        return self.take(self.left)

    def value(self, deep: int = 0) -> Value:
        try:
            tag = Tag(self.byte())
        except ValueError:
            raise NoData("no such type") from None
        if tag in _NUMBERS:
            form = _NUMBERS[tag]
            return Value(tag, number=struct.unpack(form, self.take(struct.calcsize(form)))[0])
        if tag is Tag.NULL:
            return Value(tag)
        count = self.length()
        if tag in (Tag.ARRAY, Tag.STRUCTURE):
            if deep >= _DEEPEST or count > self.left:
                raise NoData("too deep, or more members than bytes")
            return Value(tag, items=tuple(self.value(deep + 1) for _ in range(count)))
        if tag is Tag.BITS:
            return Value(tag, data=self.take((count + 7) // 8), bits=count)
        return Value(tag, data=self.take(count))


def decode(data: bytes) -> Value:
    """One value and nothing behind it. Raises NoData."""
    source = Source(data)
    value = source.value()
    if source.left:
        raise NoData("more than a value")
    return value
