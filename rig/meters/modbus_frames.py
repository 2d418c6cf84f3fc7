"""What came over a Modbus link, checked before anybody believes it: the right unit, function, length, and CRC. Pure.

Every way to be wrong has its own words. RTU has no transaction number (Modbus over Serial Line V1.02, 2.5.1): a reply
to an earlier question is told from the right one by its shape only.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from rig.errors import LinkError

_MBAP = struct.Struct(">HHHB")
_BEFORE_LENGTH = 6
_LEAST_RTU = 4
_EXCEPTION_PDU = 2
_EXCEPTION_RTU = 3 + _EXCEPTION_PDU


@dataclass(frozen=True)
class Expected:
    """The shape of the reply to one request: its function, and its length in bytes without unit and CRC."""

    function: int
    pdu_bytes: int

    def differs_from(self, other: Expected) -> bool:
        """Whether no reply to one of them can be taken for one to the other."""
        return self != other


def read_reply(function: int, words: int) -> Expected:
    return Expected(function, 2 + 2 * words)


def write_reply(function: int) -> Expected:
    """Functions 5, 6, 15 and 16 are answered by function, address and value or count."""
    return Expected(function, 5)


def record_reply(data_bytes: int) -> Expected:
    """Function 21 is answered by an echo of the request."""
    return Expected(21, 9 + data_bytes)


def check_tcp(data: bytes, transaction: int, unit: int, expected: Expected) -> None:
    """Raises LinkError when `data` (all since the request) holds something that is no reply to it.

    A reply to another transaction is skipped: its number says that it is late.
    """
    while len(data) >= _MBAP.size:
        number, protocol, length, who = _MBAP.unpack_from(data)
        if protocol != 0 or not 2 <= length <= 254:
            raise LinkError("what answers speaks no Modbus TCP")
        if number == transaction:
            _check_who(who, unit)
            if len(data) > _MBAP.size:
                function = data[_MBAP.size]
                _check_function(function, expected)
                wanted = _EXCEPTION_PDU if function & 0x80 else expected.pdu_bytes
                if length - 1 != wanted:
                    raise LinkError(f"the reply has {length - 1} bytes, not {wanted}")
            return
        data = data[_BEFORE_LENGTH + length :]


def check_rtu(data: bytes, unit: int, expected: Expected) -> bool:
    """Whether `data` (all since the request) is the whole reply; False while more may come. Raises LinkError."""
    if len(data) < _EXCEPTION_RTU:
        return False
    length = _EXCEPTION_RTU if data[1] & 0x80 else 3 + expected.pdu_bytes
    if len(data) < length:
        return False
    frame = data[:length]
    if not has_good_crc(frame):
        raise LinkError(_why_wrong(data))
    _check_who(frame[0], unit)
    _check_function(frame[1], expected)
    if len(data) > length:
        raise LinkError("more than one reply came: one is to an earlier question")
    return True


def unfinished_rtu(data: bytes, expected: Expected) -> str:
    """Why `data`, the last that came before the time was over, is no reply."""
    if any(has_good_crc(data[:end]) for end in range(_LEAST_RTU, len(data) + 1)):
        return "a reply to an earlier question came, and none to this one"
    return f"the reply is cut short: {len(data)} of {3 + expected.pdu_bytes} bytes"


def _why_wrong(data: bytes) -> str:
    if any(has_good_crc(data[:end]) for end in range(_LEAST_RTU, len(data) + 1)):
        return "a reply to an earlier question came"
    return "the reply's checksum is wrong: bits were flipped on the line"


def _check_who(who: int, unit: int) -> None:
    if who != unit and unit != 0:  # on TCP, unit 0 means 'the device at this address', which answers as it likes
        raise LinkError(f"unit {who} answered, not unit {unit}")


def _check_function(function: int, expected: Expected) -> None:
    if function & 0x7F != expected.function:
        raise LinkError(f"the answer is to function {function & 0x7F}, not {expected.function}: to an earlier question")


def has_good_crc(frame: bytes) -> bool:
    return len(frame) >= _LEAST_RTU and crc16(frame[:-2]) == frame[-2:]


def crc16(data: bytes) -> bytes:
    """CRC-16 of Modbus (Serial Line V1.02, 6.2.2), low byte first."""
    crc = 0xFFFF
    for byte in data:
        crc = (crc >> 8) ^ _TABLE[(crc ^ byte) & 0xFF]
    return struct.pack("<H", crc)


def _entry(byte: int) -> int:
    for _ in range(8):
        byte = (byte >> 1) ^ (0xA001 if byte & 1 else 0)
    return byte


_TABLE = tuple(_entry(byte) for byte in range(256))
