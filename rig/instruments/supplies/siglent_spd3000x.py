"""Siglent SPD3303X and SPD3303X-E supplies as a `Supply`: channels 1 and 2.

Commands: SPD3303X Quick Start / Programming Guide (EN_02A), 'Remote control': CHx, MEASure, OUTPut and SYSTem, checked
against four public drivers of the family; the guide's pages could not be read here. `SYSTem:STATus?` is one hexadecimal
word for everything: bit 0 and 1 = channel 1 and 2 in CC, bits 3 and 2 = 01 independent, bit 4 and 5 = channel 1 and 2
on. `SYSTem:ERRor?` answers `0  No Error`, without a comma. `*IDN?` has a fifth field, the hardware's version.

**What it cannot do.** It has no over-voltage and no over-current protection that a program could set: its current limit
alone bounds the current, its own regulation the volts. In the bench file: `over_voltage_v = "none"` and
`over_current_a = "none"`. So nothing ever trips. Channel 3 is switched by hand between 2.5, 3.3 and 5 V: not supported.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rig.errors import LinkError, Where
from rig.instruments.guards import Guard
from rig.instruments.ports import Identity, SupplyReading, SupplySettings
from rig.instruments.scpi import OffTexts, check_error
from rig.instruments.supplies.dialect import BitSet, Channels, NumberSet, Rating, Set, SupplyDriver

_INDEPENDENT = 0b01
_STATUS = "SYST:STAT?"


def _models(step: float) -> Channels:
    rating = Rating((0.0, 32.0), (0.0, 3.2), (Guard.NONE,), (Guard.NONE,), step, step)
    return (rating, rating, None)


_MODELS: dict[str, Channels] = {"SPD3303X": _models(0.001), "SPD3303X-E": _models(0.01)}
"""Both have two channels of 32 V and 3.2 A; the E is set in steps of 10 mV and 10 mA."""


def off_texts(channel: int) -> OffTexts:
    """For the guardian: the same bytes as the driver's own."""
    return OffTexts(f"OUTP CH{channel},OFF", _STATUS, off_bit=_on_bit(channel))


def channels(who: Identity) -> Channels:
    return _MODELS.get(who.model.upper(), ()) if "SIGLENT" in who.maker.upper() else ()


def _on_bit(channel: int) -> int:
    return 3 + channel


class SiglentSPD3000X(SupplyDriver):
    """Channel 1 or 2, independent of the other: series and parallel are refused."""

    _COMPLAINT = "SYST:ERR?"

    def _channels(self, who: Identity) -> Channels:
        return channels(who)

    def _family(self) -> str:
        return f"a SIGLENT {' or '.join(_MODELS)}"

    def _off(self) -> OffTexts:
        return off_texts(self._number)

    def _complained(self, text: str, reply: str) -> None:
        """`0  No Error`, or with a comma as everywhere else."""
        match = re.fullmatch(r"([+-]?[0-9]+)[\s,]+(.*)", reply)
        check_error(self._link, text, reply if match is None else f"{match[1]},{match[2]}", self._COMPLAINT)

    def _sets(self, settings: SupplySettings) -> Iterator[Set]:
        c, rating = f"CH{self._number}", self._rating()
        yield NumberSet(f"{c}:CURR {settings.amps:.3f}", f"{c}:CURR?", settings.amps, rating.amps_step)
        yield NumberSet(f"{c}:VOLT {settings.volts:.3f}", f"{c}:VOLT?", settings.volts, rating.volts_step)

    def _switches(self, on: bool) -> tuple[Set, ...]:
        """Read back from the status word, of which only this channel's bit counts."""
        return (BitSet(f"OUTP CH{self._number},{'ON' if on else 'OFF'}", _STATUS, _on_bit(self._number), on),)

    def _clearing(self) -> tuple[str, ...]:
        return ()

    def _questions(self) -> tuple[str, ...]:
        c = f"CH{self._number}"
        return (f"MEAS:VOLT? {c}", f"MEAS:CURR? {c}", _STATUS)

    def _reading(self, replies: tuple[str, ...]) -> SupplyReading:
        asked = self._questions()
        volts, amps = (self._number_of(asked[i], replies[i]) for i in (0, 1))
        word = self._bits_of(_STATUS, replies[2])
        if word >> 2 & 0b11 != _INDEPENDENT:
            found = Where(found=f"{_STATUS} {replies[2]}", expected="independent channels")
            raise LinkError(f"{self._name}: its channels are coupled, in series or parallel", found)
        on, limited = bool(word >> _on_bit(self._number) & 1), bool(word >> (self._number - 1) & 1)
        return SupplyReading(volts, amps, ("CC" if limited else "CV") if on else "off", on, tripped=False)
