"""Korad KA and KD supplies, and those that are the same under other names (Tenma, RND, Velleman), as a `Supply`.

One channel on a serial port (USB or RS-232, 9600 baud, 8N1). Commands: 'KA3000 / KD3000 Series Remote Control Syntax
V2.0' (`VSET1:`, `ISET1:`, `VOUT1?`, `IOUT1?`, `OUT`, `OCP`, `STATUS?`), as public copies of it and sigrok's, dcps's and
py-korad-serial's drivers have it; it has no page numbers. Nothing ends a command or an answer: lengths do.

**Its firmware.** It loses what comes sooner than about 80 ms after the last command. `ISET1?` may answer a sixth
character that belongs to nothing. Most versions have no serial number in `*IDN?`: then a bench file cannot tell one
supply from another of its kind. There is no error queue: only the read-back proves a set. `STATUS?` is one byte: bit 0
= CV, bit 6 = output on; bit 5 is OCP in some versions and the lock of its keys in others.

**What it protects with.** Its current limit, always. `OCP1` makes it trip when the limit acts; that is claimed
(`over_current_a = "at-limit"`) only where this firmware shows in bit 5 that it obeyed, else it is refused, and the
bench file must say `"none"`. Over-voltage: `OVP1` has no level that could be set or read, so `over_voltage_v = "none"`.
"""

from __future__ import annotations

import re

from rig.clock.base import Clock
from rig.errors import AnotherInstrument, LinkError, Refused, Where
from rig.instruments.byte_link import SerialByteLink
from rig.instruments.guards import Guard
from rig.instruments.ports import Identity, SupplyLimits, SupplyReading, SupplySettings
from rig.instruments.scpi import OffTexts, ScpiLink, parse_number
from rig.instruments.supplies.dialect import Channels, Rating, check_settings
from rig.instruments.unended import UnendedLink
from rig.instruments.wires import LineSettings
from rig.recording import Tap

PAUSE_S = 0.08
"""Kept between two commands."""
LENGTHS: dict[str, int | None] = {"*IDN?": None, "ISET1?": None, "VSET1?": 5, "VOUT1?": 5, "IOUT1?": 5, "STATUS?": 1}
"""Of the answers, in bytes; None: until the line is quiet."""
_NUMBER = 5
"""Characters of `12.00` and of `0.150`."""
_CV_BIT, _OCP_BIT, _ON_BIT = 0, 5, 6
_READING = ("VOUT1?", "IOUT1?", "STATUS?")

_IDN = re.compile(
    r"(KORAD|TENMA|RND|VELLEMAN|STAMOS)\s*(?:320-)?((?:KA|KD)[0-9]{4}P|72-[0-9]{4}|LABPS[0-9]{4}D)\s*V([0-9][0-9.]*)"
    r"(?:\s*SN:([0-9A-Za-z]+))?",
    re.IGNORECASE,
)


def _rating(volts: float, amps: float) -> Rating:
    guards = (Guard.AT_LIMIT, Guard.NONE)
    return Rating((0.0, volts), (0.0, amps), (Guard.NONE,), guards, volts_step=0.01, amps_step=0.001)


_MODELS: dict[str, Rating] = {
    "KA3003P": _rating(30.0, 3.0),
    "KA3005P": _rating(30.0, 5.0),
    "KA6002P": _rating(60.0, 2.0),
    "KA6003P": _rating(60.0, 3.0),
    "KA6005P": _rating(60.0, 5.0),
    "KD3005P": _rating(30.0, 5.0),
    "KD6005P": _rating(60.0, 5.0),
    "72-2535": _rating(30.0, 3.0),
    "72-2540": _rating(30.0, 5.0),
    "72-2545": _rating(60.0, 2.0),
    "72-2550": _rating(60.0, 3.0),
    "72-2710": _rating(30.0, 5.0),
    "LABPS3005D": _rating(30.0, 5.0),
}


def off_texts(channel: int) -> OffTexts:
    """For the guardian: the same bytes as the driver's own. There is one channel."""
    del channel
    return OffTexts("OUT0", "STATUS?", off_bit=_ON_BIT, ends="", reply_bytes=1, pause_s=PAUSE_S)


def parse_idn(text: str) -> Identity | None:
    """Its one word as maker, model, serial number (often empty) and version; None when it is none of the family."""
    found = _IDN.fullmatch(text.strip("\0\r\n "))
    return None if found is None else Identity(found[1].upper(), found[2].upper(), found[4] or "", found[3])


def channels(who: Identity) -> Channels:
    known = _MODELS.get(who.model) if who.maker in ("KORAD", "TENMA", "RND", "VELLEMAN", "STAMOS") else None
    return () if known is None else (known,)


def link_to(
    address: str, clock: Clock, timeout_s: float, name: str, line: LineSettings, tap: Tap | None = None
) -> UnendedLink:
    """The link that the driver needs, not yet open."""
    return UnendedLink(SerialByteLink(address, clock, timeout_s, name, line=line, pause_s=PAUSE_S, tap=tap), LENGTHS)


