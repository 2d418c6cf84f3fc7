"""Rohde & Schwarz RTB2000 as an `Oscilloscope`: one deep single capture, and the time tags of its history (option K15).

**What it proves, and when it is blind**: see `rig.instruments.scopes.deep`. With the history option, `time_tags` says
how long before the newest each kept acquisition was triggered, by the instrument's own time base.

**Model facts** (RTB2000 User Manual 1333.1611.02, version 04: reading waveforms page 244, history page 302, data pages
339 to 343; version 11, page 536: the range of points): 12 divisions across, 8 up, up to 500 s/div; `ACQuire:POINts` 10k
to 10M (20M with one channel of a pair); `CHANnel:DATA:POINts MAX` only while stopped; `FORMat UINT,8`: 0 to 255, the
centre of the screen is 127.5; volts = YORigin + YINCrement x code; `CHANnel:DATA:HEADer?` start, stop, points, values a
point; `ACQuire:STATe?` RUN, STOPping, COMPlete, BREak. Bit 3 of `STATus:OPERation:CONDition?` is 'waiting for the
trigger' (RTM20xx User Manual 1317.4726.02, page 267, and RTM3000, page 814, the same family's registers): while it runs
and the bit is clear, it fills before it was ever seen to wait, and acquires after that.

**Peak detect**: none. `CHANnel:TYPE PDETect` records the least and the greatest of a sample interval 'as waveform
points', but no guide was found that says in what order `CHANnel:DATA?` sends them (the two values of an interval are
described for envelopes only).

**Accuracy** (RTB2000 data sheet): DC gain +-2 % of full scale; offset +-(0.1 div + 2 mV + 0.5 % of the offset), with 1
% taken; time base +-(10 ppm + 1 ppm a year), with 25 ppm taken.
"""

from __future__ import annotations

import re

from rig.errors import LinkError, Refused, Where
from rig.instruments.ports import Codes, Identity, ScopeState
from rig.instruments.scopes.deep import DeepScope
from rig.instruments.scopes.record import Shape
from rig.instruments.scopes.screen import Accuracy, Plan, Screen, steps
from rig.instruments.scopes.steps import SCPI_QUEUE, Number, Word
from rig.instruments.scpi import parse_number, wrong

SCREEN = Screen(
    across=12,
    up=8,
    time_scales_s=steps(1e-6, 500.0),
    volt_scales=steps(0.01, 5.0),
    reach=((0.0501, 0.5), (5.0, 25.0)),
    depths=(10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000, 2_000_000, 5_000_000, 10_000_000),
    fastest_rate=1.25e9,
)
ACCURACY = Accuracy(
    gain_of_full_scale=0.02, offset_div=0.1, input_v=0.002, offset_part=0.01, time_base_ppm=25.0, ageing_ppm=1.0
)
_MODEL = re.compile(r"RTB2\d\d([24])", re.IGNORECASE)
_WAITS = 1 << 3
_RUNS = ("RUN", "STOPPING", "STOP")
_OVER = ("COMP", "COMPLETE", "BRE", "BREAK")
_OFF, _ON = ("0", "OFF"), ("1", "ON")


def recognises(who: Identity) -> bool:
    return who.maker.upper().startswith("ROHDE") and _MODEL.fullmatch(who.model) is not None


