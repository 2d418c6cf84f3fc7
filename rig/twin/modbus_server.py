"""Modbus TCP for the twin's meter: MBAP frames on a socket (Modbus Messaging on TCP/IP V1.0b, 3.1.3). No registers."""

from __future__ import annotations

import socket
import struct
from contextlib import AbstractContextManager

from rig.twin.modbus import TwinModbus
from rig.twin.ports import Timeline
from rig.twin.wire import SILENCE, Deferred, LineServer

_HEADER = 7


class ModbusServer(LineServer):
    """Serves one meter."""

    def __init__(self, meter: TwinModbus, timeline: Timeline, lock: AbstractContextManager[object]) -> None:
        self._meter = meter
        self._delay_s = 0.0
        super().__init__("modbus", lambda _: None, timeline, lock)

    def delay(self, seconds: float) -> None:
        """Every answer comes this late from now on (a fault)."""
        self._delay_s = seconds

    @property
    def endpoint(self) -> str:
        return f"{self.host}:{self.port}"

    def _lines(self, connection: socket.socket) -> None:
        buffer = b""
        while chunk := connection.recv(4096):
            buffer += chunk
            while len(buffer) >= _HEADER:
                transaction, protocol, length, unit = struct.unpack(">HHHB", buffer[:_HEADER])
                if protocol != 0 or not 2 <= length <= 254:
                    return
                if len(buffer) < 6 + length:
                    break
                pdu, buffer = buffer[_HEADER : 6 + length], buffer[6 + length :]
                with self._lock:
                    answer = self._answer(transaction, unit, pdu)
                self._send(connection, answer)

    def _answer(self, transaction: int, unit: int, pdu: bytes) -> bytes | Deferred:
        reply = self._meter.answer(unit, pdu)
        if reply is None:
            return SILENCE
        frame = struct.pack(">HHHB", transaction, 0, len(reply) + 1, unit) + reply
        return Deferred(self._delay_s, frame) if self._delay_s else frame
