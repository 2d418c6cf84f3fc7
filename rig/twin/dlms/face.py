"""The DLMS face of the twin's meter: its objects, who may ask, and a link's end for each that asks. No sockets."""

from __future__ import annotations

import hashlib
import itertools
import struct
from dataclasses import dataclass

from rig.meters.dlms.hdlc import LONGEST_INFORMATION, Parameters
from rig.twin.dlms.association import Association, Client, Counters, Security
from rig.twin.dlms.objects import Objects
from rig.twin.dlms.station import Station
from rig.twin.meter import TwinMeter

BLOCK_BYTES = 1024
"""Of its image blocks."""
LOGICAL_DEVICE = 1
PUBLIC_CLIENT, _MANAGEMENT = 16, 1
TITLE = b"SYN\0\0\0\0\1"
"""The meter's system title."""
_WRAPPER = struct.Struct(">HHHH")
LONGEST_WRAPPED = 16_384
OPEN = Security({PUBLIC_CLIENT: Client(), _MANAGEMENT: Client()}, TITLE)
"""Who asks needs to show nothing."""


@dataclass(frozen=True)
class LinkSettings:
    """What its HDLC can: information bytes of a frame and frames before an answer, both ways."""

    information_bytes: int = LONGEST_INFORMATION
    window: int = 1

    def parameters(self) -> Parameters:
        return Parameters(self.information_bytes, self.information_bytes, self.window, self.window)


class TwinDlms:
    """One meter's."""

    def __init__(
        self,
        meter: TwinMeter,
        security: Security = OPEN,
        link: LinkSettings | None = None,
        block_bytes: int = BLOCK_BYTES,
        scale: float = 1.0,
    ) -> None:
        """`scale`: how many seconds outside a second of the model takes; times are told in those outside."""
        self._meter = meter
        self._security = security
        self._link = link or LinkSettings()
        self._counters = Counters()
        self._challenges = itertools.count(1)
        self.objects = Objects(meter, block_bytes, scale)

    @property
    def answers(self) -> bool:
        return self._meter.answers

    @property
    def starts(self) -> int:
        """How often it started: what it knew of a link before is gone."""
        return self._meter.starts

    def associate(self) -> Association:
        """A link's end without frames: APDUs in, APDUs out."""
        return Association(self.objects, self._security, self._counters, self._challenge)

    def station(self) -> Station:
        """A link's end that speaks HDLC."""
        association = self.associate()
        return Station(LOGICAL_DEVICE, self._link.parameters(), association.answer, association.close)

    def _challenge(self) -> bytes:
        return hashlib.sha256(b"challenge %d" % next(self._challenges)).digest()[:16]


def split_wrapped(data: bytes) -> tuple[list[bytes], bytes]:
    """Whole wrapper PDUs in what came, and the rest (IEC 62056-47, 7.3.3). Raises ValueError for what is none."""
    found = []
    while len(data) >= _WRAPPER.size:
        version, _, _, size = _WRAPPER.unpack_from(data)
        if version != 1 or not 1 <= size <= LONGEST_WRAPPED:
            raise ValueError("no wrapper")
        end = _WRAPPER.size + size
        if len(data) < end:
            break
        found.append(data[:end])
        data = data[end:]
    return found, data


def answer_wrapped(association: Association, request: bytes) -> bytes | None:
    """The answer in its wrapper; None for another logical device."""
    _, client, server, _ = _WRAPPER.unpack_from(request)
    if server != LOGICAL_DEVICE:
        return None
    apdu = association.answer(client, request[_WRAPPER.size :])
    return _WRAPPER.pack(1, server, client, len(apdu)) + apdu
