"""The twin's meter: mains in, 12 V out, firmware slots, and what it does while it activates. Synthetic; no I/O.

Its behaviour comes from the fixture's manifest. Its registers are in `rig.twin.modbus`.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum

from rig.clock import to_ns
from rig.firmware import Behaviour
from rig.twin.devices import Signal
from rig.twin.ports import Timeline

BOOT_S = 8.0
"""From mains on to answering; the 12 V comes after `FEED_S`."""
FEED_S = 0.5
HOLD_S = 0.4
"""How long the 12 V stays after mains is lost."""
VERIFY_S = 3.0


class ImageCode(IntEnum):
    """The image status register. After *activate* a refusal is status 7, as a failed activation."""

    NONE = 0
    TRANSFERRING = 1
    VERIFYING = 2
    VERIFIED = 3
    REJECTED = 4
    ACTIVATING = 5
    ACTIVATED = 6
    FAILED = 7


@dataclass(frozen=True)
class KnownImage:
    """An image that this meter knows what to do with, by its SHA-256."""

    version: str
    behaviour: Behaviour


class TwinMeter:
    """The meter. `feed(volts | None)` is called when its 12 V output changes."""

    MAKER, MODEL, SERIAL = "Synthetic Meters", "SM-ESME-1", "SM0000001"

    def __init__(
        self, timeline: Timeline, feed: Callable[[float | None], None], known: Mapping[str, KnownImage], version: str
    ) -> None:
        self._timeline = timeline
        self._feed = feed
        self._known = known
        self.version = version
        self.slot = bytearray()
        self.image_code = ImageCode.NONE
        self.silent = False
        self.ac_lost = Signal(True)
        self.present = Signal(False)
        self.on_activate: Callable[[], None] | None = None
        self._mains = False
        self._booted_ns: int | None = None
        self._epoch = 0

    # -- mains -------------------------------------------------------------------------------------------------

    def mains(self, present: bool) -> None:
        """Mains at the terminals came or went."""
        if present == self._mains:
            return
        self._mains = present
        self._epoch += 1  # whatever was planned is void
        self.ac_lost.set(not present)
        if present:
            self._in(FEED_S, lambda: self._supply(12.0))
            self._in(BOOT_S, self._booted)
        else:
            self._in(HOLD_S, self._power_lost)

    def _power_lost(self) -> None:
        self._supply(None)
        self._booted_ns = None
        if self.image_code in (ImageCode.TRANSFERRING, ImageCode.VERIFYING):
            self.image_code = ImageCode.NONE

    def _booted(self) -> None:
        self._booted_ns = self._timeline.now()
        self.silent = False

    def _supply(self, volts: float | None) -> None:
        self.present.set(volts is not None)
        self._feed(volts)

    # -- what the registers show ---------------------------------------------------------------------------------

    @property
    def answers(self) -> bool:
        return self._booted_ns is not None and not self.silent

    def uptime_s(self) -> float:
        return 0.0 if self._booted_ns is None else (self._timeline.now() - self._booted_ns) / 1e9

    def write_image(self, offset: int, data: bytes) -> bool:
        """Store a part; False when it lies outside the slot (256 KiB)."""
        if offset + len(data) > 256 * 1024:
            return False
        if offset == 0:
            self.slot = bytearray()
        if len(self.slot) < offset + len(data):
            self.slot.extend(bytes(offset + len(data) - len(self.slot)))
        self.slot[offset : offset + len(data)] = data
        self.image_code = ImageCode.TRANSFERRING
        return True

    def verify(self, size: int, image_hash: bytes) -> None:
        self.image_code = ImageCode.VERIFYING
        self._in(VERIFY_S, lambda: self._verified(size, image_hash))

    def _verified(self, size: int, image_hash: bytes) -> None:
        image = bytes(self.slot[:size])
        digest = hashlib.sha256(image)
        known = self._known.get(digest.hexdigest())
        good = digest.digest() == image_hash and known is not None and known.behaviour.accepts_image
        self.image_code = ImageCode.VERIFIED if good else ImageCode.REJECTED

    def activate(self, image_hash: bytes) -> None:
        """The activation command arrived: what follows is in the fixture's behaviour, counted from now."""
        known = self._known.get(image_hash.hex())
        if self.image_code is not ImageCode.VERIFIED or known is None:
            self.image_code = ImageCode.FAILED
            return
        self.image_code = ImageCode.ACTIVATING
        behaviour = known.behaviour
        for at_s, volts in behaviour.feed_steps():
            self._in(at_s, lambda v=volts: self._supply(v if v > 0 else None))  # type: ignore[misc]
        for from_s, until_s in behaviour.silent:
            self._in(from_s, lambda: self._set_silent(True))
            if math.isfinite(until_s):
                self._in(until_s, lambda: self._set_silent(False))
        if behaviour.version_changes_at_s is not None:
            self._in(behaviour.version_changes_at_s, lambda: self._new_version(known))
        if self.on_activate is not None:
            self.on_activate()

    def _set_silent(self, silent: bool) -> None:
        self.silent = silent
        if not silent and self._mains:
            self._booted_ns = self._timeline.now()

    def _new_version(self, known: KnownImage) -> None:
        self._booted_ns = self._timeline.now()
        if known.behaviour.version_after == "to":
            self.version = known.version
            self.image_code = ImageCode.ACTIVATED
        else:
            self.image_code = ImageCode.FAILED

    def _in(self, seconds: float, fn: Callable[[], None]) -> None:
        epoch = self._epoch

        def act() -> None:
            if epoch == self._epoch:
                fn()

        self._timeline.schedule(self._timeline.now() + to_ns(seconds), act)
