"""What the twin's meter does with the commands of its programming mode: those of `synthetic-esme-optical`. No line.

Synthetic, as one maker might have them; the forms are those of IEC 62056-21, 6.3.5 to 6.3.7 and 6.4.4.
"""

from __future__ import annotations

import re

from rig.meters.iec62056.frames import ACK, BREAK, EOT, ETX, STX, framed
from rig.twin.meter import TwinMeter

PASSWORD = "20304050"  # noqa: S105 - of a meter that there is not
_NO_COMMAND, _NO_OBJECT, _NO_RIGHT, _NO_VALUE, _BUSY = ("ER01", "ER02", "ER03", "ER04", "ER05")
_ENTRIES_A_BLOCK = 4
_ADDRESS = re.compile(rb"([0-9A-Z.]{1,16})\(1?\)")
"""Some clients say how many elements they want: one."""
_PASSWORD = re.compile(rb"\(([^()]*)\)")
_BLOCK = re.compile(rb"FW\.B\(([0-9A-F]{8})\)\(((?:[0-9A-F]{2}){1,8192})\)")
_VERIFY = re.compile(rb"FW\.V\(([0-9A-F]{64})\)\(([0-9]{1,9})\)")
_ACTIVATE = re.compile(rb"FW\.A\(([0-9A-F]{64})\)")


class TwinCommands:
    """One session's commands. `password`: what the meter wants to hear before it writes or executes."""

    def __init__(self, meter: TwinMeter, scale: float = 1.0, password: str = PASSWORD) -> None:
        """`scale`: how many seconds outside a second of the model takes; the up-time is told in those outside."""
        self._meter = meter
        self._scale = scale
        self.password = password
        self._allowed = False
        self._parts: list[bytes] = []

    def begin(self) -> None:
        """A new session: nothing is allowed yet."""
        self._allowed = False
        self._parts = []

    def answer(self, command: str, text: bytes) -> bytes:
        """ACK, data, an error message, or a break for a wrong password."""
        self._parts = []
        if command in ("P1", "P2"):
            return self._check(text)
        if command in ("R1", "R3"):
            return self._read(command, text)
        if command in ("W1", "E2"):
            return _error(_NO_RIGHT) if not self._allowed else self._do(command, text)
        return _error(_NO_COMMAND)

    def next_part(self) -> bytes | None:
        """The next partial block, after ACK (6.4.4.4); None when there is none."""
        return self._parts.pop(0) if self._parts else None

    def _check(self, text: bytes) -> bytes:
        found = _PASSWORD.fullmatch(text)
        self._allowed = found is not None and found[1] == self.password.encode("ascii")
        return ACK if self._allowed else BREAK

    def _read(self, command: str, text: bytes) -> bytes:
        found = _ADDRESS.fullmatch(text)
        address = "" if found is None else found[1].decode("ascii")
        if (command, address) == ("R3", "FW.L"):
            return self._log()
        value = self._values().get(address)
        if value is None or command != "R1":
            return _error(_NO_OBJECT)
        return _data(f"{address}({value})")

    def _values(self) -> dict[str, str]:
        meter = self._meter
        return {
            "96.1.0": meter.SERIAL,
            "96.1.1": meter.model,
            "96.1.2": meter.MAKER,
            "0.2.0": meter.version,
            "FW.S": str(int(meter.image_code)),
            "FW.R": str(len(meter.slot)),
            "FW.U": f"{int(meter.uptime_s() * self._scale)}*s",
        }

    def _log(self) -> bytes:
        """In blocks of four entries; all but the last end with EOT."""
        told = [f"({code:04X})({at_s}*s)" for code, at_s in self._meter.log] or ["()"]
        blocks = ["".join(told[at : at + _ENTRIES_A_BLOCK]) for at in range(0, len(told), _ENTRIES_A_BLOCK)]
        blocks[0] = "FW.L" + blocks[0]
        ends = [EOT] * (len(blocks) - 1) + [ETX]
        self._parts = [framed(STX + each.encode("ascii") + end) for each, end in zip(blocks, ends, strict=True)]
        return self._parts.pop(0)

    def _do(self, command: str, text: bytes) -> bytes:
        meter = self._meter
        if meter.busy:
            return _error(_BUSY)
        if command == "W1" and (found := _BLOCK.fullmatch(text)) is not None:
            stored = meter.write_image(int(found[1], 16), bytes.fromhex(found[2].decode("ascii")))
            return ACK if stored else _error(_NO_VALUE)
        if command == "E2" and (found := _VERIFY.fullmatch(text)) is not None:
            meter.verify(int(found[2]), bytes.fromhex(found[1].decode("ascii")))
            return ACK
        if command == "E2" and (found := _ACTIVATE.fullmatch(text)) is not None:
            meter.activate(bytes.fromhex(found[1].decode("ascii")))
            return ACK
        return _error(_NO_VALUE)


def _data(text: str) -> bytes:
    return framed(STX + text.encode("ascii") + ETX)


def _error(code: str) -> bytes:
    return _data(f"({code})")
