"""What a DP832 says, for simulators of other makers: each set is kept, each question gets what was kept."""

from __future__ import annotations

import re

IDN = "RIGOL TECHNOLOGIES,DP832,DP8C000000001,00.01.16"


class DP832:
    """`answer(line)` is the reply without its end, or None."""

    def __init__(self) -> None:
        self.kept = {":OUTP CH1": "OFF", ":OUTP:OVP:QUES CH1": "NO", ":OUTP:OCP:QUES CH1": "NO", ":OUTP:CVCC CH1": "CV"}
        self.errors: list[str] = []

    def answer(self, line: str) -> str | None:
        if line == "*IDN?":
            return IDN
        if line == "*CLS":
            self.errors.clear()
            return None
        if line == ":SYST:ERR?":
            return self.errors.pop(0) if self.errors else '0,"No error"'
        if line == ":MEAS:ALL? CH1":
            on = self.kept[":OUTP CH1"] == "ON"
            volts = float(self.kept.get(":SOUR1:VOLT", "0")) if on else 0.0
            return f"{volts:.3f},{volts / 24:.3f},{volts * volts / 24:.3f}"
        if question := re.fullmatch(r"(\S+)\?(?: (CH\d))?", line):
            return self._asked(" ".join(part for part in question.groups() if part))
        if setting := re.fullmatch(r"(\S+) (?:(CH\d),)?(\S+)", line):
            self.kept[" ".join(part for part in setting.groups()[:2] if part)] = setting[3]
        else:
            self.errors.append('-113,"Undefined header"')
        return None

    def _asked(self, key: str) -> str | None:
        if key not in self.kept:
            self.errors.append('-113,"Undefined header"')
        return self.kept.get(key)
