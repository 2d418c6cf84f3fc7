"""An instrument that speaks SCPI, over any of the wires that a VISA address can name, made safe against silence.

Knows lines and blocks. Knows no instrument, and not how a wire works (`rig.instruments.wires`).
"""

from __future__ import annotations

from functools import partial

from rig.clock.base import Clock
from rig.errors import LinkError, Where
from rig.instruments.address import Address, Kind, parse_address
from rig.instruments.guarded import GuardedWire
from rig.instruments.ports import Identity
from rig.instruments.scpi import PLAIN, Block, Frame, is_query, parse_identity, read_block
from rig.instruments.tapped import TappedWire
from rig.instruments.wires import LineSettings, SerialWire, SocketWire, Wire
from rig.recording import Tap


def wire_to(address: str, timeout_s: float, line: LineSettings | None = None, tap: Tap | None = None) -> Wire:
    """The wire that a VISA address names, not yet open; `tap` hears it. Raises ValueError for what is no address."""
    wire = _plain_wire(parse_address(address), timeout_s, line)
    return wire if tap is None else TappedWire(wire, tap, address)


def _plain_wire(at: Address, timeout_s: float, line: LineSettings | None) -> Wire:
    if at.kind is Kind.SOCKET:
        assert at.host is not None  # noqa: S101 - the address has both, or was refused
        assert at.port is not None  # noqa: S101
        return SocketWire(at.host, at.port)
    if at.kind is Kind.SERIAL:
        assert at.device is not None  # noqa: S101
        return SerialWire(at.device, line or LineSettings(), settles_s=timeout_s)
    from rig.instruments.visa_wires import VisaWire

    return VisaWire(at)


class VisaLink:
    """`ScpiLink` over the wire that `address` names. Opens with the first exchange; each exchange has `timeout_s`.

    After silence or any broken exchange the link is closed; the next exchange opens it again and refuses (`LinkError`)
    an instrument whose `*IDN?` is not that of the first opening. A reply that comes late is never read as an answer.
    `clears` False: the opening does not empty the error queue, for who only looks at an instrument. `line`: how a
    serial port is set. `tap` hears all that is said. `wire`: another than that of the address.
    """

    def __init__(
        self,
        address: str,
        clock: Clock,
        timeout_s: float,
        name: str,
        *,
        clears: bool = True,
        line: LineSettings | None = None,
        tap: Tap | None = None,
        wire: Wire | None = None,
    ) -> None:
        self._timeout_s = timeout_s
        self._name = name
        self._wire = GuardedWire(
            name, wire or wire_to(address, timeout_s, line, tap), clock, partial(_greet, name, clears)
        )

    @property
    def name(self) -> str:
        return self._name

    @property
    def openings(self) -> int:
        """See `ScpiLink`."""
        return self._wire.openings

    @property
    def is_open(self) -> bool:
        """False before the first exchange, and after a broken one."""
        return self._wire.is_open

    def exchange(self, *commands: str) -> tuple[str, ...]:
        """See `ScpiLink`."""
        if not commands or not is_query(commands[-1]):
            raise ValueError("an exchange ends with a query")
        with self._wire.exchange(commands[-1], self._timeout_s) as wire:
            replies = []
            for text in commands:
                wire.write(_line(text))
                if is_query(text):
                    replies.append(_text(self._name, text, wire.read_line()))
            return tuple(replies)

    def query(self, command: str) -> str:
        return self.exchange(command)[0]

    def query_block(self, command: str, timeout_s: float | None = None, frame: Frame = PLAIN) -> Block:
        """See `ScpiLink`. A header that lies closes the link: what follows could not be told from data."""
        with self._wire.exchange(command, self._timeout_s if timeout_s is None else timeout_s) as wire:
            wire.write(_line(command))
            return read_block(self._name, command, wire.read, frame)

    def abort(self) -> None:
        """See `rig.clock.Abortable`."""
        self._wire.abort()

    def close(self) -> None:
        """Close; the next exchange would open again. Never raises for a link that is already broken."""
        self._wire.close()

    def reopen(self) -> Identity:
        """Close, open and identify again; returns who answered."""
        self.close()
        return parse_identity(self._name, self.query("*IDN?"))


def _greet(name: str, clears: bool, wire: Wire) -> str:
    """The error queue starts empty, and who answers is known before anything else is said."""
    if clears:
        wire.write(b"*CLS\n")
    wire.write(b"*IDN?\n")
    found = parse_identity(name, _text(name, "*IDN?", wire.read_line()))
    return f"{found.model} {found.serial}"


def _line(text: str) -> bytes:
    return text.encode("ascii") + b"\n"


def _text(name: str, command: str, raw: bytes) -> str:
    line, _, more = raw.partition(b"\n")
    if more:
        raise LinkError(f"{name}: more than one reply to {command!r}", Where(found=repr(raw[:80])))
    try:
        return line.decode("ascii").strip()
    except UnicodeDecodeError:
        raise LinkError(f"{name}: the reply to {command!r} is no text", Where(found=repr(raw[:40]))) from None
