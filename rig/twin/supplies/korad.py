"""A Korad KA3005P in the twin: its bytes without an end, on a pseudo-terminal, with the quirks of firmware 2.0.

`ISET1?` is answered with a sixth character; `*IDN?` has no serial number; what it does not know, or cannot do, it
ignores without a word. Its OCP trips when the current limit acts. Volts and amperes come from the `SupplyHardware`. It
answers at once, and is never deaf for being busy, as a real one is.
"""

from __future__ import annotations

import re
from contextlib import AbstractContextManager

from rig.twin.ports import SupplyHardware, Timeline
from rig.twin.serial_wire import PtyServer

IDN = "KORADKA3005PV2.0"
_BAUD = 9600
_GAP_MS = 50
"""Real time after which a half command is not going on: a program hands what it has to say to the system at once."""
_HIGHEST_V, _HIGHEST_A = 31.0, 5.1
_WHOLE = re.compile(
    rb"\*IDN\?|STATUS\?|[VI](?:SET|OUT)1\?|VSET1:[0-9]{1,2}\.[0-9]{2}|ISET1:[0-9]\.[0-9]{3}"
    rb"|(?:OUT|OCP|OVP|BEEP|LOCK)[01]|(?:SAV|RCL)[1-5]"
)


class TwinKorad:
    """Settings and states. Faults set `silent` (it hears, and says nothing)."""

    def __init__(self, hardware: SupplyHardware) -> None:
        self.silent = False
        self._hardware = hardware
        self._volts = 0.0
        self._amps = 0.0
        self._on = False
        self._flags = {b"OCP": False, b"OVP": False, b"BEEP": True, b"LOCK": False}

    def handle(self, request: bytes) -> bytes | None:
        """The answer to one command; None: it has none."""
        self._protect()
        if request.endswith(b"?"):
            return None if self.silent else self._answer(request)
        self._obey(request)
        return None

    def _answer(self, question: bytes) -> bytes | None:
        volts, amps = self._hardware.terminals()
        answers = {
            b"*IDN?": IDN.encode(),
            b"VSET1?": b"%05.2f" % self._volts,
            b"ISET1?": b"%05.3fK" % self._amps,
            b"VOUT1?": b"%05.2f" % volts,
            b"IOUT1?": b"%05.3f" % amps,
            b"STATUS?": bytes([self._status()]),
        }
        return answers.get(question)

    def _status(self) -> int:
        limited = self._on and self._hardware.constant_current()
        flags = self._flags
        return (not limited) | flags[b"BEEP"] << 4 | flags[b"OCP"] << 5 | self._on << 6 | flags[b"OVP"] << 7

    def _obey(self, command: bytes) -> None:
        """What it does not know, or cannot do, it ignores: it has no way to complain."""
        if match := re.fullmatch(rb"([VI])SET1:([0-9]{0,2}\.?[0-9]{0,3})", command):
            value, highest = float(match[2] or b"nan"), _HIGHEST_V if match[1] == b"V" else _HIGHEST_A
            if 0.0 <= value <= highest:
                self._volts, self._amps = (value, self._amps) if match[1] == b"V" else (self._volts, value)
        elif match := re.fullmatch(rb"([A-Z]+)([01])", command):
            on = match[2] == b"1"
            if match[1] == b"OUT":
                self._on = on
            elif match[1] in self._flags:
                self._flags[match[1]] = on
        self._hardware.program(self._volts, self._amps)
        self._hardware.switch(self._on)
        self._protect()

    def _protect(self) -> None:
        """OCP, looked at whenever it is spoken to."""
        if self._on and self._flags[b"OCP"] and self._hardware.constant_current():
            self._on = False
            self._hardware.switch(False)


class KoradServer(PtyServer):
    """Serves one Korad on a serial port at 9600 baud."""

    def __init__(self, face: TwinKorad, timeline: Timeline, lock: AbstractContextManager[object]) -> None:
        self._face = face
        super().__init__(timeline, lock, _GAP_MS)

    @property
    def address(self) -> str:
        """Its VISA resource name."""
        return f"ASRL{self.path}::INSTR"

    def _split(self, data: bytes) -> tuple[bytes | None, bytes]:
        data = data.lstrip(b"\r\n")
        found = _WHOLE.match(data)
        return (None, data) if found is None else (found[0], data[found.end() :])

    def _request(self, request: bytes) -> None:
        with self._lock:
            answer = self._face.handle(request) if self._port_baud() == _BAUD else None
        if answer is not None:
            self._deliver(answer)  # also when nobody's time goes on, as for the guardian's own connection
        elif request.endswith(b"?"):
            self._timeline.defer(None, lambda: None)  # who asked is meant to wait in vain
