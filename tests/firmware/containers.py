"""Upgrade files for tests: good ones of each layout, and a strategy that draws them."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from rig.firmware import Container, OtaElement, build, survey
from rig.firmware.ota import FIXED_LENGTHS

U16 = st.integers(0, 0xFFFF)


@dataclass(frozen=True)
class Parts:
    """What `build` was given."""

    arguments: dict[str, Any]


def _element(tag: int, data: bytes) -> OtaElement:
    length = FIXED_LENGTHS.get(tag)
    return OtaElement(tag, data if length is None else data[:length].ljust(length, b"."))


@st.composite
def parts(draw: st.DrawFn) -> Parts:
    element = st.builds(_element, U16 | st.integers(0, 7), st.binary(max_size=40))
    return Parts(
        {
            "manufacturer_code": draw(U16),
            "image_type": draw(U16),
            "file_version": draw(st.integers(0, 0xFFFFFFFF)),
            "elements": draw(st.lists(element, min_size=1, max_size=4)),
            "header_string": draw(st.binary(max_size=32)),
            "zigbee_stack_version": draw(U16),
            "security_credential_version": draw(st.none() | st.integers(0, 0xFF)),
            "upgrade_file_destination": draw(st.none() | st.integers(0, 2**64 - 1)),
            "hardware_versions": draw(st.none() | st.tuples(U16, U16).map(lambda pair: (min(pair), max(pair)))),
        }
    )


def good(**changes: Any) -> bytes:
    """A file with two sub-elements."""
    arguments: dict[str, Any] = {
        "manufacturer_code": 0x1234,
        "image_type": 7,
        "file_version": 0x01020300,
        "elements": [OtaElement(0, b"firmware"), OtaElement(0xF000, b"more")],
        "header_string": b"a meter",
        "hardware_versions": (1, 2),
    }
    return build(**(arguments | changes))


def full() -> bytes:
    """A file with every optional field and every kind of sub-element."""
    fixed = [OtaElement(tag, bytes([tag]) * length) for tag, length in FIXED_LENGTHS.items()]
    elements = [OtaElement(0, b"firmware" * 50), OtaElement(4, b"a picture"), *fixed, OtaElement(0xFFFF, b"own")]
    return good(elements=elements, security_credential_version=2, upgrade_file_destination=0x0102030405060708)


def gb(manufacturer_image: bytes, signature: bytes = b"\xa5" * 64, force_replace: int = 0) -> bytes:
    """A file in GB's layout (GBCS 11.2.2 and 11.2.3)."""
    body = manufacturer_image + bytes([force_replace, 0x40]) + signature
    header = bytearray(good(elements=[]))
    struct.pack_into("<I", header, 52, len(header) + len(body))
    return bytes(header) + body


def surveyed(data: bytes) -> Container:
    return survey(io.BytesIO(data), "x.ota")
