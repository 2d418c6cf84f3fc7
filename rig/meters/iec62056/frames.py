"""The characters of IEC 62056-21: identification, data sets, programming commands, block check. Pure; no line, no time.

Everything that comes is bounded and checked; every way to be wrong is a `LinkError` with its own words. Clauses are of
IEC 62056-21:2002.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import reduce
from operator import xor

from rig.errors import LinkError
from rig.meters.serial_port import Damaged

SOH, STX, ETX, EOT, ACK, NAK = b"\x01", b"\x02", b"\x03", b"\x04", b"\x06", b"\x15"
BREAK = b"\x01B0\x03q"
"""Sign-off (6.3.10): the command B0 and its block check."""

MODE_B = {"A": 600, "B": 1200, "C": 2400, "D": 4800, "E": 9600, "F": 19_200}
MODE_C = {"0": 300, "1": 600, "2": 1200, "3": 2400, "4": 4800, "5": 9600, "6": 19_200}
"""Baud rate identification (6.3.14, item 13): what a meter's identification says. G to I and 7 to 9 are reserved."""
LONGEST_IDENTIFICATION = 60
"""`/XXXZ`, escape sequences, sixteen characters, CR LF are at most 29 (6.3.2); some meters send more."""
_IDENTIFICATION = re.compile(
    rb"/([A-Za-z]{2}[A-Za-z])([^/!\\\r\n\x00-\x1f\x7f])((?:\\[^\x00-\x1f/!])*)([^/!\x00-\x1f\x7f]*)\r\n"
)
_ADDRESS = re.compile(r"[0-9A-Za-z ]{0,32}")
_SET = re.compile(rb"([^()/!\x00-\x1f\x7f]{0,64})\(([^()\x00-\x1f\x7f]*)\)")


@dataclass(frozen=True)
class Identification:
    """What a meter says at sign-on. `baud_character` also says the mode: A has none. `enhanced`: it speaks HDLC."""

    maker: str
    baud_character: str
    text: str
    enhanced: bool = False

    @property
    def mode(self) -> str:
        """A, B or C (6.3.14): by the character that tells the rate. A meter of mode C may do D or E, too."""
        if self.baud_character in tuple("ABCDEFGHI"):
            return "B"
        return "C" if self.baud_character in tuple("0123456789") else "A"

    @property
    def least_reaction_s(self) -> float:
        """20 ms where the third letter of the maker is lower case, else 200 ms (6.3.14, item 12)."""
        return 0.02 if self.maker[2].islower() else 0.2

    def baud(self, most: int) -> tuple[str, int]:
        """The character and the rate to go on at: the meter's, or in mode C the highest below it that is not above
        `most`. Raises LinkError for a reserved character, and for a mode B that is faster than `most`.
        """
        offered = {**MODE_B, **MODE_C}.get(self.baud_character)
        if offered is None:
            raise LinkError(f"the meter offers the rate '{self.baud_character}', which is reserved")
        if self.mode == "B":
            if offered > most:
                raise LinkError(f"the meter goes on at {offered} baud (mode B), and at most {most} is allowed")
            return self.baud_character, offered
        rate = max(r for r in MODE_C.values() if r <= min(offered, max(most, 300)))
        return next(c for c, r in MODE_C.items() if r == rate), rate


def request_message(address: str = "") -> bytes:
    """`/?address!` (6.3.1). Raises ValueError for an address that cannot be one."""
    if _ADDRESS.fullmatch(address) is None:
        raise ValueError("a device address has at most 32 digits, letters and blanks")
    return b"/?" + address.encode("ascii") + b"!\r\n"


def option_select(protocol: str, baud_character: str, mode: str) -> bytes:
    """`ACK V Z Y CR LF` (6.3.3): V protocol (0 normal, 2 HDLC), Y mode (0 readout, 1 programming, 2 HDLC)."""
    return ACK + f"{protocol}{baud_character}{mode}".encode("ascii") + b"\r\n"


def identification_end(data: bytes) -> int | None:
    """See `rig.meters.serial_port.Whole`: an identification ends with CR LF."""
    if not data.startswith(b"/"):
        raise LinkError(f"no identification: the answer begins with {shown(data)}")
    end = data.find(b"\r\n")
    return None if end < 0 else end + 2


