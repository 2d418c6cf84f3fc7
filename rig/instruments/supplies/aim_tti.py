"""Aim-TTi PL-P, QL-P and MX-P supplies as a `Supply`: their own commands, at port 9221 (LAN) or a serial port.

Commands: New PL-P Series Instruction Manual, QL-P Series II and MX100TP/MX180TP manuals, 'Remote commands' (`V1`, `I1`,
`OVP1`, `OCP1`, `OP1`, `V1O?`, `LSR1?`, `TRIPRST`, `*ESR?`, `EER?`, `IFLOCK?`). They could not be read here: the
commands are those that dcps (PL-P), dvg-devices (QL) and MSL-Equipment (MX) agree on; pages cannot be named.

Answers repeat the command's name (`V1 12.000`, `VP1 13.20`) or carry a unit (`11.998V`). There is no error queue:
`*ESR?` is read (and cleared) behind every set, and `EER?` says which execution error it was. `LSR1?` tells what
*happened* since it was last read: it is read twice, as the first answer is about the past; a trip is remembered here
until it is cleared. It tells CV and CC, and no more: a supply that regulates neither shows as CV, with the wrong volts.

**The lock.** Another interface may hold the write lock (`IFLOCK?` answers -1): then nobody else could switch it off, so
it is refused. This driver takes no lock itself, because the guardian switches off over a connection of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rig.errors import LinkError, Where
from rig.instruments.guards import Guard
from rig.instruments.ports import Identity, SupplyLimits, SupplyReading, SupplySettings
from rig.instruments.scpi import OffTexts, ScpiLink
from rig.instruments.supplies.dialect import Channels, NumberSet, Rating, Set, SupplyDriver, WordSet

_TRIPS = 0b111100
"""Over-voltage, over-current, power or temperature, and sense: bits 2 to 5 of LSR."""
_CONSTANT_CURRENT = 0b10
_ESR_ERRORS = 0b111100
"""Query error, verify time-out, execution error, command error: bits 2 to 5 of the standard event status register."""
_EXECUTION = 0b10000
_EXECUTION_ERRORS = {
    100: "the value is outside the permitted range",
    103: "not valid in the present circumstances",
    104: "the range could not be changed",
    200: "access denied: another interface holds its lock",
}


def _rating(volts: float, amps: float) -> Rating:
    """The protections: from 1 V and 10 mA to 110 % of the rating, which every model has at least."""
    return Rating((0.0, volts), (0.001, amps), (1.0, volts * 1.1), (0.01, amps * 1.1), 0.01, 0.01)


@dataclass(frozen=True)
class _Model:
    """`switches`: its protections must be put on before they have a level (MX)."""

    channels: Channels
    switches: bool = False


_PL303, _QL355, _QL564 = _rating(30.0, 3.0), _rating(35.0, 3.0), _rating(56.0, 2.0)
_MODELS: dict[str, _Model] = {
    "PL068": _Model((_rating(6.0, 8.0),)),
    "PL155": _Model((_rating(15.0, 5.0),)),
    "PL303": _Model((_PL303,)),
    "PL601": _Model((_rating(60.0, 1.5),)),
    "PL303QMD": _Model((_PL303, _PL303)),
    "PL303QMT": _Model((_PL303, _PL303, None)),  # the third has no protections to set
    "QL355": _Model((_QL355,)),
    "QL355T": _Model((_QL355, _QL355, None)),
    "QL564": _Model((_QL564,)),
    "QL564T": _Model((_QL564, _QL564, None)),
    "MX100T": _Model((_QL355,) * 3, switches=True),
    "MX180T": _Model((_rating(30.0, 6.0), _rating(30.0, 6.0), None), switches=True),
}
"""By name without the P of the programmable ones. The ranges after *RST; wider ranges of QL and MX are not used."""


def off_texts(channel: int) -> OffTexts:
    """For the guardian: the same bytes as the driver's own."""
    return OffTexts(f"OP{channel} 0", f"OP{channel}?", ("0",))


def channels(who: Identity) -> Channels:
    found = _model(who)
    return () if found is None else found.channels


def _model(who: Identity) -> _Model | None:
    aim = "THURLBY" in who.maker.upper() or "TTI" in who.maker.upper().replace("-", "").replace(" ", "")
    return _MODELS.get(re.sub(r"-?P$", "", who.model.upper())) if aim else None


