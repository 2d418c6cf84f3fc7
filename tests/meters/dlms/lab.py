"""The twin's meter on DLMS and our driver for it, on a virtual clock: on a line, at a head, or on TCP."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rig.bench.dlms_opening import open_dlms
from rig.bench.dlms_table import DlmsPart
from rig.clock.virtual import VirtualClock
from rig.firmware import Behaviour
from rig.meters.dlms.meter import DlmsMeter
from rig.recording import Taps
from rig.twin.dlms.association import Security
from rig.twin.dlms.face import OPEN, LinkSettings, TwinDlms
from rig.twin.dlms.wire import HdlcServer, WrapperServer
from rig.twin.meter import BOOT_S, KnownImage, TwinMeter

IMAGE = bytes(range(256)) * 13 + b"end"
HASH = hashlib.sha256(IMAGE).digest()


def still_meter(image: bytes = IMAGE) -> TwinMeter:
    """A meter that nobody switched on."""
    return _meter(VirtualClock(), image, Behaviour())


def _meter(clock: VirtualClock, image: bytes, behaviour: Behaviour) -> TwinMeter:
    known = {hashlib.sha256(image).hexdigest(): KnownImage("1.1.0", behaviour)}
    return TwinMeter(clock, lambda _: None, known, "1.0.0")


class Lab:
    """A booted meter, its wire, and the driver."""

    def __init__(
        self,
        state: Path,
        wire: str = "hdlc",
        image: bytes = IMAGE,
        security: Security = OPEN,
        link: LinkSettings | None = None,
        block_bytes: int = 256,
        behaviour: Behaviour | None = None,
        taps: Taps | None = None,
        **table: Any,
    ) -> None:
        self.clock = VirtualClock()
        behaviour = behaviour or Behaviour(version_changes_at_s=53.0, silent=((2.0, 53.0),))
        self.twin = _meter(self.clock, image, behaviour)
        self.twin.mains(True)
        self.clock.sleep(BOOT_S)
        self.face = TwinDlms(self.twin, security, link, block_bytes)
        lock = threading.RLock()
        self.wire: Any
        if wire == "tcp":
            self.wire = WrapperServer(self.face, self.clock, lock)
            place = {"address": self.wire.endpoint}
        else:
            self.wire = HdlcServer(self.face, 9600, self.clock, lock)
            place = {"port": self.wire.path, "sign_on": "direct"}
        part = DlmsPart(driver="dlms", profile="synthetic-esme-dlms", **place, **table)  # type: ignore[arg-type]
        self.meter: DlmsMeter = open_dlms("meter", part, self.clock, state, taps)

    @property
    def signed_on(self) -> bool:
        """Whether somebody is connected, as the meter sees it."""
        return bool(self.wire._line._station.connected)


@contextmanager
def lab(state: Path, **options: Any) -> Iterator[Lab]:
    it = Lab(state, **options)
    try:
        yield it
    finally:
        it.meter.close()
        it.wire.close()
