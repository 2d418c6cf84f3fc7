"""Rigol DHO800 and DHO900 (12 bits) as an `Oscilloscope`: one deep single capture, armed on the first fall.

**What it proves, and when it is blind**: see `rig.instruments.scopes.deep`. It carries no time tags.

**Model facts** (DHO800/DHO900 Programming Guide; it could not be read here, so page numbers are missing, and what it
says was taken from public drivers): the words of the DS1000Z; 10 divisions across, 8 up, up to 500 s/div; depths 1k to
25M for one channel shown (DHO900: 50M), set as a word, read back as a number; sample rate = depth / (10 x time base);
in WORD format a point is 16 bits, low byte first, without a sign; volts = (code - yorigin - yreference) * yincrement.
Whether it was triggered is not asked: a capture counts only when it was seen to acquire after its trigger.

**Peak detect**: none: as with the DS1000Z, no guide was found that says what its memory holds then.

**Accuracy** (DHO800 and DHO900 data sheets): DC gain +-2 % of full scale from 5 mV/div; offset +-(0.1 div + 2 mV + 1.5
% of the offset); time base +-(25 ppm + 5 ppm a year). How far the centre of the screen may be moved is taken as the
least of the family: +-10 V from 0.3 V/div at the input, +-0.5 V below.
"""

from __future__ import annotations

import re

import numpy as np

from rig.instruments.ports import Codes, Identity
from rig.instruments.scopes.record import Shape
from rig.instruments.scopes.rigol import RigolScope
from rig.instruments.scopes.screen import Accuracy, Plan, Screen, steps
from rig.instruments.scopes.steps import Number, Word

_MODEL = re.compile(r"DHO([89])\d([24])S?", re.IGNORECASE)
_DEPTH_WORDS = {
    1_000: "1k",
    10_000: "10k",
    100_000: "100k",
    1_000_000: "1M",
    10_000_000: "10M",
    25_000_000: "25M",
    50_000_000: "50M",
}
ACCURACY = Accuracy(
    gain_of_full_scale=0.02, offset_div=0.1, input_v=0.002, offset_part=0.015, time_base_ppm=25.0, ageing_ppm=5.0
)
_SIGN = 1 << 15
_HIGHEST = (0xFFF << 4) - _SIGN
"""The greatest of 12 bits in the upper part of a word, as a code with a sign."""


def screen(deepest: int) -> Screen:
    return Screen(
        across=10,
        up=8,
        time_scales_s=steps(1e-6, 500.0),
        volt_scales=steps(0.01, 10.0),
        reach=((0.299, 0.5), (10.0, 10.0)),
        depths=tuple(depth for depth in _DEPTH_WORDS if depth <= deepest),
        fastest_rate=1.25e9,
    )


SCREENS = {"8": screen(25_000_000), "9": screen(50_000_000)}


def recognises(who: Identity) -> bool:
    return "RIGOL" in who.maker.upper() and _MODEL.fullmatch(who.model) is not None


class RigolDHO(RigolScope):
    """One channel of a DHO800 or DHO900 with two or four channels."""

    _FAMILY = "a RIGOL DHO8xx or DHO9xx"
    _LONGEST_READ = 250_000

    def _model(self, who: Identity) -> tuple[Screen, Accuracy] | None:
        if not recognises(who):
            return None
        return SCREENS[who.model[3]], ACCURACY

    def _channels(self) -> int:
        found = _MODEL.fullmatch(self._who.model) if self._who is not None else None
        return int(found.group(2)) if found is not None else 4

    def _own_words(self, chan: str) -> tuple[Word, ...]:
        return (Word(f"{chan}:UNIT", "VOLT"),)

    def _depth(self, wanted: Plan) -> Number:
        return Number(":ACQ:MDEP", wanted.depth, text=_DEPTH_WORDS[wanted.depth])

    def _format(self) -> str:
        return "WORD"

    def _shape(self, plan: Plan, meaning: str) -> Shape:
        _, _, _, _, dt_s, origin_s, x_reference, per_code, y_origin, y_reference = self._fields(meaning)
        exact_s = plan.window_s / plan.depth
        return Shape(
            points=plan.depth,
            dt_s=exact_s if abs(dt_s - exact_s) <= 1e-5 * exact_s else dt_s,
            first_s=origin_s - x_reference * dt_s,
            volts_per_code=per_code,
            zero_code=y_origin + y_reference - _SIGN,
            low_code=-_SIGN,
            high_code=_HIGHEST,
            wide=True,
        )

    def _piece(self, codes: Codes, first: int, last: int) -> None:
        words = self._block(":WAV:DATA?", 2 * (last - first)).view(np.dtype("<u2"))
        codes[first:last] = (words ^ np.uint16(_SIGN)).view(np.int16)
