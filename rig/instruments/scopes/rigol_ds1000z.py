"""Rigol DS1000Z oscilloscopes as an `Oscilloscope`: one deep single capture, armed on the first fall.

**What it proves, and when it is blind**: see `rig.instruments.scopes.deep`. It carries no time tags: where its record
lies on the rig's own time must be found from something that both saw.

**Model facts** (MSO1000Z/DS1000Z Programming Guide): 12 divisions across; sample rate = memory depth / (12 x time base)
(`:ACQuire:SRATe?`, page 2-7); depths for one shown channel as below, 24 Mpts an option; time base in steps 1-2-5 up to
50 s/div; 8 divisions up; RAW is read while stopped, 250,000 points at most a read; preamble, page 2-226: volts =
(code - yorigin - yreference) * yincrement; `:TRIGger:POSition?` is -2 without a trigger. A level has 8 bits.

**Peak detect**: none. `:ACQuire:TYPE PEAK` is there, but no guide was found that says what its memory holds then (a
DS1000B keeps the greatest and the least in turn, page 2-77 of its guide; of this family nothing is said).

**Accuracy** (DS1000Z User's Guide and DS1000Z-E data, vertical system): DC gain +-3 % of full scale (8 divisions) from
10 mV/div, and DC offset +-(0.1 div + 2 mV + 1 % of the offset), the 2 mV at the input; DS1000Z-E Performance
Verification Guide: time base +-(25 ppm + 5 ppm a year).
"""

from __future__ import annotations

import re

from rig.instruments.ports import Codes, Identity
from rig.instruments.scopes.record import Shape
from rig.instruments.scopes.rigol import RigolScope
from rig.instruments.scopes.screen import Accuracy, Plan, Screen, steps
from rig.instruments.scopes.steps import Number, Word
from rig.instruments.scpi import parse_number

SCREEN = Screen(
    across=12,
    up=8,
    time_scales_s=steps(1e-6, 50.0),
    volt_scales=steps(0.01, 10.0),
    reach=((0.499, 2.0), (10.0, 100.0)),
    depths=(12_000, 120_000, 1_200_000, 12_000_000, 24_000_000),
    fastest_rate=1e9,
)
ACCURACY = Accuracy(
    gain_of_full_scale=0.03, offset_div=0.1, input_v=0.002, offset_part=0.01, time_base_ppm=25.0, ageing_ppm=5.0
)
_MODEL = re.compile(r"(DS|MSO)1\d\d4Z(-S)?( Plus)?", re.IGNORECASE)


def recognises(who: Identity) -> bool:
    return "RIGOL" in who.maker.upper() and _MODEL.fullmatch(who.model) is not None


class RigolDS1000Z(RigolScope):
    """One channel (1 to 4) of a four-channel DS1000Z or MSO1000Z."""

    _FAMILY = "a RIGOL DS1xx4Z or MSO1xx4Z"
    _LONGEST_READ = 250_000

    def _model(self, who: Identity) -> tuple[Screen, Accuracy] | None:
        return (SCREEN, ACCURACY) if recognises(who) else None

    def _own_words(self, chan: str) -> tuple[Word, ...]:
        return (Word(f"{chan}:UNIT", "VOLT"),)

    def _depth(self, wanted: Plan) -> Number:
        return Number(":ACQ:MDEP", wanted.depth)

    def _format(self) -> str:
        return "BYTE"

    def _was_triggered(self) -> bool:
        return parse_number(self._name, ":TRIG:POS?", self._link.query(":TRIG:POS?")) >= -1

    def _shape(self, plan: Plan, meaning: str) -> Shape:
        _, _, _, _, dt_s, origin_s, x_reference, per_code, y_origin, y_reference = self._fields(meaning)
        exact_s = plan.window_s / plan.depth  # the preamble has seven digits
        return Shape(
            points=plan.depth,
            dt_s=exact_s if abs(dt_s - exact_s) <= 1e-5 * exact_s else dt_s,
            first_s=origin_s - x_reference * dt_s,
            volts_per_code=per_code,
            zero_code=y_origin + y_reference,
            low_code=0,
            high_code=255,
        )

    def _piece(self, codes: Codes, first: int, last: int) -> None:
        codes[first:last] = self._block(":WAV:DATA?", last - first)
