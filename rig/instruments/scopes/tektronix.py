"""Tektronix TBS2000 and the 2 to 6 Series MSO as an `Oscilloscope`: one deep single capture, armed on the first fall.

**What it proves, and when it is blind**: see `rig.instruments.scopes.deep`. A single capture carries no time tags.

**Model facts** (TBS2000 Programmer Manual 077-1149 and 2 Series MSO Programmer Manual 077-1776; they could not be read
page by page here, and what they say was taken from public drivers): `TRIGger:STATE?` ARMED (the pre-trigger fills),
READY, TRIGGER, SAVE (stopped), AUTO; `ACQuire:STOPAfter SEQuence` and `ACQuire:STATE`; `HORizontal:POSition` is the
part of the record before the trigger, in per cent; `HORizontal:RECOrdlength` 20k to 20M on a TBS2000; on a MSO 1k to
10M, only in manual mode, where the rate makes the window; `ACQuire:NUMACq?` counts acquisitions since the start;
`DATa:ENCdg RPBinary` is an unsigned byte a point; `WFMOutpre?`: volts = (code - YOFf) x YMUlt + YZEro, time = XZEro +
(i - PT_Off) x XINcr. How many divisions a record spans differs (15 on a TBS2000, 10 else): the rate is read back, and
length and start of the record are checked. Errors: `*ESR?`, and `ALLEv?` for the words.

**Peak detect** (`ACQuire:MODe PEAKdetect`): `WFMOutpre:PT_Fmt?` says ENV, min/max pairs (5 Series MSO Programmer
Manual, appendix D). TDS1000/TDS2000 Programmer Manual, `WFMPre:PT_Fmt`: the least one first, each pair of a time of
2 x XINcr that begins where its first value stands. NR_Pt counts values: so do two records of real instruments that
others have published (20 us x 10 M in 200 s). A TBS2000's own manual could not be read on it.

**Accuracy** (data sheets, worst of all): DC gain +-3 % of full scale; offset +-(0.2 div + 2 mV + 1 % of the offset);
time base +-(25 ppm + 5 ppm a year).
"""

from __future__ import annotations

import re

from rig.errors import LinkError, Refused, Where
from rig.instruments.ports import Codes, Identity, ScopeState
from rig.instruments.scopes.deep import DeepScope
from rig.instruments.scopes.record import Shape
from rig.instruments.scopes.screen import Accuracy, Plan, Screen, steps
from rig.instruments.scopes.steps import Complaints, Number, Word
from rig.instruments.scpi import ScpiLink, parse_number, wrong

_TBS = re.compile(r"TBS2\d\d([24])B?", re.IGNORECASE)
_MSO = re.compile(r"MSO([2456])([2468])B?", re.IGNORECASE)
_BAD = 0b111100
"""`*ESR?`: query, device-dependent, execution and command error (IEEE 488.2, 11.5.1)."""

_STATES = {
    "ARMED": ScopeState.FILLING,
    "READY": ScopeState.WAITING,
    "TRIGGER": ScopeState.TRIGGERED,
    "SAVE": ScopeState.STOPPED,
    "AUTO": None,
}
_MEANING = ("XINCR", "XZERO", "PT_OFF", "YMULT", "YOFF", "YZERO", "NR_PT", "BYT_NR")
_OFF, _ON = ("0", "OFF"), ("1", "ON")


def _screen(across: int, depths: tuple[int, ...], longest_s: float) -> Screen:
    return Screen(
        across=across,
        up=8,
        time_scales_s=steps(1e-6, longest_s, (1, 2, 4)),
        volt_scales=steps(0.01, 5.0),
        reach=((0.0501, 0.8), (0.501, 8.0), (5.0, 40.0)),
        depths=depths,
        fastest_rate=1e9,
    )


