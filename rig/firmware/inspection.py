"""What `rig firmware` says of an upgrade file: its container with the SHA-256 of every part, and the strict check.

Knows files and fixtures. Prints nothing.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

from rig.errors import InputError, Where
from rig.firmware import fixture as fixtures
from rig.firmware.container import Container, GbUpgradeImage, Part, SubElement, survey
from rig.firmware.files import opened, sha256_of
from rig.firmware.ota import FIELD_CONTROL_BITS, FIXED_LENGTHS, TAG_UPGRADE_IMAGE, tag_name
from rig.toml_file import did_you_mean

LARGEST_FILE_BYTES = (1 << 32) - 1
"""The total image size has 32 bits. What is longer is no upgrade file, and is not read to its end."""
_SHOWN_BYTES = 16


@dataclass(frozen=True)
class Element:
    """A sub-element as told: `offset` is its tag's, `data_offset` its data's; `held` bytes of `length` are there.

    `sha256` is of the data; None where the file is longer than an upgrade file can be. The rest is hex: the first
    bytes, and, for signatures, certificates and the integrity code, all of the data.
    """

    tag: int
    name: str
    offset: int
    data_offset: int
    length: int
    held: int
    sha256: str | None
    first_bytes: str
    data: str | None


@dataclass(frozen=True)
class GbImage:
    """A GB upgrade image as told. `signature` is hex: nothing here can check it, the key is the supplier's."""

    manufacturer_image_offset: int
    manufacturer_image_length: int
    manufacturer_image_sha256: str | None
    force_replace: int
    signature_offset: int
    signature: str


@dataclass(frozen=True)
class Stretch:
    """Bytes that belong to nothing: where, how many, and the first of them in hex."""

    offset: int
    length: int
    first_bytes: str


@dataclass(frozen=True)
class ManufacturerImageHash:
    """The SHA-256 by which a GBCS activation (CS06) names the image: of the manufacturer image alone (GBCS 11.2.4).

    `assumed`: the file is no GB image, and `of` says what was taken for one.
    """

    sha256: str
    of: str
    assumed: bool


@dataclass(frozen=True)
class Inspection:
    """An upgrade file as it is. `contradictions`: where the manifest says another thing, one line each."""

    container: Container
    sha256: str | None
    elements: tuple[Element, ...]
    gb: GbImage | None
    unread: Stretch | None
    trailing: Stretch | None
    fixture: str | None
    contradictions: tuple[str, ...]

    @property
    def manufacturer_image_hash(self) -> ManufacturerImageHash | None:
        """None where there is none, or where there are several upgrade images to choose from."""
        if self.gb is not None:
            sha256, of = self.gb.manufacturer_image_sha256, "the manufacturer image"
        else:
            images = [element for element in self.elements if element.tag == TAG_UPGRADE_IMAGE]
            sha256 = images[0].sha256 if len(images) == 1 else None
            of = "the data of the upgrade image sub-element"
        return None if sha256 is None else ManufacturerImageHash(sha256, of, assumed=self.gb is None)

    @property
    def layout(self) -> str:
        """What follows the header."""
        return "sub-elements" if self.gb is None else "GB upgrade image"

    @property
    def faults(self) -> list[str]:
        """What is wrong, a line each."""
        file = self.container.file
        return [*(fault.error(file).one_line() for fault in self.container.faults), *self.contradictions]

    def header(self) -> dict[str, int | str | None]:
        """The header's fields by the standard's names. The string as text; the destination as an IEEE address."""
        header = self.container.header
        address = header.upgrade_file_destination
        return {
            **asdict(header),
            "ota_header_string": header.header_text,
            "upgrade_file_destination": None if address is None else address.to_bytes(8, "big").hex(":"),
        }

    def field_control(self) -> list[str]:
        """The bits that are set, by the standard's names."""
        control = self.container.header.ota_header_field_control
        known = [name for bit, name in FIELD_CONTROL_BITS.items() if control & bit]
        reserved = [f"reserved bit {n}" for n in range(16) if 1 << n not in FIELD_CONTROL_BITS and control >> n & 1]
        return known + reserved

    def to_json(self) -> dict[str, Any]:
        """The object `rig.firmware.inspect/1`. Offsets and lengths in bytes."""
        named = self.manufacturer_image_hash
        return {
            "schema": "rig.firmware.inspect/1",
            "file": self.container.file,
            "fixture": self.fixture,
            "size": self.container.size,
            "sha256": self.sha256,
            "header": self.header(),
            "ota_header_string_bytes": self.container.header.ota_header_string.hex(),
            "field_control_bits": self.field_control(),
            "layout": self.layout,
            "elements": [asdict(element) for element in self.elements],
            "gb_upgrade_image": asdict(self.gb) if self.gb else None,
            "manufacturer_image_hash": asdict(named) if named else None,
            "unread": asdict(self.unread) if self.unread else None,
            "trailing": asdict(self.trailing) if self.trailing else None,
            "good": not self.faults,
            "faults": [asdict(fault) for fault in self.container.faults],
            "contradictions": list(self.contradictions),
        }


