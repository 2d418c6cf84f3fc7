"""The Zigbee OTA upgrade file, the container in which GB firmware images travel: its words, and how one is built.

Source: Zigbee Cluster Library revision 8, 11.4.2 (OTA header) and 11.4.3 (sub-elements). Fields have the standard's
names. Little-endian. `rig.firmware.container` reads what is built here. Knows nothing of signatures.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from rig.errors import InputError, Where

FILE_IDENTIFIER = 0x0BEEF11E
HEADER_VERSION = 0x0100
TAG_UPGRADE_IMAGE = 0x0000

HAS_SECURITY_CREDENTIAL_VERSION = 0x0001
IS_DEVICE_SPECIFIC = 0x0002
HAS_HARDWARE_VERSIONS = 0x0004
FIELD_CONTROL_BITS = {
    HAS_SECURITY_CREDENTIAL_VERSION: "security credential version present",
    IS_DEVICE_SPECIFIC: "device specific file",
    HAS_HARDWARE_VERSIONS: "hardware versions present",
}

_TAGS = {
    TAG_UPGRADE_IMAGE: "upgrade image",
    0x0001: "ECDSA signature (crypto suite 1)",
    0x0002: "ECDSA signing certificate (crypto suite 1)",
    0x0003: "image integrity code",
    0x0004: "picture data",
    0x0005: "ECDSA signature (crypto suite 2)",
    0x0006: "ECDSA signing certificate (crypto suite 2)",
}
_FIRST_MANUFACTURER_TAG = 0xF000
FIXED_LENGTHS = {0x0001: 8 + 42, 0x0002: 48, 0x0003: 16, 0x0005: 8 + 72, 0x0006: 74}
"""Sub-elements whose data has one length: signer's address and signature, certificates, the AES-MMO hash."""

FIXED_HEADER = struct.Struct("<IHHHHHIH32sI")
ELEMENT_HEADER = struct.Struct("<HI")
_HEADER_STRING_BYTES = 32


def tag_name(tag: int) -> str:
    """The standard's name of a sub-element's tag."""
    return _TAGS.get(tag, "manufacturer specific" if tag >= _FIRST_MANUFACTURER_TAG else "reserved")


@dataclass(frozen=True)
class OtaHeader:
    """The header, its fields by the standard's names. Lengths in bytes; the string is 32 bytes.

    A field that the field control leaves out, or that the file is too short for, is None.
    """

    ota_upgrade_file_identifier: int
    ota_header_version: int
    ota_header_length: int
    ota_header_field_control: int
    manufacturer_code: int
    image_type: int
    file_version: int
    zigbee_stack_version: int
    ota_header_string: bytes
    total_image_size: int
    security_credential_version: int | None = None
    upgrade_file_destination: int | None = None
    """IEEE address of the one device that the file is for."""
    minimum_hardware_version: int | None = None
    maximum_hardware_version: int | None = None

    @property
    def header_text(self) -> str:
        """The header string for people: up to its first NUL; bytes that ASCII cannot print are shown as `\\xNN`."""
        text = self.ota_header_string.split(b"\0", 1)[0]
        return "".join(chr(byte) if 0x20 <= byte < 0x7F else f"\\x{byte:02x}" for byte in text).rstrip()

    @property
    def hardware_range(self) -> str:
        """The hardware versions that the image is for, in words."""
        if self.minimum_hardware_version is None:
            return "all"
        return f"0x{self.minimum_hardware_version:04X} to 0x{self.maximum_hardware_version:04X}"

    def fits(self, hardware_version: int) -> bool:
        """Whether the image is for this hardware version. One that names no hardware versions is for every one."""
        lowest, highest = self.minimum_hardware_version, self.maximum_hardware_version
        return lowest is None or highest is None or lowest <= hardware_version <= highest


@dataclass(frozen=True)
class OtaElement:
    """One sub-element to build: its tag (0x0000 is the upgrade image) and its data."""

    tag: int
    data: bytes


def build(
    *,
    manufacturer_code: int,
    image_type: int,
    file_version: int,
    elements: Sequence[OtaElement],
    header_string: bytes = b"",
    zigbee_stack_version: int = 2,
    security_credential_version: int | None = None,
    upgrade_file_destination: int | None = None,
    hardware_versions: tuple[int, int] | None = None,
) -> bytes:
    """An upgrade file. The header string is padded with NUL; `hardware_versions` is (minimum, maximum).

    Raises InputError, naming the field, for a value that does not fit: nothing is clipped.
    """
    if len(header_string) > _HEADER_STRING_BYTES:
        found = f"{len(header_string)} bytes"
        raise InputError("does not fit", Where(key="header_string", found=found, expected="at most 32 bytes"))
    control, optional = 0, b""
    if security_credential_version is not None:
        control |= HAS_SECURITY_CREDENTIAL_VERSION
        optional += _number("security_credential_version", security_credential_version, 1)
    if upgrade_file_destination is not None:
        control |= IS_DEVICE_SPECIFIC
        optional += _number("upgrade_file_destination", upgrade_file_destination, 8)
    if hardware_versions is not None:
        control |= HAS_HARDWARE_VERSIONS
        optional += _number("minimum_hardware_version", hardware_versions[0], 2)
        optional += _number("maximum_hardware_version", hardware_versions[1], 2)
    body = b"".join(_number("tag", e.tag, 2) + _number("length", len(e.data), 4) + e.data for e in elements)
    header_length = FIXED_HEADER.size + len(optional)
    return b"".join(
        (
            struct.pack("<IHHH", FILE_IDENTIFIER, HEADER_VERSION, header_length, control),
            _number("manufacturer_code", manufacturer_code, 2),
            _number("image_type", image_type, 2),
            _number("file_version", file_version, 4),
            _number("zigbee_stack_version", zigbee_stack_version, 2),
            header_string.ljust(_HEADER_STRING_BYTES, b"\0"),
            _number("total_image_size", header_length + len(body), 4),
            optional,
            body,
        )
    )


def _number(name: str, value: int, size: int) -> bytes:
    if not 0 <= value < 1 << 8 * size:
        raise InputError("does not fit", Where(key=name, found=str(value), expected=f"0 to {(1 << 8 * size) - 1}"))
    return value.to_bytes(size, "little")
