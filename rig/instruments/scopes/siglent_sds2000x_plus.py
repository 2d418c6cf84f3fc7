"""Siglent SDS2000X Plus (the new dialect) as an `Oscilloscope`: one deep single capture, armed on the first fall.

**What it proves, and when it is blind**: see `rig.instruments.scopes.deep`. It carries no time tags in a single
capture. Public drivers disagree on the sign of its delay: where the record does not fall at its zero, its time is not
believed.

**Model facts** (Siglent SDS Series Programming Guide EN11D and EN11G; pages of EN11G as public drivers quote them): 10
divisions across, 8 up, up to 1000 s/div; `:ACQuire:MDEPth` 20k to 200M with one channel of a pair shown, taken only
while it runs; `:TRIGger:STATus?` Arm (the pre-trigger fills), Ready, Trig'd, Stop; `:ACQuire:NUMAcq?` counts what was
acquired since it was started; `:WAVeform:PREamble?` (page 755) is a block of 346 bytes, WAVEDESC, low byte first, with
volts = (code x gain / codes per division - offset) x probe (page 758); `:WAVeform:MAXPoint?` points a read (page 753);
a block of data ends with two line ends, the preamble with one. There is no error queue: a set is proven by read-back.

**Peak detect**: none. `:ACQuire:TYPE PEAK` is there, but no guide was found that says what
`:WAVeform:DATA?` sends then.

**Accuracy** (SDS2000X Plus data sheet): DC gain +-3 % of full scale (worst of all ranges); offset +-(1.5 % of the
offset + 1.5 % of full scale + 2 mV), which is that of the old dialect and wider than its own; time base +-1 ppm, ageing
1 ppm a year; 25 ppm is taken, so that an instrument that was never adjusted is covered.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

import numpy as np

from rig.errors import LinkError, Where
from rig.instruments.ports import Codes, Identity, ScopeState
from rig.instruments.scopes.deep import DeepScope
from rig.instruments.scopes.record import Shape
from rig.instruments.scopes.screen import Accuracy, Plan, Screen, steps
from rig.instruments.scopes.steps import Number, Word
from rig.instruments.scpi import Frame, parse_number, wrong

_DEPTH_WORDS = {20_000: "20k", 200_000: "200k", 2_000_000: "2M", 20_000_000: "20M", 200_000_000: "200M"}
SCREEN = Screen(
    across=10,
    up=8,
    time_scales_s=steps(1e-6, 1000.0),
    volt_scales=steps(0.01, 10.0),
    reach=((0.0201, 8.0), (0.101, 16.0), (0.201, 80.0), (1.01, 160.0), (10.0, 400.0)),
    depths=tuple(_DEPTH_WORDS),
    fastest_rate=2e9,
)
ACCURACY = Accuracy(
    gain_of_full_scale=0.03 + 0.015,
    offset_div=0.0,
    input_v=0.002,
    offset_part=0.015,
    time_base_ppm=25.0,
    ageing_ppm=1.0,
)
_MODEL = re.compile(r"SDS2\d\d([24])X Plus", re.IGNORECASE)
_STATES = {
    "ARM": ScopeState.FILLING,
    "READY": ScopeState.WAITING,
    "TRIG'D": ScopeState.TRIGGERED,
    "STOP": ScopeState.STOPPED,
    "AUTO": None,
    "ROLL": None,
}
_ENDS = Frame(after=b"\n\n")
_DESCRIPTION = 346


def recognises(who: Identity) -> bool:
    return "SIGLENT" in who.maker.upper() and _MODEL.fullmatch(who.model) is not None


@dataclass(frozen=True)
class WaveDesc:
    """What matters of a WAVEDESC (EN11G, table 1): gain and offset are without the probe, in V/div and V."""

    comm_type: int
    points: int
    gain: float
    offset_v: float
    codes_per_division: float
    dt_s: float
    delay_s: float
    probe: float

    @staticmethod
    def of(name: str, block: bytes) -> WaveDesc:
        if len(block) != _DESCRIPTION or not block.startswith(b"WAVEDESC"):
            where = Where(found=repr(block[:16]), expected=f"{_DESCRIPTION} bytes, WAVEDESC first")
            raise LinkError(f"{name}: wrong preamble", where)
        (comm_type,) = struct.unpack_from("<h", block, 32)
        (points,) = struct.unpack_from("<i", block, 116)
        gain, offset_v, per_division = struct.unpack_from("<3f", block, 156)
        (dt_s,) = struct.unpack_from("<f", block, 176)
        (delay_s,) = struct.unpack_from("<d", block, 180)
        (probe,) = struct.unpack_from("<f", block, 328)
        found = WaveDesc(comm_type, points, gain, offset_v, per_division, dt_s, delay_s, probe)
        for value in (gain, offset_v, per_division, dt_s, delay_s, probe):
            parse_number(name, ":WAV:PRE?", repr(value))
        if min(gain, per_division, dt_s, probe) <= 0 or points < 1:
            raise LinkError(f"{name}: wrong preamble", Where(found=str(found)))
        return found


class SiglentSDS2000XPlus(DeepScope):
    """One channel of an SDS2000X Plus with two or four channels."""

    _FAMILY = "a Siglent SDS2000X Plus"
    _COMPLAINTS = None

    def _model(self, who: Identity) -> tuple[Screen, Accuracy] | None:
        return (SCREEN, ACCURACY) if recognises(who) else None

    # -- setting up -----------------------------------------------------------------------------------------------

    def _set_up(self, wanted: Plan) -> Plan:
        setter, chan, part_v = self._set, f":CHAN{self._channel}", wanted.volt_scale / 25
        setter.word(Word(":TRIG:MODE", "AUTO", lasts=False))
        setter.command(":TRIG:RUN", ":TRIG:STAT?")  # the memory's size is taken only while it runs
        setter.words(self._words(chan))
        setter.number(Number(f"{chan}:PROB", self._probe_ratio, text=f"VAL,{self._probe_ratio:g}"))
        setter.number(Number(f"{chan}:SCAL", wanted.volt_scale))
        offset = setter.number(Number(f"{chan}:OFFS", -wanted.middle_v, part_v))
        setter.number(Number(":TIM:SCAL", wanted.time_scale_s))
        depth = _DEPTH_WORDS[wanted.depth]
        setter.word(Word(":ACQ:MDEP", depth, (depth.upper(), f"{wanted.depth:.2E}", str(wanted.depth))))
        delay = setter.number(Number(":TIM:DEL", wanted.delay_s, wanted.time_scale_s / 50))
        level = setter.number(Number(":TRIG:EDGE:LEV", wanted.trigger_v, part_v))
        return wanted.rounded(wanted.window_s / 2 - delay, -offset, level)

    def _words(self, chan: str) -> tuple[Word, ...]:
        found = _MODEL.fullmatch(self._who.model) if self._who is not None else None
        count = int(found.group(1)) if found is not None else 4
        others = [number for number in range(1, count + 1) if number != self._channel]
        return (
            Word(f"{chan}:SWIT", "ON"),
            *(Word(f":CHAN{number}:SWIT", "OFF") for number in others),
            Word(f"{chan}:COUP", "DC"),
            Word(f"{chan}:IMP", "ONEM", ("ONEMEG", "ONEM")),
            Word(f"{chan}:INV", "OFF"),
            Word(f"{chan}:UNIT", "V"),
            Word(f"{chan}:BWL", "20M"),
            Word(":ACQ:TYPE", "NORM", ("NORMAL", "NORM")),
            Word(":ACQ:SEQ", "OFF"),
            Word(":TRIG:TYPE", "EDGE"),
            Word(":TRIG:EDGE:SOUR", f"C{self._channel}"),
            Word(":TRIG:EDGE:SLOP", "FALL", ("FALLING", "FALL")),
            Word(":TRIG:EDGE:COUP", "DC"),
        )

    # -- states ---------------------------------------------------------------------------------------------------

    def _look(self) -> ScopeState | None:
        reply = self._link.query(":TRIG:STAT?")
        found = reply.strip().upper()
        if found not in _STATES:
            raise wrong(self._name, ":TRIG:STAT?", reply, ", ".join(_STATES))
        return _STATES[found]

    def _start(self) -> None:
        self._set.word(Word(":TRIG:MODE", "SING", ("SINGLE", "SING")))
        self._set.command(":TRIG:RUN", ":TRIG:STAT?")

    def _halt(self) -> None:
        self._set.command(":TRIG:STOP", ":TRIG:STAT?")

    def _force(self) -> None:
        self._set.command(":TRIG:MODE FTRIG", ":TRIG:STAT?")

    def _was_triggered(self) -> bool:
        return parse_number(self._name, ":ACQ:NUMA?", self._link.query(":ACQ:NUMA?")) >= 1

    # -- the record -----------------------------------------------------------------------------------------------

    def _choose(self) -> None:
        for header, value in ((":WAV:SOUR", f"C{self._channel}"), (":WAV:WIDT", "BYTE")):
            self._set.word(Word(header, value))
        for header, number in ((":WAV:STAR", 0), (":WAV:INT", 1), (":WAV:POIN", 0)):
            self._set.number(Number(header, number))

    def _meaning(self) -> str:
        return self._link.query_block(":WAV:PRE?").tobytes().hex()

    def _shape(self, plan: Plan, meaning: str) -> Shape:
        desc = WaveDesc.of(self._name, bytes.fromhex(meaning))
        if desc.comm_type != 0 or abs(desc.probe / self._probe_ratio - 1) > 1e-3:
            raise LinkError(f"{self._name}: the record's width or probe is not what was set", Where(found=str(desc)))
        exact_s = plan.window_s / plan.depth  # the preamble has the seven digits of a short float
        per_code = desc.gain / desc.codes_per_division * desc.probe
        return Shape(
            points=desc.points,
            dt_s=exact_s if abs(desc.dt_s - exact_s) <= 1e-5 * exact_s else desc.dt_s,
            first_s=desc.delay_s - plan.window_s / 2,
            volts_per_code=per_code,
            zero_code=128 + desc.offset_v * desc.probe / per_code,
            low_code=0,
            high_code=255,
            zero_unsure=True,
        )

    def _fetch(self, codes: Codes) -> None:
        most = int(parse_number(self._name, ":WAV:MAXP?", self._link.query(":WAV:MAXP?")))
        if most < 1:
            raise wrong(self._name, ":WAV:MAXP?", str(most), "at least one point")
        for first in range(0, len(codes), most):
            count = min(most, len(codes) - first)
            self._set.number(Number(":WAV:STAR", first))
            self._set.number(Number(":WAV:POIN", count))
            data = self._block(":WAV:DATA?", count, _ENDS)
            codes[first : first + count] = data ^ np.uint8(0x80)  # a signed byte, moved to 0 to 255
