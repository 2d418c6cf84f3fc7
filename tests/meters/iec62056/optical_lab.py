"""The twin's meter behind an optical head, on a virtual clock: what signs on to it, and what it hears."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rig.clock.virtual import VirtualClock
from rig.firmware import Behaviour
from rig.meters.credentials import Secret
from rig.meters.iec62056.meter import OpticalMeter
from rig.meters.iec62056.profile import OpticalProfile, load_optical_profile
from rig.meters.iec62056.sign_on import SignOn
from rig.meters.serial_port import SerialPort
from rig.twin.meter import BOOT_S, KnownImage, TwinMeter
from rig.twin.optical import TwinOptical
from rig.twin.optical_commands import PASSWORD, TwinCommands
from rig.twin.optical_wire import OpticalServer

IMAGE = bytes(range(256)) * 4
PROFILE = load_optical_profile("synthetic-esme-optical")
HASH = hashlib.sha256(IMAGE).digest()


class EchoHdlc:
    """An HDLC face that says every frame back."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []
        self.end: Callable[[], None] = lambda: None

    def begin(self, end: Callable[[], None]) -> None:
        self.end = end

    def hear(self, frame: bytes) -> bytes | None:
        self.frames.append(frame)
        return b"\x7e\x01" + frame[1:]


class Lab:
    """A booted meter, its head, and a port to it."""

    def __init__(self, image: bytes = IMAGE, battery: bool = False, hdlc: bool = False, most_baud: int = 9600) -> None:
        self.clock = VirtualClock()
        behaviour = Behaviour(version_after="to", version_changes_at_s=53.0, silent=((2.0, 53.0),))
        known = {hashlib.sha256(image).hexdigest(): KnownImage("1.1.0", behaviour)}
        self.meter = TwinMeter(self.clock, lambda _: None, known, "1.0.0")
        self.hdlc = EchoHdlc() if hdlc else None
        self.commands = TwinCommands(self.meter)
        self.face = TwinOptical(self.meter, self.clock, self.commands, self.hdlc, most_baud, battery)
        self.wire = OpticalServer(self.face, self.clock, threading.RLock())
        self.meter.mains(True)
        self.clock.sleep(BOOT_S)
        self.port = SerialPort("meter", self.wire.path, self.clock)

    def driver(
        self,
        profile: OpticalProfile = PROFILE,
        password: str = PASSWORD,
        how: SignOn = SignOn(),  # noqa: B008
    ) -> OpticalMeter:
        secrets = {"twin_password": Secret("twin_password", password)} if profile.credentials else {}
        return OpticalMeter(self.port, profile, self.clock, how, secrets)


@contextmanager
def lab(**options: object) -> Iterator[Lab]:
    it = Lab(**options)  # type: ignore[arg-type]
    try:
        yield it
    finally:
        it.port.close()
        it.wire.close()
