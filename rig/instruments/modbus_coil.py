"""Relays that are coils of a Modbus relay board: write single coil (function 5), read coils (function 1).

Modbus Application Protocol V1.1b3, 6.1 and 6.5; exceptions, 7. Written here, over plain sockets and termios
(`rig.instruments.modbus_link`), and not with the Modbus library that the meters use: whoever owns the relays must keep
the bench safe in a small process that loads nothing beyond the standard library.

Boards, by what their makers publish (none was seen here). Waveshare Modbus RTU Relay and Modbus POE ETH Relay (wiki,
'Development Protocol'): unit 1, 9600 baud without parity, coils 0 to 7, 15 or 29; function 5 also takes address 0x00FF
for all relays, 0x0200 on for 'flash on' and 0x0400 on for 'flash off', whose value is a time: hence no coil above 0xFE.
The POE board speaks RTU frames over TCP until it is set to Modbus TCP; such frames are refused here. LC Technology
boards: unit 255, coils from 0. Wiren Board WB-MR: coils from 0. Boards that count coils from 1 and close with 0x0100,
or that take function 6, are not spoken. **Assume that no board opens its relays when its client dies**: only WB-MR has
it documented, as an option (holding register 8: after so many seconds without a request; 0, the default, is never).

A coil that reads back right proves that the board drives it, not that the contact moved: that is proven on the rail.
The reply to a write is the request's echo, which an adapter with local echo gives for a dead board too: it proves
nothing, and every write is read back.
"""

from __future__ import annotations

import struct
from typing import Protocol

from rig.errors import BenchError, LinkError, Where

READ_COILS, WRITE_COIL = 1, 5
_ON, _OFF = 0xFF00, 0x0000
_EXCEPTIONS = {
    1: "illegal function",
    2: "illegal data address",
    3: "illegal data value",
    4: "device failure",
    5: "acknowledge",
    6: "busy",
    8: "memory parity error",
    10: "gateway path unavailable",
    11: "gateway target device failed to respond",
}


class ModbusLink(Protocol):
    """One board's wire. All may raise `LinkError` or `LinkTimeout`; a request is sent once, whatever happens."""

    def exchange(self, unit: int, request: bytes, reply_bytes: int) -> bytes:
        """Send one protocol data unit; the reply's, which is `reply_bytes` long or an exception (two bytes)."""

    def close(self) -> None: ...


class CoilRelay:
    """Implements `rig.instruments.ports.Relay`. `safe_closed` None = the safe position is where it stands.

    Opening moves the relay to its safe position, and leaves one without as it is. `close` leaves every coil as it is:
    a board holds its coils without us.
    """

    def __init__(self, name: str, link: ModbusLink, unit: int, coil: int, *, safe_closed: bool | None) -> None:
        self.name = name
        self._link = link
        self._unit = unit
        self._coil = coil
        self._safe_closed = safe_closed
        if safe_closed is None:
            self.read()
        else:
            self.set(safe_closed)

    def set(self, closed: bool) -> None:
        self._write(closed)
        if self.read() != closed:
            word = "closed" if closed else "open"
            raise BenchError(f"relay {self.name}: coil {self._coil} does not follow: set {word}, reads otherwise")

    def read(self) -> bool:
        request = struct.pack(">BHH", READ_COILS, self._coil, 1)
        reply = self._ask("read", request, 3)
        if reply[1] != 1 or reply[2] > 1:  # one byte of coils; the bits beyond the one that was asked for are zero
            raise self._wrong("read", reply, "one byte, 0 or 1")
        return reply[2] == 1

    def make_safe(self) -> bool:
        """See `Relay`. A link that proves dead is opened anew, once: the safe position may be asked for twice."""
        if self._safe_closed is None:
            return True
        try:
            self._write(self._safe_closed)
        except LinkError:
            self._write(self._safe_closed)
        return self.read() == self._safe_closed

    def close(self) -> None:
        self._link.close()

    def _write(self, closed: bool) -> None:
        request = struct.pack(">BHH", WRITE_COIL, self._coil, _ON if closed else _OFF)
        reply = self._ask("write", request, 5)
        if reply != request:
            raise self._wrong("write", reply, request.hex(" "))

    def _ask(self, what: str, request: bytes, reply_bytes: int) -> bytes:
        try:
            reply = self._link.exchange(self._unit, request, reply_bytes)
        except LinkError as error:
            raise type(error)(f"relay {self.name}: {what} coil {self._coil}: {error.message}", error.where) from error
        if reply[0] == request[0] | 0x80 and len(reply) == 2:
            text = f"Modbus exception {reply[1]} ({_EXCEPTIONS.get(reply[1], 'unknown')})"
            raise LinkError(f"relay {self.name}: {what} coil {self._coil}: {text}")
        if reply[0] != request[0] or len(reply) != reply_bytes:
            raise self._wrong(what, reply, f"function {request[0]}, {reply_bytes} bytes")
        return reply

    def _wrong(self, what: str, reply: bytes, expected: str) -> LinkError:
        self._link.close()  # what else is on its way cannot be told from an answer
        text = f"relay {self.name}: {what} coil {self._coil}: wrong reply"
        return LinkError(text, Where(found=reply.hex(" "), expected=expected))
