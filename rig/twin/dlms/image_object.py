"""Image transfer of the twin's meter: COSEM class 18 (Blue Book 4.4.6). Blocks, their book-keeping, what is refused.

The image itself, its verification and its activation are the meter's. An image is identified by its SHA-256 where that
name is 32 bytes long; the signature that it shows is the SHA-256 of what it really holds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from rig.meters.dlms.axdr import Tag, Value, array, bit_string, number, octets, structure
from rig.twin.dlms.results import Refused, Result
from rig.twin.meter import SLOT_BYTES, ImageCode, TwinMeter

_HASH_BYTES = 32
_SHOWN = (ImageCode.VERIFIED, ImageCode.ACTIVATING, ImageCode.ACTIVATED, ImageCode.FAILED)


class ImageObject:
    """One meter's. `lose(block)`: whether this block is acknowledged and lost (a fault)."""

    def __init__(self, meter: TwinMeter, block_bytes: int) -> None:
        self._meter = meter
        self.block_bytes = block_bytes
        self.enabled = True
        self.slot_bytes = SLOT_BYTES
        self.lose: Callable[[int], bool] = lambda _: False
        self._identification = b""
        self._size = 0
        self._blocks: set[int] = set()
        self.attributes: dict[int, Callable[[], Value]] = {
            2: lambda: number(Tag.UINT32, self.block_bytes),
            3: lambda: bit_string([n in self._held() for n in range(self._count)]),
            4: lambda: number(Tag.UINT32, self._first_missing()),
            5: lambda: number(Tag.BOOLEAN, self.enabled),
            6: lambda: number(Tag.ENUM, int(self._meter.image_code)),
            7: self._to_activate,
        }
        self.methods: dict[int, Callable[[Value], Value | None]] = {
            1: self._initiate,
            2: self._block,
            3: self._verify,
            4: self._activate,
        }

    def set_enabled(self, value: Value) -> None:
        if value.tag is not Tag.BOOLEAN:
            raise Refused(Result.TYPE_UNMATCHED)
        self.enabled = bool(value.number)

    # -- attributes --------------------------------------------------------------------------------

    @property
    def _count(self) -> int:
        return -(-self._size // self.block_bytes)

    def _held(self) -> set[int]:
        """What a loss of power in the middle took is gone."""
        if self._meter.image_code is ImageCode.NONE:
            self._blocks.clear()
        return self._blocks

    def _first_missing(self) -> int:
        held = self._held()
        return next((n for n in range(self._count) if n not in held), self._count)

    def _to_activate(self) -> Value:
        if self._meter.image_code not in _SHOWN or not self._size:
            return array()
        signature = hashlib.sha256(self._meter.slot[: self._size]).digest()
        return array(structure(number(Tag.UINT32, self._size), octets(self._identification), octets(signature)))

    # -- methods -----------------------------------------------------------------------------------

    def _initiate(self, value: Value) -> None:
        identification, size = _fields(value, Tag.OCTETS, Tag.UINT32)
        if not self.enabled or size.number > self.slot_bytes or not size.number:
            raise Refused(Result.OTHER_REASON)
        self._not_busy()
        self._identification, self._size = identification.data, size.number
        self._blocks.clear()
        self._meter.begin_image()

    def _block(self, value: Value) -> None:
        at, block = _fields(value, Tag.UINT32, Tag.OCTETS)
        first = at.number * self.block_bytes
        self._not_busy()
        if self._meter.image_code is not ImageCode.TRANSFERRING or at.number >= self._count:
            raise Refused(Result.OTHER_REASON)
        if len(block.data) != min(self.block_bytes, self._size - first):
            raise Refused(Result.OTHER_REASON)
        if self.lose(at.number):
            return
        self._meter.store_image(first, block.data)
        self._blocks.add(at.number)

    def _verify(self, value: Value) -> None:
        """It takes its time: the answer is 'temporary failure', and the status tells the end (4.4.6.2, step 5)."""
        del value
        self._not_busy()
        if self._meter.image_code not in (ImageCode.TRANSFERRING, ImageCode.VERIFIED, ImageCode.REJECTED):
            raise Refused(Result.OTHER_REASON)
        if self._first_missing() < self._count:
            raise Refused(Result.OTHER_REASON)
        wanted = self._identification
        if len(wanted) != _HASH_BYTES:
            wanted = hashlib.sha256(self._meter.slot[: self._size]).digest()
        self._meter.verify(self._size, wanted)
        raise Refused(Result.TEMPORARY_FAILURE)

    def _activate(self, value: Value) -> None:
        del value
        self._not_busy()
        if self._meter.image_code is not ImageCode.VERIFIED:
            raise Refused(Result.OTHER_REASON)
        self._meter.activate_held(0.0)

    def _not_busy(self) -> None:
        if self._meter.busy:
            raise Refused(Result.TEMPORARY_FAILURE)


def _fields(value: Value, *tags: Tag) -> tuple[Value, ...]:
    if value.tag is not Tag.STRUCTURE or tuple(item.tag for item in value.items) != tags:
        raise Refused(Result.TYPE_UNMATCHED)
    return value.items
