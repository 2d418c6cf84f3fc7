"""HDLC frames as DLMS has them (IEC 62056-46, frame format type 3): bytes to frames and back. Pure; no link, no time.

A frame counts only with its header's and its own check sequence right; what else came is told as `Damaged`. The reader
never holds more than one longest frame and what was fed last.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

FLAG = 0x7E
LONGEST = 0x7FF
"""Bytes between the flags: the format field has eleven bits for it (6.4.2.2)."""
LONGEST_INFORMATION = 2030
DEFAULT_INFORMATION = 128
DEFAULT_WINDOW = 1
MOST_WINDOW = 7
LLC_REQUEST, LLC_RESPONSE = b"\xe6\xe6\x00", b"\xe6\xe7\x00"
"""The logical link control header before each APDU (IEC 62056-46, 5.3)."""
SNRM, DISC, UA, DM, FRMR, UI = 0x83, 0x43, 0x63, 0x0F, 0x87, 0x03
"""Unnumbered control fields without the poll/final bit (6.4.3)."""
POLL = 0x10
_RR, _RNR = 0x01, 0x05
_MODULUS = 8


def _table() -> tuple[int, ...]:
    values = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0x8408 if crc & 1 else crc >> 1
        values.append(crc)
    return tuple(values)


_CRC = _table()


def check_sequence(data: bytes) -> bytes:
    """FCS-16 of ISO/IEC 13239 (CRC-16/X-25), low byte first."""
    crc, table = 0xFFFF, _CRC
    for byte in data:
        crc = (crc >> 8) ^ table[(crc ^ byte) & 0xFF]
    return struct.pack("<H", crc ^ 0xFFFF)


@dataclass(frozen=True)
class Address:
    """`upper`: logical device, or the client. `lower`: physical device; None for an address of one byte.

    `wide`: four bytes (14 bits each) instead of two (7 bits each).
    """

    upper: int
    lower: int | None = None
    wide: bool = False

    def encode(self) -> bytes:
        if self.lower is None:
            return bytes([self.upper << 1 | 1])
        if not self.wide:
            return bytes([self.upper << 1, self.lower << 1 | 1])
        halves = (self.upper >> 7, self.upper & 0x7F, self.lower >> 7, self.lower & 0x7F)
        return bytes([half << 1 | (at == 3) for at, half in enumerate(halves)])

    @staticmethod
    def fits(upper: int, lower: int | None) -> Address:
        """The shortest address that holds both."""
        if lower is None and upper < 0x80:
            return Address(upper)
        wide = upper >= 0x80 or (lower or 0) >= 0x80
        return Address(upper, lower or 0, wide)


@dataclass(frozen=True)
class Frame:
    """One frame. `segmented`: more of the same APDU follows in the next."""

    to: Address
    sender: Address
    control: int
    information: bytes = b""
    segmented: bool = False

    @property
    def final(self) -> bool:
        """The poll/final bit: who gets it may speak now."""
        return bool(self.control & POLL)

    @property
    def is_information(self) -> bool:
        return not self.control & 1

    @property
    def is_supervisory(self) -> bool:
        return self.control & 0x03 == _RR

    @property
    def kind(self) -> int:
        """The control field of an unnumbered frame, without the poll/final bit."""
        return self.control & ~POLL

    @property
    def sent(self) -> int:
        """N(S): the number of this information frame."""
        return self.control >> 1 & 7

    @property
    def received(self) -> int:
        """N(R): the number of the frame that is expected next."""
        return self.control >> 5 & 7

    def encode(self) -> bytes:
        """With both flags. Raises ValueError for more than a frame holds."""
        head = self.to.encode() + self.sender.encode() + bytes([self.control])
        length = 2 + len(head) + (2 + len(self.information) if self.information else 0) + 2
        if length > LONGEST:
            raise ValueError(f"{length} bytes do not fit a frame")
        head = struct.pack(">H", 0xA000 | self.segmented << 11 | length) + head
        body = head + check_sequence(head) + self.information if self.information else head
        return bytes([FLAG]) + body + check_sequence(body) + bytes([FLAG])


@dataclass(frozen=True)
class Damaged:
    """Something came that is no frame; `why` says what was wrong with it."""

    why: str


def information(sent: int, received: int, final: bool) -> int:
    """The control field of an information frame."""
    return received << 5 | final << 4 | sent << 1


def ready(received: int, final: bool = True) -> int:
    """The control field of receive ready."""
    return received << 5 | final << 4 | _RR


def after(number: int, count: int = 1) -> int:
    """Frames are counted modulo 8."""
    return (number + count) % _MODULUS


class Reader:
    """Finds frames in what comes, however it is cut. Holds at most one longest frame."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._noise = False

    @property
    def unfinished(self) -> bool:
        """Whether a frame began and did not end yet."""
        return len(self._held) > 1

    def clear(self) -> None:
        self._held.clear()
        self._noise = False

    def feed(self, data: bytes) -> Iterator[Frame | Damaged]:
        """What is whole now. Bytes before the first flag are no frame, and are told once."""
        held = self._held
        held += data
        while held:
            if held[0] != FLAG:
                yield from self._skip_noise()
                continue
            self._noise = False
            if len(held) > 1 and held[1] == FLAG:
                del held[0]
                continue
            if len(held) > 1 and held[1] & 0xF0 != 0xA0:
                del held[0]
                continue
            if len(held) < 3:
                return
            length = (held[1] & 0x07) << 8 | held[2]
            if len(held) < length + 2:
                return
            if held[length + 1] != FLAG:
                del held[0]  # its length may be what is wrong: look for the next flag
                self._noise = True
                yield Damaged("it does not end where it says")
                continue
            body = bytes(held[1 : length + 1])
            del held[: length + 1]  # the flag behind it may begin the next one
            yield _decode(body)

    def _skip_noise(self) -> Iterator[Damaged]:
        at = self._held.find(FLAG)
        del self._held[: at if at >= 0 else len(self._held)]
        if not self._noise:
            self._noise = True
            yield Damaged("noise")


