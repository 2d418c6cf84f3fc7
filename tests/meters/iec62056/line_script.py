"""A strict line: it plays a transcript on a pseudo-terminal, at the rates that it names, and fails on anything else."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rig.clock.virtual import VirtualClock
from rig.meters.credentials import Secret
from rig.meters.iec62056.meter import OpticalMeter
from rig.meters.iec62056.profile import OpticalProfile
from rig.meters.iec62056.sign_on import SignOn
from rig.meters.serial_port import SerialPort, with_parity
from rig.twin.serial_wire import PtyServer


@dataclass(frozen=True)
class Turn:
    """What is sent at `baud`, and what comes back; None: nothing does. Characters with even parity, both."""

    sent: bytes
    answer: bytes | None
    baud: int = 9600
    after_s: float = 0.1


class ScriptedLine(PtyServer):
    def __init__(self, clock: VirtualClock, *turns: Turn) -> None:
        self._turns = list(turns)
        self.wrong: list[str] = []
        super().__init__(clock, threading.RLock(), None)

    def _split(self, data: bytes) -> tuple[bytes | None, bytes]:
        if not data:
            return None, b""
        expected = with_parity(self._turns[0].sent) if self._turns else b""
        if expected.startswith(data) and len(data) < len(expected):
            return None, data
        return (data[: len(expected)], data[len(expected) :]) if data.startswith(expected) and expected else (data, b"")

    def _request(self, request: bytes) -> None:
        turn = self._turns.pop(0) if self._turns else Turn(b"", None)
        if request != with_parity(turn.sent):
            self.wrong.append(f"sent {request!r}, the transcript says {turn.sent!r}")
        elif self._port_baud() != turn.baud and not (turn.sent.startswith(b"\x06") and len(turn.sent) == 6):
            self.wrong.append(f"{turn.sent!r} was sent at {self._port_baud()} baud, not {turn.baud}")
        if turn.answer is None or self.wrong:
            self._timeline.defer(None, lambda: None)
        else:
            self._reply(with_parity(turn.answer), turn.after_s)

    def finish(self) -> None:
        assert self.wrong == []
        assert self._turns == [], "unsent"


@dataclass
class Scripted:
    clock: VirtualClock
    line: ScriptedLine
    port: SerialPort

    def meter(self, profile: OpticalProfile, how: SignOn = SignOn(), **secrets: str) -> OpticalMeter:  # noqa: B008
        known = {name: Secret(name, value) for name, value in secrets.items()}
        return OpticalMeter(self.port, profile, self.clock, how, known)


@contextmanager
def scripted(*turns: Turn) -> Iterator[Scripted]:
    """A transcript that must have been played to its end."""
    clock = VirtualClock()
    line = ScriptedLine(clock, *turns)
    port = SerialPort("meter", line.path, clock)
    try:
        yield Scripted(clock, line, port)
        line.finish()
    finally:
        port.close()
        line.close()
