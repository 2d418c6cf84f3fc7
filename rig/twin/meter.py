"""The twin's meter: mains in, 12 V out, firmware slots, and what it does while it activates. Synthetic; no I/O.

Its behaviour comes from the fixture's manifest. Its registers are in `rig.twin.modbus`. As one maker's manual has it,
power lost during an activation boots the old image and keeps the new one pending.
"""

from __future__ import annotations

import hashlib
import math
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum

from rig.clock import NS, to_ns
from rig.firmware import Behaviour
from rig.twin.devices import Signal
from rig.twin.ports import Timeline

BOOT_S = 8.0
"""From mains on to answering; the 12 V comes after `FEED_S`."""
FEED_S = 0.5
HOLD_S = 0.4
"""How long the meter and its 12 V live without mains: a shorter loss changes nothing."""
VERIFY_S = 3.0
SLOT_BYTES = 1024 * 1024
OUTAGE_RESTORED, LONG_OUTAGE_RESTORED, NEW_VERSION = 0x8F35, 0x8F36, 0x8F43
"""GBCS event codes: supply outage restored, the same for three minutes or more, change of the firmware that runs."""
_LONG_OUTAGE_S = 180
LOG_ENTRIES = 8


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
    """The meter. `feed(volts | None)` is called when its 12 V output changes.

    `on_transfer`, `on_verify` and `on_activate` are called when an image begins to come, when it is to be verified, and
    when an activation begins.
    """

    MAKER, MODEL, SERIAL = "Synthetic Meters", "SM-ESME-1", "SM0000001"

    def __init__(
        self,
        timeline: Timeline,
        feed: Callable[[float | None], None],
        known: Mapping[str, KnownImage],
        version: str,
        model: str = MODEL,
    ) -> None:
        self.model = model
        self._timeline = timeline
        self._feed = feed
        self._known = known
        self.version = version
        self.slot = bytearray()
        self.image_code = ImageCode.NONE
        self.silent = False
        self.ac_lost = Signal(True)
        self.present = Signal(False)
        self.on_transfer: Callable[[], None] = lambda: None
        self.on_verify: Callable[[], None] = lambda: None
        self.on_activate: Callable[[], None] = lambda: None
        self.damages_images = False
        """A bit of what it holds flips before it is verified (a fault)."""
        self.mistakes_hashes = False
        """It takes every hash that an activation names for another one (a fault)."""
        self._verified_hash: bytes | None = None
        self._last: KnownImage | None = None
        self._mains = False
        self._powered = False
        self._booted_ns: int | None = None
        self._power = 0
        """Counts the losses of power: what was planned before one is void."""
        self.starts = 0
        """Counts its starts: whoever was signed on before one is not any more."""
        self._mains_changes = 0
        self._mains_lost_ns: int | None = None
        self.log: deque[tuple[int, int]] = deque(maxlen=LOG_ENTRIES)
        """(code, seconds on the meter's own clock), the oldest first."""
        self.power_log: deque[tuple[float, float]] = deque(maxlen=LOG_ENTRIES)
        """When its supply came back (seconds on its own clock) and how long it was away (s): of mains, and of its own
        12 V while it activates. That a meter logs the latter is synthetic."""
        self.log_error_s = 0.0
        """How much too long its log calls each of them (a fault)."""
        self._dark_since_ns: int | None = None
        self._output = False

    # -- mains -------------------------------------------------------------------------------------------------

    def mains(self, present: bool) -> None:
        """Mains at the terminals came or went."""
        if present == self._mains:
            return
        self._mains = present
        self._mains_changes += 1
        self.ac_lost.set(not present)
        self._log_mains(present)
        if present and not self._powered:
            self._powered = True
            self._in(FEED_S, lambda: self._supply(12.0))
            self._in(BOOT_S, self._booted)
        elif not present:
            change = self._mains_changes
            self._in(HOLD_S, lambda: self._power_lost() if change == self._mains_changes else None)

    def _log_mains(self, present: bool) -> None:
        now = self._timeline.now()
        if present and self._mains_lost_ns is not None and not self._powered:
            long = now - self._mains_lost_ns >= to_ns(_LONG_OUTAGE_S)
            self._note(LONG_OUTAGE_RESTORED if long else OUTAGE_RESTORED)
        self._mains_lost_ns = None if present else now

    def _note(self, code: int) -> None:
        self.log.append((code, self._timeline.now() // NS))

    def _power_lost(self) -> None:
        self._power += 1
        self._powered = False
        self._supply(None)
        self._booted_ns = None
        if self.image_code in (ImageCode.TRANSFERRING, ImageCode.VERIFYING):
            self.image_code = ImageCode.NONE
            self.slot = bytearray()
        elif self.image_code is ImageCode.ACTIVATING:
            self.image_code = ImageCode.VERIFIED

    def _booted(self) -> None:
        self._started()
        self.silent = False

    def _started(self) -> None:
        self._booted_ns = self._timeline.now()
        self.starts += 1

    def _supply(self, volts: float | None) -> None:
        self.present.set(volts is not None)
        self._log_supply(volts is not None)
        self._feed(volts)

    def _log_supply(self, there: bool) -> None:
        now = self._timeline.now()
        if there and self._dark_since_ns is not None:
            self.power_log.append((now / NS, (now - self._dark_since_ns) / NS + self.log_error_s))
        if there != self._output:
            self._dark_since_ns = None if there else now
        self._output = there

    # -- what the registers show ---------------------------------------------------------------------------------

    @property
    def fed(self) -> bool:
        """Whether it has mains, or its battery."""
        return self._mains

    @property
    def answers(self) -> bool:
        return self._booted_ns is not None and not self.silent

    @property
    def busy(self) -> bool:
        """It verifies or activates: it takes no other command meanwhile."""
        return self.image_code in (ImageCode.VERIFYING, ImageCode.ACTIVATING)

    def uptime_s(self) -> float:
        return 0.0 if self._booted_ns is None else (self._timeline.now() - self._booted_ns) / 1e9

    def write_image(self, offset: int, data: bytes) -> bool:
        """Store a part; False when it lies outside the slot. The first part begins a new image."""
        if offset + len(data) > SLOT_BYTES:
            return False
        if offset == 0:
            self.begin_image()
        self.store_image(offset, data)
        return True

    def begin_image(self) -> None:
        """What it held is gone."""
        self.slot = bytearray()
        self.image_code = ImageCode.TRANSFERRING
        self._verified_hash = None
        self.on_transfer()

    def store_image(self, offset: int, data: bytes) -> None:
        """A part of the image that was begun; it lies inside the slot. What was verified before is gone."""
        if len(self.slot) < offset + len(data):
            self.slot.extend(bytes(offset + len(data) - len(self.slot)))
        self.slot[offset : offset + len(data)] = data
        self.image_code = ImageCode.TRANSFERRING
        self._verified_hash = None

    def verify(self, size: int, image_hash: bytes) -> None:
        self.image_code = ImageCode.VERIFYING
        self._verified_hash = None
        self._in(VERIFY_S, lambda: self._verified(size, image_hash))
        self.on_verify()

    def _verified(self, size: int, image_hash: bytes) -> None:
        if self.damages_images and self.slot:
            self.slot[0] ^= 1
        image = bytes(self.slot[:size])
        digest = hashlib.sha256(image)
        known = self._known.get(digest.hexdigest())
        good = digest.digest() == image_hash and known is not None and known.behaviour.accepts_image
        self.image_code = ImageCode.VERIFIED if good else ImageCode.REJECTED
        self._verified_hash = image_hash if good else None

    def activate(self, image_hash: bytes) -> None:
        """The activation command arrived: what follows is in the fixture's behaviour, counted from now."""
        if self._verified_hash is None or image_hash != self._verified_hash or self.mistakes_hashes:
            self.image_code = ImageCode.FAILED
            return
        self._behave(self._known[image_hash.hex()])
        self.on_activate()

    def activate_held(self, after_s: float) -> None:
        """Activate what was verified last, whatever it is called: at once, or at this time from now."""
        if after_s > 0:
            self._in(after_s, lambda: self.activate(self._verified_hash or b""))
        else:
            self.activate(self._verified_hash or b"")

    def clock_s(self) -> float:
        """Seconds on its own clock: that of its logs."""
        return self._timeline.now() / NS

    def hold(self, image_hash: bytes) -> None:
        """An image that came another way, and is verified."""
        self.image_code = ImageCode.VERIFIED
        self._verified_hash = image_hash

    def activate_again(self) -> None:
        """It begins its last activation anew, by itself (a fault)."""
        if self._last is not None:
            self._behave(self._last)

    def restart(self, dark_s: float) -> None:
        """It resets itself (a fault): no 12 V for `dark_s`, then it boots. What it was about is void."""
        if self._powered:
            self._power_lost()
            self._powered = True
            self._in(dark_s, lambda: self._supply(12.0))
            self._in(dark_s + BOOT_S, self._booted)

    def _behave(self, known: KnownImage) -> None:
        self.image_code = ImageCode.ACTIVATING
        self._last, behaviour = known, known.behaviour
        for at_s, volts in behaviour.feed_steps():
            self._in(at_s, lambda v=volts: self._supply(v if v > 0 else None))  # type: ignore[misc]
        for at_s in {edge for stretch in behaviour.silent for edge in stretch if math.isfinite(edge)}:
            self._in(at_s, lambda at=at_s: self._set_silent(behaviour.is_silent(at)))  # type: ignore[misc]
        if behaviour.version_changes_at_s is not None:
            self._in(behaviour.version_changes_at_s, lambda: self._new_version(known.version))
        elif math.isfinite(end_s := _end_s(behaviour)):
            self._in(end_s, self._activation_failed)

    def _set_silent(self, silent: bool) -> None:
        """A silence ends with a start: until then the meter was rebooting."""
        if self.silent and not silent:
            self._started()
        self.silent = silent

    def _new_version(self, version: str) -> None:
        self._started()
        self.version = version
        self._note(NEW_VERSION)
        self.image_code = ImageCode.ACTIVATED
        self._verified_hash = None

    def _activation_failed(self) -> None:
        """Back on the old image for good."""
        self.image_code = ImageCode.FAILED

    def _in(self, seconds: float, fn: Callable[[], None]) -> None:
        power = self._power

        def act() -> None:
            if power == self._power:
                fn()

        self._timeline.schedule(self._timeline.now() + to_ns(seconds), act)


def _end_s(behaviour: Behaviour) -> float:
    """When the last thing of this behaviour happens; infinite when the meter never answers again."""
    return max([0.0, *(at_s for at_s, _ in behaviour.feed_steps()), *(until_s for _, until_s in behaviour.silent)])
