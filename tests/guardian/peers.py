"""What a guardian's process meets in tests: GPIO lines on files, and a supply on a socket. Both outlive any process."""

from __future__ import annotations

import os
import select
import threading
import time
from pathlib import Path
from types import SimpleNamespace

from rig.guardian.charge import Charge, GpioSpec, RelaySpec, StopSpec, SupplySpec, WatchdogSpec
from rig.guardian.core import Rules
from rig.instruments.scpi import OffTexts
from rig.instruments.supplies.rigol_dp800 import off_texts
from rig.twin.wire import SILENCE, Answer, HangUp, LineServer

FAKE_GPIO = Path(__file__).parent / "fake_gpio"
PINS = {"mains": 17, "meter-feed": 27, "supply-feed": 22}
NAMES = {"mains": "K1", "meter-feed": "K2", "supply-feed": "K3"}
FEEDS = ("meter-feed", "supply-feed")
PATIENCE_S = 60.0
"""How long a test waits for what must come: far longer than any machine takes."""


class EndedEarly(Exception):
    """A controller was over before it had said a word."""


class Lines:
    """The lines of the header. `level` is what a line is; `next` waits for the next level that somebody drives."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._told = (folder / "told").open("a+")
        self._told.seek(0)

    def level(self, pin: int) -> int:
        file = self.folder / str(pin)
        return int(file.read_text()) if file.exists() else 0

    def set(self, pin: int, level: int) -> None:
        draft = self.folder / f"{pin}.draft"
        draft.write_text(str(level))
        draft.rename(self.folder / str(pin))

    def stick(self, pin: int) -> None:
        (self.folder / f"{pin}.stuck").touch()

    def closed(self) -> dict[str, bool]:
        return {role: bool(self.level(pin)) for role, pin in PINS.items()}

    def next(self, pin: int) -> int:
        """The next level that is driven on `pin`; what is told of others is dropped."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            if line := self._told.readline():
                number, level = line.split()
                if int(number) == pin:
                    return int(level)
            else:
                assert time.monotonic() < deadline
                threading.Event().wait(0.001)

    def told(self) -> list[int]:
        """The lines that were driven since somebody asked."""
        return [int(line.split()[0]) for line in self._told]

    def close(self) -> None:
        self._told.close()


def spec_of(texts: OffTexts, address: str, timeout_s: float = 5.0) -> SupplySpec:
    """What the guardian is told of a supply with these texts at this address, on an ordinary line."""
    return SupplySpec(
        name="psu",
        address=address,
        baud=9600,
        parity="none",
        stop_bits=1,
        off=texts.command,
        question=texts.question,
        says_off=texts.says_off,
        off_bit=texts.off_bit,
        ends=texts.ends,
        reply_bytes=texts.reply_bytes,
        pause_s=texts.pause_s,
        timeout_s=timeout_s,
    )


class Supply:
    """Answers `:OUTP? CH1` and obeys `:OUTP CH1,OFF`. `how`: good, silent, hangs up, or on whatever it is told."""

    def __init__(self) -> None:
        self.on = True
        self.how = "good"
        self.heard: list[str] = []
        nobody = SimpleNamespace(defer=lambda delay_s, reply: None)
        self.server = LineServer("supply", self._handle, nobody, threading.RLock())  # type: ignore[arg-type]

    def spec(self, timeout_s: float = 5.0) -> SupplySpec:
        return spec_of(off_texts(1), self.server.address, timeout_s)

    def _handle(self, line: str) -> Answer:
        self.heard.append(line)
        if self.how == "silent":
            return SILENCE
        if self.how == "hangs up":
            return HangUp()
        if line == ":OUTP CH1,OFF" and self.how == "good":
            self.on = False
        return (b"ON\n" if self.on else b"OFF\n") if line.endswith("CH1") and "?" in line else None


def charge(
    state: Path,
    supply: Supply,
    *,
    silent_s: float = 30.0,
    beat_s: float = 0.05,
    energised_s: float = 3600.0,
    retry_s: float = 0.0,
    watchdog: WatchdogSpec | None = None,
    stop: StopSpec | None = None,
    supply_timeout_s: float = 5.0,
    keeps_lines: bool = False,
) -> Charge:
    relays = tuple(
        RelaySpec(role, NAMES[role], GpioSpec(pin, True), None, None if role == "mains" else False)
        for role, pin in PINS.items()
    )
    rules = Rules(
        forbidden=(FEEDS,),
        feeds=FEEDS,
        dead_ns=0,
        energised_ns=round(energised_s * 1e9),
        dwell_ns={},
        silent_ns=round(silent_s * 1e9),
    )
    supplies = (supply.spec(supply_timeout_s),)
    return Charge("test", str(state), relays, supplies, rules, beat_s, retry_s, watchdog, stop, keeps_lines)


def gone(pid: int, wait_s: float = PATIENCE_S) -> bool:
    """Whether a process has ended, waiting for it at most so long."""
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        return bool(poll.poll(wait_s * 1000))
    finally:
        os.close(fd)
