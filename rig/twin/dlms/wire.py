"""The wires of the twin's DLMS meter: the wrapper on TCP, and HDLC on a pseudo-terminal. No APDUs, no objects.

An answer on the line comes when question, reaction and answer have gone over it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from rig.meters.dlms.hdlc import Reader
from rig.meters.serial_port import BITS
from rig.twin.dlms.face import TwinDlms, answer_wrapped, split_wrapped
from rig.twin.dlms.station import Station
from rig.twin.ports import Timeline
from rig.twin.serial_wire import PtyServer
from rig.twin.wire import SILENCE, Answer, Deferred, HangUp, NoRequest, TcpServer

REACTION_S = 0.005


class WrapperServer(TcpServer):
    """Serves one meter on TCP; each connection has an association of its own."""

    def __init__(
        self,
        face: TwinDlms,
        timeline: Timeline,
        lock: AbstractContextManager[object],
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.face = face
        self._delay_s = 0.0
        self.garble: Callable[[bytes], bytes] = lambda answer: answer
        """What the network does to an answer (a fault)."""
        super().__init__("dlms", _split, lambda _: None, timeline, lock, host, port)

    def delay(self, seconds: float) -> None:
        """Every answer comes this late from now on (a fault)."""
        self._delay_s = seconds

    def _handling(self) -> Callable[[bytes], Answer]:
        association, starts = self.face.associate(), self.face.starts

        def handle(request: bytes) -> Answer:
            if self.face.starts != starts:
                return HangUp()  # it has rebooted since: the connection is not known any more
            if not self.face.answers:
                return SILENCE
            answer = answer_wrapped(association, request)
            if answer is None:
                return SILENCE
            answer = self.garble(answer)
            if not answer:
                return SILENCE
            return Deferred(self._delay_s, answer) if self._delay_s else answer

        return handle


def _split(data: bytes) -> tuple[list[bytes], bytes]:
    try:
        return split_wrapped(data)
    except ValueError:
        raise NoRequest from None


class HdlcServer(PtyServer):
    """Serves one meter on a serial port that speaks HDLC from the start, at one rate."""

    def __init__(self, face: TwinDlms, baud: int, timeline: Timeline, lock: AbstractContextManager[object]) -> None:
        self.face = face
        self._baud = baud
        self._line = HdlcEnd(face)
        self._characters = 0
        super().__init__(timeline, lock, None)

    def _breaks_off(self, arrives: bytes, whole: bytes) -> bool:
        del whole
        return nothing_whole(arrives)

    def _split(self, data: bytes) -> tuple[bytes | None, bytes]:
        return (data, b"") if data else (None, b"")

    def _request(self, request: bytes) -> None:
        self._characters += len(request)
        with self._lock:
            said = self._line.hear(request) if self._port_baud() == self._baud else None
        if said == b"":
            return  # nobody waits for an answer
        characters, self._characters = self._characters, 0
        if said is None:
            self._timeline.defer(None, lambda: None)
        else:
            self._reply(said, (characters + len(said)) * BITS / self._baud + REACTION_S)


def nothing_whole(arrives: bytes) -> bool:
    """Whether nothing in it ends: neither a frame nor what is damaged."""
    return not any(True for _ in Reader().feed(arrives))


class HdlcEnd:
    """One line's end of HDLC, over the meter's starts: what it knew before one is gone."""

    def __init__(self, face: TwinDlms) -> None:
        self._face = face
        self._station: Station = face.station()
        self._starts = face.starts
        self._end: Callable[[], None] = lambda: None

    def begin(self, end: Callable[[], None]) -> None:
        """Somebody signed on: nothing is connected yet. `end` is called when it was disconnected."""
        self._station.power_lost()
        self._end = end

    def hear(self, data: bytes) -> bytes | None:
        """What it says to what came: `b""` where nobody waits for an answer yet, None = it stays silent."""
        if self._starts != self._face.starts:
            self._starts = self._face.starts
            self._station.power_lost()
        if not self._face.answers:
            return None
        was = self._station.connected
        said = self._station.feed(data)
        if was and not self._station.connected:
            self._end()
        return said
