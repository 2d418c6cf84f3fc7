"""A serial port of any kind that pyserial opens: a device, an RFC 2217 server, a plain socket. Knows no protocol.

The port is always 8N1: a pseudo-terminal and many adapters cannot do 7E1, so its parity is done here in software, and
from sign-on to HDLC only the baud changes. An echo of what was sent (an optical head that sees its own light) is found
out with the first answer after `open`, and dropped. pyserial's own time-outs are not used: each exchange is guarded by
the injected clock.
"""

from __future__ import annotations

import contextlib
import os
import termios
from collections.abc import Callable
from typing import TypeVar

from rig.clock import NS, Clock, to_ns
from rig.errors import LinkError, LinkTimeout, RigError
from rig.meters.port import Sending
from rig.meters.serial_wires import Wire, open_wire
from rig.recording import Tap

BITS = 10
"""Of one character on the wire: start, eight (or seven and parity), stop."""
GAP_S = 1.5
"""The longest silence between two characters of one message (IEC 62056-21, 5.1)."""
_MOST_DRAINS, _MOST_CHUNKS, _CHUNK = 200, 10_000, 4096
_SWITCH_S = 0.01
"""After the last character, before the rate changes: an echo may still come. A meter waits for 20 ms at least."""

_EVEN = bytes(b | 0x80 if b.bit_count() % 2 else b for b in range(128))
_GOOD = frozenset(_EVEN)
_BAD = bytes(b for b in range(256) if b not in _GOOD)
_SEVEN = bytes(b & 0x7F for b in range(256))

_Result = TypeVar("_Result")


def seven_bits(data: bytes) -> bytes:
    """The characters, whatever their parity bit is."""
    return data.translate(_SEVEN)


Whole = Callable[[bytes], int | None]
"""How many bytes the message takes that begins what came; None while more must come. Raises LinkError."""


def with_parity(data: bytes) -> bytes:
    """Seven-bit characters as they go over the wire, with even parity. Raises ValueError for others."""
    if not data.isascii():
        raise ValueError("eight-bit characters have no parity")
    return bytes(_EVEN[b] for b in data)


def without_parity(data: bytes) -> bytes | None:
    """The characters, or None where the parity of one of them is wrong."""
    if len(data.translate(None, _BAD)) != len(data):
        return None
    return data.translate(_SEVEN)


class Damaged(LinkError):
    """What came is not what it was when it was sent: asking again may help."""