@dataclass(frozen=True)
class Wanted:
    """What a file must be beside being whole: None where it does not matter. `sha256` is lower-case hex."""

    sha256: str | None = None
    hardware_version: int | None = None


def inspect(file_or_fixture: str) -> Inspection:
    """An upgrade file, or the image of a fixture, as it is.

    Raises InputError where it cannot be read or is no upgrade file at all. Everything else that is wrong is told.
    """
    claimed = _claimed(file_or_fixture)
    path = Path(file_or_fixture) if claimed is None else claimed.image
    inspection = _inspected(path, None if claimed is None else claimed.folder.resolve().name)
    if claimed is None or inspection.sha256 is None:
        return inspection
    wrong = claimed.contradictions(inspection.container.header, inspection.sha256)
    return replace(inspection, contradictions=tuple(error.one_line() for error in wrong))


def verify(file_or_fixture: str, wanted: Wanted) -> tuple[Inspection, fixtures.Fixture | None]:
    """The same, strictly: raises InputError for the first thing that is wrong.

    A fixture is loaded as for a run, and so is the one that leads back, where it names one.
    """
    fixture = None
    path = Path(file_or_fixture)
    if _claimed(file_or_fixture) is not None:
        fixture = fixtures.load(file_or_fixture)
        path = fixture.image
        if fixture.back is not None:
            fixtures.load_back(fixture)
    inspection = _inspected(path, None if fixture is None else fixture.name, strict=True)
    _check(inspection, wanted)
    return inspection, fixture


def _check(inspection: Inspection, wanted: Wanted) -> None:
    file, header, image = inspection.container.file, inspection.container.header, inspection.manufacturer_image_hash
    known = {inspection.sha256: "the file"} | ({image.sha256: image.of} if image else {})
    if wanted.sha256 is not None and wanted.sha256 not in known:
        found = ", ".join(f"{sha256} of {of}" for sha256, of in known.items())
        raise InputError("another SHA-256", Where(file=file, found=found, expected=wanted.sha256))
    if wanted.hardware_version is not None and not header.fits(wanted.hardware_version):
        expected = f"0x{wanted.hardware_version:04X} among them"
        where = Where(file=file, found=header.hardware_range, expected=expected)
        raise InputError("the image is for other hardware", where)


def _claimed(file_or_fixture: str) -> fixtures.Claimed | None:
    """The fixture that is meant, its manifest checked; None where a file is. A fixture's name goes before a file's."""
    path, known = Path(file_or_fixture), fixtures.names()
    if file_or_fixture in known or (file_or_fixture and path.is_dir()):
        return fixtures.Claimed(fixtures.find(file_or_fixture))
    if not file_or_fixture or not path.exists():
        near = did_you_mean(file_or_fixture, known)
        raise InputError(f"no such file, and no fixture of this name{near}", Where(file=file_or_fixture or "''"))
    return None


def _inspected(path: Path, fixture: str | None, *, strict: bool = False) -> Inspection:
    with opened(path) as source:
        container = survey(source, str(path))
        if strict:
            container.check()
        parts = [Part(0, container.size), *(element.data for element in container.elements)]
        if container.gb is not None:
            parts.append(container.gb.manufacturer_image)
        sums: list[str] | list[None] = [None] * len(parts)
        if container.size <= LARGEST_FILE_BYTES:
            sums = sha256_of(source, [(part.offset, part.end) for part in parts])
        return Inspection(
            container=container,
            sha256=sums[0],
            elements=tuple(_element(source, *pair) for pair in zip(container.elements, sums[1:], strict=False)),
            gb=_gb(container.gb, sums[-1]) if container.gb else None,
            unread=_stretch(source, container.unread),
            trailing=_stretch(source, container.trailing),
            fixture=fixture,
            contradictions=(),
        )


def _element(source: BinaryIO, element: SubElement, sha256: str | None) -> Element:
    whole = element.data.length == FIXED_LENGTHS.get(element.tag)
    source.seek(element.data.offset)
    data = source.read(element.data.length if whole else min(element.data.length, _SHOWN_BYTES))
    return Element(
        tag=element.tag,
        name=tag_name(element.tag),
        offset=element.offset,
        data_offset=element.data.offset,
        length=element.length,
        held=element.data.length,
        sha256=sha256,
        first_bytes=data[:_SHOWN_BYTES].hex(),
        data=data.hex() if whole else None,
    )


def _gb(image: GbUpgradeImage, sha256: str | None) -> GbImage:
    return GbImage(
        manufacturer_image_offset=image.manufacturer_image.offset,
        manufacturer_image_length=image.manufacturer_image.length,
        manufacturer_image_sha256=sha256,
        force_replace=image.force_replace,
        signature_offset=image.signature_offset,
        signature=image.signature.hex(),
    )


def _stretch(source: BinaryIO, part: Part | None) -> Stretch | None:
    if part is None:
        return None
    source.seek(part.offset)
    return Stretch(part.offset, part.length, source.read(min(part.length, _SHOWN_BYTES)).hex())
