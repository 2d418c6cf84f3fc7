"""Rigol DP800 supplies as a `Supply`: one channel, every set read back, limits checked before a byte leaves.

Commands: DP800 Programming Guide, `:OUTPut`, `:SOURce` and `:MEASure` commands (pages 2-35, 2-56 and 2-57 for the
protections); ranges: its table 2-1, page 2-8. No watchdog for its communication is documented: the output stays as it
is when the network dies, so this driver alone makes no bench safe.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from rig.errors import LinkError, Refused, Where
from rig.instruments.ports import Identity, SupplyReading, SupplySettings
from rig.instruments.scpi import OffTexts, ScpiLink, parse_identity, parse_number, parse_word, set_number, set_word

_PROTECTION_FACTOR = 1.1
"""The protections reach to 110 % of a channel's rating (DP832: 33 V and 3.3 A for 30 V and 3 A)."""

_VOLTS_STEP = 0.01
_AMPS_STEP = 0.001
"""The coarsest resolution in the family (a DP832 without its option): a read-back is within half of it."""


@dataclass(frozen=True)
class Rating:
    """A channel's rating in volts and amperes; `negative` channels give volts below zero and are not supported."""

    volts: float
    amps: float
    negative: bool = False


_SAYS_ON, _SAYS_OFF = ("ON", "1"), ("OFF", "0")

RATINGS: dict[str, tuple[Rating, ...]] = {
    "DP811": (Rating(20.0, 10.0),),  # the range after *RST; the second, 40 V 5 A, is not used
    "DP821": (Rating(60.0, 1.0), Rating(8.0, 10.0)),
    "DP831": (Rating(8.0, 5.0), Rating(30.0, 2.0), Rating(30.0, 2.0, negative=True)),
    "DP832": (Rating(30.0, 3.0), Rating(30.0, 3.0), Rating(5.0, 3.0)),
}
"""Table 2-1's channel names, by model; the A models have the same."""


def off_texts(channel: int) -> OffTexts:
    """For the guardian: the same bytes as the driver's own."""
    return OffTexts(f":OUTP CH{channel},OFF", f":OUTP? CH{channel}", _SAYS_OFF)


@dataclass(frozen=True)
class SupplyLimits:
    """The bench file's envelope: no set value, the protections included, may exceed it."""

    max_volts: float
    max_amps: float


def ratings(who: Identity) -> tuple[Rating, ...]:
    """The ratings of this instrument's channels; empty when it is no supported DP800."""
    rigol = "RIGOL" in who.maker.upper()
    return RATINGS.get(who.model.upper().removesuffix("A"), ()) if rigol else ()


