"""Units as instruments write them: how many of the file's unit make one second, one volt; rates. Knows no file."""

from __future__ import annotations

import re
from fractions import Fraction

_PREFIX = {"p": 1e12, "n": 1e9, "u": 1e6, "µ": 1e6, "μ": 1e6, "m": 1e3, "": 1.0, "k": 1e-3, "K": 1e-3}
_SECONDS = frozenset({"second", "seconds", "sec", "sekunde", "sekunden"})
_VOLTS = frozenset({"volt", "volts", "voltage"})
_BRACKETED = re.compile(r"^(.*?)[\s_]*[(\[]\s*([^()\[\]]+?)\s*[)\]]$")
_IN = re.compile(r"^(.*?)\s*\bin\s+(\S+)$")
_SUFFIX = re.compile(r"^(.+)_([pnumk]?[sSvV])$")
_RATE = re.compile(r"^\s*([0-9]{1,18}(?:\.[0-9]{1,18})?)\s*([kMG]?)(?:Hz)?\s*$")
_RATE_FACTOR = {"": 1, "k": 1000, "M": 1000**2, "G": 1000**3}
_FASTEST_HZ = 1e15


def per_second(unit: str) -> float | None:
    """How many `unit` make a second: 1000 for `ms`; None for what is no unit of time."""
    if unit.lower() in _SECONDS:
        return 1.0
    return _PREFIX.get(unit[:-1]) if unit[-1:] in ("s", "S") else None


def per_volt(unit: str) -> float | None:
    """How many `unit` make a volt: 1000 for `mV`; None for what is no voltage. `MV` is not guessed at."""
    if unit.lower() in _VOLTS:
        return 1.0
    return _PREFIX.get(unit[:-1]) if unit[-1:] in ("v", "V") else None


def hertz(text: str) -> float | None:
    """`300 kHz` or `500000` as hertz; None for what is no rate that an instrument has."""
    found = _RATE.match(text)
    rate_hz = float(Fraction(found.group(1)) * _RATE_FACTOR[found.group(2)]) if found else 0.0
    return rate_hz if 0 < rate_hz < _FASTEST_HZ else None


def name_and_unit(cell: str) -> tuple[str, str]:
    """`CH1 (mV)`, `C1 in V` and `time_ms` taken apart; the unit is empty where there is none."""
    for form in (_BRACKETED, _IN, _SUFFIX):
        found = form.match(cell)
        if found:
            return found.group(1).strip(), found.group(2)
    return cell, ""
