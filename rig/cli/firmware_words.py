"""What `rig firmware` prints for people: an upgrade file field by field, and the table of fixtures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rig.firmware import Fixture
    from rig.firmware.inspection import Inspection

_HEX_DIGITS = {
    "ota_upgrade_file_identifier": 8,
    "ota_header_version": 4,
    "ota_header_field_control": 4,
    "manufacturer_code": 4,
    "image_type": 4,
    "file_version": 8,
    "zigbee_stack_version": 4,
    "security_credential_version": 2,
    "minimum_hardware_version": 4,
    "maximum_hardware_version": 4,
}
_WIDTH = 30


_UNREAD = "not worked out: the file is longer than an upgrade file can be"


def lines_of(inspection: Inspection) -> Iterator[str]:
    """An upgrade file for people."""
    container = inspection.container
    yield f"{container.file}: {container.size} bytes, {inspection.layout}"
    yield from _header_lines(inspection)
    for number, element in enumerate(inspection.elements, 1):
        there = "" if element.held == element.length else f" ({element.held} of them there)"
        data = element.data or _hex(element.first_bytes, element.held)
        yield f"  sub-element {number}: {element.name} (tag 0x{element.tag:04X}) at offset {element.offset}"
        yield f"    {element.length} bytes{there} at offset {element.data_offset}: {data}"
        yield f"    sha256 {element.sha256 or _UNREAD}"
    if inspection.gb is not None:
        gb = inspection.gb
        yield f"  manufacturer image at offset {gb.manufacturer_image_offset}, {gb.manufacturer_image_length} bytes"
        yield f"  force replace: {gb.force_replace}"
        yield f"  signature of the authorising remote party at offset {gb.signature_offset} (not checked)"
        yield f"    {gb.signature}"
    for what, stretch in (("not read", inspection.unread), ("after the image", inspection.trailing)):
        if stretch is not None:
            first = _hex(stretch.first_bytes, stretch.length)
            yield f"  {what}: {stretch.length} bytes at offset {stretch.offset}: {first}"
    yield from _hash_lines(inspection)
    for fault in inspection.faults:
        yield f"WRONG: {fault}"


def _hash_lines(inspection: Inspection) -> Iterator[str]:
    named = inspection.manufacturer_image_hash
    yield f"  sha256 of the file (a manifest has this one): {inspection.sha256 or _UNREAD}"
    if named is not None:
        assumed = f"; assumed: {named.of}" if named.assumed else ""
        yield f"  manufacturer image hash (a GBCS activation has this one{assumed}): {named.sha256}"


def _header_lines(inspection: Inspection) -> Iterator[str]:
    bits = ", ".join(inspection.field_control())
    for key, value in inspection.header().items():
        if value is None:
            continue
        name = key.replace("_", " ").replace("ota ", "OTA ", 1).replace("zigbee", "Zigbee")
        digits = _HEX_DIGITS.get(key)
        text = f"0x{value:0{digits}X}" if digits else f"'{value}'" if key == "ota_header_string" else str(value)
        more = f" ({bits})" if bits and key == "ota_header_field_control" else ""
        yield f"  {name[0].upper() + name[1:]:<{_WIDTH}} {text}{more}"


def _hex(digits: str, length: int) -> str:
    more = " ..." if length > len(digits) // 2 else ""
    return f"{bytes.fromhex(digits).hex(' ') or '-'}{more}"


def table_of(fixtures: Sequence[Fixture]) -> Iterator[str]:
    """A line for each fixture, columns aligned."""
    rows: list[tuple[str, ...]] = [("name", "from", "to", "expected", "synthetic", "way back", "sha256")]
    for fixture in fixtures:
        expected = fixture.expected
        verdict = "-" if expected is None else f"{expected.verdict} {expected.reason or ''}".rstrip()
        synthetic = "yes" if fixture.synthetic else "no"
        versions = (fixture.version_from, fixture.version_to)
        rows.append((fixture.name, *versions, verdict, synthetic, fixture.back or "-", f"{fixture.sha256[:16]}..."))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