class SerialPort:
    """One port. Every call raises `LinkError` (a wrong answer, a broken link) or `LinkTimeout` (silence).

    After an error, and after a request to stop, the port stays open, unless it broke: a head that its lines feed keeps
    its power, and the device can still be signed off. Who uses it must `drain` before it asks again, or close.
    """

    def __init__(self, name: str, address: str, clock: Clock, *, software_parity: bool = True) -> None:
        """`address`: as pyserial's `serial_for_url` takes it.

        software_parity: False where whoever stands between makes and checks the parity (a device server that is set to
        7E1), or where there is none on the way: then characters are just below 128.
        """
        self.name = name
        self.address = address
        self.clock = clock
        self._software_parity = software_parity
        self._wire: Wire | None = None
        self._baud = 0
        self._sent: Sending | None = None
        self._rest = b""
        self.tap: Tap | None = None
        """Who hears what is said on this port."""
        self._came = b""
        self._heard = 0
        self._echoed = False
        self._echoes: bool | None = None
        """Whether what is sent comes back; None until the first answer since `open` has told."""

    @property
    def baud(self) -> int:
        return self._baud

    @property
    def sent(self) -> Sending | None:
        """When the last request of an `exchange` left; None when none did since `forget_sent`."""
        return self._sent

    def forget_sent(self) -> None:
        self._sent = None

    def seconds(self, characters: float, baud: int | None = None) -> float:
        """How long so many characters take on the line. Raises LinkError where no rate is set: the port is closed."""
        rate = baud or self._baud
        if not rate:
            raise LinkError(f"{self.name}: the port is not open")
        return characters * BITS / rate

    def open(self, baud: int) -> None:
        """Open at this rate, or change to it. Whether the head echoes is found out anew."""
        self._echoes = None
        self._guarded("open", 10.0, lambda: self._set(baud))

    def set_baud(self, baud: int) -> None:
        """Change the rate of an open port."""
        self._guarded("change the rate", 10.0, lambda: self._set(baud))

    def exchange(
        self,
        request: bytes,
        whole: Whole,
        *,
        first_s: float,
        longest: int,
        parity: bool = True,
        then_baud: int = 0,
        more: bool = False,
        secret: bool = False,
    ) -> bytes:
        """Send `request`, and return the message that answers it.

        first_s: until the first character of the answer. longest: bytes that the answer may have. parity: characters
        are seven bits and even parity, both ways. then_baud: the rate changes between request and answer. What came
        before the request is thrown away; what comes behind the answer is an error, or with `more` kept for `listen`.
        secret: the request holds a credential, so what came is told to nobody but as the whole answer: a damaged echo
        would be the credential.
        """
        line_s = self.seconds(len(request))
        most_s = line_s + first_s + self.seconds(longest, then_baud)

        def call() -> bytes:
            wire = self._opened()
            wire.discard()
            raw = self._raw(request, parity)
            self._sent = self._send(wire, raw, then_baud)
            echo = _Echo(b"" if self._echoes is False else raw)
            try:
                data = self._receive(wire, echo, whole, longest, parity, max(first_s, GAP_S))
            except BaseException:
                self._came = b"" if secret else self._came
                raise
            self._came = self._raw(data, parity) if secret else self._came
            return data

        self._rest = b""
        data = self._guarded("exchange", most_s, call)
        if self._rest and not more:
            raise LinkError(f"{self.name}: {len(self._rest)} bytes came behind the answer")
        return data

    def listen(self, whole: Whole, *, first_s: float, longest: int, parity: bool = True) -> bytes:
        """The next message of a device that goes on talking by itself. Nothing is thrown away."""

        def call() -> bytes:
            return self._receive(self._opened(), _Echo(b""), whole, longest, parity, max(first_s, GAP_S))

        return self._guarded("listen", first_s + self.seconds(longest), call)

    @property
    def rest(self) -> bytes:
        """What came behind the last answer."""
        return self._rest

    def tell(self, message: bytes, quiet_s: float, *, parity: bool = True) -> bytes:
        """Send what is not answered, and listen for `quiet_s`: what comes meanwhile is returned (256 bytes at most).

        What came before is thrown away.
        """
        heard, raw = b"", self._raw(message, parity)

        def call() -> None:
            nonlocal heard
            wire = self._opened()
            wire.discard()
            self._send(wire, raw, 0)
            for _ in range(_MOST_CHUNKS):
                some = wire.read(self.clock.real_timeout_s(quiet_s))
                self._came = (self._came + some)[:_CHUNK]
                heard = (heard + some)[: len(raw) + 256]
                if not some:
                    return

        with contextlib.suppress(LinkTimeout):  # silence is what was waited for
            self._guarded("tell", self.seconds(len(message)) + quiet_s, call)
        return heard.removeprefix(raw)[:256]

    def drain(self, quiet_s: float) -> None:
        """Throw away what comes until nothing came for `quiet_s`. Raises LinkError when the line is never quiet."""
        for _ in range(_MOST_DRAINS):
            self.clock.sleep(quiet_s)
            wire = self._wire
            if wire is None or not self._guarded("drain", 10.0, wire.discard):
                return
        raise LinkError(f"{self.name}: the line is never quiet")

    def abort(self) -> None:
        """See `rig.clock.Abortable`: ends a read or write that is blocked, in any thread."""
        wire = self._wire
        if wire is not None:
            wire.wake()

    def close(self) -> None:
        """Close; the next `open` opens again. May be called twice."""
        wire, self._wire = self._wire, None
        self._baud = 0
        if wire is not None:
            if self.tap is not None:
                self.tap.closed()
            wire.close()

    # -- one exchange --------------------------------------------------------------------------------------------

    def _guarded(self, what: str, timeout_s: float, call: Callable[[], _Result]) -> _Result:
        try:
            return self._watched(what, timeout_s, call)
        finally:
            self._tell_came()

    def _tell_came(self) -> None:
        """In one piece for each call: a secret that comes back as an echo is whole in it."""
        came, self._came = self._came, b""
        if self.tap is not None:
            self.tap.received(came)

    def _watched(self, what: str, timeout_s: float, call: Callable[[], _Result]) -> _Result:
        self._heard, self._echoed = 0, False
        try:
            with self.clock.io(self, timeout_s):
                return call()
        except LinkTimeout:
            raise self._silence(timeout_s) from None
        except LinkError as error:
            if type(error) in (LinkError, Damaged) and not error.message.startswith(f"{self.name}: "):
                raise type(error)(f"{self.name}: {error.message}") from None
            raise
        except RigError:
            raise
        except (OSError, ValueError, TypeError, termios.error) as error:  # a TypeError comes from a port that is closed
            self.close()
            number = getattr(error, "errno", None)
            why = type(error).__name__ if number is None else os.strerror(number)
            if what == "open":
                raise LinkError(f"{self.name}: cannot open {self.address} ({why})") from None
            raise LinkError(f"{self.name}: the port broke ({why})") from None

    def _silence(self, timeout_s: float) -> LinkError:
        if self._heard:
            return LinkError(f"{self.name}: the answer broke off after {self._heard} bytes")
        only = ": only the echo of the question came" if self._echoed else ""
        return LinkTimeout(f"{self.name}: no answer within {timeout_s:.3g} s{only}")

    def _opened(self) -> Wire:
        if self._wire is None:
            raise LinkError(f"{self.name}: the port is not open")
        self._wire.rest()
        return self._wire

    def _set(self, baud: int) -> None:
        if self._wire is None:
            self._wire = open_wire(self.address, baud)
            if self.tap is not None:
                self.tap.opened(self.address)
        elif baud != self._baud:
            self._wire.set_baud(baud)
        self._baud = baud

    def _send(self, wire: Wire, raw: bytes, then_baud: int) -> Sending:
        before = self.clock.now()
        if self.tap is not None:
            self.tap.sent(raw)
        wire.write(raw)
        over = before + to_ns(self.seconds(len(raw)))
        sent = Sending(before, max(self.clock.now(), over))
        if then_baud and then_baud != self._baud:
            if wire.has_line:  # an adapter's own buffer may not be empty yet: at the new rate its rest would be noise
                wire.pause(max(0.0, (over - self.clock.now()) / NS) + _SWITCH_S)
            self._set(then_baud)
        return sent

    def _receive(self, wire: Wire, echo: _Echo, whole: Whole, longest: int, parity: bool, gap_s: float) -> bytes:
        data, self._rest = self._rest, b""
        gap_s = self.clock.real_timeout_s(gap_s)
        while True:
            end = whole(data) if data else None
            if end is not None and end <= longest:
                self._rest = data[end:]
                return data[:end]
            if len(data) > longest or end is not None:
                raise LinkError(f"{self.name}: the answer does not end within {longest} bytes")
            raw = wire.read(gap_s)
            self._came += raw
            if not raw:
                raise self._silence(gap_s)
            data += self._taken(echo, raw, parity)

    def _taken(self, echo: _Echo, raw: bytes, parity: bool) -> bytes:
        """What of `raw` is an answer, as characters."""
        some = echo.drop(raw)
        self._echoed = echo.seen
        self._heard += len(some)
        if some and self._echoes is None:
            self._echoes = echo.seen
        if not parity:
            return some
        clean = without_parity(some) if self._software_parity else some if some.isascii() else None
        if clean is None:
            raise Damaged(f"{self.name}: the parity is wrong: bits were flipped on the line")
        return clean

    def _raw(self, message: bytes, parity: bool) -> bytes:
        return with_parity(message) if parity and self._software_parity else message


class _Echo:
    """Drops what was sent from the beginning of what comes, if it comes back."""

    def __init__(self, sent: bytes) -> None:
        self._sent = sent
        self._held: bytes | None = b"" if sent else None
        self.seen = False

    def drop(self, raw: bytes) -> bytes:
        """What of `raw` is no echo; while that is not clear it is held back."""
        if self._held is None:
            return raw
        self._held += raw
        if len(self._held) < len(self._sent) and self._sent.startswith(self._held):
            return b""
        held, self._held = self._held, None
        self.seen = held.startswith(self._sent)
        return held[len(self._sent) :] if self.seen else held
