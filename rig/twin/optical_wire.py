"""The optical head of the twin: a pseudo-terminal with `rig.twin.optical` behind it, at the line's own time.

Every character takes ten bits at the rate of the moment; the meter reacts after 20 ms. A message at another rate than
the meter's, or with a wrong parity, is noise to it. A pseudo-terminal hands over what was written at once, so a message
that begins a change of rate may be read when its sender is already at the new one: both rates are right there.
"""

from __future__ import annotations

from contextlib import AbstractContextManager

from rig.meters.iec62056.frames import ACK, ETX, NAK, SOH
from rig.meters.serial_port import BITS, seven_bits, with_parity, without_parity
from rig.twin.dlms.wire import nothing_whole
from rig.twin.optical import FIRST_BAUD, Said, State, TwinOptical
from rig.twin.ports import Timeline
from rig.twin.serial_wire import PtyServer
from rig.twin.wire import SILENCE, Answer, Deferred, TcpServer

REACTION_S = 0.02
WAKING_ZEROS = 63
"""2.1 s of zeros at the first rate."""
_LONGEST = 1 << 16
"""Of a message; what is longer is noise."""


class OpticalServer(PtyServer):
    """Serves one meter's optical port. `echoes`: the head sees its own light, so all that is sent comes back."""

    def __init__(self, face: TwinOptical, timeline: Timeline, lock: AbstractContextManager[object]) -> None:
        self.face = face
        self.echoes = False
        self._bare = False
        self.lifted = False
        """The head is away: nobody hears, nobody answers (a fault)."""
        self._zeros = 0
        self._characters = 0
        super().__init__(timeline, lock, None)

    def _breaks_off(self, arrives: bytes, whole: bytes) -> bool:
        with self._lock:
            hdlc = self.face.state is State.HDLC
        return nothing_whole(arrives) if hdlc and whole[:1] == b"\x7e" else super()._breaks_off(arrives, whole)

    def _split(self, data: bytes) -> tuple[bytes | None, bytes]:
        port_rate = self._port_baud()
        with self._lock:
            if data:
                self.face.spoken_to(port_rate)
            state, rate = self.face.state, self.face.baud
        if state is State.HDLC and not (data.startswith(with_parity(b"/?")) and port_rate == FIRST_BAUD):
            return (data, b"") if data else (None, b"")  # a flag may stand inside a frame: its length tells its end
        choosing = state is State.CHOICE and data.startswith(with_parity(ACK))
        if data and port_rate != rate and not choosing:
            return data, b""  # at another rate all is noise, and no message would ever end
        return self._message(data)

    def _message(self, data: bytes) -> tuple[bytes | None, bytes]:
        """What begins no message is dropped. The zeros of a wake-up are one message, as soon as they are enough."""
        zeros = len(data) - len(data.lstrip(b"\0"))
        if zeros:
            before, self._zeros = self._zeros, self._zeros + zeros
            woken = before < WAKING_ZEROS <= self._zeros
            return (b"\0" if woken else None), data[zeros:]
        self._zeros = 0 if data else self._zeros
        return first_message(data, self._answered())

    def _answered(self) -> bool:
        """Whether a single ACK or NAK may be a message now: before the choice of a mode, ACK begins a longer one."""
        with self._lock:
            return self.face.state is not State.CHOICE

    def _request(self, request: bytes) -> None:
        self._characters += len(request)
        said = None
        with self._lock:
            before = self.face.baud
            if self.lifted:
                pass
            elif request == b"\0":
                self.face.wake()
            elif self.face.state is State.HDLC and self._port_baud() == before:
                said = self.face.hear_hdlc(request)
            elif (message := self._without_parity(request)) is not None and self._right_rate(message, before):
                said = self.face.hear(message)
        if said is not None and not said.data:
            return  # nobody waits for an answer
        characters, self._characters = self._characters, 0
        self._answer(request, said, characters, before)

    def _without_parity(self, request: bytes) -> bytes | None:
        """Its characters. A port that does the parity itself puts none on a pseudo-terminal, and wants none back."""
        message = without_parity(request)
        self._bare = message is None and request.isascii()
        return request if self._bare else message

    def _right_rate(self, message: bytes, baud: int) -> bool:
        return (len(message) > 1 and message.startswith(ACK)) or self._port_baud() == baud

    def _answer(self, request: bytes, said: Said | None, characters: int, baud: int) -> None:
        echo = request if self.echoes else b""
        if said is None:
            if echo:
                self._deliver(echo)
            self._timeline.defer(None, lambda: None)
            return
        data = with_parity(said.data) if said.parity and not self._bare else said.data
        took_s = characters * BITS / baud + REACTION_S + len(data) * BITS / said.baud
        self._reply(data, took_s, echo)


class OpticalTcpServer(TcpServer):
    """The same messages on TCP, as meters behind a device server speak them: no parity, no rates, no line."""

    def __init__(self, face: TwinOptical, timeline: Timeline, lock: AbstractContextManager[object]) -> None:
        self.face = face
        self._delay_s = 0.0
        super().__init__("optical", self._messages, self._answer, timeline, lock)

    def delay(self, seconds: float) -> None:
        """Every answer comes this late from now on (a fault)."""
        self._delay_s = seconds

    def _messages(self, data: bytes) -> tuple[list[bytes], bytes]:
        found = []
        while data:
            with self._lock:
                single = self.face.state is not State.CHOICE
            message, data = first_message(data, single)
            if message is None:
                break
            found.append(message)
        return found, data

    def _answer(self, message: bytes) -> Answer:
        said = self.face.hear(message)
        return SILENCE if said is None else Deferred(REACTION_S + self._delay_s, said.data)


def first_message(data: bytes, single: bool) -> tuple[bytes | None, bytes]:
    """The first message in what came, or None while there is none, and the rest. Nobody looks at the parity here.

    single: ACK may stand alone; before the choice of a mode it begins a longer message. What begins no message is
    noise, which is a message to which nobody answers.
    """
    plain = seven_bits(data)
    at = min((i for i in (plain.find(begin) for begin in _BEGINNINGS) if i >= 0), default=len(data))
    if data and at == len(data):
        return data, b""
    data, plain = data[at:], plain[at:]
    if single and plain[:1] in (ACK, NAK):
        whole = _CHOICE_LENGTH if plain[4:_CHOICE_LENGTH] == b"\r\n" else 1
        return data[:whole], data[whole:]
    end = plain.find(ETX if plain[:1] == SOH else b"\r\n")
    if end >= 0 and len(data) >= end + 2:
        return data[: end + 2], data[end + 2 :]
    return None, (data if len(data) < _LONGEST else b"")


_BEGINNINGS = (b"/?", ACK, NAK, SOH)
_CHOICE_LENGTH = 6
"""`ACK V Z Y CR LF`."""
