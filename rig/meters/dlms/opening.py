"""The link to a DLMS meter, from where it is and how it is spoken to. Opens nothing yet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rig.clock import Clock
from rig.meters.dlms.hdlc import Address, Parameters
from rig.meters.dlms.hdlc_link import HdlcLink, HdlcSettings
from rig.meters.dlms.link import Link, WrapperLink
from rig.meters.iec62056.sign_on import SignOn, sign_on_hdlc
from rig.meters.serial_port import SerialPort


@dataclass(frozen=True)
class Serial:
    """A port: HDLC at `baud` at once, or after a sign-on (`how`), which agrees on the rate."""

    url: str
    baud: int
    how: SignOn | None


@dataclass(frozen=True)
class Addresses:
    """Of the client, the logical device, and the physical one where it is named."""

    client: int
    server: int
    physical: int | None = None


def tcp_link(name: str, place: tuple[str, int], who: Addresses, clock: Clock, timeout_s: float) -> Link:
    """The wrapper on TCP."""
    return WrapperLink(name, place, (who.client, who.server), clock, timeout_s)


def serial_link(
    name: str, line: Serial, who: Addresses, offered: tuple[int, int], clock: Clock, timeout_s: float
) -> HdlcLink:
    """HDLC on a port. `offered`: information bytes of a frame, and frames before an answer."""
    port = SerialPort(name, line.url, clock)
    size, window = offered
    settings = HdlcSettings(
        Address(who.client),
        Address.fits(who.server, who.physical),
        Parameters(size, size, window, window),
        timeout_s,
    )
    return HdlcLink(port, _opener(port, line), settings, clock)


def _opener(port: SerialPort, line: Serial) -> Callable[[], None]:
    how = line.how
    if how is None:
        return lambda: port.open(line.baud)

    def sign_on() -> None:
        sign_on_hdlc(port, how)

    return sign_on