class AimTTi(SupplyDriver):
    """One output of a PL-P, QL-P or MX-P."""

    _COMPLAINT = "*ESR?"

    def __init__(self, name: str, link: ScpiLink, channel: int, limits: SupplyLimits) -> None:
        super().__init__(name, link, channel, limits)
        self._tripped = False

    def _channels(self, who: Identity) -> Channels:
        return channels(who)

    def _family(self) -> str:
        return f"an Aim-TTi {', '.join(_MODELS)}, the programmable one (P)"

    def _off(self) -> OffTexts:
        return off_texts(self._number)

    def identify(self) -> Identity:
        """See `SupplyDriver.identify`. Also `LinkError` while another interface holds its lock."""
        who = super().identify()
        lock = self._word_of("IFLOCK?", self._link.query("IFLOCK?"), ("1", "0", "-1"))
        if lock == "-1":
            raise LinkError(f"{self._name}: another interface holds its lock", Where(found="IFLOCK? -1", expected="0"))
        return who

    def _complained(self, text: str, reply: str) -> None:
        esr = self._bits_of("*ESR?", reply)
        if not esr & _ESR_ERRORS:
            return
        number = self._bits_of("EER?", self._link.query("EER?")) if esr & _EXECUTION else 0
        why = _EXECUTION_ERRORS.get(number, f"execution error {number}") if number else "not understood"
        raise LinkError(f"{self._name}: {text!r} was refused by the instrument: {why}", Where(found=f"*ESR? {reply}"))

    def _number_of(self, question: str, reply: str) -> float:
        """`12.000`, `V1 12.000`, `VP1 13.20` or `11.998V`: a name must be the end of the question's own."""
        asked = question.removesuffix("?")
        match = re.fullmatch(r"(?:([A-Z]+[0-9]) )?([-+0-9.]+)([VA]?)", reply.strip().upper())
        if match is None or (match[1] is not None and not asked.endswith(match[1])):
            raise LinkError(
                f"{self._name}: wrong reply to {question!r}", Where(found=repr(reply), expected=f"{asked} and a number")
            )
        return super()._number_of(question, match[2])

    def _sets(self, settings: SupplySettings) -> Iterator[Set]:
        n, rating, ovp, ocp = self._number, self._rating(), settings.over_voltage_v, settings.over_current_a
        assert not isinstance(ovp, Guard) and not isinstance(ocp, Guard)  # noqa: S101, PT018 - its rating has levels
        yield NumberSet(f"I{n} {settings.amps:.3f}", f"I{n}?", settings.amps, rating.amps_step)
        assert self._known is not None  # noqa: S101 - its rating is known
        model = _model(self._known[0])
        for name, level, step in ((f"OVP{n}", ovp, rating.ovp_step), (f"OCP{n}", ocp, rating.ocp_step)):
            if model is not None and model.switches:
                self._send(f"{name} ON")  # its level is read back next, which is OFF where this was not obeyed
            yield NumberSet(f"{name} {level:.2f}", f"{name}?", level, step)
        yield NumberSet(f"V{n} {settings.volts:.3f}", f"V{n}?", settings.volts, rating.volts_step)

    def _switches(self, on: bool) -> tuple[Set, ...]:
        off = self._off()
        if on:
            return (WordSet(f"OP{self._number} 1", off.question, ("1",)),)
        return (WordSet(off.command, off.question, off.says_off),)

    def _clearing(self) -> tuple[str, ...]:
        self._tripped = False
        return ("TRIPRST",)

    def _questions(self) -> tuple[str, ...]:
        n = self._number
        return (f"V{n}O?", f"I{n}O?", f"OP{n}?", f"LSR{n}?", f"LSR{n}?")

    def _reading(self, replies: tuple[str, ...]) -> SupplyReading:
        asked = self._questions()
        volts, amps = (self._number_of(asked[i], replies[i]) for i in (0, 1))
        on = self._word_of(asked[2], replies[2], ("1", "0")) == "1"
        past, present = (self._bits_of(asked[i], replies[i]) for i in (3, 4))
        self._tripped |= bool((past | present) & _TRIPS)
        mode = "CC" if present & _CONSTANT_CURRENT else "CV"
        return SupplyReading(volts, amps, mode if on else "off", on, self._tripped)
