"""Keysight InfiniiVision 1000X, 2000X, 3000X and 4000X as an `Oscilloscope`: one deep single capture, and time tags.

**What it proves, and when it is blind**: see `rig.instruments.scopes.deep`. In segmented memory it also stamps each
trigger: `time_tags` says how long after the first fall each further one came, by its own time base; between two
segments it re-arms and is blind.

**Model facts** (InfiniiVision 3000 X-Series Programmer's Guide; that of the other series says the same of these):
10 divisions across, 8 up, up to 50 s/div (`:TIMebase`); the memory is not set, a single acquisition takes what fits,
and `:ACQuire:SRATe?` says how fast; `:OPERegister:CONDition?` bit 3 'Run', bit 5 'Wait Trig' (armed); `:TER?` is set by
each trigger and cleared by reading; `:WAVeform:POINts:MODE RAW` is read while stopped; `:WAVeform:PREamble?` volts =
(code - yreference) * yincrement + yorigin; in BYTE format 0 is a hole, 1 is clipped low, 255 clipped high.
The other pages could not be looked up here; headers and bits were checked against public drivers.

**Peak detect** (Programmer's Guides: 2000 X-Series, page 631; 3000T, page 1093; 4000 X-Series, page 1398): it acts at
500 us/div and slower; the preamble's type is 1; of each time bucket the least and then the greatest are sent, and
`:WAVeform:XINCrement?` is to be doubled from pair to pair. Whether `:WAVeform:POINts?` counts pairs or values can be
read both ways: the window says which it is, and the block must have so many bytes.

**Accuracy** (data sheets, worst of the series): DC gain +-3 % of full scale for 1000X and 2000X, +-2 % for 3000X and
4000X; offset +-(0.1 div + 2 mV + 1 % of the offset); time base +-(50 ppm + 5 ppm a year) for 1000X, +-(25 ppm + 5 ppm a
year) for the others (some are better).
"""

from __future__ import annotations

import re

from rig.errors import LinkError, Refused, Where
from rig.instruments.ports import Codes, Identity, ScopeState
from rig.instruments.scopes.deep import DeepScope
from rig.instruments.scopes.record import Shape
from rig.instruments.scopes.screen import Accuracy, Plan, Screen, steps
from rig.instruments.scopes.steps import SCPI_QUEUE, Number, Word
from rig.instruments.scpi import parse_number

_MODEL = re.compile(r"(DSO|MSO|EDU)-?X ?([1-4])\d{3}[AGT]?", re.IGNORECASE)
_MEMORY = {"1": 1_000_000, "2": 1_000_000, "3": 4_000_000, "4": 4_000_000}
_RUN, _WAIT = 1 << 3, 1 << 5
_OFF, _ON = ("0", "OFF"), ("1", "ON")
_OFFSET_STEPS = 100
"""Levels and offsets may be rounded to a part of a division."""


def recognises(who: Identity) -> bool:
    return any(maker in who.maker.upper() for maker in ("KEYSIGHT", "AGILENT")) and bool(_MODEL.fullmatch(who.model))


