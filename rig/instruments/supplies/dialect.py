"""What every supply's driver shares: ranges before a byte leaves, error queue and read-back after every set.

A driver says what is particular to its family: its models and their ranges, its words, how a reading is put together.
Knows SCPI's error queue as the usual way to complain; a family with another way overrides `_complained`.
"""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

from rig.errors import AnotherInstrument, LinkError, Refused, Where
from rig.instruments.guards import Guard
from rig.instruments.ports import Identity, SupplyLimits, SupplyReading, SupplySettings
from rig.instruments.scpi import OffTexts, ScpiLink, check_error, parse_identity, parse_number, parse_word

Range = tuple[float, float]
"""Lowest and highest, in volts or amperes."""


@dataclass(frozen=True)
class Rating:
    """What one channel can be set to, and the steps in which it is set.

    `ovp` and `ocp`: the levels at which its protections trip, or the guards that it may have in place of levels.
    """

    volts: Range
    amps: Range
    ovp: Range | tuple[Guard, ...]
    ocp: Range | tuple[Guard, ...]
    volts_step: float
    amps_step: float
    ovp_step: float = 0.1
    ocp_step: float = 0.01


Channels = tuple[Rating | None, ...]
"""The channels of a model, from the first; None for one that cannot be used."""


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


@dataclass(frozen=True)
class BitSet:
    """A set of a state in a register: what is sent, what is asked then, and how a bit (from 0) must be."""

    command: str
    question: str
    bit: int
    expected: bool


Set = NumberSet | WordSet | BitSet


def check_settings(name: str, settings: SupplySettings, limits: SupplyLimits, rating: Rating | None) -> None:
    """Raise `Refused` unless all of `settings` lie inside the bench's envelope, and the model's `rating` where known.

    A protection must not lie below what it protects, and must be of the kind that the model has. Sends nothing.
    """
    _check(name, "volts", settings.volts, (0.0, limits.max_volts))
    _check(name, "amps", settings.amps, (0.0, limits.max_amps))
    _check(name, "over_voltage_v", settings.over_voltage_v, (settings.volts, limits.max_volts))
    _check(name, "over_current_a", settings.over_current_a, (settings.amps, limits.max_amps))
    if rating is not None:
        _check(name, "volts", settings.volts, rating.volts)
        _check(name, "amps", settings.amps, rating.amps)
        _check_guard(name, "over_voltage_v", settings.over_voltage_v, rating.ovp)
        _check_guard(name, "over_current_a", settings.over_current_a, rating.ocp)


def _check_guard(name: str, key: str, value: float | Guard, allowed: Range | tuple[Guard, ...]) -> None:
    words = [repr(one.value) for one in allowed if isinstance(one, Guard)]
    if not words and not isinstance(value, Guard):
        _check(name, key, value, allowed)  # type: ignore[arg-type]
    elif value not in allowed:
        found = repr(value.value) if isinstance(value, Guard) else f"{value:g}"
        where = Where(key=key, found=found, expected=" or ".join(words) or "a level")
        raise Refused(f"{name}: this model has not such a protection, nothing was sent", where)


def _check(name: str, key: str, value: float | Guard, allowed: Range) -> None:
    lowest, highest = allowed
    if not isinstance(value, Guard) and not (math.isfinite(value) and lowest <= value <= highest):
        where = Where(key=key, found=f"{value:g}", expected=f"{lowest:g} to {highest:g}")
        raise Refused(f"{name}: outside the limits, nothing was sent", where)


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
    def _channels(self, who: Identity) -> Channels:
        """The channels of this instrument; empty when it is none of the family."""

    @abstractmethod
    def _family(self) -> str:
        """The models that the driver takes, in words."""

    @abstractmethod
    def _sets(self, settings: SupplySettings) -> Iterator[Set]:
        """What `apply` sets, in order: the protections before the volts, so that they guard them from the start."""

    @abstractmethod
    def _switches(self, on: bool) -> tuple[Set, ...]:
        """The output's switches, in the order in which they are set."""

    @abstractmethod
    def _clearing(self) -> tuple[str, ...]:
        """The commands that take back a trip."""

    @abstractmethod
    def _questions(self) -> tuple[str, ...]:
        """What a whole reading sends; its queries are answered."""

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
        who = self._identity(reply)
        channels = self._channels(who)
        if not channels:
            raise AnotherInstrument(
                f"{self._name}: this is another instrument", Where(found=reply, expected=self._family())
            )
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
        check_settings(self._name, settings, self._limits, None)
        check_settings(self._name, settings, self._limits, self._rating())
        for one in self._sets(settings):
            self._put(one)

    def output(self, on: bool) -> None:
        """See `Supply.output`. A tripped protection keeps the output off: that is a `LinkError` here."""
        self._rating()
        for one in self._switches(on):
            self._put(one)

    def read(self) -> SupplyReading:
        """See `Supply.read`."""
        return self._reading(self._link.exchange(*self._questions()))

    def clear(self) -> SupplyReading:
        """See `Supply.clear`. The output is switched off first: some models would put it back on."""
        self.output(False)
        for text in self._clearing():
            self._send(text)
        reading = self.read()
        if reading.tripped or reading.output_on:
            raise LinkError(f"{self._name}: its protection is not cleared", Where(found=f"{reading}"))
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

    def _identity(self, reply: str) -> Identity:
        return parse_identity(self._name, reply)

    def _rating(self) -> Rating:
        if self._known is None:
            self.identify()
        assert self._known is not None  # noqa: S101 - identify has set it or raised
        return self._known[1]

    def _put(self, one: Set) -> None:
        """Send, look for a complaint, read back. Raises `LinkError` where it was not obeyed."""
        self._send(one.command)
        reply = self._link.query(one.question)
        if isinstance(one, NumberSet):
            back = self._number_of(one.question, reply)
            obeyed, expected = abs(back - one.value) <= one.step / 2 + 1e-9, f"{one.value:g}"
        elif isinstance(one, BitSet):
            found = bool(self._bits_of(one.question, reply) >> one.bit & 1)
            obeyed, expected = found is one.expected, f"bit {one.bit} {'set' if one.expected else 'not set'}"
        else:
            obeyed, expected = reply.strip().upper() in one.expected, " or ".join(one.expected)
        if not obeyed:
            raise LinkError(
                f"{self._name}: {one.command!r} was not obeyed", Where(found=repr(reply), expected=expected)
            )

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

    def _bits_of(self, question: str, reply: str) -> int:
        """A register: a whole number, hexadecimal behind `0x`."""
        if not re.fullmatch(r"\+?[0-9]{1,5}|0[xX][0-9A-Fa-f]{1,8}", reply.strip()):
            raise LinkError(
                f"{self._name}: wrong reply to {question!r}", Where(found=repr(reply), expected="a register's bits")
            )
        return int(reply, 0) if reply.strip().lower().startswith("0x") else int(reply)
