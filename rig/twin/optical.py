"""The optical port of the twin's meter, as IEC 62056-21 messages: sign-on, readout, programming mode, HDLC. No line.

Mode C: readout, and a programming mode whose commands are those of the profile `synthetic-esme-optical`. Mode E, where
an HDLC face is given: that one hears every frame from then on. What a meter does with a message that it cannot take is
in each place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from rig.clock import to_ns
from rig.errors import LinkError
from rig.meters.iec62056.frames import (
    ACK,
    BREAK,
    ETX,
    MODE_C,
    NAK,
    SOH,
    STX,
    block,
    block_end,
    command_message,
    framed,
)
from rig.twin.meter import TwinMeter
from rig.twin.ports import Timeline

FIRST_BAUD = 300
INACTIVE_S = 60.0
"""Without a message for so long the meter goes back to the first rate (60 to 120 s by 5.4.2)."""
AWAKE_S = 5.0
"""A battery meter that was woken up waits this long for its sign-on."""


class HdlcFace(Protocol):
    """What speaks HDLC behind mode E."""

    def begin(self, end: Callable[[], None]) -> None:
        """Somebody signed on: nothing is connected yet. It calls `end` when it was disconnected."""

    def hear(self, data: bytes) -> bytes | None:
        """What it says to what came, cut anywhere: frames, `b""` where nobody waits for one yet, None = silence."""


class Commands(Protocol):
    """What answers the commands of the programming mode."""

    def begin(self) -> None:
        """A new session."""

    def answer(self, command: str, text: bytes) -> bytes:
        """ACK, or a whole block; one that begins with SOH breaks off."""

    def next_part(self) -> bytes | None:
        """The next partial block of the last answer."""


class State(Enum):
    IDLE = "idle"
    CHOICE = "choice"
    READOUT = "readout"
    PROGRAMMING = "programming"
    HDLC = "hdlc"


@dataclass(frozen=True)
class Said:
    """What the meter says: characters at `baud`. `parity`: with even parity; HDLC has none."""

    data: bytes
    baud: int
    parity: bool = True


class TwinOptical:
    """Hears one message at a time."""

    MAKER = "SYn"
    """A lower-case third letter: it reacts within 20 ms."""

    def __init__(
        self,
        meter: TwinMeter,
        timeline: Timeline,
        commands: Commands,
        hdlc: HdlcFace | None = None,
        most_baud: int = 9600,
        battery: bool = False,
        scale: float = 1.0,
    ) -> None:
        """`battery`: it sleeps, hears only zeros for 2.1 s. `scale`: how long a second of the model takes outside."""
        self._meter = meter
        self._timeline = timeline
        self.commands = commands
        self._hdlc = hdlc
        self._most = next(c for c, rate in MODE_C.items() if rate == most_baud)
        self._battery = battery
        self._inactive_ns = to_ns(INACTIVE_S / scale)
        self._awake_until = 0
        self._state = State.IDLE
        self._baud = FIRST_BAUD
        self._heard_ns = 0
        self._start = -1
        self._last = b""

    @property
    def baud(self) -> int:
        """The rate at which it hears now."""
        self._lapse()
        return self._baud

    @property
    def state(self) -> State:
        self._lapse()
        return self._state

    def spoken_to(self, baud: int | None) -> None:
        """Somebody speaks at this rate: after a readout the first one ends the session, another asks again."""
        if self._state is State.READOUT and baud == FIRST_BAUD != self._baud:
            self._idle()

    def wake(self) -> None:
        """Zeros came for long enough."""
        self._awake_until = self._timeline.now() + to_ns(AWAKE_S)

    def hear(self, message: bytes) -> Said | None:
        """The answer to one message; None = it says nothing."""
        self._lapse()
        if not self._meter.answers:
            return None
        self._heard_ns = self._timeline.now()
        if message.startswith(b"/?"):
            return self._request(message)
        if message == BREAK:
            self._idle()
            return None
        if self._state is State.CHOICE:
            return self._choice(message) if message.startswith(ACK) else None
        if message == NAK and self._last:
            return Said(self._last, self._baud)  # it came damaged: once more
        return self._command(message) if self._state is State.PROGRAMMING else None

    def hear_hdlc(self, data: bytes) -> Said | None:
        """The answer to bytes of HDLC; None = it says nothing."""
        self._lapse()
        if not self._meter.answers or self._state is not State.HDLC or self._hdlc is None:
            return None
        self._heard_ns, rate = self._timeline.now(), self._baud
        answer = self._hdlc.hear(data)
        return None if answer is None else Said(answer, rate, parity=False)

    def _lapse(self) -> None:
        """Nobody is signed on after a start, nor after a long silence."""
        start = self._meter.starts
        if start != self._start or self._timeline.now() - self._heard_ns > self._inactive_ns:
            self._start = start
            self._idle()

    def _idle(self) -> None:
        self._state, self._baud, self._last = State.IDLE, FIRST_BAUD, b""

    def _request(self, message: bytes) -> Said | None:
        """A request for another device is not for it; while somebody is signed on, none is heard (another rate)."""
        address = message[2:].partition(b"!")[0].decode("ascii", "replace").lstrip("0")
        asleep = self._battery and self._timeline.now() > self._awake_until
        if asleep or self._state in (State.PROGRAMMING, State.HDLC) or address not in ("", self._meter.SERIAL):
            return None
        self._state = State.CHOICE
        enhanced = "\\2" if self._hdlc is not None else ""
        identification = f"/{self.MAKER}{self._most}{enhanced}{self._meter.model}\r\n"
        return Said(identification.encode("ascii"), FIRST_BAUD)

    def _choice(self, message: bytes) -> Said | None:
        """`ACK V Z Y`. What it does not know is a readout at the first rate (6.4.5.1); that Z may be lower than its own
        is how most meters do it."""
        protocol, character, mode = (chr(b) for b in message[1:4])
        rate = MODE_C.get(character, FIRST_BAUD)
        if rate > MODE_C[self._most]:
            rate = FIRST_BAUD
        if (protocol, mode) == ("2", "2") and self._hdlc is not None:
            self._state, self._baud = State.HDLC, rate
            self._hdlc.begin(self._idle)
            return Said(message, rate)
        if (protocol, mode) == ("0", "1"):
            self._state, self._baud = State.PROGRAMMING, rate
            self.commands.begin()
            return self._say(command_message("P0", b"(00000000)"))
        self._state, self._baud = State.READOUT, rate if (protocol, mode) == ("0", "0") else FIRST_BAUD
        return self._say(self.readout())

    def _say(self, message: bytes) -> Said:
        """It can be asked for again."""
        self._last = message
        return Said(message, self._baud)

    def readout(self) -> bytes:
        """The data message of the readout (6.3.4)."""
        meter = self._meter
        lines = [f"0.0.0({meter.SERIAL})", f"0.2.0({meter.version})", "F.F(00)", f"C.8.0({int(meter.uptime_s())}*s)"]
        return framed(STX + "\r\n".join([*lines, "!", ""]).encode("ascii") + ETX)

    def _command(self, message: bytes) -> Said | None:
        """A block that came damaged is answered NAK."""
        rate = self._baud
        if message == ACK:
            part = self.commands.next_part()
            return None if part is None else self._say(part)
        try:
            block_end(message)
            found = block(message)
        except LinkError:
            return Said(NAK, rate)
        answer = self.commands.answer(found.command, found.text)
        if answer[:1] == SOH:  # it breaks off: a wrong password, for example
            self._idle()
            return Said(answer, rate)
        return self._say(answer)