def identification(data: bytes) -> Identification:
    """Raises LinkError."""
    found = _IDENTIFICATION.fullmatch(data)
    if found is None:
        raise LinkError(f"no identification: {shown(data)}")
    maker, baud, escapes, text = (part.decode("ascii", "replace") for part in found.groups())
    who = Identification(maker, baud, text.strip(), "\\2" in escapes)
    return who if who.mode != "A" else Identification(maker, "", (baud + text).strip())


# -- block check -----------------------------------------------------------------------------------------------------


def block_check(data: bytes) -> int:
    """The longitudinal parity of ISO/IEC 1155 over what follows the first SOH or STX, up to and with ETX or EOT."""
    return reduce(xor, data, 0)


def framed(message: bytes) -> bytes:
    """`message`, which begins with SOH or STX and ends with ETX or EOT, with its block check."""
    return message + bytes([block_check(message[1:])])


def block_end(data: bytes) -> int | None:
    """See `Whole`: one block with its check, or a single ACK or NAK. Raises LinkError for a wrong block check."""
    if data[:1] in (ACK, NAK):
        return 1
    if data[:1] not in (SOH, STX):
        raise Damaged(f"no block: the answer begins with {shown(data)}")
    end = _last_of_block(data)
    if end is None or len(data) < end + 2:
        return None
    if block_check(data[1 : end + 1]) != data[end + 1]:
        raise Damaged("the block check is wrong: bits were flipped on the line")
    return end + 2


def _last_of_block(data: bytes) -> int | None:
    ends = [at for at in (data.find(ETX), data.find(EOT)) if at >= 0]
    return min(ends) if ends else None


# -- programming mode ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Block:
    """One block that a meter sent. `command`: as `P0` or `B0`, empty for data. `more`: further blocks follow (EOT)."""

    command: str
    text: bytes
    more: bool = False


def command_message(command: str, text: bytes) -> bytes:
    """`SOH command STX text ETX check` (6.3.5); without STX where there is no text."""
    body = STX + text if text else b""
    return framed(SOH + command.encode("ascii") + body + ETX)


def block(data: bytes) -> Block:
    """What `block_end` found whole. Raises LinkError."""
    if data[:1] == SOH:
        head, _, text = data[1:-2].partition(STX)
        if len(head) != 2 or not head.isalnum():
            raise LinkError(f"no command: {shown(head)}")
        return Block(head.decode("ascii"), text, data[-2:-1] == EOT)
    return Block("", data[1:-2], data[-2:-1] == EOT)


def data_sets(text: bytes, most: int = 4096) -> list[tuple[str, str]]:
    """The data sets `address(value*unit)` of one block; a value without an address belongs to the one before it.

    A readout has them in lines (6.3.4). Raises LinkError for anything else, and for more than `most` of them.
    """
    sets, at, address = [], 0, ""
    while at < len(text):
        if text[at : at + 1] in (b"\r", b"\n"):
            at += 1
            address = ""
            continue
        found = _SET.match(text, at)
        if found is None:
            raise LinkError(f"no data set: {shown(text[at : at + 32])}")
        address = found[1].decode("ascii", "replace") or address
        sets.append((address, found[2].decode("ascii", "replace")))
        if len(sets) > most:
            raise LinkError(f"more than {most} data sets")
        at = found.end()
    return sets


def readout_sets(text: bytes) -> list[tuple[str, str]]:
    """The data sets of a readout, which ends with `!` (6.3.4). Raises LinkError."""
    body, end, behind = text.rpartition(b"!")
    if not end or behind not in (b"\r\n", b""):
        raise LinkError(f"the readout has no end: {shown(text[-24:])}")
    return data_sets(body)


def error_text(sets: list[tuple[str, str]]) -> str | None:
    """What the meter complains of (6.3.7: an error message is a data set whose value tells it), or None."""
    if len(sets) == 1 and not sets[0][0] and sets[0][1].startswith("ER"):
        return sets[0][1]
    return None


def shown(data: bytes) -> str:
    """Bytes of a line as a person reads them; few of them."""
    some = data[:24]
    return ascii(some.decode("latin-1")) + ("..." if len(data) > len(some) else "")
