"""Keysight E36300 supplies (E36311A to E36313A, and the EDU36311A, which has the same commands) as a `Supply`.

Commands: E36300 Series Programming Guide (E36300-90008), 'SCPI Programming Reference': OUTPut, SOURce, MEASure and
STATus subsystems, each with a channel list `(@n)`. The guide itself could not be had here: the commands are those that
three public drivers of this family agree on (python-ivi's E3600A, TestController's notes on the E3631A, and a test
suite written against the E36312A and EDU36311A), so its pages cannot be named. Ratings: the data sheet's.

**What it protects with.** Over-voltage: a level. Over-current has no level of its own: with `CURR:PROT:STAT ON` the
output goes off when the *current limit* acts for longer than `CURR:PROT:DEL`, which is set to 0.1 s, so that a hub that
charges its capacitors is not switched off. In the bench file: `over_current_a = "at-limit"`.
"""

from __future__ import annotations

from collections.abc import Iterator

from rig.instruments.guards import Guard
from rig.instruments.ports import Identity, SupplyReading, SupplySettings
from rig.instruments.scpi import OffTexts
from rig.instruments.supplies.dialect import Channels, NumberSet, Rating, Set, SupplyDriver, WordSet

_ON, _OFF = ("1", "ON"), ("0", "OFF")
_TRIP_DELAY_S = 0.1
_MODES = {0: "off", 1: "CC", 2: "CV", 3: "UR"}
"""Bits 0 and 1 of a channel's questionable register: bit 0 volts, bit 1 amperes are *not* what is regulated."""


def _rating(volts: float, amps: float) -> Rating:
    """Settable to 103 % of the rating; the over-voltage protection to 110 %."""
    return Rating(
        volts=(0.0, volts * 1.03),
        amps=(0.001, amps * 1.03),
        ovp=(volts * 0.01, volts * 1.1),
        ocp=(Guard.AT_LIMIT,),
        volts_step=0.005,
        amps_step=0.005,
        ovp_step=0.02,
    )


_MODELS: dict[str, Channels] = {
    "E36311A": (_rating(6.0, 5.0), _rating(25.0, 1.0), _rating(25.0, 1.0)),
    "E36312A": (_rating(6.0, 5.0), _rating(25.0, 1.0), _rating(25.0, 1.0)),
    "E36313A": (_rating(6.0, 10.0), _rating(25.0, 2.0), _rating(25.0, 2.0)),
    "EDU36311A": (_rating(6.0, 5.0), _rating(30.0, 1.0), _rating(30.0, 1.0)),
}


def off_texts(channel: int) -> OffTexts:
    """For the guardian: the same bytes as the driver's own."""
    return OffTexts(f"OUTP OFF,(@{channel})", f"OUTP? (@{channel})", _OFF)


def channels(who: Identity) -> Channels:
    keysight = any(maker in who.maker.upper() for maker in ("KEYSIGHT", "AGILENT"))
    return _MODELS.get(who.model.upper(), ()) if keysight else ()


class KeysightE36300(SupplyDriver):
    """One channel. Its name in the commands is the channel list, so no channel is ever selected."""

    def _channels(self, who: Identity) -> Channels:
        return channels(who)

    def _family(self) -> str:
        return f"a Keysight {', '.join(_MODELS)}"

    def _off(self) -> OffTexts:
        return off_texts(self._number)

    def _sets(self, settings: SupplySettings) -> Iterator[Set]:
        c, rating = f"(@{self._number})", self._rating()
        amps, volts, ovp = settings.amps, settings.volts, settings.over_voltage_v
        assert not isinstance(ovp, Guard)  # noqa: S101 - the rating's check has refused it
        yield NumberSet(f"CURR {amps:.4f},{c}", f"CURR? {c}", amps, rating.amps_step)
        yield NumberSet(f"VOLT:PROT {ovp:.3f},{c}", f"VOLT:PROT? {c}", ovp, rating.ovp_step)
        yield NumberSet(f"CURR:PROT:DEL {_TRIP_DELAY_S:g},{c}", f"CURR:PROT:DEL? {c}", _TRIP_DELAY_S, 0.002)
        yield WordSet(f"CURR:PROT:STAT ON,{c}", f"CURR:PROT:STAT? {c}", _ON)
        yield NumberSet(f"VOLT {volts:.3f},{c}", f"VOLT? {c}", volts, rating.volts_step)

    def _switches(self, on: bool) -> tuple[Set, ...]:
        off = self._off()
        if on:
            return (WordSet(f"OUTP ON,(@{self._number})", off.question, _ON),)
        return (WordSet(off.command, off.question, off.says_off),)

    def _clearing(self) -> tuple[str, ...]:
        return (f"OUTP:PROT:CLE (@{self._number})",)

    def _questions(self) -> tuple[str, ...]:
        c = f"(@{self._number})"
        return (
            f"MEAS:VOLT? {c}",
            f"MEAS:CURR? {c}",
            f"OUTP? {c}",
            f"STAT:QUES:INST:ISUM{self._number}:COND?",
            f"VOLT:PROT:TRIP? {c}",
            f"CURR:PROT:TRIP? {c}",
        )

    def _reading(self, replies: tuple[str, ...]) -> SupplyReading:
        asked = self._questions()
        volts, amps = (self._number_of(asked[i], replies[i]) for i in (0, 1))
        on, *trips = (self._word_of(asked[i], replies[i], _ON + _OFF) in _ON for i in (2, 4, 5))
        mode = _MODES[self._bits_of(asked[3], replies[3]) & 3]
        mode = "UR" if mode == "off" else mode
        return SupplyReading(volts, amps, mode if on else "off", on, any(trips))