class RohdeRTB(DeepScope):
    """One channel of an RTB2002 or RTB2004."""

    _FAMILY = "a Rohde & Schwarz RTB2002 or RTB2004"
    _COMPLAINTS = SCPI_QUEUE
    _waited = False
    _complete = False

    def _model(self, who: Identity) -> tuple[Screen, Accuracy] | None:
        return (SCREEN, ACCURACY) if recognises(who) else None

    # -- setting up -----------------------------------------------------------------------------------------------

    def _set_up(self, wanted: Plan) -> Plan:
        setter, chan, part_v = self._set, f"CHAN{self._channel}", wanted.volt_scale / 25
        setter.command("STOP")
        setter.words(self._words(chan))
        setter.number(Number(f"PROB{self._channel}:SET:ATT:MAN", self._probe_ratio))
        setter.number(Number(f"{chan}:SCAL", wanted.volt_scale))
        setter.number(Number(f"{chan}:POS", 0))
        middle = setter.number(Number(f"{chan}:OFFS", wanted.middle_v, part_v))
        setter.number(Number("TIM:SCAL", wanted.time_scale_s))
        setter.number(Number("TIM:REF", 50))
        delay = setter.number(Number("TIM:POS", wanted.delay_s, wanted.time_scale_s / 50))
        setter.number(Number("ACQ:POIN", wanted.depth))
        level = setter.number(Number(f"TRIG:A:LEV{self._channel}", wanted.trigger_v, part_v))
        return wanted.rounded(wanted.window_s / 2 - delay, middle, level)

    def _words(self, chan: str) -> tuple[Word, ...]:
        found = _MODEL.fullmatch(self._who.model) if self._who is not None else None
        count = int(found.group(1)) if found is not None else 4
        others = [number for number in range(1, count + 1) if number != self._channel]
        return (
            Word(f"{chan}:STAT", "ON", _ON),
            *(Word(f"CHAN{number}:STAT", "OFF", _OFF) for number in others),
            Word(f"{chan}:COUP", "DCL", ("DCL", "DCLIMIT")),
            Word(f"{chan}:POL", "NORM", ("NORM", "NORMAL")),
            Word(f"{chan}:BAND", "B20"),
            Word(f"{chan}:TYPE", "SAMP", ("SAMP", "SAMPLE")),
            Word(f"{chan}:ARIT", "OFF"),
            Word("ACQ:POIN:AUT", "OFF", _OFF),
            Word("ACQ:NSIN:COUN", "1"),
            Word("TRIG:A:TYPE", "EDGE"),
            Word("TRIG:A:MODE", "NORM", ("NORM", "NORMAL")),
            Word("TRIG:A:SOUR", f"CH{self._channel}"),
            Word("TRIG:A:EDGE:SLOP", "NEG", ("NEG", "NEGATIVE")),
            Word("TRIG:A:EDGE:COUP", "DC"),
        )

    # -- states ---------------------------------------------------------------------------------------------------

    def _look(self) -> ScopeState | None:
        status, bits = self._link.exchange("ACQ:STAT?", "STAT:OPER:COND?")
        found = status.strip().upper()
        if found in _OVER:
            self._complete = found.startswith("COMP")
            return ScopeState.STOPPED
        if found not in _RUNS:
            raise wrong(self._name, "ACQ:STAT?", status, ", ".join(_RUNS + _OVER))
        if int(parse_number(self._name, "STAT:OPER:COND?", bits)) & _WAITS:
            self._waited = True
            return ScopeState.WAITING
        return ScopeState.TRIGGERED if self._waited else ScopeState.FILLING

    def _start(self) -> None:
        self._waited = self._complete = False
        self._set.command("SING")

    def _halt(self) -> None:
        self._set.command("STOP")

    def _force(self) -> None:
        self._set.command("*TRG")

    def _was_triggered(self) -> bool:
        """A single acquisition is COMPlete only by its trigger; a stop by hand is a BREak."""
        return self._complete

    # -- the record -----------------------------------------------------------------------------------------------

    def _choose(self) -> None:
        self._set.word(Word("FORM", "UINT,8"))
        self._set.command(f"CHAN{self._channel}:DATA:POIN MAX")

    def _meaning(self) -> str:
        chan = f"CHAN{self._channel}:DATA"
        asked = [f"{chan}:{field}?" for field in ("HEAD", "XOR", "XINC", "YOR", "YINC")]
        return ";".join(self._link.exchange(*asked))

    def _shape(self, plan: Plan, meaning: str) -> Shape:
        fields = [parse_number(self._name, "the record's header", one) for one in re.split("[;,]", meaning)]
        if len(fields) != 8 or fields[3] != 1 or fields[2] < plan.depth or fields[7] <= 0:
            raise LinkError(f"{self._name}: the record is not what was set", Where(found=meaning))
        _, _, points, _, first_s, dt_s, origin_v, per_code = fields
        return Shape(
            points=int(points),
            dt_s=dt_s,
            first_s=first_s,
            volts_per_code=per_code,
            zero_code=-origin_v / per_code,
            low_code=0,
            high_code=255,
        )

    def _fetch(self, codes: Codes) -> None:
        codes[:] = self._block(f"CHAN{self._channel}:DATA?", len(codes))

    def time_tags(self) -> tuple[float, ...]:
        """Seconds from the newest acquisition's trigger back to each kept one's, oldest first: none is positive."""
        if not self._armed or self.state() is not ScopeState.STOPPED:
            raise Refused(f"{self._name}: there is no finished capture to read")
        question = f"CHAN{self._channel}:HIST:TSR:ALL?"
        tags = tuple(parse_number(self._name, question, one) for one in self._link.query(question).split(","))
        if list(tags) != sorted(tags) or tags[-1] > 0:
            raise LinkError(f"{self._name}: time tags that do not rise to 0", Where(found=str(tags)))
        return tags
