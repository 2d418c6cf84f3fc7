"""Rigol DP800 supplies as a `Supply`: one channel, every set read back, limits checked before a byte leaves.

Commands: DP800 Programming Guide, `:OUTPut`, `:SOURce` and `:MEASure` commands (pages 2-35, 2-56 and 2-57 for the
protections); ranges: its table 2-1, page 2-8. No watchdog for its communication is documented: the output stays as it
is when the network dies, so this driver alone makes no bench safe.
"""

from __future__ import annotations

from collections.abc import Iterator

from rig.errors import LinkError, Where
from rig.instruments.guards import Guard
from rig.instruments.ports import Identity, SupplyReading, SupplySettings
from rig.instruments.scpi import OffTexts
from rig.instruments.supplies.dialect import Channels, NumberSet, Rating, Set, SupplyDriver, WordSet

_SAYS_ON, _SAYS_OFF = ("ON", "1"), ("OFF", "0")


def _rating(volts: float, amps: float) -> Rating:
    """The protections reach to 110 % of a channel's rating (DP832: 33 V and 3.3 A for 30 V and 3 A).

    The steps are the coarsest in the family: a DP832 without its option.
    """
    return Rating(
        *((0.0, volts), (0.0, amps), (0.0, volts * 1.1), (0.0, amps * 1.1)),
        *(0.01, 0.001, 0.01, 0.001),
    )


RATINGS: dict[str, Channels] = {
    "DP811": (_rating(20.0, 10.0),),  # the range after *RST; the second, 40 V 5 A, is not used
    "DP821": (_rating(60.0, 1.0), _rating(8.0, 10.0)),
    "DP831": (_rating(8.0, 5.0), _rating(30.0, 2.0), None),  # the third gives volts below zero
    "DP832": (_rating(30.0, 3.0), _rating(30.0, 3.0), _rating(5.0, 3.0)),
}
"""Table 2-1's channel names, by model; the A models have the same."""


def off_texts(channel: int) -> OffTexts:
    """For the guardian: the same bytes as the driver's own."""
    return OffTexts(f":OUTP CH{channel},OFF", f":OUTP? CH{channel}", _SAYS_OFF)


def channels(who: Identity) -> Channels:
    rigol = "RIGOL" in who.maker.upper()
    return RATINGS.get(who.model.upper().removesuffix("A"), ()) if rigol else ()


class RigolDP800(SupplyDriver):
    """One channel of a DP811, DP821, DP831 or DP832, with or without the A."""

    def _channels(self, who: Identity) -> Channels:
        return channels(who)

    def _family(self) -> str:
        return f"a RIGOL {', '.join(RATINGS)}, with or without A"

    def _off(self) -> OffTexts:
        return off_texts(self._number)

    def _sets(self, settings: SupplySettings) -> Iterator[Set]:
        n, rating = self._number, self._rating()
        amps, volts = settings.amps, settings.volts
        ovp, ocp = settings.over_voltage_v, settings.over_current_a
        assert not isinstance(ovp, Guard) and not isinstance(ocp, Guard)  # noqa: S101, PT018 - its rating has levels
        yield NumberSet(f":SOUR{n}:CURR {amps:.4f}", f":SOUR{n}:CURR?", amps, rating.amps_step)
        yield NumberSet(f":OUTP:OVP:VAL CH{n},{ovp:.3f}", f":OUTP:OVP:VAL? CH{n}", ovp, rating.ovp_step)
        yield NumberSet(f":OUTP:OCP:VAL CH{n},{ocp:.4f}", f":OUTP:OCP:VAL? CH{n}", ocp, rating.ocp_step)
        yield WordSet(f":OUTP:OVP CH{n},ON", f":OUTP:OVP? CH{n}", _SAYS_ON)
        yield WordSet(f":OUTP:OCP CH{n},ON", f":OUTP:OCP? CH{n}", _SAYS_ON)
        yield NumberSet(f":SOUR{n}:VOLT {volts:.3f}", f":SOUR{n}:VOLT?", volts, rating.volts_step)

    def _switches(self, on: bool) -> tuple[Set, ...]:
        off = self._off()
        if on:
            return (WordSet(f":OUTP CH{self._number},ON", off.question, _SAYS_ON),)
        return (WordSet(off.command, off.question, off.says_off),)

    def _clearing(self) -> tuple[str, ...]:
        return (f":OUTP:OVP:CLEAR CH{self._number}", f":OUTP:OCP:CLEAR CH{self._number}")

    def _questions(self) -> tuple[str, ...]:
        c = f"CH{self._number}"
        return (f":MEAS:ALL? {c}", f":OUTP? {c}", f":OUTP:CVCC? {c}", f":OUTP:OVP:QUES? {c}", f":OUTP:OCP:QUES? {c}")

    def _reading(self, replies: tuple[str, ...]) -> SupplyReading:
        questions = self._questions()
        measured, on, mode, *trips = replies
        values = measured.split(",")
        if len(values) != 3:
            raise LinkError(
                f"{self._name}: wrong reply to {questions[0]!r}", Where(found=measured, expected="volts,amps,watts")
            )
        volts, amps, _ = (self._number_of(questions[0], value) for value in values)
        output_on = self._word_of(questions[1], on, _SAYS_ON + _SAYS_OFF) in _SAYS_ON
        regulation = self._word_of(questions[2], mode, ("CV", "CC", "UR"))
        tripped = [
            self._word_of(question, reply, ("YES", "NO", "1", "0")) in ("YES", "1")
            for question, reply in zip(questions[3:], trips, strict=True)
        ]
        return SupplyReading(volts, amps, regulation if output_on else "off", output_on, any(tripped))
