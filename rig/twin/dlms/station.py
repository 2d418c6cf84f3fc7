"""The secondary station of an HDLC link (IEC 62056-46, 6.4.4): numbering, windows, segmentation. No wire, no objects.

It speaks only when it was polled. What it sent and what was not acknowledged is sent again on the next poll. A frame
with a wrong check sequence is not answered at all.
"""

from __future__ import annotations

from collections.abc import Callable

from rig.meters.dlms import hdlc
from rig.meters.dlms.hdlc import Address, Damaged, Frame, Parameters, Reader

_MOST_APDU = 16_384
_FRAME_REJECTED = hdlc.FRMR | hdlc.POLL

Answer = Callable[[int, bytes], bytes]
"""Client's address and APDU to the answering APDU."""


class Station:
    """One meter's. `answer` is its application, `closed` is called when the link goes."""

    def __init__(self, address: int, ours: Parameters, answer: Answer, closed: Callable[[], None]) -> None:
        self._address = address
        self._ours = ours
        self._answer = answer
        self._closed = closed
        self._reader = Reader()
        self._agreed: Parameters | None = None
        self._clear()

    def _clear(self) -> None:
        self._send_at = self._take_at = 0
        self._collected = b""
        self._parts: list[bytes] = []
        self._first_part = 0
        """N(S) of the first of the parts that were not acknowledged."""
        self._client = Address(0)

    @property
    def connected(self) -> bool:
        return self._agreed is not None

    def power_lost(self) -> None:
        """What it knew of the link is gone."""
        self._reader.clear()
        self._end()

    def feed(self, data: bytes) -> bytes | None:
        """What it says to what came: `b""` where nobody waits for an answer yet, None where somebody waits in vain."""
        said, heard_all = b"", True
        for found in self._reader.feed(data):
            if isinstance(found, Damaged) or found.to.upper != self._address:
                heard_all = False
                continue
            said += b"".join(frame.encode() for frame in self._frame(found))
        return said if said or heard_all or self._reader.unfinished else None

    def _frame(self, frame: Frame) -> list[Frame]:
        if frame.is_information and self._agreed is not None:
            return self._information(frame)
        if frame.is_supervisory and self._agreed is not None:
            self._acknowledged(frame.received)
            return self._speak(frame) if frame.final else []
        if frame.kind == hdlc.SNRM:
            return [self._connect(frame)]
        if frame.kind == hdlc.DISC:
            was = self._agreed
            self._end()
            return [self._reply(frame, (hdlc.UA if was else hdlc.DM) | hdlc.POLL)]
        if not frame.final:
            return []
        return [self._reply(frame, hdlc.DM | hdlc.POLL if self._agreed is None else _FRAME_REJECTED)]

    def _connect(self, frame: Frame) -> Frame:
        try:
            theirs = Parameters.decode(frame.information)
        except ValueError:
            return self._reply(frame, hdlc.DM | hdlc.POLL)
        self._end()
        self._agreed = self._ours.met_by(theirs)
        self._client = frame.sender
        return self._reply(frame, hdlc.UA | hdlc.POLL, self._agreed.encode())

    def _end(self) -> None:
        if self._agreed is not None:
            self._closed()
        self._agreed = None
        self._clear()

    def _information(self, frame: Frame) -> list[Frame]:
        self._acknowledged(frame.received)
        if frame.sent == self._take_at and len(frame.information) <= (self._agreed or self._ours).take_bytes:
            self._take_at = hdlc.after(self._take_at)
            self._collected += frame.information
            if len(self._collected) > _MOST_APDU:
                self._collected = b""
                return [self._reply(frame, _FRAME_REJECTED)]
            if not frame.segmented:
                self._apdu(frame.sender.upper)
        return self._speak(frame) if frame.final else []

    def _apdu(self, client: int) -> None:
        whole, self._collected = self._collected, b""
        if whole.startswith(hdlc.LLC_REQUEST):
            answer = hdlc.LLC_RESPONSE + self._answer(client, whole[3:])
            size = (self._agreed or self._ours).send_bytes
            self._parts = [answer[at : at + size] for at in range(0, len(answer), size)]
            self._first_part = self._send_at

    def _acknowledged(self, received: int) -> None:
        count = (received - self._first_part) % 8
        if count <= len(self._parts):
            del self._parts[:count]
            self._first_part = received

    def _speak(self, frame: Frame) -> list[Frame]:
        """The window's worth of what is still to be said, the last with the final bit; or that it is ready."""
        window = self._parts[: (self._agreed or self._ours).send_window]
        if not window:
            return [self._reply(frame, hdlc.ready(self._take_at))]
        frames = []
        for at, part in enumerate(window):
            number = hdlc.after(self._first_part, at)
            control = hdlc.information(number, self._take_at, at == len(window) - 1)
            frames.append(Frame(frame.sender, frame.to, control, part, at < len(self._parts) - 1))
        self._send_at = hdlc.after(self._first_part, len(window))
        return frames

    def _reply(self, frame: Frame, control: int, information: bytes = b"") -> Frame:
        return Frame(frame.sender, frame.to, control, information)
