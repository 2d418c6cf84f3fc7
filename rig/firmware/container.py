"""Reads an OTA upgrade file: what is in it, where, and everything that is wrong with it. Reads headers, never the data.

One reading serves the strict and the lenient: a file is good when it has no fault. Strict: every length must add up to
the size of the file, and a bit of the field control that the standard reserves is a fault, because the length of the
header would be a guess.

Two layouts of what follows the header. The Zigbee Cluster Library's (11.4.3): sub-elements. And GB's (GBCS 11.2.2 and
11.2.3): the manufacturer image, one byte 'force replace', one byte 0x40, and the 64-byte signature of the authorising
remote party, in a file of field control 0x0004. The text of GBCS could not be read here; the layout is as a public
program that cites these sections builds it. Sub-elements that add up are taken as such, whatever the last bytes say.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from typing import BinaryIO

from rig.errors import InputError, Where
from rig.firmware.ota import (
    ELEMENT_HEADER,
    FIELD_CONTROL_BITS,
    FILE_IDENTIFIER,
    FIXED_HEADER,
    FIXED_LENGTHS,
    HAS_HARDWARE_VERSIONS,
    HAS_SECURITY_CREDENTIAL_VERSION,
    HEADER_VERSION,
    IS_DEVICE_SPECIFIC,
    OtaHeader,
    tag_name,
)

MOST_ELEMENTS = 1000
"""More sub-elements than this are a fault: a file of zeros would be hundreds of millions of them."""

_TOTAL_SIZE_OFFSET = 52
_GB_SIGNATURE_BYTES = 64
_GB_TAIL = struct.Struct(f"<BB{_GB_SIGNATURE_BYTES}s")


@dataclass(frozen=True)
class Fault:
    """Something wrong at a byte of the file."""

    offset: int
    message: str
    found: str
    expected: str

    def error(self, file: str) -> InputError:
        where = Where(file=file, found=self.found, expected=self.expected)
        return InputError(f"offset {self.offset}: {self.message}", where)


@dataclass(frozen=True)
class Part:
    """A stretch of the file, in bytes."""

    offset: int
    length: int

    @property
    def end(self) -> int:
        return self.offset + self.length


@dataclass(frozen=True)
class SubElement:
    """One sub-element: its tag, where the tag is, the length that it states, and what of its data is there."""

    tag: int
    offset: int
    length: int
    data: Part


@dataclass(frozen=True)
class GbUpgradeImage:
    """What follows the header of a GB image. GBCS activates by the SHA-256 of the manufacturer image alone."""

    manufacturer_image: Part
    force_replace: int
    signature: bytes
    signature_offset: int


@dataclass(frozen=True)
class Container:
    """An upgrade file as it is. `trailing` is what follows the image; `unread` is what of the image makes no sense."""

    file: str
    size: int
    header: OtaHeader
    elements: tuple[SubElement, ...]
    gb: GbUpgradeImage | None
    unread: Part | None
    trailing: Part | None
    faults: tuple[Fault, ...]

    def check(self) -> None:
        """Raises InputError for the first fault."""
        if self.faults:
            raise self.faults[0].error(self.file)


def survey(source: BinaryIO, file: str) -> Container:
    """What is in the upgrade file `source` (it must be able to seek); `file` is its name for messages.

    Raises InputError where it is no OTA upgrade file at all: another identifier, or not even the fixed 56 bytes of the
    header. Reads at most a few bytes a sub-element, whatever the size of the file.
    """
    size = source.seek(0, os.SEEK_END)
    faults: list[Fault] = []
    header = _header(source, size, file, faults)
    start = header.ota_header_length
    if not FIXED_HEADER.size <= start <= size:
        start = min(size, FIXED_HEADER.size + _optional(header.ota_header_field_control).size)
    end = max(start, min(header.total_image_size, size))
    _check_size(header, size, faults)
    _check_hardware(header, faults)
    elements, stop, wrong = _walk(source, start, end)
    gb = None
    if wrong and header.ota_header_field_control == HAS_HARDWARE_VERSIONS:
        gb = _gb_upgrade_image(source, start, end)
    if gb is not None:
        elements, stop, wrong = [], end, []
    return Container(
        file=file,
        size=size,
        header=header,
        elements=tuple(elements),
        gb=gb,
        unread=Part(stop, end - stop) if stop < end else None,
        trailing=Part(end, size - end) if end < size else None,
        faults=(*faults, *wrong),
    )


def _header(source: BinaryIO, size: int, file: str, faults: list[Fault]) -> OtaHeader:
    """The header; what is wrong in it is added to `faults`."""
    source.seek(0)
    data = source.read(FIXED_HEADER.size + _optional(0xFFFF).size)
    magic = FILE_IDENTIFIER.to_bytes(4, "little")
    if data[:4] == magic[::-1]:
        raise Fault(0, "the OTA upgrade file identifier is big-endian", data[:4].hex(" "), magic.hex(" ")).error(file)
    if data[:4] != magic:
        found = data[:4].hex(" ") or "an empty file"
        raise Fault(0, "not a Zigbee OTA upgrade file", found, magic.hex(" ")).error(file)
    if size < FIXED_HEADER.size:
        expected = f"{FIXED_HEADER.size} or more"
        raise Fault(size, "the header is cut short", f"{size} bytes", expected).error(file)
    fields = FIXED_HEADER.unpack_from(data)
    version, length, control = fields[1:4]
    if version != HEADER_VERSION:
        faults.append(Fault(4, "unknown header version", f"0x{version:04X}", f"0x{HEADER_VERSION:04X}"))
    if control & ~sum(FIELD_CONTROL_BITS):
        faults.append(Fault(8, "reserved bits in the field control", f"0x{control:04X}", "bits 0 to 2 only"))
    optional = _optional(control)
    needed = FIXED_HEADER.size + optional.size
    if length != needed:
        message = f"the header length does not match the field control 0x{control:04X}"
        faults.append(Fault(6, message, str(length), str(needed)))
    if size < needed:
        faults.append(Fault(size, "the header is cut short", f"{size} bytes", f"{needed} bytes"))
        return OtaHeader(*fields)
    values = iter(optional.unpack_from(data, FIXED_HEADER.size))
    return OtaHeader(
        *fields,
        *(next(values) if control & bit else None for bit, _, count in _OPTIONAL for _ in range(count)),
    )


_OPTIONAL = (
    (HAS_SECURITY_CREDENTIAL_VERSION, "B", 1),
    (IS_DEVICE_SPECIFIC, "Q", 1),
    (HAS_HARDWARE_VERSIONS, "HH", 2),
)
"""Bit of the field control, layout, number of fields."""


def _optional(control: int) -> struct.Struct:
    return struct.Struct("<" + "".join(layout for bit, layout, _ in _OPTIONAL if control & bit))


def _check_size(header: OtaHeader, size: int, faults: list[Fault]) -> None:
    total = header.total_image_size
    if total < header.ota_header_length:
        message = "the total image size is less than the header"
        faults.append(Fault(_TOTAL_SIZE_OFFSET, message, str(total), f"{header.ota_header_length} or more"))
    elif size < total:
        faults.append(Fault(size, "the file is shorter than its header says", f"{size} bytes", f"{total} bytes"))
    elif size > total:
        message = "data after the end of the image"
        faults.append(Fault(total, message, f"a file of {size} bytes", f"{total} bytes (the total image size)"))


def _check_hardware(header: OtaHeader, faults: list[Fault]) -> None:
    lowest, highest = header.minimum_hardware_version, header.maximum_hardware_version
    if lowest is not None and highest is not None and lowest > highest:
        offset = FIXED_HEADER.size + _optional(header.ota_header_field_control & ~HAS_HARDWARE_VERSIONS).size
        message = "the minimum hardware version is above the maximum"
        faults.append(Fault(offset, message, f"0x{lowest:04X}", f"at most 0x{highest:04X}"))


def _walk(source: BinaryIO, start: int, end: int) -> tuple[list[SubElement], int, list[Fault]]:
    """The sub-elements between two offsets, where the reading stopped, and what is wrong."""
    elements: list[SubElement] = []
    faults: list[Fault] = []
    if start == end:
        faults.append(Fault(start, "nothing follows the header", "no sub-element", "an upgrade image"))
    at = start
    while at < end:
        number, left = len(elements) + 1, end - at
        if number > MOST_ELEMENTS:
            faults.append(Fault(at, "too many sub-elements", f"{left} bytes more", f"at most {MOST_ELEMENTS}"))
            break
        if left < ELEMENT_HEADER.size:
            expected = f"{ELEMENT_HEADER.size} bytes"
            faults.append(Fault(at, f"sub-element {number} is cut short", f"{left} bytes", expected))
            break
        source.seek(at)
        tag, length = ELEMENT_HEADER.unpack(_exactly(source, ELEMENT_HEADER.size))
        data_at = at + ELEMENT_HEADER.size
        held = min(length, end - data_at)
        elements.append(SubElement(tag, at, length, Part(data_at, held)))
        named = f"sub-element {number} (tag 0x{tag:04X}, {tag_name(tag)})"
        fixed = FIXED_LENGTHS.get(tag)
        if held < length:
            faults.append(Fault(at + 2, f"{named} overruns the image", f"length {length}", f"at most {held}"))
        elif fixed is not None and length != fixed:
            faults.append(Fault(at + 2, f"{named} has a wrong length", str(length), str(fixed)))
        at = data_at + held
    return elements, at, faults


def _gb_upgrade_image(source: BinaryIO, start: int, end: int) -> GbUpgradeImage | None:
    """What lies between two offsets, read as a GB upgrade image; None where it cannot be one."""
    tail_at = end - _GB_TAIL.size
    if tail_at <= start:
        return None
    source.seek(tail_at)
    force_replace, length, signature = _GB_TAIL.unpack(_exactly(source, _GB_TAIL.size))
    if length != _GB_SIGNATURE_BYTES:
        return None
    return GbUpgradeImage(Part(start, tail_at - start), force_replace, signature, end - _GB_SIGNATURE_BYTES)


def _exactly(source: BinaryIO, count: int) -> bytes:
    data = source.read(count)
    if len(data) != count:
        raise InputError("the file became shorter while it was read")
    return data