class RigolDP800:
    """One channel (from 1) of a DP811, DP821, DP831 or DP832, with or without the A."""

    def __init__(self, name: str, link: ScpiLink, channel: int, limits: SupplyLimits) -> None:
        self._name = name
        self._link = link
        self._number = channel
        self._channel = f"CH{channel}"
        self._limits = limits
        self._off = off_texts(channel)
        self._rating: Rating | None = None

    @property
    def name(self) -> str:
        return self._name

    def identify(self) -> Identity:
        """Who answers; `LinkError` unless it is a supported DP800 that has this channel."""
        reply = self._link.query("*IDN?")
        identity = parse_identity(self._name, reply)
        channels = ratings(identity)
        if not channels:
            expected = f"a RIGOL {', '.join(RATINGS)}, with or without A"
            raise LinkError(f"{self._name}: this is another instrument", Where(found=reply, expected=expected))
        if not 1 <= self._number <= len(channels) or channels[self._number - 1].negative:
            raise LinkError(
                f"{self._name}: a {identity.model} has no such positive channel",
                Where(found=self._channel, expected=f"CH1 to CH{sum(not r.negative for r in channels)}"),
            )
        self._rating = channels[self._number - 1]
        return identity

    def apply(self, settings: SupplySettings) -> None:
        """See `Supply.apply`. The protections are set before the volts, so that they guard them from the start.

        Raises `Refused`, with nothing set, outside the bench's envelope or the channel's rating (110 % of it for the
        protections), and where a protection lies below what it protects.
        """
        self._check("volts", settings.volts, self._limits.max_volts)
        self._check("amps", settings.amps, self._limits.max_amps)
        self._check("over_voltage_v", settings.over_voltage_v, self._limits.max_volts, lowest=settings.volts)
        self._check("over_current_a", settings.over_current_a, self._limits.max_amps, lowest=settings.amps)
        rating = self._rated()
        self._check("volts", settings.volts, rating.volts)
        self._check("amps", settings.amps, rating.amps)
        self._check("over_voltage_v", settings.over_voltage_v, rating.volts * _PROTECTION_FACTOR)
        self._check("over_current_a", settings.over_current_a, rating.amps * _PROTECTION_FACTOR)
        n, channel = self._number, self._channel
        self._number_set(f":SOUR{n}:CURR {settings.amps:.4f}", f":SOUR{n}:CURR?", settings.amps, _AMPS_STEP)
        self._protect("OVP", settings.over_voltage_v, f"{settings.over_voltage_v:.3f}", _VOLTS_STEP)
        self._protect("OCP", settings.over_current_a, f"{settings.over_current_a:.4f}", _AMPS_STEP)
        for protection in ("OVP", "OCP"):
            set_word(self._link, f":OUTP:{protection} {channel},ON", f":OUTP:{protection}? {channel}", ("ON", "1"))
        self._number_set(f":SOUR{n}:VOLT {settings.volts:.3f}", f":SOUR{n}:VOLT?", settings.volts, _VOLTS_STEP)

    def output(self, on: bool) -> None:
        """See `Supply.output`. A tripped protection keeps the output off: that is a `LinkError` here."""
        self._rated()
        text = f":OUTP {self._channel},ON" if on else self._off.command
        set_word(self._link, text, self._off.question, _SAYS_ON if on else _SAYS_OFF)

    def read(self) -> SupplyReading:
        """What the supply measures at its terminals. `mode` is CV, CC, UR (unregulated) or off."""
        return self._reading(())[1]

    def make_safe(self) -> SupplyReading:
        """See `Supply.make_safe`. What counts is that the output reads off, not what the error queue says."""
        (error,), reading = self._reading((self._off.command, ":SYST:ERR?"))
        if reading.output_on:
            raise LinkError(f"{self._name}: {self._channel} is still on after OFF", Where(found=error, expected="OFF"))
        return reading

    def close(self) -> None:
        self._link.close()

    def _reading(self, before: tuple[str, ...]) -> tuple[tuple[str, ...], SupplyReading]:
        """`before` and a whole reading in one exchange; the replies of `before`, and the reading."""
        c = self._channel
        questions = (
            f":MEAS:ALL? {c}",
            self._off.question,
            f":OUTP:CVCC? {c}",
            f":OUTP:OVP:QUES? {c}",
            f":OUTP:OCP:QUES? {c}",
        )
        replies = self._link.exchange(*before, *questions)
        first, (measured, on, mode, ovp, ocp) = replies[:-5], replies[-5:]
        values = measured.split(",")
        if len(values) != 3:
            raise LinkError(
                f"{self._name}: wrong reply to {questions[0]!r}", Where(found=measured, expected="volts,amps,watts")
            )
        volts, amps, _ = (parse_number(self._name, questions[0], value) for value in values)
        output_on = parse_word(self._name, questions[1], on, _SAYS_ON + _SAYS_OFF) in _SAYS_ON
        regulation = parse_word(self._name, questions[2], mode, ("CV", "CC", "UR"))
        tripped = [
            parse_word(self._name, question, reply, ("YES", "NO", "1", "0")) in ("YES", "1")
            for question, reply in ((questions[3], ovp), (questions[4], ocp))
        ]
        return first, SupplyReading(volts, amps, regulation if output_on else "off", output_on, any(tripped))

    def _rated(self) -> Rating:
        if self._rating is None:
            self.identify()
        assert self._rating is not None  # noqa: S101 - identify has set it or raised
        return self._rating

    def _check(self, key: str, value: float, highest: float, lowest: float = 0.0) -> None:
        if not (math.isfinite(value) and lowest <= value <= highest):
            raise Refused(
                f"{self._name}: {self._channel}: outside the limits, nothing was sent",
                Where(key=key, found=f"{value:g}", expected=f"{lowest:g} to {highest:g}"),
            )

    def _protect(self, kind: str, value: float, text: str, step: float) -> None:
        c = self._channel
        self._number_set(f":OUTP:{kind}:VAL {c},{text}", f":OUTP:{kind}:VAL? {c}", value, step)

    def _number_set(self, text: str, question: str, value: float, step: float) -> None:
        set_number(self._link, text, question, value, step / 2 + 1e-9)
