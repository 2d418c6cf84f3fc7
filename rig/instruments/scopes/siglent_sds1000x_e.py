"""Siglent SDS1000X-E (and SDS1000X+, SDS2000X-E: the old dialect) as an `Oscilloscope`: one deep single capture.

**What it proves, and when it is blind**: see `rig.instruments.scopes.deep`. It carries no time tags. It does not say
where its trigger lies in the record: `TRDL` tells where it was put, and where the record does not fall there, its time
is not believed (its trigger is then somewhere in the window).

**Model facts** (Siglent Digital Oscilloscopes Programming Guide PG01-E02, whose pages could not be looked up here;
words and replies were checked against public drivers): replies bare after `CHDR OFF`; 14 divisions across, up to 100
s/div, 8 up; a positive `TRDL` moves the window later (public drivers disagree on its sign; the wrong one never comes to
wait for its trigger in time, which is an error); `MSIZ` 14K to 14M with one channel of a pair shown, so sample rate =
depth / (14 x time base); `SANU?` points of the record; `SAST?` Stop, Armed (the pre-trigger fills), Ready, Trig'd;
`INR?` bit 0: a new signal was acquired since it was last asked; `C1:WF? DAT2` answers `DAT2,#9`, signed bytes and two
line ends; volts = code x VDIV / 25 - OFST. There is no error queue: a set is proven by its read-back, which has three
digits. One public driver says that a trigger level must be divided by the probe's ratio in some firmware: then the
bench's control sees no trigger.

**Peak detect**: none. `ACQW PEAK_DETECT` is there, but no guide was found that says what `WF? DAT2` sends then.

**Accuracy** (SDS1000X-E data sheet): DC gain +-3 % of full scale; offset +-(1.5 % of the offset + 1.5 % of full scale +
2 mV); time base +-25 ppm; its ageing is not stated, 5 ppm a year is an assumption.
"""

from __future__ import annotations

import re

import numpy as np

from rig.errors import LinkError, Where
from rig.instruments.ports import Codes, Identity, ScopeState
from rig.instruments.scopes.deep import DeepScope
from rig.instruments.scopes.record import Shape
from rig.instruments.scopes.screen import Accuracy, Plan, Screen, steps
from rig.instruments.scopes.steps import Number, Word
from rig.instruments.scpi import Frame, parse_number, wrong

SCREEN = Screen(
    across=14,
    up=8,
    time_scales_s=steps(1e-6, 100.0),
    volt_scales=steps(0.01, 10.0),
    reach=((0.118, 2.0), (1.18, 20.0), (10.0, 200.0)),
    depths=(14_000, 140_000, 1_400_000, 14_000_000),
    fastest_rate=1e9,
)
ACCURACY = Accuracy(
    gain_of_full_scale=0.03 + 0.015,
    offset_div=0.0,
    input_v=0.002,
    offset_part=0.015,
    time_base_ppm=25.0,
    ageing_ppm=5.0,
)
CODES_PER_DIVISION = 25
_MODEL = re.compile(r"SDS(1\d\d\d[XC][-+]?E?|2\d\d\dX-E)", re.IGNORECASE)
_DEPTH_WORDS = {14_000: "14K", 140_000: "140K", 1_400_000: "1.4M", 14_000_000: "14M"}
_DIGITS = 3
_LONGEST_READ = 1_400_000
"""Points a read. The guide names no limit; the memory is read in pieces all the same."""

_FRAME = Frame(before=b"DAT2,", after=b"\n\n")
_ASKED = ("TDIV?", "TRDL?", "SARA?")
_STATES = {
    "ARM": ScopeState.FILLING,
    "ARMED": ScopeState.FILLING,
    "READY": ScopeState.WAITING,
    "TRIG'D": ScopeState.TRIGGERED,
    "STOP": ScopeState.STOPPED,
    "AUTO": None,
    "ROLL": None,
}


def recognises(who: Identity) -> bool:
    return "SIGLENT" in who.maker.upper() and _MODEL.fullmatch(who.model) is not None