TBS_SCREEN = _screen(15, (20_000, 200_000, 2_000_000, 20_000_000), 100.0)
MSO_SCREEN = _screen(10, (10_000, 100_000, 1_000_000, 10_000_000), 1000.0)
ACCURACY = Accuracy(
    gain_of_full_scale=0.03, offset_div=0.2, input_v=0.002, offset_part=0.01, time_base_ppm=25.0, ageing_ppm=5.0
)


def _screen_of(model: str) -> Screen | None:
    if _TBS.fullmatch(model):
        return TBS_SCREEN
    return MSO_SCREEN if _MSO.fullmatch(model) else None


def recognises(who: Identity) -> bool:
    return "TEKTRONIX" in who.maker.upper() and _screen_of(who.model) is not None


def _check_events(link: ScpiLink, command: str, reply: str) -> None:
    """The standard event register names an error: then the event queue says which."""
    if int(parse_number(link.name, "*ESR?", reply)) & _BAD:
        text = link.query("ALLEV?")
        raise LinkError(f"{link.name}: {command!r} was refused by the instrument: {text}")


class Tektronix(DeepScope):
    """One channel of a TBS2000 or a 2 to 6 Series MSO."""

    _FAMILY = "a Tektronix TBS2000 or MSO 2, 4, 5 or 6 Series"
    _COMPLAINTS = Complaints("*ESR?", _check_events)
    _PEAK_FROM_S = 0.0

    def _model(self, who: Identity) -> tuple[Screen, Accuracy] | None:
        screen = _screen_of(who.model) if recognises(who) else None
        return None if screen is None else (screen, ACCURACY)

    # -- setting up -----------------------------------------------------------------------------------------------

    def _set_up(self, wanted: Plan) -> Plan:
        setter, chan, part_v = self._set, f"CH{self._channel}", wanted.volt_scale / 25
        setter.command("HEAD OFF")
        setter.command("ACQ:STATE STOP")
        setter.words(self._words(chan, wanted.peak))
        setter.number(Number(f"{chan}:{self._probe_header()}", *self._probe_value()))
        setter.number(Number(f"{chan}:SCA", wanted.volt_scale))
        setter.number(Number(f"{chan}:POS", 0))
        middle = setter.number(Number(f"{chan}:OFFS", wanted.middle_v, part_v))
        self._set_times(wanted)
        percent = setter.number(Number("HOR:POS", 100 * wanted.pre_s / wanted.window_s, 0.1))
        level = setter.number(Number(f"TRIG:A:LEV:{chan}", wanted.trigger_v, part_v))
        return wanted.rounded(percent / 100 * wanted.window_s, middle, level)

    def _set_times(self, wanted: Plan) -> None:
        """Time base and record. A MSO takes a record's length only in manual mode, where the rate makes the window."""
        setter, rate = self._set, wanted.depth / wanted.window_s
        if not self._is_tbs():
            setter.word(Word("HOR:MODE", "MAN", ("MANUAL", "MAN")))
            setter.word(Word("HOR:MODE:MAN:CONF", "HORIZ", ("HORIZONTALSCALE", "HORIZ")))
            setter.number(Number("HOR:MODE:SAMPLER", rate))
            setter.number(Number("HOR:MODE:RECO", wanted.depth))
        else:
            setter.number(Number("HOR:SCA", wanted.time_scale_s))
            setter.number(Number("HOR:RECO", wanted.depth))
        found = parse_number(self._name, "HOR:SAMPLER?", self._link.query("HOR:SAMPLER?"))
        if abs(found / rate - 1) > 1e-3:
            where = Where(key="window_s", found=f"{found:g} Sa/s", expected=f"{rate:g} Sa/s")
            raise Refused(f"{self._name}: its record does not span the window", where)

    def _probe_header(self) -> str:
        return "PRO:GAIN" if self._is_tbs() else "PROBEF:EXTA"

    def _probe_value(self) -> tuple[float]:
        """A TBS2000 takes the probe's gain, a MSO its attenuation."""
        return (1 / self._probe_ratio,) if self._is_tbs() else (self._probe_ratio,)

    def _is_tbs(self) -> bool:
        return self._who is not None and _TBS.fullmatch(self._who.model) is not None

    def _words(self, chan: str, peak: bool) -> tuple[Word, ...]:
        found = (_TBS if self._is_tbs() else _MSO).fullmatch(self._who.model) if self._who is not None else None
        count = int(found.group(found.lastindex or 1)) if found is not None else 4
        others = [number for number in range(1, count + 1) if number != self._channel]
        return (
            Word(f"SEL:{chan}", "ON", _ON),
            *(Word(f"SEL:CH{number}", "OFF", _OFF) for number in others),
            Word(f"{chan}:COUP", "DC"),
            Word(f"{chan}:INV", "OFF", _OFF),
            Word("ACQ:MOD", "PEAK", ("PEAKDETECT", "PEAK")) if peak else Word("ACQ:MOD", "SAM", ("SAMPLE", "SAM")),
            Word("ACQ:STOPA", "SEQ", ("SEQUENCE", "SEQ")),
            Word("HOR:DEL:MOD", "OFF", _OFF),
            Word("TRIG:A:TYP", "EDGE"),
            Word("TRIG:A:MOD", "NORM", ("NORMAL", "NORM")),
            Word("TRIG:A:EDGE:SOU", chan),
            Word("TRIG:A:EDGE:SLO", "FALL"),
            Word("TRIG:A:EDGE:COUP", "DC"),
        )

    # -- states ---------------------------------------------------------------------------------------------------

    def _look(self) -> ScopeState | None:
        reply = self._link.query("TRIG:STATE?")
        found = reply.strip().upper()
        if found not in _STATES:
            raise wrong(self._name, "TRIG:STATE?", reply, ", ".join(_STATES))
        return _STATES[found]

    def _start(self) -> None:
        self._set.command("ACQ:STATE RUN")

    def _halt(self) -> None:
        self._set.command("ACQ:STATE STOP")

    def _force(self) -> None:
        self._set.command("TRIG FORC")

    def _was_triggered(self) -> bool:
        return parse_number(self._name, "ACQ:NUMAC?", self._link.query("ACQ:NUMAC?")) >= 1

    # -- the record -----------------------------------------------------------------------------------------------

    def _choose(self) -> None:
        setter, (screen, _) = self._set, self._known()
        setter.word(Word("DAT:SOU", f"CH{self._channel}"))
        setter.word(Word("DAT:ENC", "RPB", ("RPBINARY", "RPB")))
        setter.number(Number("DAT:WID", 1))
        setter.number(Number("DAT:STAR", 1))
        setter.command(f"DAT:STOP {screen.depths[-1]}")  # more than there is: all of it

    def _meaning(self) -> str:
        form = ("PT_FMT",) if self._plan is not None and self._plan.peak else ()
        return ";".join(self._link.exchange(*(f"WFMO:{field}?" for field in (*_MEANING, *form))))

    def _shape(self, plan: Plan, meaning: str) -> Shape:
        words = meaning.split(";")
        if plan.peak and (form := words.pop().strip().upper()) not in ("ENV", "ENVELOPE"):
            raise LinkError(f"{self._name}: the record is not what was set", Where(found=form, expected="ENV (pairs)"))
        fields = [parse_number(self._name, "WFMO?", field) for field in words]
        dt_s, zero_s, point_of_trigger, per_code, zero, zero_v, points, width = fields
        if per_code <= 0 or width != 1 or points < plan.depth:
            raise LinkError(f"{self._name}: the record is not what was set", Where(found=meaning))
        return Shape(
            points=int(points),
            dt_s=dt_s,
            first_s=zero_s - point_of_trigger * dt_s,
            volts_per_code=per_code,
            zero_code=zero - zero_v / per_code,
            low_code=0,
            high_code=255,
        )

    def _fetch(self, codes: Codes) -> None:
        codes[:] = self._block("CURV?", len(codes))
