"""What Modbus registers mean: numbers and text of every usual type and order. Pure; knows no link and no profile.

Modbus Application Protocol V1.1b3, 4.2: a register goes over the wire with its high byte first. How makers spread
longer values over registers is theirs: the word order and the byte order are settings.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable
from typing import Literal

NumberType = Literal["uint16", "int16", "uint32", "int32", "uint64", "int64", "float32", "float64"]
TextType = Literal["ascii", "bcd", "bytes", "words"]
Order = Literal["high-first", "low-first"]

_CODES: dict[str, str] = {
    "uint16": "H",
    "int16": "h",
    "uint32": "I",
    "int32": "i",
    "uint64": "Q",
    "int64": "q",
    "float32": "f",
    "float64": "d",
}


def words_of(kind: NumberType) -> int:
    """How many registers a number of this type takes."""
    return struct.calcsize(">" + _CODES[kind]) // 2


def to_bytes(words: Iterable[int], word_order: Order, byte_order: Order) -> bytes:
    """The registers as bytes, most significant first."""
    ordered = list(words)
    if word_order == "low-first":
        ordered.reverse()
    layout = ">" if byte_order == "high-first" else "<"
    return struct.pack(f"{layout}{len(ordered)}H", *ordered)


def to_words(data: bytes, word_order: Order = "high-first", byte_order: Order = "high-first") -> list[int]:
    """The other way round; an odd last byte is followed by a zero."""
    padded = data + bytes(len(data) % 2)
    layout = ">" if byte_order == "high-first" else "<"
    words = list(struct.unpack(f"{layout}{len(padded) // 2}H", padded))
    return words[::-1] if word_order == "low-first" else words


def number(kind: NumberType, data: bytes) -> int | float:
    """`data` (most significant byte first, of this type's length) as a number. Raises ValueError for a NaN."""
    value: int | float = struct.unpack(">" + _CODES[kind], data)[0]
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("is no finite number")
    return value


def from_number(kind: NumberType, value: float) -> bytes:
    """A number as bytes, most significant first. Raises ValueError when the type cannot hold it."""
    code = _CODES[kind]
    try:
        return struct.pack(">" + code, value if code in "fd" else int(value))
    except (struct.error, OverflowError):
        raise ValueError(f"does not fit {kind}") from None


def text(kind: TextType, data: bytes) -> str:
    """`data` as text. Raises ValueError for bytes that are not of this type.

    `ascii`: printable, ended by a zero, padded with zeros or blanks. `bcd`: two decimal digits a byte. `bytes` and
    `words`: each of them as a number, with points between, e.g. `2.0.11`.
    """
    if kind == "words":
        return ".".join(str(word) for word in struct.unpack(f">{len(data) // 2}H", data))
    if kind == "bytes":
        return ".".join(str(byte) for byte in data)
    if kind == "bcd":
        digits = data.hex()
        if not digits.isdecimal():
            raise ValueError("is no BCD")
        return digits
    plain = data.partition(b"\0")[0]
    if not plain.isascii() or not plain.decode("ascii", "replace").isprintable():
        raise ValueError("holds no ASCII text")
    return plain.decode("ascii").strip()
