"""How long an image takes on a line, against what the line itself needs for it. On the virtual clock."""

from __future__ import annotations

from pathlib import Path

from rig.meters.serial_port import BITS
from rig.twin.dlms.face import LinkSettings
from tests.meters.dlms.lab import lab

BAUD = 9600
IMAGE = bytes(range(256)) * 2048
BLOCK, INFORMATION, WINDOW = 1024, 2030, 1
BLOCK_FRAME = 1024 + 4 + 5 + 13 + 3 + 13
"""Characters that carry one block: the block, its tag and length, its number and the structure around both, the action
request, the LLC header, the frame."""
ANSWER_FRAME = 5 + 3 + 13
"""And its answer."""


def test_512_kb_at_9600_baud_take_what_the_line_needs(tmp_path: Path) -> None:
    """Blocks of 1024 bytes, one to a frame of up to 2030 information bytes, window 1: the line's own time is that of
    the characters of 512 such frames and their answers; the raw image alone would take 546 s."""
    with lab(tmp_path, image=IMAGE, block_bytes=BLOCK, link=LinkSettings(INFORMATION, WINDOW)) as it:
        began = it.clock.now()
        it.meter.transfer(IMAGE, lambda _done, _total: None)
        took_s = (it.clock.now() - began) / 1e9
    assert bytes(it.twin.slot) == IMAGE
    line_s = len(IMAGE) // BLOCK * (BLOCK_FRAME + ANSWER_FRAME) * BITS / BAUD
    assert line_s <= took_s <= 1.1 * line_s
    assert took_s <= 1.1 * len(IMAGE) * BITS / BAUD, "and within 10 % of the bare image"
