"""Rohde & Schwarz HMP2000 / HMP4000 and NGE100 (NGE102, NGE103, with or without B) supplies as a `Supply`.

Commands: HMP Series SCPI Programmers Manual (5800.5760.02, Version 01), 'Channel selection', 'Fuse settings', 'Output
settings', 'OVP'; NGE100 Series User Manual, 'Remote control commands'. Neither could be read here whole: the commands
are those that PyMeasure's HMP4040, R&S's own RsHmp driver and RsNgx's command tree agree on; pages cannot be named.

A channel is chosen (`INST:NSEL n`), then spoken to: both go in one exchange, always. Its output is on when the channel
is activated (`OUTP:SEL`) *and* the general switch is on (`OUTP:GEN`). The general switch would put every activated
channel on: so it is refused while another channel is activated. Off is `OUTP:SEL 0`, which needs no other.

**What it protects with.** Over-voltage: a level. Over-current: the electronic fuse, which trips when the *current
limit* acts for longer than its delay, set to 0.1 s. In the bench file: `over_current_a = "at-limit"`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rig.errors import Refused, Where
from rig.instruments.guards import Guard
from rig.instruments.ports import Identity, SupplyReading, SupplySettings
from rig.instruments.scpi import OffTexts
from rig.instruments.supplies.dialect import Channels, NumberSet, Rating, Set, SupplyDriver, WordSet

_ON, _OFF = ("1", "ON"), ("0", "OFF")
_TRIP_DELAY_S = 0.1
_MODES = {1: "CC", 2: "CV"}
"""Bits 0 and 1 of a channel's questionable register: bit 0 volts, bit 1 amperes are *not* what is regulated."""


def _rating(volts: float, amps: float) -> Rating:
    return Rating((0.0, volts), (0.0, amps), (0.0, volts + 0.5), (Guard.AT_LIMIT,), 0.002, 0.002, 0.02)


@dataclass(frozen=True)
class _Model:
    """`seconds`: the fuse's delay is in seconds, and the over-voltage protection has a switch (NGE100)."""

    channels: Channels
    seconds: bool = False


_WIDE, _SMALL, _NGE = _rating(32.0, 10.0), _rating(32.0, 5.0), _Model((_rating(32.0, 3.0),) * 3, seconds=True)
_MODELS: dict[str, _Model] = {
    "HMP2020": _Model((_WIDE, _SMALL)),
    "HMP2030": _Model((_SMALL, _SMALL, _SMALL)),
    "HMP4030": _Model((_WIDE,) * 3),
    "HMP4040": _Model((_WIDE,) * 4),
    "NGE102": _Model(_NGE.channels[:2], seconds=True),
    "NGE103": _NGE,
}


def off_texts(channel: int) -> OffTexts:
    """For the guardian: the same bytes as the driver's own. Not activated is off, whatever the general switch says."""
    return OffTexts(f"INST:NSEL {channel};:OUTP:SEL 0", f"INST:NSEL {channel};:OUTP:SEL?", _OFF)


def channels(who: Identity) -> Channels:
    found = _model(who)
    return () if found is None else found.channels


def _model(who: Identity) -> _Model | None:
    rohde = any(maker in who.maker.upper().replace(" ", "") for maker in ("ROHDE&SCHWARZ", "HAMEG"))
    return _MODELS.get(who.model.upper().removesuffix("B")) if rohde else None


class RohdeHMP(SupplyDriver):
    """One channel of an HMP or NGE100."""

    def _channels(self, who: Identity) -> Channels:
        return channels(who)

    def _family(self) -> str:
        return f"a Rohde & Schwarz {', '.join(_MODELS)}"

    def _off(self) -> OffTexts:
        return off_texts(self._number)

    def _on_this(self, command: str, channel: int | None = None) -> str:
        """A command or query to this channel, chosen in the same line."""
        return f"INST:NSEL {channel or self._number};:{command}"

    def _sets(self, settings: SupplySettings) -> Iterator[Set]:
        rating, this, ovp = self._rating(), self._on_this, settings.over_voltage_v
        assert not isinstance(ovp, Guard)  # noqa: S101 - the rating's check has refused it
        amps, volts = settings.amps, settings.volts
        yield NumberSet(this(f"CURR {amps:.4f}"), this("CURR?"), amps, rating.amps_step)
        yield NumberSet(this(f"VOLT:PROT:LEV {ovp:.3f}"), this("VOLT:PROT:LEV?"), ovp, rating.ovp_step)
        delay = _TRIP_DELAY_S if self._seconds() else 1000 * _TRIP_DELAY_S
        yield NumberSet(this(f"FUSE:DEL {delay:g}"), this("FUSE:DEL?"), delay, delay / 10)
        yield WordSet(this("FUSE ON"), this("FUSE?"), _ON)
        if self._seconds():
            yield WordSet(this("VOLT:PROT ON"), this("VOLT:PROT?"), _ON)
        yield NumberSet(this(f"VOLT {volts:.3f}"), this("VOLT?"), volts, rating.volts_step)

    def _seconds(self) -> bool:
        self._rating()
        found = None if self._known is None else _model(self._known[0])
        return found is not None and found.seconds

    def output(self, on: bool) -> None:
        """See `Supply.output`. Raises `Refused` where the general switch would put another channel on as well."""
        if on:
            self._alone()
        super().output(on)

    def _alone(self) -> None:
        self._rating()
        assert self._known is not None  # noqa: S101 - the line above has set it
        for channel in range(1, len(self._channels(self._known[0])) + 1):
            question = self._on_this("OUTP:SEL?", channel)
            if channel != self._number and self._word_of(question, self._link.query(question), _ON + _OFF) in _ON:
                raise Refused(
                    f"{self._name}: the general switch would put channel {channel} on as well, nothing was switched",
                    Where(found=f"channel {channel} is activated", expected=f"channel {self._number} alone"),
                )

    def _switches(self, on: bool) -> tuple[Set, ...]:
        off = self._off()
        if not on:
            return (WordSet(off.command, off.question, off.says_off),)
        return (
            WordSet(self._on_this("OUTP:SEL 1"), off.question, _ON),
            WordSet("OUTP:GEN 1", "OUTP:GEN?", _ON),
        )

    def _clearing(self) -> tuple[str, ...]:
        """An HMP has no command for its fuse: it is taken out, and put in again."""
        fuse = (self._on_this("FUSE:TRIP:CLE"),) if self._seconds() else (
            self._on_this("FUSE OFF"), self._on_this("FUSE ON"),
        )  # fmt: skip
        return (self._on_this("VOLT:PROT:CLE"), *fuse)

    def _questions(self) -> tuple[str, ...]:
        this = self._on_this
        return (
            this("MEAS:VOLT?"),
            this("MEAS:CURR?"),
            this("OUTP:SEL?"),
            "OUTP:GEN?",
            f"STAT:QUES:INST:ISUM{self._number}:COND?",
            this("VOLT:PROT:TRIP?"),
            this("FUSE:TRIP?"),
        )

    def _reading(self, replies: tuple[str, ...]) -> SupplyReading:
        asked = self._questions()
        volts, amps = (self._number_of(asked[i], replies[i]) for i in (0, 1))
        active, general, *trips = (self._word_of(asked[i], replies[i], _ON + _OFF) in _ON for i in (2, 3, 5, 6))
        mode = _MODES.get(self._bits_of(asked[4], replies[4]) & 3, "UR")
        on = active and general
        return SupplyReading(volts, amps, mode if on else "off", on, any(trips))