class Korad:
    """The one channel of such a supply."""

    def __init__(self, name: str, link: ScpiLink, channel: int, limits: SupplyLimits) -> None:
        self._name = name
        self._link = link
        self._channel = channel
        self._limits = limits
        self._rating: Rating | None = None
        self._trips = False
        self._wanted_on = False

    @property
    def name(self) -> str:
        return self._name

    def identify(self) -> Identity:
        """Who answers; `LinkError` unless it is one of the family. The serial number is empty where it tells none."""
        reply = self._link.query("*IDN?")
        who = parse_idn(reply)
        known = () if who is None else channels(who)
        if who is None or not known:
            expected = f"a Korad or Tenma {', '.join(_MODELS)}"
            raise AnotherInstrument(
                f"{self._name}: this is another instrument", Where(found=repr(reply), expected=expected)
            )
        if self._channel != 1:
            found = Where(found=f"channel {self._channel}", expected="1")
            raise LinkError(f"{self._name}: a {who.model} has no such channel", found)
        self._rating = known[0]
        return who

    def apply(self, settings: SupplySettings) -> None:
        """See `Supply.apply`."""
        check_settings(self._name, settings, self._limits, None)
        if self._rating is None:
            self.identify()
        check_settings(self._name, settings, self._limits, self._rating)
        self._set(f"ISET1:{settings.amps:.3f}", "ISET1?", settings.amps, 0.001)
        self._protect(settings.over_current_a is Guard.AT_LIMIT)
        self._set(f"VSET1:{settings.volts:05.2f}", "VSET1?", settings.volts, 0.01)

    def output(self, on: bool) -> None:
        """See `Supply.output`."""
        self._wanted_on = on
        if self._status("OUT1" if on else "OUT0") >> _ON_BIT & 1 != on:
            raise LinkError(f"{self._name}: the output was not switched {'on' if on else 'off'}")

    def read(self) -> SupplyReading:
        """See `Supply.read`. Tripped: with its OCP on, the output went off by itself."""
        return self._reading(self._link.exchange(*_READING))

    def _reading(self, replies: tuple[str, ...]) -> SupplyReading:
        volts, amps = (self._number(question, reply) for question, reply in zip(_READING[:2], replies[:2], strict=True))
        status = self._bits(replies[2])
        on = bool(status >> _ON_BIT & 1)
        mode = "CV" if status >> _CV_BIT & 1 else "CC"
        return SupplyReading(volts, amps, mode if on else "off", on, self._trips and self._wanted_on and not on)

    def clear(self) -> SupplyReading:
        """See `Supply.clear`. A tripped one is off, and goes on again when it is told to: there is nothing to clear."""
        self.output(False)
        return self.read()

    def make_safe(self) -> SupplyReading:
        """See `Supply.make_safe`."""
        self._wanted_on = False
        reading = self._reading(self._link.exchange("OUT0", *_READING))
        if reading.output_on:
            raise LinkError(f"{self._name}: the output is still on after OUT0", Where(found="on", expected="off"))
        return reading

    def close(self) -> None:
        self._link.close()

    def _protect(self, wanted: bool) -> None:
        """OCP on or off. On is proven by its bit, which was clear after OCP0: else the bit is something else's."""
        self._trips = False
        off = self._status("OCP0") >> _OCP_BIT & 1
        if not wanted:
            return
        on = self._status("OCP1") >> _OCP_BIT & 1
        if (off, on) != (0, 1):
            self._status("OCP0")
            raise Refused(
                f"{self._name}: this firmware does not tell whether its over-current protection is on",
                Where(key="over_current_a", found="'at-limit'", expected="'none'"),
            )
        self._trips = True

    def _set(self, text: str, question: str, value: float, step: float) -> None:
        (reply,) = self._link.exchange(text, question)
        back = self._number(question, reply)
        if abs(back - value) > step / 2 + 1e-9:
            found = Where(found=f"{back:g}", expected=f"{value:g}")
            raise LinkError(f"{self._name}: {text!r} was not obeyed", found)

    def _number(self, question: str, reply: str) -> float:
        """Five characters; the one that `ISET1?` may send behind them is thrown away."""
        text = reply[:_NUMBER] if question == "ISET1?" and len(reply) == _NUMBER + 1 else reply
        if not re.fullmatch(r"[0-9]{1,2}\.[0-9]{2,3}", text):
            raise LinkError(f"{self._name}: wrong reply to {question!r}", Where(found=repr(reply), expected="12.00"))
        return parse_number(self._name, question, text)

    def _status(self, command: str) -> int:
        """Send a command, and the status behind it."""
        return self._bits(self._link.exchange(command, "STATUS?")[0])

    def _bits(self, reply: str) -> int:
        if len(reply) != 1:
            raise LinkError(f"{self._name}: wrong reply to 'STATUS?'", Where(found=repr(reply), expected="one byte"))
        return ord(reply)