class SiglentSDS1000XE(DeepScope):
    """One channel of an SDS1000X-E with two or four channels."""

    _FAMILY = "a Siglent SDS1000X-E or SDS2000X-E"
    _COMPLAINTS = None
    _acquired = False

    def _model(self, who: Identity) -> tuple[Screen, Accuracy] | None:
        return (SCREEN, ACCURACY) if recognises(who) else None

    # -- setting up -----------------------------------------------------------------------------------------------

    def _set_up(self, wanted: Plan) -> Plan:
        setter, chan = self._set, f"C{self._channel}"
        setter.command("CHDR OFF", "TRMD?")
        setter.word(Word("TRMD", "AUTO", lasts=False))  # the memory's size is taken only while it runs
        setter.words(self._words(chan))
        setter.number(Number(f"{chan}:ATTN", self._probe_ratio, digits=_DIGITS))
        setter.number(Number(f"{chan}:VDIV", wanted.volt_scale, unit="V", digits=_DIGITS))
        offset = setter.number(
            Number(f"{chan}:OFST", -wanted.middle_v, wanted.volt_scale / 50, unit="V", digits=_DIGITS)
        )
        setter.number(Number("TDIV", wanted.time_scale_s, unit="S", digits=_DIGITS))
        setter.word(Word("MSIZ", _DEPTH_WORDS[wanted.depth]))
        delay = setter.number(Number("TRDL", wanted.delay_s, wanted.time_scale_s / 50, unit="S", digits=_DIGITS))
        level = setter.number(
            Number(f"{chan}:TRLV", wanted.trigger_v, wanted.volt_scale / 50, unit="V", digits=_DIGITS)
        )
        return wanted.rounded(wanted.window_s / 2 - delay, -offset, level)

    def _words(self, chan: str) -> tuple[Word, ...]:
        who = self._who
        count = 2 if who is not None and re.match(r"SDS\d\d\d2", who.model, re.IGNORECASE) else 4
        others = [number for number in range(1, count + 1) if number != self._channel]
        return (
            Word(f"{chan}:TRA", "ON"),
            *(Word(f"C{number}:TRA", "OFF") for number in others),
            Word(f"{chan}:CPL", "D1M"),
            Word(f"{chan}:INVS", "OFF"),
            Word(f"{chan}:UNIT", "V"),
            Word("BWL", f"{chan},ON", ("ON",), f"{chan}:BWL?"),
            Word("ACQW", "SAMPLING"),
            Word("TRSE", f"EDGE,SR,{chan},HT,OFF"),
            Word(f"{chan}:TRSL", "NEG"),
            Word(f"{chan}:TRCP", "DC"),
        )

    # -- states ---------------------------------------------------------------------------------------------------

    def _look(self) -> ScopeState | None:
        status, events = self._link.exchange("SAST?", "INR?")
        found = status.strip().upper()
        if found not in _STATES:
            raise wrong(self._name, "SAST?", status, ", ".join(_STATES))
        if int(parse_number(self._name, "INR?", events)) & 1:
            self._acquired = True
        return _STATES[found]

    def _start(self) -> None:
        self._link.query("INR?")  # reading clears it
        self._acquired = False
        self._set.word(Word("TRMD", "SINGLE", ("SINGLE", "STOP")))  # STOP: it is not armed yet
        self._set.command("ARM", "SAST?")

    def _halt(self) -> None:
        self._set.command("STOP", "SAST?")

    def _force(self) -> None:
        self._set.command("FRTR", "SAST?")

    def _was_triggered(self) -> bool:
        """A single acquisition ends by its trigger, and then a new signal is there."""
        return self._acquired

    # -- the record -----------------------------------------------------------------------------------------------

    def _choose(self) -> None:
        self._set.word(Word("WFSU", "SP,1,NP,0,FP,0"))

    def _meaning(self) -> str:
        chan = f"C{self._channel}"
        return ";".join(self._link.exchange(*_ASKED, f"{chan}:VDIV?", f"{chan}:OFST?", f"SANU? {chan}"))

    def _shape(self, plan: Plan, meaning: str) -> Shape:
        fields = [parse_number(self._name, "the record's settings", field) for field in meaning.split(";")]
        time_scale_s, delay_s, rate, volt_scale, offset_v, points = fields
        if rate <= 0 or volt_scale <= 0 or points < 1 or abs(time_scale_s - plan.time_scale_s) > 1e-3 * time_scale_s:
            raise LinkError(f"{self._name}: the record's time base is not what was set", Where(found=meaning))
        per_code = volt_scale / CODES_PER_DIVISION
        exact_s = plan.window_s / plan.depth  # the rate has three digits
        return Shape(
            points=int(points),
            dt_s=exact_s if abs(rate * exact_s - 1) < 5e-3 else 1 / rate,
            first_s=delay_s - plan.window_s / 2,
            volts_per_code=per_code,
            zero_code=128 + offset_v / per_code,
            low_code=0,
            high_code=255,
            zero_unsure=True,
        )

    def _fetch(self, codes: Codes) -> None:
        for first in range(0, len(codes), _LONGEST_READ):
            count = min(_LONGEST_READ, len(codes) - first)
            self._set.word(Word("WFSU", f"SP,1,NP,{count},FP,{first}"))
            data = self._block(f"C{self._channel}:WF? DAT2", count, _FRAME)
            codes[first : first + count] = data ^ np.uint8(0x80)  # a signed byte, moved to 0 to 255
