"""The number of each ciphered frame: none is used twice with one key, whatever became of the frame."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rig.errors import LinkError, LinkTimeout
from rig.meters.dlms.client import AssociationSettings, DlmsClient, Keys
from rig.meters.dlms.counter import FrameCounter
from rig.meters.dlms.link import Link

SETTINGS = AssociationSettings(client=1, server=1, authentication="high-gmac", ciphered=True, title=b"RIG00001")
KEYS = Keys(encryption=bytes(range(16)), authentication=bytes(range(16, 32)))


class SilentLink(Link):
    """Takes each APDU, and says nothing."""

    def __init__(self) -> None:
        super().__init__("meter")
        self.taken: list[bytes] = []

    def connect(self) -> None:
        """Nobody is there."""

    def exchange(self, apdu: bytes, what: str, *, once: bool = False) -> bytes:
        self.taken.append(apdu)
        raise LinkTimeout(f"{what}: no answer")

    def disconnect(self) -> None:
        """Nobody is there."""

    def hang_up(self) -> None:
        """Nobody is there."""

    def abort(self) -> None:
        """Nothing waits."""


def number_of(apdu: bytes) -> bytes:
    """Of the ciphered InitiateRequest in an AARQ: behind its tag, its length and the security control."""
    found = re.search(rb"\x21.\x30(.{4})", apdu, re.DOTALL)
    assert found is not None
    return found.group(1)


def test_a_number_whose_frame_was_not_answered_is_not_used_again(tmp_path: Path) -> None:
    link = SilentLink()
    client = DlmsClient(link, SETTINGS, KEYS, FrameCounter(tmp_path / "counter"))
    for _ in range(3):
        with pytest.raises(LinkError, match="no answer"):
            client.open()
    numbers = [number_of(apdu) for apdu in link.taken]
    assert len(numbers) == 3
    assert numbers == sorted(set(numbers))
