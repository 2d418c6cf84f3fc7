"""The VISA resource names that the links speak, read once and strictly. Opens nothing.

Written as in the VISA specification (VPP-4.3, 4.3.1.1); a serial port by its device file, as pyvisa-py has it, and a
VXI-11 or HiSLIP port that is not the usual one behind a comma, as pyvisa-py has it, too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum


def _any_case(word: str) -> str:
    """A pattern for it in capitals and small letters; JSON Schema has no flag for that."""
    return "".join(f"[{c.upper()}{c.lower()}]" if c.isalpha() else c for c in word)


_NAME = r"[A-Za-z0-9_.-]+"
_TCPIP, _INSTR = _any_case("TCPIP") + "[0-9]*::", f"(?:::{_any_case('INSTR')})?"
_HISLIP_DEVICE = _any_case("hislip") + r"[0-9]+(?:,[0-9]{1,5})?"
_VXI11_DEVICE = "(?:" + "|".join(map(_any_case, ("inst", "gpib", "usb", "vxi", "com"))) + r")[0-9A-Za-z_,.\[\]-]*"
_HEX = r"(?:0[xX][0-9A-Fa-f]{1,4}|[0-9]{1,5})"
_SOCKET = rf"{_TCPIP}({_NAME}|\[[0-9A-Fa-f:.]+\])::([0-9]{{1,5}})::{_any_case('SOCKET')}"
_LAN = rf"{_TCPIP}({_NAME})(?:,([0-9]{{1,5}}))?(?:::({_HISLIP_DEVICE}|{_VXI11_DEVICE}))?{_INSTR}"
_USB = rf"{_any_case('USB')}[0-9]*::{_HEX}::{_HEX}::[!-9;-~]{{1,126}}(?:::[0-9]+)?{_INSTR}"
_SERIAL = rf"{_any_case('ASRL')}(/dev/(?:[!-9;-~]|:(?!:)){{1,200}}){_INSTR}"
PATTERN = f"^({_SOCKET}|{_LAN}|{_USB}|{_SERIAL})$"
"""What an address looks like; ports are checked by `parse_address`."""
FORMS = (
    "TCPIP::HOST::PORT::SOCKET",
    "TCPIP::HOST::inst0::INSTR",
    "TCPIP::HOST::hislip0::INSTR",
    "USB::0x1AB1::0x0E11::SERIAL::INSTR",
    "ASRL/dev/ttyUSB0::INSTR",
)
"""One of each kind, for people."""


class Kind(Enum):
    """How an instrument is reached."""

    SOCKET = "socket"
    VXI11 = "VXI-11"
    HISLIP = "HiSLIP"
    USB = "USB"
    SERIAL = "serial"


@dataclass(frozen=True)
class Address:
    """`text` as it was written. `host` (without brackets) of the three on a network; `port` None: the usual one.

    `device`: the serial port's file.
    """

    text: str
    kind: Kind
    host: str | None = None
    port: int | None = None
    device: str | None = None

    @property
    def place(self) -> str:
        """For people: where it is."""
        if self.host is not None:
            return self.host if self.port is None else f"{self.host}:{self.port}"
        return self.device or self.text


def parse_address(text: str) -> Address:
    """Raises ValueError that shows the forms."""
    if found := re.fullmatch(_SOCKET, text):
        return Address(text, Kind.SOCKET, _bare(found[1]), _port(text, found[2]))
    if found := re.fullmatch(_LAN, text):
        return _lan_device(text, found)
    if found := re.fullmatch(_USB, text):
        return Address(text, Kind.USB)
    if found := re.fullmatch(_SERIAL, text):
        return Address(text, Kind.SERIAL, device=found[1])
    raise ValueError(f"{text!r} is no address like {', '.join(FORMS[:-1])} or {FORMS[-1]}")


def _lan_device(text: str, found: re.Match[str]) -> Address:
    device, _, device_port = (found[3] or "").partition(",")
    hislip = device.lower().startswith("hislip")
    kind, port = (Kind.HISLIP, device_port or None) if hislip else (Kind.VXI11, found[2])
    if hislip and found[2]:
        raise ValueError(f"{text!r}: the port of a HiSLIP address stands behind hislip0, as in hislip0,4880")
    return Address(text, kind, _bare(found[1]), _port(text, port))


def _bare(host: str) -> str:
    return host.removeprefix("[").removesuffix("]")


def _port(text: str, digits: str | None) -> int | None:
    if digits is None:
        return None
    if not 1 <= int(digits) <= 65_535:
        raise ValueError(f"{text!r}: the port must be from 1 to 65535")
    return int(digits)