def _decode(body: bytes) -> Frame | Damaged:
    if len(body) < 7:
        return Damaged("it is too short")
    if check_sequence(body[:-2]) != body[-2:]:
        return Damaged("its frame check sequence (FCS) is wrong")
    at, addresses = 2, []
    for _ in range(2):
        end = next((i for i in range(at, min(at + 4, len(body) - 3)) if body[i] & 1), None)
        if end is None or end - at + 1 == 3:
            return Damaged("it has no such address")
        addresses.append(_address(body[at : end + 1]))
        at = end + 1
    content = body[at + 1 : -2]
    if content:
        if len(content) < 2 or check_sequence(body[: at + 1]) != content[:2]:
            return Damaged("its header check sequence (HCS) is wrong")
        content = content[2:]
    return Frame(addresses[0], addresses[1], body[at], content, bool(body[0] & 0x08))


def _address(data: bytes) -> Address:
    parts = [byte >> 1 for byte in data]
    if len(parts) == 1:
        return Address(parts[0])
    if len(parts) == 2:
        return Address(parts[0], parts[1])
    return Address(parts[0] << 7 | parts[1], parts[2] << 7 | parts[3], True)


# -- what is agreed when a link is set up -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Parameters:
    """What one side can send and take: information bytes of a frame, and frames before an answer (6.4.4.4.3)."""

    send_bytes: int = DEFAULT_INFORMATION
    take_bytes: int = DEFAULT_INFORMATION
    send_window: int = DEFAULT_WINDOW
    take_window: int = DEFAULT_WINDOW

    def encode(self) -> bytes:
        items = _item(5, self.send_bytes) + _item(6, self.take_bytes)
        items += b"".join(struct.pack(">BBI", tag, 4, n) for tag, n in ((7, self.send_window), (8, self.take_window)))
        return b"\x81\x80" + bytes([len(items)]) + items

    @staticmethod
    def decode(data: bytes) -> Parameters:
        """What is not there has its default. Raises ValueError for what cannot be."""
        found = {5: DEFAULT_INFORMATION, 6: DEFAULT_INFORMATION, 7: DEFAULT_WINDOW, 8: DEFAULT_WINDOW}
        if data:
            if data[:2] != b"\x81\x80" or len(data) < 3 or data[2] != len(data) - 3:
                raise ValueError("no such parameters")
            rest = data[3:]
            while rest:
                size = rest[1] if len(rest) > 1 else 0
                if not 1 <= size <= 4 or len(rest) < 2 + size:
                    raise ValueError("no such parameter")
                found[rest[0]] = int.from_bytes(rest[2 : 2 + size], "big")
                rest = rest[2 + size :]
        for tag, least, most in ((5, 1, LONGEST), (6, 1, LONGEST), (7, 1, MOST_WINDOW), (8, 1, MOST_WINDOW)):
            if not least <= found[tag] <= most:
                raise ValueError(f"parameter {tag} is {found[tag]}, not {least} to {most}")
        return Parameters(found[5], found[6], found[7], found[8])

    def met_by(self, other: Parameters) -> Parameters:
        """What this side may do, when the other side says what it can."""
        return Parameters(
            min(self.send_bytes, other.take_bytes),
            min(self.take_bytes, other.send_bytes),
            min(self.send_window, other.take_window),
            min(self.take_window, other.send_window),
        )


def _item(tag: int, value: int) -> bytes:
    return bytes([tag, 1, value]) if value < 0x100 else bytes([tag, 2]) + struct.pack(">H", value)
