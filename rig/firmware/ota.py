"""The Zigbee OTA upgrade file: the container in which GB firmware images travel. Reads and builds it, little-endian.

Source: Zigbee Cluster Library revision 8, 11.4.2 (OTA header) and 11.4.3 (sub-elements). Strict: every length must add
up to the size of the file, and a bit of the field control that the standard reserves is refused, because the length of
the header would be a guess. Knows nothing of signatures, and does not look inside a sub-element.
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
_KNOWN_BITS = HAS_SECURITY_CREDENTIAL_VERSION | IS_DEVICE_SPECIFIC | HAS_HARDWARE_VERSIONS

_FIXED = struct.Struct("<IHHHHHIH32sI")
_ELEMENT = struct.Struct("<HI")
_HEADER_STRING_BYTES = 32


@dataclass(frozen=True)
class OtaHeader:
    """The header. Lengths in bytes; `header_string` is 32 bytes; a field that the field control leaves out is None."""

    file_identifier: int
    header_version: int
    header_length: int
    field_control: int
    manufacturer_code: int
    image_type: int
    file_version: int
    zigbee_stack_version: int
    header_string: bytes
    total_image_size: int
    security_credential_version: int | None = None
    upgrade_file_destination: int | None = None
    """IEEE address of the one device that the file is for."""
    minimum_hardware_version: int | None = None
    maximum_hardware_version: int | None = None

    @property
    def header_text(self) -> str:
        """The header string for people: up to its first NUL; bytes that are not ASCII are shown as `\\xNN`."""
        return self.header_string.split(b"\0", 1)[0].decode("ascii", "backslashreplace").rstrip()


@dataclass(frozen=True)
class OtaElement:
    """One sub-element: its tag (0x0000 is the upgrade image) and its data."""

    tag: int
    data: bytes


@dataclass(frozen=True)
class OtaImage:
    """A whole upgrade file. The sub-elements fill it to its last byte."""

    header: OtaHeader
    elements: tuple[OtaElement, ...]


def parse(data: bytes, file: str) -> OtaImage:
    """The upgrade file in `data`; `file` is its name for messages.

    Raises InputError, with the offset, where the identifier, the header version, a length or the total size is wrong.
    """
    header = _parse_header(data, file)
    elements: list[OtaElement] = []
    at = header.header_length
    while at < len(data):
        number, left = len(elements) + 1, len(data) - at
        if left < _ELEMENT.size:
            raise _wrong(file, at, f"sub-element {number} is cut short", f"{left} bytes", f"{_ELEMENT.size} bytes")
        tag, length = _ELEMENT.unpack_from(data, at)
        at += _ELEMENT.size
        if length > len(data) - at:
            message = f"sub-element {number} (tag 0x{tag:04X}) overruns the file"
            raise _wrong(file, at - 4, message, f"length {length}", f"at most {len(data) - at}")
        elements.append(OtaElement(tag, bytes(data[at : at + length])))
        at += length
    return OtaImage(header, tuple(elements))


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
    header_length = _FIXED.size + len(optional)
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


def _parse_header(data: bytes, file: str) -> OtaHeader:
    if len(data) < 4 or data[:4] != FILE_IDENTIFIER.to_bytes(4, "little"):
        found = data[:4].hex(" ") or "an empty file"
        raise _wrong(file, 0, "not a Zigbee OTA upgrade file", found, "1e f1 ee 0b")
    if len(data) < _FIXED.size:
        raise _wrong(file, len(data), "the header is cut short", f"{len(data)} bytes", f"{_FIXED.size} or more")
    identifier, version, length, control, maker, image_type, file_version, stack, text, total = _FIXED.unpack_from(data)
    if version != HEADER_VERSION:
        raise _wrong(file, 4, "unknown header version", f"0x{version:04X}", f"0x{HEADER_VERSION:04X}")
    if control & ~_KNOWN_BITS:
        raise _wrong(file, 8, "reserved bits in the field control", f"0x{control:04X}", "bits 0 to 2 only")
    parts = (
        (HAS_SECURITY_CREDENTIAL_VERSION, "B", 1),
        (IS_DEVICE_SPECIFIC, "Q", 1),
        (HAS_HARDWARE_VERSIONS, "HH", 2),
    )
    optional = struct.Struct("<" + "".join(fields for bit, fields, _ in parts if control & bit))
    needed = _FIXED.size + optional.size
    if length != needed:
        message = f"the header length does not match the field control 0x{control:04X}"
        raise _wrong(file, 6, message, str(length), str(needed))
    if len(data) < needed:
        raise _wrong(file, len(data), "the header is cut short", f"{len(data)} bytes", f"{needed} bytes")
    if total != len(data):
        message = "the total image size is not the size of the file"
        raise _wrong(file, _FIXED.size - 4, message, str(total), str(len(data)))
    values = iter(optional.unpack_from(data, _FIXED.size))
    security, destination, lowest, highest = (
        next(values) if control & bit else None for bit, _, count in parts for _ in range(count)
    )
    return OtaHeader(
        file_identifier=identifier,
        header_version=version,
        header_length=length,
        field_control=control,
        manufacturer_code=maker,
        image_type=image_type,
        file_version=file_version,
        zigbee_stack_version=stack,
        header_string=text,
        total_image_size=total,
        security_credential_version=security,
        upgrade_file_destination=destination,
        minimum_hardware_version=lowest,
        maximum_hardware_version=highest,
    )


def _number(name: str, value: int, size: int) -> bytes:
    if not 0 <= value < 1 << 8 * size:
        raise InputError("does not fit", Where(key=name, found=str(value), expected=f"0 to {(1 << 8 * size) - 1}"))
    return value.to_bytes(size, "little")


def _wrong(file: str, offset: int, message: str, found: str, expected: str) -> InputError:
    return InputError(f"offset {offset}: {message}", Where(file=file, found=found, expected=expected))
