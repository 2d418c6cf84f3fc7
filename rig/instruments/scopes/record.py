"""What an oscilloscope's record is: what its codes mean, whether it fell where it says, and peak detect's pairs. Pure.

Knows no instrument and no commands.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from rig.errors import LinkError, Where
from rig.instruments.ports import Capture
from rig.instruments.scopes.screen import Plan


@dataclass(frozen=True)
class Shape:
    """What the codes of a record mean, as the instrument says it. Sample i is at `first_s + i * dt_s`.

    `wide`: codes have 16 bits and a sign. `zero_unsure`: the instrument does not say where its trigger lies, so that
    it must be seen in the record.
    """

    points: int
    dt_s: float
    first_s: float
    volts_per_code: float
    zero_code: float
    low_code: int
    high_code: int
    wide: bool = False
    zero_unsure: bool = False


def bins_of(name: str, capture: Capture) -> Capture:
    """A record of the least and the greatest in turn (peak detect), as bins of twice the time.

    Where each bin begins shows: the first of a pair is never the greater. Raises `LinkError` for one that is.
    """
    low, high = capture.codes[0::2].copy(), capture.codes[1::2].copy()
    wrong = np.flatnonzero(low > high)
    if len(wrong):
        where = Where(found=f"pair {wrong[0]}: {low[wrong[0]]}, {high[wrong[0]]}", expected="the least one first")
        raise LinkError(f"{name}: its record is not one of peak detect", where)
    bin_s = 2 * capture.dt_s
    return replace(capture, codes=low, highs=high, dt_s=bin_s, trigger_error_s=capture.trigger_error_s + bin_s)


def falls_at_zero(capture: Capture, settings: Plan) -> bool:
    """Whether the record falls through its trigger level at its time zero, within a division."""
    at, near = round(-capture.first_s / capture.dt_s), 2 + round(capture.trigger_error_s / capture.dt_s)
    before, after = capture.codes[max(0, at - near) : at + 1], capture.codes[max(0, at) : at + near + 1]
    if len(before) == 0 or len(after) == 0:
        return False
    level = settings.trigger_v / capture.volts_per_code + capture.zero_code
    room = settings.volt_scale / capture.volts_per_code
    return bool(before.max() >= level - room and after.min() <= level + room)
