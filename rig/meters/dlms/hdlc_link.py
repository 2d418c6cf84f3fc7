"""The primary station of an HDLC link (IEC 62056-46, 6.4.4) on a serial port: set-up, windows, recovery, sign-off.

What was damaged on the line is asked for again by a poll, which repeats no action: a station takes each numbered frame
once. A late answer to an older question has an older number, and is dropped.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass

from rig.clock import Clock
from rig.errors import LinkError, LinkTimeout
from rig.meters.dlms import hdlc
from rig.meters.dlms.hdlc import Address, Damaged, Frame, Parameters, Reader
from rig.meters.dlms.link import LONGEST_APDU, Link
from rig.meters.serial_port import SerialPort
from rig.recording import Tap

_MOST_POLLS = 3
"""How often what was damaged or is missing is asked for again."""
_QUIET_S = 0.1
"""The line is quiet for so long before it is spoken on again."""
_MOST_ROUNDS = 4096
_FAREWELL_S = 0.5
"""How long a meter that is told off may take to say that it heard."""
_NOISE = 256
"""Bytes that are no frame, before an answer is given up."""
_OVERHEAD = 16
"""Bytes of a frame around its information, at most."""


@dataclass(frozen=True)
class HdlcSettings:
    """`client`, `server`: the addresses. `ours`: what is offered when the link is set up."""

    client: Address
    server: Address
    ours: Parameters
    timeout_s: float


class HdlcLink(Link):
    """`open_port` opens the port for HDLC: at a fixed rate, or by a sign-on (mode E)."""

    def __init__(self, port: SerialPort, open_port: Callable[[], None], settings: HdlcSettings, clock: Clock) -> None:
        super().__init__(port.name)
        self._port = port
        self._open_port = open_port
        self._settings = settings
        self._clock = clock
        self._agreed = settings.ours
        self._connected = False
        self._send_at = self._take_at = 0

    def record(self, tap: Tap) -> None:
        super().record(tap)
        self._port.tap = tap

    @property
    def agreed(self) -> Parameters:
        """What both sides can, since the link was set up."""
        return self._agreed

    # -- the port of a link ------------------------------------------------------------------------

    def connect(self) -> None:
        self.hang_up()
        self._open_port()
        self._port.drain(_QUIET_S)
        self._agreed = Parameters()
        self._send_at = self._take_at = 0
        self._connected = True  # a meter that did not hear us any more is told off all the same
        answer = self._last(self._set_up(), "connect")
        if answer.kind == hdlc.DM:
            raise LinkError(f"{self.name}: connect: the meter says that it is disconnected (DM)")
        if answer.kind != hdlc.UA:
            raise LinkError(f"{self.name}: connect: the meter answers {_name(answer)}, not UA")
        try:
            self._agreed = self._settings.ours.met_by(Parameters.decode(answer.information))
        except ValueError as error:
            raise LinkError(f"{self.name}: connect: the meter's parameters cannot be read: {error}") from None

    def _set_up(self) -> list[Frame]:
        """What comes damaged is asked for again: that sets the same link up anew."""
        for _ in range(_MOST_POLLS):
            with contextlib.suppress(_Lost):
                return self._ask(hdlc.SNRM | hdlc.POLL, self._settings.ours.encode(), "connect")
            self._port.drain(_QUIET_S)
        return self._ask(hdlc.SNRM | hdlc.POLL, self._settings.ours.encode(), "connect")

    def exchange(self, apdu: bytes, what: str, *, once: bool = False) -> bytes:
        if not self._connected:
            raise LinkError(f"{self.name}: {what}: not connected")
        whole = hdlc.LLC_REQUEST + apdu
        size = self._agreed.send_bytes
        parts = [whole[at : at + size] for at in range(0, len(whole), size)]
        answer = self._collect(self._deliver(parts, what, once), what, once)
        if not answer.startswith(hdlc.LLC_RESPONSE):
            raise LinkError(f"{self.name}: {what}: the answer has no LLC header (it begins {answer[:3].hex()})")
        return answer[len(hdlc.LLC_RESPONSE) :]

    def disconnect(self) -> None:
        if self._connected:
            self._connected = False
            self._ask(hdlc.DISC | hdlc.POLL, b"", "disconnect")
        self._port.close()

    def hang_up(self) -> None:
        if self._connected:
            self._connected = False
            try:
                with self._clock.shielded():
                    frame = Frame(self._settings.server, self._settings.client, hdlc.DISC | hdlc.POLL)
                    self._port.exchange(frame.encode(), len, first_s=_FAREWELL_S, longest=_NOISE, parity=False)
            except LinkError:
                pass  # the port is gone: nobody can be told
        self._port.close()

    def abort(self) -> None:
        self._port.abort()

    # -- an APDU out -------------------------------------------------------------------------------

    def _deliver(self, parts: list[bytes], what: str, once: bool) -> list[Frame]:
        """Send all parts, a window at a time; the frames that came when the last was acknowledged."""
        done = polls = 0
        while True:
            window = parts[done : done + self._agreed.send_window]
            first = self._send_at
            frames = self._window(window, more=done + len(window) < len(parts))
            try:
                heard = self._talk(frames, what, note=True)
            except (LinkTimeout, _Lost) as error:
                polls = self._again(error, polls, once, what)
                heard = self._poll(what, polls)
            taken = self._taken(heard, first, len(window), what)
            self._send_at = hdlc.after(first, taken)
            done += taken
            if done == len(parts):
                return heard
            if taken == len(window):
                polls = 0
                continue
            polls = self._again(_Lost(f"{self.name}: {what}: the meter missed a frame"), polls, once, what)

    def _window(self, window: list[bytes], more: bool) -> list[Frame]:
        frames = []
        for at, part in enumerate(window):
            last = at == len(window) - 1
            control = hdlc.information(hdlc.after(self._send_at, at), self._take_at, last)
            frames.append(self._frame(control, part, more or not last))
        return frames

    def _taken(self, heard: list[Frame], first: int, count: int, what: str) -> int:
        """How many of the frames that were sent the meter says it has; none where it speaks of older ones (it is
        late)."""
        taken = (self._last(heard, what).received - first) % 8
        return taken if taken <= count else 0

    # -- an APDU in --------------------------------------------------------------------------------

    def _collect(self, heard: list[Frame], what: str, once: bool) -> bytes:
        """All parts of the answer; after each window the next is asked for."""
        answer, polls = b"", 0
        for _ in range(_MOST_ROUNDS):
            before = self._take_at
            for frame in heard:
                if not frame.is_information or frame.sent != self._take_at:
                    continue  # a late or repeated one: what is missing is asked for
                self._take_at = hdlc.after(self._take_at)
                answer += frame.information
                if len(answer) > LONGEST_APDU:
                    raise LinkError(f"{self.name}: {what}: the answer is longer than an APDU can be")
                if not frame.segmented:
                    return answer
            if self._take_at == before:
                polls = self._again(
                    _Lost(f"{self.name}: {what}: the meter has the question, and gives no answer"), polls, once, what
                )
            else:
                polls = 0
            heard = self._poll(what, polls)
        raise LinkError(f"{self.name}: {what}: the answer does not end")

    def _poll(self, what: str, polls: int) -> list[Frame]:
        """Ask what the meter has and what it still wants to say, until something sound comes."""
        while True:
            try:
                return self._talk([self._frame(hdlc.ready(self._take_at))], what)
            except (LinkTimeout, _Lost) as error:
                polls = self._again(error, polls, False, what)

    def _again(self, error: LinkError, polls: int, once: bool, what: str) -> int:
        """One more try, or none. What `once` forbids is not even polled for."""
        if polls >= _MOST_POLLS or once:
            if isinstance(error, LinkTimeout):
                raise LinkTimeout(f"{self.name}: {what}: no answer within {self._settings.timeout_s:g} s") from None
            raise LinkError(error.message) from None
        self._port.drain(_QUIET_S)
        return polls + 1

    # -- frames ------------------------------------------------------------------------------------

    def _ask(self, control: int, information: bytes, what: str) -> list[Frame]:
        try:
            return self._talk([self._frame(control, information)], what)
        except LinkTimeout:
            raise LinkTimeout(f"{self.name}: {what}: no answer within {self._settings.timeout_s:g} s") from None

    def _frame(self, control: int, information: bytes = b"", segmented: bool = False) -> Frame:
        return Frame(self._settings.server, self._settings.client, control, information, segmented)

    def _talk(self, frames: list[Frame], what: str, note: bool = False) -> list[Frame]:
        """Send these frames, the last of which lets the meter speak; what it says, up to its own last one.

        `note`: they are an APDU, and when they left is told in `sent`.
        """
        heard = _Heard(self._settings, f"{self.name}: {what}")
        request = b"".join(frame.encode() for frame in frames)
        self._port.forget_sent()
        longest = self._agreed.take_window * (self._agreed.take_bytes + _OVERHEAD) + _NOISE
        try:
            self._port.exchange(request, heard.whole, first_s=self._settings.timeout_s, longest=longest, parity=False)
        except LinkTimeout:
            raise
        except LinkError as error:
            if heard.broke is None:
                text = error.message.removeprefix(f"{self.name}: ")
                raise _Lost(f"{self.name}: {what}: {text}") from None
            raise heard.broke from None
        finally:
            if note and self._port.sent is not None:
                self.sent = self._port.sent
        if heard.broke is not None:
            raise heard.broke
        return heard.frames

    def _last(self, heard: list[Frame], what: str) -> Frame:
        last = heard[-1]
        if last.kind in (hdlc.DM, hdlc.FRMR) and what != "connect":
            why = "is disconnected (DM)" if last.kind == hdlc.DM else "cannot take the frame (FRMR)"
            raise LinkError(f"{self.name}: {what}: the meter says that it {why}")
        return last


class _Lost(LinkError):
    """Something came, and it is not what the meter said: it may be asked for again."""


class _Heard:
    """What comes after a question, until the meter's last frame, or until it is clear that something was damaged."""

    def __init__(self, settings: HdlcSettings, what: str) -> None:
        self._settings = settings
        self._what = what
        self._reader = Reader()
        self._fed = 0
        self.frames: list[Frame] = []
        self.broke: LinkError | None = None

    def whole(self, data: bytes) -> int | None:
        """See `rig.meters.serial_port.Whole`: all that came, once the meter has spoken."""
        damaged = None
        for found in self._reader.feed(data[self._fed :]):
            if isinstance(found, Damaged):
                damaged = found
            elif self._is_echo(found):
                self.broke = LinkError(f"{self._what}: the line echoes what is sent: is the head's echo switched off?")
                return len(data)
            elif found.to == self._settings.client and found.sender.upper == self._settings.server.upper:
                self.frames.append(found)
        self._fed = len(data)
        if self.frames and self.frames[-1].final:
            return len(data)
        if damaged is not None:
            self.broke = _Lost(f"{self._what}: a damaged frame came: {damaged.why}")
            return len(data)
        return None

    def _is_echo(self, frame: Frame) -> bool:
        """Where both ends have the same address, nobody can tell."""
        ours = self._settings
        return frame.sender == ours.client != ours.server == frame.to


def _name(frame: Frame) -> str:
    names = {hdlc.UA: "UA", hdlc.DM: "DM", hdlc.FRMR: "FRMR", hdlc.SNRM: "SNRM", hdlc.DISC: "DISC", hdlc.UI: "UI"}
    return names.get(frame.kind, f"a frame with control field {frame.control:02x}")
