"""Modbus TCP for the twin's meter and relay board: MBAP frames on a socket. No registers, no coils.

Modbus Messaging on TCP/IP V1.0b, 3.1.3.
"""

from __future__ import annotations

import struct
from contextlib import AbstractContextManager
from typing import Protocol

from rig.twin.ports import Timeline
from rig.twin.wire import SILENCE, Answer, Deferred, NoRequest, TcpServer

_HEADER = struct.Struct(">HHHB")
_BEFORE_LENGTH = 6
"""The length field counts what follows it: the unit identifier and the protocol data unit."""
_LONGEST_LENGTH = 254


class ModbusDevice(Protocol):
    """What answers behind the wire."""

    def answer(self, unit: int, pdu: bytes) -> bytes | None:
        """The reply to one request, or None for silence."""


class ModbusServer(TcpServer):
    """Serves one device."""

    def __init__(
        self,
        device: ModbusDevice,
        timeline: Timeline,
        lock: AbstractContextManager[object],
        host: str = "127.0.0.1",
        port: int = 0,
        name: str = "modbus",
    ) -> None:
        self._device = device
        self._delay_s = 0.0
        super().__init__(name, split_frames, self._answer, timeline, lock, host, port)

    def delay(self, seconds: float) -> None:
        """Every answer comes this late from now on (a fault)."""
        self._delay_s = seconds

    def _answer(self, frame: bytes) -> Answer:
        transaction, _, _, unit = _HEADER.unpack_from(frame)
        reply = self._device.answer(unit, frame[_HEADER.size :])
        if reply is None:
            return SILENCE
        answer = _HEADER.pack(transaction, 0, len(reply) + 1, unit) + reply
        return Deferred(self._delay_s, answer) if self._delay_s else answer


def split_frames(data: bytes) -> tuple[list[bytes], bytes]:
    """`Split` for MBAP frames; another protocol identifier or an impossible length is no request."""
    frames = []
    while len(data) >= _HEADER.size:
        _, protocol, length, _ = _HEADER.unpack_from(data)
        if protocol != 0 or not 2 <= length <= _LONGEST_LENGTH:
            raise NoRequest
        end = _BEFORE_LENGTH + length
        if len(data) < end:
            break
        frames.append(data[:end])
        data = data[end:]
    return frames, data
