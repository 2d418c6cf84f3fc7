"""The Modbus face of the twin's meter: registers and file records, as protocol data units. No physics, no sockets.

Modbus Application Protocol V1.1b3: functions 3 and 4 (6.3, 6.4), 6 (6.6), 16 (6.12), 21 (6.15); exceptions (7).
The registers are those of the profile `synthetic-esme`.
"""

from __future__ import annotations

import struct

from rig.twin.meter import TwinMeter

ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE, BUSY = 1, 2, 3, 6
REGISTERS_A_FILE = 10_000
MAKER, MODEL, SERIAL, VERSION, IMAGE_STATE, UPTIME, RECEIVED, LOG_COUNT, LOG = (
    100,
    108,
    116,
    130,
    140,
    142,
    144,
    150,
    152,
)
VERIFY, ACTIVATE = 200, 230
_HASH_REGISTERS = 16


class _ModbusError(Exception):
    def __init__(self, code: int) -> None:
        self.code = code


class TwinModbus:
    """Answers one meter's requests."""

    def __init__(self, meter: TwinMeter, unit: int = 1, scale: float = 1.0) -> None:
        """`scale`: how many seconds outside a second of the model takes; the up-time is told in those outside."""
        self._meter = meter
        self._scale = scale
        self._unit = unit

    def answer(self, unit: int, pdu: bytes) -> bytes | None:
        """The reply to one request, or None when the meter stays silent (rebooting, or not its unit)."""
        if unit != self._unit or not self._meter.answers or not pdu:
            return None
        try:
            return self._serve(pdu[0], pdu[1:])
        except _ModbusError as error:
            return bytes([pdu[0] | 0x80, error.code])
        except struct.error:
            return bytes([pdu[0] | 0x80, ILLEGAL_VALUE])

    def _serve(self, function: int, body: bytes) -> bytes:
        if function in (3, 4):
            address, count = struct.unpack(">HH", body)
            if not 1 <= count <= 125:
                raise _ModbusError(ILLEGAL_VALUE)
            words = self._read(address, count)
            return struct.pack(f">BB{count}H", function, 2 * count, *words)
        if function == 6:
            address, value = struct.unpack(">HH", body)
            self._write(address, [value])
            return bytes([function]) + body
        if function == 16:
            address, count, size = struct.unpack(">HHB", body[:5])
            if size != 2 * count or len(body) != 5 + size:
                raise _ModbusError(ILLEGAL_VALUE)
            self._write(address, list(struct.unpack(f">{count}H", body[5:])))
            return struct.pack(">BHH", function, address, count)
        if function == 21:
            self._write_file(body)
            return bytes([function]) + body
        raise _ModbusError(ILLEGAL_FUNCTION)

    def _read(self, address: int, count: int) -> list[int]:
        table = self._table()
        try:
            return [table[a] for a in range(address, address + count)]
        except KeyError:
            raise _ModbusError(ILLEGAL_ADDRESS) from None

    def _table(self) -> dict[int, int]:
        meter, table = self._meter, {}
        for start, text in ((MAKER, meter.MAKER), (MODEL, meter.model), (SERIAL, meter.SERIAL)):
            words = struct.unpack(">8H", text.encode("ascii").ljust(16, b"\0"))
            table.update({start + i: word for i, word in enumerate(words)})
        table.update({VERSION + i: int(part) for i, part in enumerate(meter.version.split("."))})
        table[IMAGE_STATE] = int(meter.image_code)
        table[UPTIME], table[UPTIME + 1] = divmod(int(meter.uptime_s() * self._scale), 1 << 16)
        table[RECEIVED], table[RECEIVED + 1] = divmod(len(meter.slot), 1 << 16)
        table[LOG_COUNT] = len(meter.log)
        for number, (code, at_s) in enumerate(meter.log):
            table.update(
                {LOG + 3 * number: code, LOG + 3 * number + 1: at_s >> 16, LOG + 3 * number + 2: at_s & 0xFFFF}
            )
        return table

    def _write(self, address: int, words: list[int]) -> None:
        """Verify: 16 registers of SHA-256 and 2 of size. Activate: the 16 registers of SHA-256."""
        data = struct.pack(f">{len(words)}H", *words)
        if address in (VERIFY, ACTIVATE) and self._meter.busy:
            raise _ModbusError(BUSY)
        if address == VERIFY and len(words) == _HASH_REGISTERS + 2:
            self._meter.verify(struct.unpack(">I", data[32:])[0], data[:32])
        elif address == ACTIVATE and len(words) == _HASH_REGISTERS:
            self._meter.activate(data)
        else:
            raise _ModbusError(ILLEGAL_ADDRESS)

    def _write_file(self, body: bytes) -> None:
        """One or more sub-requests: reference type 6, file, record, length in registers, data."""
        if not body or body[0] != len(body) - 1:
            raise _ModbusError(ILLEGAL_VALUE)
        if self._meter.busy:
            raise _ModbusError(BUSY)
        parts, rest = [], body[1:]
        while rest:
            kind, file, record, words = struct.unpack_from(">BHHH", rest)
            data, rest = rest[7 : 7 + 2 * words], rest[7 + 2 * words :]
            if kind != 6 or words < 1 or len(data) != 2 * words or record >= REGISTERS_A_FILE or file < 1:
                raise _ModbusError(ILLEGAL_VALUE)
            parts.append((2 * ((file - 1) * REGISTERS_A_FILE + record), data))
        for offset, data in parts:
            if not self._meter.write_image(offset, data):
                raise _ModbusError(ILLEGAL_ADDRESS)
