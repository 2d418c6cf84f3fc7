"""Component values as a parts list writes them ('255 kohm 0.2 %'), and the bands that follow from them. Pure.

Every band is worst case: each value at whichever end of its tolerance is worse. Volts, amperes, ohms, farads, seconds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rig.bench.wiring.harness import Comparators, CurrentSensor, Divider, WatchdogPart

_PREFIX = {"n": 1e-9, "u": 1e-6, "µ": 1e-6, "μ": 1e-6, "m": 1e-3, "": 1.0, "k": 1e3, "M": 1e6}
_VALUE = re.compile(
    r"([0-9]{1,6}(?:\.[0-9]{1,6})?) ?([nuµμmkM]?)(ohm|Ω|V|A|F|W|)(?: ([0-9]{1,2}(?:\.[0-9]{1,3})?) ?%)?"
)
_EXAMPLES = {"ohm": "255 kohm 0.2 %", "V": "400 mV", "A": "25 nA", "F": "2.2 uF 10 %", "W": "3 W", "": "200 1 %"}


@dataclass(frozen=True)
class Value:
    """One component's value; `tolerance` is a fraction, 0 where none is written."""

    nominal: float
    tolerance: float = 0.0

    @property
    def low(self) -> float:
        return self.nominal * (1 - self.tolerance)

    @property
    def high(self) -> float:
        return self.nominal * (1 + self.tolerance)


@dataclass(frozen=True)
class Band:
    """Where a comparator switches, or when a watchdog lets go: surely not below `low`, surely not above `high`."""

    low: float
    high: float


def parse_value(text: object, unit: str) -> Value:
    """`text` as a value in `unit`. Raises ValueError."""
    match = _VALUE.fullmatch(text) if isinstance(text, str) else None
    if match is None or match[3].replace("Ω", "ohm") != unit:
        raise ValueError(f"{text!r} is no value like {_EXAMPLES[unit]!r}")
    return Value(float(match[1]) * _PREFIX[match[2]], float(match[4] or 0) / 100)


def rail_band(part: Comparators, divider: Divider) -> Band:
    """The volts of the rail at which this comparator may switch.

    Its input stands at the reference when the rail is at reference x (1 + top / bottom) + bias x top.
    """
    shift = part.bias.high * divider.top.high
    low = part.falling[0].low * (1 + divider.top.low / divider.bottom.high) - shift
    return Band(low, part.rising[1].high * (1 + divider.top.high / divider.bottom.low) + shift)


def current_band(part: CurrentSensor) -> Band:
    """The amperes at which this sensor may switch: (reference / gain -+ offset) / shunt."""
    low = (part.falling[0].low / part.gain.high - part.offset.high) / part.shunt.high
    return Band(low, (part.rising[1].high / part.gain.low + part.offset.high) / part.shunt.low)


def watchdog_band(part: WatchdogPart) -> Band:
    """The seconds after the last pulse in which this watchdog lets go: factor x R x C."""
    first, last = part.factor
    return Band(first * part.resistor.low * part.capacitor.low, last * part.resistor.high * part.capacitor.high)
