"""What every supply's driver shares: ranges before a byte leaves, error queue and read-back after every set.

A driver says what is particular to its family: its models and their ranges, its words, how a reading is put together.
Knows SCPI's error queue as the usual way to complain; a family with another way overrides `_complaint`.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

from rig.errors import LinkError, Refused, Where
from rig.instruments.ports import Identity, SupplyLimits, SupplyReading, SupplySettings
from rig.instruments.scpi import OffTexts, ScpiLink, check_error, parse_identity, parse_number, parse_word


@dataclass(frozen=True)
class Rating:
    """What one channel can be set to, its protections (`ovp`, `ocp`) too, and the steps in which it is set.

    Ranges are (lowest, highest), in volts and amperes.
    """

    volts: tuple[float, float]
    amps: tuple[float, float]
    ovp: tuple[float, float]
    ocp: tuple[float, float]
    volts_step: float
    amps_step: float
    ovp_step: float
    ocp_step: float


@dataclass(frozen=True)
class NumberSet:
    """A set of a number: what is sent, what is asked then, and what must come back within half a `step`."""

    command: str
    question: str
    value: float
    step: float


@dataclass(frozen=True)
class WordSet:
    """A set of a word: what is sent, what is asked then, and the answers that say that it was obeyed."""

    command: str
    question: str
    expected: tuple[str, ...]


class SupplyDriver(ABC):
    """One channel (from 1) of a supply. `limits` is the bench file's envelope: nothing is ever set beyond it."""

    _COMPLAINT = ":SYST:ERR?"
    """What is asked behind every set."""

    def __init__(self, name: str, link: ScpiLink, channel: int, limits: SupplyLimits) -> None:
        self._name = name
        self._link = link
        self._number = channel
        self._limits = limits
        self._known: tuple[Identity, Rating] | None = None

    @property
    def name(self) -> str:
        return self._name

    # -- what a family says of itself ---------------------------------------------------------------------------------

    @abstractmethod
    def _channels(self, who: Identity) -> tuple[Rating | None, ...]:
        """The channels of this instrument, None for one that cannot be used; empty when it is none of the family."""

    @abstractmethod
    def _family(self) -> str:
        """The models that the driver takes, in words."""

    @abstractmethod
    def _sets(self, settings: SupplySettings) -> Iterator[NumberSet | WordSet]:
        """What `apply` sets, in order: the protections before the volts, so that they guard them from the start."""

    @abstractmethod
    def _switch(self, on: bool) -> WordSet:
        """The output's switch."""

    @abstractmethod
    def _clearing(self) -> tuple[str, ...]:
        """The commands that take back a trip."""

    @abstractmethod
    def _questions(self) -> tuple[str, ...]:
        """What a whole reading asks."""

    @abstractmethod
    def _reading(self, replies: tuple[str, ...]) -> SupplyReading:
        """The replies to `_questions` as a reading."""

    @abstractmethod
    def _off(self) -> OffTexts:
        """The same bytes as the guardian's."""

    # -- the port -----------------------------------------------------------------------------------------------------

    def identify(self) -> Identity:
        """Who answers; `LinkError` unless it is of the family and has this channel."""
        reply = self._link.query("*IDN?")
        who = parse_identity(self._name, reply)
        channels = self._channels(who)
        if not channels:
            raise LinkError(f"{self._name}: this is another instrument", Where(found=reply, expected=self._family()))
        usable = [number for number, rating in enumerate(channels, 1) if rating is not None]
        rating = channels[self._number - 1] if self._number in usable else None
        if rating is None:
            raise LinkError(
                f"{self._name}: a {who.model} has no such positive channel",
                Where(found=f"channel {self._number}", expected=" or ".join(map(str, usable))),
            )
        self._known = who, rating
        return who

    def apply(self, settings: SupplySettings) -> None:
        """See `Supply.apply`. Also `Refused` where a protection lies below what it protects."""
        self._inside_envelope(settings)
        self._inside_rating(settings, self._rating())
        for one in self._sets(settings):
            self._put(one)

    def output(self, on: bool) -> None:
        """See `Supply.output`. A tripped protection keeps the output off: that is a `LinkError` here."""
        self._rating()
        self._put(self._switch(on))

    def read(self) -> SupplyReading:
        return self._reading(self._link.exchange(*self._questions()))

    def clear(self) -> SupplyReading:
        """See `Supply.clear`."""
        self._rating()
        for text in self._clearing():
            self._send(text)
        reading = self.read()
        if reading.tripped:
            raise LinkError(f"{self._name}: its protection has tripped again, or was not cleared")
        return reading

    def make_safe(self) -> SupplyReading:
        """See `Supply.make_safe`. What counts is that the output reads off, not what the error queue says."""
        complaint, *replies = self._link.exchange(self._off().command, self._COMPLAINT, *self._questions())
        reading = self._reading(tuple(replies))
        if reading.output_on:
            raise LinkError(
                f"{self._name}: channel {self._number} is still on after OFF", Where(found=complaint, expected="OFF")
            )
        return reading

    def close(self) -> None:
        self._link.close()

    # -- how ----------------------------------------------------------------------------------------------------------

    def _rating(self) -> Rating:
        if self._known is None:
            self.identify()
        assert self._known is not None  # noqa: S101 - identify has set it or raised
        return self._known[1]

    def _inside_envelope(self, settings: SupplySettings) -> None:
        volts, amps = (0.0, self._limits.max_volts), (0.0, self._limits.max_amps)
        self._check("volts", settings.volts, volts)
        self._check("amps", settings.amps, amps)
        self._check("over_voltage_v", settings.over_voltage_v, (settings.volts, volts[1]))
        self._check("over_current_a", settings.over_current_a, (settings.amps, amps[1]))

    def _inside_rating(self, settings: SupplySettings, rating: Rating) -> None:
        self._check("volts", settings.volts, rating.volts)
        self._check("amps", settings.amps, rating.amps)
        self._check("over_voltage_v", settings.over_voltage_v, rating.ovp)
        self._check("over_current_a", settings.over_current_a, rating.ocp)

    def _check(self, key: str, value: float, allowed: tuple[float, float]) -> None:
        lowest, highest = allowed
        if not (math.isfinite(value) and lowest <= value <= highest):
            raise Refused(
                f"{self._name}: channel {self._number}: outside the limits, nothing was sent",
                Where(key=key, found=f"{value:g}", expected=f"{lowest:g} to {highest:g}"),
            )

    def _put(self, one: NumberSet | WordSet) -> None:
        """Send, look for a complaint, read back. Raises `LinkError` where it was not obeyed."""
        self._send(one.command)
        reply = self._link.query(one.question)
        if isinstance(one, NumberSet):
            back = self._number_of(one.question, reply)
            obeyed, expected = abs(back - one.value) <= one.step / 2 + 1e-9, f"{one.value:g}"
        else:
            obeyed, expected = reply.strip().upper() in one.expected, " or ".join(one.expected)
        if not obeyed:
            raise LinkError(f"{self._name}: {one.command!r} was not obeyed", Where(found=reply, expected=expected))

    def _send(self, text: str) -> None:
        (complaint,) = self._link.exchange(text, self._COMPLAINT)
        self._complained(text, complaint)

    def _complained(self, text: str, reply: str) -> None:
        """Raise `LinkError` when the answer to `_COMPLAINT` says that `text` was not taken."""
        check_error(self._link, text, reply)

    def _number_of(self, question: str, reply: str) -> float:
        return parse_number(self._name, question, reply)

    def _word_of(self, question: str, reply: str, allowed: tuple[str, ...]) -> str:
        return parse_word(self._name, question, reply, allowed)
