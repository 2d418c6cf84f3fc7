"""What Rigol's DS1000Z and DHO families have in common: their words, the trigger's states, the preamble's ten fields.

The memory depth is set while it runs. RAW is read while stopped, in pieces that both ends of are read back.
"""

from __future__ import annotations

from abc import abstractmethod

from rig.errors import LinkError, Where
from rig.instruments.ports import Codes, ScopeState
from rig.instruments.scopes.deep import DeepScope
from rig.instruments.scopes.screen import Plan
from rig.instruments.scopes.steps import SCPI_QUEUE, Number, Word
from rig.instruments.scpi import check_error, parse_number, wrong

PIXELS = 50
"""Pixels a division: levels and offsets are set in steps of one, so a read-back may differ by one."""

_STATES = {
    "RUN": ScopeState.FILLING,
    "WAIT": ScopeState.WAITING,
    "TD": ScopeState.TRIGGERED,
    "STOP": ScopeState.STOPPED,
    "AUTO": None,
}
_OFF, _ON = ("0", "OFF"), ("1", "ON")


class RigolScope(DeepScope):
    """One channel (1 to 4) of a Rigol; a family says its own words, and how codes come."""

    _COMPLAINTS = SCPI_QUEUE
    _LONGEST_READ: int

    @abstractmethod
    def _own_words(self, chan: str) -> tuple[Word, ...]:
        """Words of the channel that only this family has."""

    @abstractmethod
    def _depth(self, wanted: Plan) -> Number:
        """How the memory depth is set."""

    def _channels(self) -> int:
        """How many channels this model has."""
        return 4

    @abstractmethod
    def _format(self) -> str:
        """`BYTE` or `WORD`."""

    @abstractmethod
    def _piece(self, codes: Codes, first: int, last: int) -> None:
        """Points [first, last) of the record, which are chosen, into `codes`."""

    def _set_up(self, wanted: Plan) -> Plan:
        setter, chan, pixel_v = self._set, f":CHAN{self._channel}", wanted.volt_scale / PIXELS
        setter.command(":RUN")
        setter.words(self._words(chan))
        setter.number(Number(f"{chan}:PROB", self._probe_ratio))
        setter.number(Number(f"{chan}:SCAL", wanted.volt_scale))
        offset = setter.number(Number(f"{chan}:OFFS", -wanted.middle_v, pixel_v))
        setter.number(Number(":TIM:MAIN:SCAL", wanted.time_scale_s))
        delay = setter.number(Number(":TIM:MAIN:OFFS", wanted.delay_s, wanted.time_scale_s / PIXELS))
        setter.number(self._depth(wanted))
        level = setter.number(Number(":TRIG:EDG:LEV", wanted.trigger_v, pixel_v))
        return wanted.rounded(wanted.window_s / 2 - delay, -offset, level)

    def _words(self, chan: str) -> tuple[Word, ...]:
        """Everything that would give codes another meaning, or another channel the memory."""
        shown = tuple(
            Word(
                f":CHAN{number}:DISP",
                "ON" if number == self._channel else "OFF",
                _ON if number == self._channel else _OFF,
            )
            for number in range(1, self._channels() + 1)
        )
        return (
            *shown,
            Word(f"{chan}:COUP", "DC"),
            Word(f"{chan}:INV", "OFF", _OFF),
            *self._own_words(chan),
            Word(f"{chan}:VERN", "OFF", _OFF),
            Word(f"{chan}:BWL", "20M"),
            Word(":ACQ:TYPE", "NORM"),
            Word(":TIM:MODE", "MAIN"),
            Word(":TIM:DEL:ENAB", "OFF", _OFF),
            Word(":TRIG:MODE", "EDGE"),
            Word(":TRIG:EDG:SOUR", f"CHAN{self._channel}"),
            Word(":TRIG:EDG:SLOP", "NEG"),
            Word(":TRIG:COUP", "DC"),
        )

    # -- states ---------------------------------------------------------------------------------------------------

    def _look(self) -> ScopeState | None:
        status = self._link.query(":TRIG:STAT?").upper()
        if status not in _STATES:
            raise wrong(self._name, ":TRIG:STAT?", status, ", ".join(_STATES))
        return _STATES[status]

    def _start(self) -> None:
        self._set.command(":SING")

    def _halt(self) -> None:
        self._set.command(":STOP")

    def _force(self) -> None:
        self._set.command(":TFOR")

    # -- the record -----------------------------------------------------------------------------------------------

    def _choose(self) -> None:
        words = ((":WAV:SOUR", f"CHAN{self._channel}"), (":WAV:MODE", "RAW"), (":WAV:FORM", self._format()))
        self._set.words(Word(header, value) for header, value in words)

    def _meaning(self) -> str:
        return self._link.query(":WAV:PRE?")

    def _fields(self, meaning: str) -> list[float]:
        """format, type, points, count, x increment, x origin, x reference, y increment, y origin, y reference."""
        fields = [parse_number(self._name, ":WAV:PRE?", field) for field in meaning.split(",")]
        if len(fields) != 10:
            raise LinkError(f"{self._name}: wrong preamble", Where(found=meaning, expected="10 fields"))
        kind, raw, count = {"BYTE": 0, "WORD": 1}[self._format()], fields[1], fields[3]
        if (fields[0], raw, count) != (kind, 2, 1):
            where = Where(found=meaning, expected=f"{kind},2,...,1,...")
            raise LinkError(f"{self._name}: the record's format, type or count is not what was set", where)
        return fields

    def _fetch(self, codes: Codes) -> None:
        for first in range(0, len(codes), self._LONGEST_READ):
            last = min(first + self._LONGEST_READ, len(codes))
            start, stop = f":WAV:STAR {first + 1}", f":WAV:STOP {last}"  # the instrument counts from 1
            found = self._link.exchange(start, stop, ":WAV:STAR?", ":WAV:STOP?", ":SYST:ERR?")
            check_error(self._link, f"{start};{stop}", found[2])
            if found[:2] != (str(first + 1), str(last)):
                raise LinkError(f"{self._name}: {start!r} was not obeyed", Where(found=str(found[:2])))
            self._piece(codes, first, last)