class KeysightInfiniiVision(DeepScope):
    """One channel of an InfiniiVision with two or four channels."""

    _FAMILY = "a Keysight InfiniiVision 1000X, 2000X, 3000X or 4000X"
    _COMPLAINTS = SCPI_QUEUE
    _PEAK_FROM_S = 500e-6
    _triggered = False
    _waited = False
    _segments = 1

    def _model(self, who: Identity) -> tuple[Screen, Accuracy] | None:
        if not recognises(who):
            return None
        found = _MODEL.fullmatch(who.model)
        assert found is not None  # noqa: S101 - it was recognised by it
        series = found.group(2)
        return SCREENS[series], _ACCURACIES[series]

    # -- setting up -----------------------------------------------------------------------------------------------

    def _set_up(self, wanted: Plan) -> Plan:
        setter, chan, part_v = self._set, f":CHAN{self._channel}", wanted.volt_scale / _OFFSET_STEPS
        self._segments = 1
        setter.command(":STOP")
        setter.words(self._words(chan, wanted.peak))
        setter.number(Number(f"{chan}:PROB", self._probe_ratio))
        setter.number(Number(f"{chan}:SCAL", wanted.volt_scale))
        middle = setter.number(Number(f"{chan}:OFFS", wanted.middle_v, part_v))
        setter.number(Number(":TIM:SCAL", wanted.time_scale_s))
        delay = setter.number(Number(":TIM:POS", wanted.delay_s, wanted.time_scale_s / _OFFSET_STEPS))
        level = setter.number(Number(":TRIG:EDGE:LEV", wanted.trigger_v, part_v))
        rate = parse_number(self._name, ":ACQ:SRAT?", self._link.query(":ACQ:SRAT?"))
        if rate * wanted.window_s < wanted.depth * (1 - 1e-6):
            where = Where(key="depth", found=str(wanted.depth), expected=f"at most {int(rate * wanted.window_s)}")
            raise Refused(f"{self._name}: it samples too slowly in this window", where)
        return wanted.rounded(wanted.window_s / 2 - delay, middle, level)

    def _words(self, chan: str, peak: bool) -> tuple[Word, ...]:
        """Everything that would give codes another meaning, or another channel the memory."""
        who = self._who
        two = who is not None and who.model.rstrip("AGT")[-1:] == "2"
        others = [number for number in ((1, 2) if two else (1, 2, 3, 4)) if number != self._channel]
        return (
            Word(f"{chan}:DISP", "1", _ON),
            *(Word(f":CHAN{number}:DISP", "0", _OFF) for number in others),
            Word(f"{chan}:COUP", "DC"),
            Word(f"{chan}:INV", "0", _OFF),
            Word(f"{chan}:UNIT", "VOLT"),
            Word(f"{chan}:VERN", "0", _OFF),
            Word(f"{chan}:BWL", "1", _ON),
            Word(":ACQ:MODE", "RTIM"),
            Word(":ACQ:TYPE", "PEAK" if peak else "NORM"),
            Word(":TIM:MODE", "MAIN"),
            Word(":TIM:REF", "CENT"),
            Word(":TRIG:MODE", "EDGE"),
            Word(":TRIG:SWE", "NORM"),
            Word(":TRIG:EDGE:SOUR", f"CHAN{self._channel}"),
            Word(":TRIG:EDGE:SLOP", "NEG"),
            Word(":TRIG:EDGE:COUP", "DC"),
            Word(":TRIG:EDGE:REJ", "OFF"),
        )

    def split(self, segments: int) -> None:
        """After `configure`: the next capture is so many short ones, each with a time tag, armed again by itself."""
        self._kept[":ACQ:MODE?"] = self._set.word(Word(":ACQ:MODE", "SEGM"))
        self._set.number(Number(":ACQ:SEGM:COUN", segments))
        self._segments = segments

    # -- states ---------------------------------------------------------------------------------------------------

    def _look(self) -> ScopeState | None:
        condition, event = self._link.exchange(":OPER:COND?", ":TER?")
        bits = int(parse_number(self._name, ":OPER:COND?", condition))
        if parse_number(self._name, ":TER?", event) != 0:
            if self._armed and self._triggered and self._segments == 1:
                raise LinkError(f"{self._name}: it was triggered again: somebody else has started it")
            self._triggered = True
        if not bits & _RUN:
            return ScopeState.STOPPED
        if self._triggered:
            return ScopeState.TRIGGERED
        if bits & _WAIT:
            self._waited = True
            return ScopeState.WAITING
        if self._waited:  # the event was cleared by a link that was opened again: it runs on, and waits no more
            self._triggered = True
            return ScopeState.TRIGGERED
        return ScopeState.FILLING

    def _start(self) -> None:
        self._link.query(":TER?")  # reading clears it
        self._triggered = self._waited = False
        self._set.command(":SING")

    def _halt(self) -> None:
        self._set.command(":STOP")

    def _force(self) -> None:
        self._set.command(":TRIG:FORC")

    def _was_triggered(self) -> bool:
        return self._triggered

    # -- the record -----------------------------------------------------------------------------------------------

    def _choose(self) -> None:
        words = (
            (":WAV:SOUR", f"CHAN{self._channel}"),
            (":WAV:POIN:MODE", "RAW"),
            (":WAV:FORM", "BYTE"),
            (":WAV:UNS", "1"),
        )
        self._set.words(Word(header, value) for header, value in words)
        # A capture is read whole; of a short look's memory, so many points as were asked for: one of so many is sent.
        points = "MAX" if self._armed or self._plan is None else str(self._plan.depth)
        self._set.command(f":WAV:POIN {points}")

    def _meaning(self) -> str:
        return self._link.query(":WAV:PRE?")

    def _shape(self, plan: Plan, meaning: str) -> Shape:
        fields = [parse_number(self._name, ":WAV:PRE?", field) for field in meaning.split(",")]
        kind = 1 if plan.peak else 0
        if len(fields) != 10 or fields[:2] != [0, kind]:
            where = Where(found=meaning, expected=f"10 fields, the first two 0,{kind} (BYTE, and the type)")
            raise LinkError(f"{self._name}: the record's format is not what was set", where)
        _, _, points, _, dt_s, origin_s, x_reference, per_code, origin_v, y_reference = fields
        if plan.peak and points * dt_s < 0.75 * plan.window_s:
            points *= 2  # it counts pairs
        if per_code <= 0 or points < plan.depth:
            raise LinkError(f"{self._name}: wrong preamble", Where(found=meaning))
        return Shape(
            points=int(points),
            dt_s=dt_s,
            first_s=origin_s - x_reference * dt_s,
            volts_per_code=per_code,
            zero_code=y_reference - origin_v / per_code,
            low_code=1,
            high_code=255,
        )

    def _fetch(self, codes: Codes) -> None:
        codes[:] = self._block(":WAV:DATA?", len(codes))

    def time_tags(self) -> tuple[float, ...]:
        """Seconds from the first trigger to that of each segment of a finished acquisition that was `split`."""
        if not self._armed or self.state() is not ScopeState.STOPPED:
            raise Refused(f"{self._name}: there is no finished capture to read")
        count = int(parse_number(self._name, ":WAV:SEGM:COUN?", self._link.query(":WAV:SEGM:COUN?")))
        tags = []
        for index in range(1, count + 1):
            self._set.number(Number(":ACQ:SEGM:IND", index))
            tags.append(parse_number(self._name, ":WAV:SEGM:TTAG?", self._link.query(":WAV:SEGM:TTAG?")))
        if tags != sorted(tags):
            raise LinkError(f"{self._name}: time tags that do not rise", Where(found=str(tags)))
        return tuple(tags)


def _screen(memory: int) -> Screen:
    return Screen(
        across=10,
        up=8,
        time_scales_s=steps(1e-6, 50.0),
        volt_scales=steps(0.01, 5.0),
        reach=((0.2, 2.0), (5.0, 50.0)),
        depths=(memory,),
        fastest_rate=1e9,
        any_depth=True,
    )


SCREENS = {series: _screen(memory) for series, memory in _MEMORY.items()}
_ACCURACIES = {
    series: Accuracy(gain, offset_div=0.1, input_v=0.002, offset_part=0.01, time_base_ppm=ppm, ageing_ppm=5.0)
    for series, gain, ppm in (("1", 0.03, 50.0), ("2", 0.03, 25.0), ("3", 0.02, 25.0), ("4", 0.02, 25.0))
}
