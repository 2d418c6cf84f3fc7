"""An Aim-TTi PL303-P supply in the twin: its own commands in lines, two error registers, events that are forgotten.

Knows the commands that a bench uses (`rig.instruments.supplies.aim_tti`). `LSR1?` answers what happened since it was
last read, and what is so is noted again at once. The protections are looked at whenever it is spoken to, and not in
between. Volts and amperes come from the `SupplyHardware`.
"""

from __future__ import annotations

import math
import re

from rig.twin.ports import SupplyHardware
from rig.twin.wire import SILENCE, Answer, Deferred, HangUp

_CV, _CC, _OVP, _OCP = 1, 2, 4, 8
_COMMAND_ERROR, _EXECUTION_ERROR = 32, 16
_OUT_OF_RANGE, _INVALID = 100, 103
_HIGHEST = {"V": 30.0, "I": 3.0, "OVP": 40.0, "OCP": 3.5}
_DEFAULTS = {"V": 1.0, "I": 1.0, "OVP": 40.0, "OCP": 3.5}
_DIGITS = {"V": 3, "I": 3, "OVP": 2, "OCP": 2}


class TwinAimTTi:
    """One output. Faults set: `silent`, `dead`, `reply_delay_s`, as in `rig.twin.scpi`."""

    def __init__(self, hardware: SupplyHardware, serial: str) -> None:
        self.silent = False
        self.dead = False
        self.reply_delay_s = 0.0
        self._hardware = hardware
        self._idn = f"THURLBY THANDAR, PL303-P, {serial}, 1.00-4.07"
        self._set_to = dict(_DEFAULTS)
        self._on = False
        self._trips = 0
        self._limits = 0
        self._esr = 0
        self._eer = 0

    def handle(self, line: str) -> Answer:
        """What to do with one line: the handler of a `LineServer`. Commands are joined by `;`."""
        if self.dead:
            return HangUp()
        parts = [part.strip().upper() for part in line.split(";") if part.strip()]
        asks = any(part.endswith("?") for part in parts)
        if self.silent:
            return SILENCE if asks else None
        replies = [reply for part in parts if (reply := self._one(part)) is not None]
        if not replies:
            return SILENCE if asks else None
        whole = "".join(f"{reply}\r\n" for reply in replies).encode("ascii")
        return Deferred(self.reply_delay_s, whole) if self.reply_delay_s else whole

    def _one(self, text: str) -> str | None:
        self._protect()
        if text.endswith("?"):
            reply = self._answer(text)
            if reply is None:
                self._esr |= _COMMAND_ERROR
            return reply
        if match := re.fullmatch(r"(V|I|OVP|OCP)1(?:V)? ([-+.0-9E]+|NAN)", text):
            self._put(match[1], float(match[2]))
        elif match := re.fullmatch(r"OP(?:1|ALL) ([01])", text):
            self._switch(match[1] == "1")
        elif text == "TRIPRST":
            self._trips = 0
        elif text in ("*CLS", "*RST"):
            self._esr = self._eer = self._limits = 0
            if text == "*RST":
                self._set_to = dict(_DEFAULTS)
                self._switch(False)
        elif text not in ("LOCAL", "*OPC", "*WAI"):
            self._esr |= _COMMAND_ERROR
        return None

    def _answer(self, question: str) -> str | None:
        volts, amps = self._hardware.terminals()
        answers = {
            "*IDN?": self._idn,
            "*OPC?": "1",
            "QER?": "0",
            "V1O?": f"{volts:.3f}V",
            "I1O?": f"{amps:.3f}A",
            "OP1?": str(int(self._on)),
            "IFLOCK?": "0",
            **{f"{name}1?": f"{name.removeprefix('O')}1 {self._set_to[name]:.{_DIGITS[name]}f}" for name in _HIGHEST},
        }
        if question in ("LSR1?", "*ESR?", "EER?"):
            return self._forget(question)
        return answers.get(question)

    def _forget(self, register: str) -> str:
        """These registers are empty once they were read."""
        if register == "LSR1?":
            found, self._limits = self._limits, 0
            self._protect()
        elif register == "*ESR?":
            found, self._esr = self._esr, 0
        else:
            found, self._eer = self._eer, 0
        return str(found)

    def _fail(self, number: int) -> None:
        self._esr |= _EXECUTION_ERROR
        self._eer = number

    def _put(self, name: str, value: float) -> None:
        if not (math.isfinite(value) and 0.0 <= value <= _HIGHEST[name]):
            self._fail(_OUT_OF_RANGE)
            return
        self._set_to[name] = round(value, _DIGITS[name])
        self._hardware.program(self._set_to["V"], self._set_to["I"])
        self._protect()

    def _switch(self, on: bool) -> None:
        if on and self._trips:
            self._fail(_INVALID)
            return
        self._on = on
        self._hardware.program(self._set_to["V"], self._set_to["I"])
        self._hardware.switch(on)
        self._protect()

    def _protect(self) -> None:
        if not self._on:
            return
        volts, amps = self._hardware.terminals()
        self._limits |= _CC if self._hardware.constant_current() else _CV
        tripped = (_OVP if volts > self._set_to["OVP"] else 0) | (_OCP if amps > self._set_to["OCP"] else 0)
        if tripped:
            self._trips |= tripped
            self._limits |= tripped
            self._on = False
            self._hardware.switch(False)
