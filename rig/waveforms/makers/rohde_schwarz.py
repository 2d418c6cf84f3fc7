"""Rohde & Schwarz with one file: HMO, RTB, RTC and RTM name units over the columns, RTH writes keys above them.

RTO, RTE and RTP write two files: `parameter_file`.
"""

from __future__ import annotations

import re

from rig.waveforms.layout import Layout, Sheet, TimeAxis, channel_columns, layout_of
from rig.waveforms.makers.columns import keys_above
from rig.waveforms.units import per_second

DIALECT = "rohde-schwarz"
_TIME = re.compile(r"^(?:in (\S+)|\[(\S+)\])$")


def rohde_schwarz(sheet: Sheet) -> Layout | None:
    """`in s,C1 in V,C2 in V`, `[s],CH1[V]`, or `Model;RTH1004` to `TIME;CH1;CH2`."""
    model, names = sheet.line_of("model"), sheet.line_of("time")
    if model and names and model.cell(1).startswith("RT"):
        return keys_above(sheet, DIALECT, names)
    for line in sheet.header:
        unit = _TIME.match(line.cell(0))
        divisor = per_second(unit.group(1) or unit.group(2)) if unit else None
        if divisor:
            channels, notes = channel_columns(line.cells[1:], (), 1)
            return layout_of(sheet, DIALECT, TimeAxis(0, divisor), channels, None, notes, len(line.cells))
    return None
