"""What can go wrong between a DLMS client and the twin's meter: done to a face, or to what a line carries."""

from __future__ import annotations

import itertools
from collections.abc import Callable

from rig.twin.dlms.face import TwinDlms

SMALL_SLOT_BYTES = 1024
"""No packaged image fits it."""


def lose_blocks(face: TwinDlms, every: int) -> None:
    """Each block whose number is a multiple of `every` is acknowledged and lost, the first time it comes."""
    lost: set[int] = set()

    def lose(block: int) -> bool:
        new = block % every == 0 and block not in lost
        lost.add(block)
        return new

    face.objects.image.lose = lose


def small_slot(face: TwinDlms) -> None:
    face.objects.image.slot_bytes = SMALL_SLOT_BYTES


def disable(face: TwinDlms) -> None:
    face.objects.image.enabled = False


def every(number: int, damage: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    """What damages every such answer."""
    count = itertools.count(1)
    return lambda answer: damage(answer) if next(count) % number == 0 else answer


def wrong_check_sequence(answer: bytes) -> bytes:
    """A bit of the last frame's check sequence flips."""
    return answer[:-2] + bytes([answer[-2] ^ 0x01]) + answer[-1:] if answer[-1:] == b"\x7e" else answer


def noise_before(answer: bytes) -> bytes:
    """Other light comes first: bytes that are no frame."""
    return b"\x00\xff\x55" + answer if answer[:1] == b"\x7e" else answer
