"""The Modbus face of the twin's relay board: coils, as protocol data units. No physics, no sockets.

Modbus Application Protocol V1.1b3: functions 1 (6.1), 5 (6.5) and 15 (6.11), coils counted from 0; exceptions (7). The
board has no watchdog: coils stay as they are when a client goes away, as on the boards that labs buy.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence

_ILLEGAL_FUNCTION, _ILLEGAL_ADDRESS, _ILLEGAL_VALUE = 1, 2, 3
_LEVELS = {0xFF00: True, 0x0000: False}


class _ModbusError(Exception):
    def __init__(self, code: int) -> None:
        self.code = code


class TwinRelayBoard:
    """`drives[n](on)` moves coil n. Implements `rig.twin.modbus_server.ModbusDevice`."""

    def __init__(self, drives: Sequence[Callable[[bool], object]], unit: int = 1) -> None:
        self._drives = tuple(drives)
        self._unit = unit
        self._coils = [False] * len(self._drives)
        self._stuck: dict[int, bool] = {}

    def stick(self, coil: int, on: bool) -> None:
        """From now on this coil is so, whatever is written (a fault)."""
        self._stuck[coil] = on
        self.move(coil, on)

    def answer(self, unit: int, pdu: bytes) -> bytes | None:
        if unit != self._unit or not pdu:
            return None
        try:
            return self._serve(pdu[0], pdu[1:])
        except _ModbusError as error:
            return bytes([pdu[0] | 0x80, error.code])
        except struct.error:
            return bytes([pdu[0] | 0x80, _ILLEGAL_VALUE])

    def _serve(self, function: int, body: bytes) -> bytes:
        if function == 1:
            coils = self._range(*struct.unpack(">HH", body))
            bits = sum(self._coils[coil] << place for place, coil in enumerate(coils))
            size = (len(coils) + 7) // 8
            return bytes([function, size]) + bits.to_bytes(size, "little")
        if function == 5:
            coil, value = struct.unpack(">HH", body)
            self._range(coil, 1)
            if value not in _LEVELS:
                raise _ModbusError(_ILLEGAL_VALUE)
            self.move(coil, _LEVELS[value])
            return bytes([function]) + body
        if function == 15:
            first, count, size = struct.unpack(">HHB", body[:5])
            coils = self._range(first, count)
            if size != (count + 7) // 8 or len(body) != 5 + size:
                raise _ModbusError(_ILLEGAL_VALUE)
            bits = int.from_bytes(body[5:], "little")
            for place, coil in enumerate(coils):
                self.move(coil, bool(bits >> place & 1))
            return bytes([function]) + body[:4]
        raise _ModbusError(_ILLEGAL_FUNCTION)

    def _range(self, first: int, count: int) -> range:
        if not 1 <= count <= 2000:
            raise _ModbusError(_ILLEGAL_VALUE)
        if first + count > len(self._coils):
            raise _ModbusError(_ILLEGAL_ADDRESS)
        return range(first, first + count)

    def move(self, coil: int, on: bool) -> None:
        """As a client that writes this coil does."""
        on = self._stuck.get(coil, on)
        if on != self._coils[coil]:
            self._coils[coil] = on
            self._drives[coil](on)
