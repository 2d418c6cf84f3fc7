"""The container: strict on every length, shows what is there, and never an error that does not say where."""

from __future__ import annotations

import contextlib
import hashlib
import io
import struct
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.errors import InputError
from rig.firmware import Container, OtaElement, build
from rig.firmware.container import MOST_ELEMENTS, survey
from rig.firmware.ota import FILE_IDENTIFIER, tag_name
from tests.firmware.containers import Parts, full, gb, good, parts, surveyed


def _fault(data: bytes) -> InputError:
    with pytest.raises(InputError) as error:
        surveyed(data).check()
    return error.value


@given(parts())
def test_what_was_built_is_what_is_read(drawn: Parts) -> None:
    given_ = drawn.arguments
    data = build(**given_)
    container = surveyed(data)
    container.check()
    header = container.header
    assert [(e.tag, data[e.data.offset : e.data.end]) for e in container.elements] == [
        (e.tag, e.data) for e in given_["elements"]
    ]
    assert header.total_image_size == len(data)
    assert header.ota_header_string == given_["header_string"].ljust(32, b"\0")
    for name in (
        "manufacturer_code",
        "image_type",
        "file_version",
        "zigbee_stack_version",
        "security_credential_version",
        "upgrade_file_destination",
    ):
        assert getattr(header, name) == given_[name]
    versions = (header.minimum_hardware_version, header.maximum_hardware_version)
    assert versions == (given_["hardware_versions"] or (None, None))
    assert (container.gb, container.unread, container.trailing) == (None, None, None)


def _check_accounting(data: bytes, container: Container) -> None:
    """What every reading keeps, good or bad: each byte after the header belongs to exactly one thing."""
    at = container.elements[0].offset if container.elements else None
    for element in container.elements:
        assert element.offset == at
        assert element.data.offset == element.offset + 6
        assert element.data.length <= element.length
        assert (element.tag, element.length) == struct.unpack_from("<HI", data, element.offset)
        at = element.data.end
    if container.gb is not None:
        assert container.elements == ()
        at = container.gb.signature_offset + 64
        assert data[container.gb.signature_offset : at] == container.gb.signature
    for stretch in (container.unread, container.trailing):
        if stretch is not None:
            assert stretch.length > 0
            assert at in (None, stretch.offset)
            at = stretch.end
    assert at in (None, len(data))
    for fault in container.faults:
        assert 0 <= fault.offset <= len(data)
        assert fault.found != fault.expected
    told = _told(data)
    assert isinstance(told, Container) == (container.faults == ())


def _told(data: bytes) -> Container | InputError:
    """The file where it is good, else what is told of it."""
    try:
        container = surveyed(data)
        container.check()
    except InputError as error:
        return error
    return container


def _check(data: bytes) -> None:
    told = _told(data)
    if isinstance(told, InputError):
        assert told.where.file == "x.ota"
        assert told.message.startswith("offset ")
        assert None not in (told.where.found, told.where.expected)
    with contextlib.suppress(InputError):  # the file is none at all
        _check_accounting(data, surveyed(data))


@given(st.binary(max_size=200), st.booleans())
def test_arbitrary_bytes_raise_nothing_but_an_input_error(data: bytes, with_identifier: bool) -> None:
    _check(FILE_IDENTIFIER.to_bytes(4, "little") + data if with_identifier else data)


@given(parts().map(lambda drawn: build(**drawn.arguments)) | st.binary(min_size=1, max_size=60).map(gb), st.data())
def test_damaged_files_are_read_as_far_as_they_go(whole: bytes, data: st.DataObject) -> None:
    content = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(content)))
    for damaged in (bytes(content), bytes(content[:cut]), bytes(content) + b"\0"):
        _check(damaged)


@given(parts(), st.data())
def test_a_file_cut_short_anywhere_is_refused(drawn: Parts, data: st.DataObject) -> None:
    content = build(**drawn.arguments)
    _fault(content[: data.draw(st.integers(0, len(content) - 1))])


@given(parts(), st.binary(min_size=1, max_size=20))
def test_whatever_follows_the_image_is_shown_and_refused(drawn: Parts, more: bytes) -> None:
    content = build(**drawn.arguments)
    container = surveyed(content + more)
    assert container.trailing is not None
    assert (container.trailing.offset, container.trailing.length) == (len(content), len(more))
    assert [(e.offset, e.tag) for e in container.elements] == [(e.offset, e.tag) for e in surveyed(content).elements]
    assert _fault(content + more).message == f"offset {len(content)}: data after the end of the image"


def test_the_header_of_a_gb_image_has_60_bytes_and_field_control_4() -> None:
    header = surveyed(gb(b"image")).header
    assert (header.ota_header_length, header.ota_header_field_control) == (60, 4)
    assert (header.minimum_hardware_version, header.maximum_hardware_version) == (1, 2)


def test_the_layout_is_that_of_the_standard_byte_by_byte() -> None:
    data = build(
        manufacturer_code=0x1122,
        image_type=0x3344,
        file_version=0x55667788,
        elements=[OtaElement(0x0102, b"\xaa\xbb\xcc")],
        header_string=b"SM",
        zigbee_stack_version=0x99AA,
        security_credential_version=0x05,
        upgrade_file_destination=0x0102030405060708,
        hardware_versions=(0x0A0B, 0x0C0D),
    )
    assert data == bytes.fromhex(
        "1ef1ee0b 0001 4500 0700 2211 4433 88776655 aa99"
        "534d" + "00" * 30 + "4e000000 05 0807060504030201 0b0a 0d0c"
        "0201 03000000 aabbcc"
    )


def test_the_header_string_is_shown_up_to_its_first_nul_and_never_moves_a_terminal() -> None:
    assert surveyed(good(header_string=b"caf\xe9 \x1b[2J1\0rest")).header.header_text == "caf\\xe9 \\x1b[2J1"


def test_every_sub_element_of_the_standard_has_its_name() -> None:
    container = surveyed(full())
    container.check()
    assert [(e.tag, tag_name(e.tag), e.length) for e in container.elements] == [
        (0x0000, "upgrade image", 400),
        (0x0004, "picture data", 9),
        (0x0001, "ECDSA signature (crypto suite 1)", 50),
        (0x0002, "ECDSA signing certificate (crypto suite 1)", 48),
        (0x0003, "image integrity code", 16),
        (0x0005, "ECDSA signature (crypto suite 2)", 80),
        (0x0006, "ECDSA signing certificate (crypto suite 2)", 74),
        (0xFFFF, "manufacturer specific", 3),
    ]
    assert [tag_name(tag) for tag in (0x0007, 0xEFFF, 0xF000)] == ["reserved", "reserved", "manufacturer specific"]


# -- GB's layout -------------------------------------------------------------------------------------------------------


@given(st.binary(min_size=1, max_size=200), st.binary(min_size=64, max_size=64), st.integers(0, 255))
def test_a_gb_image_is_its_manufacturer_image_and_its_signature(image: bytes, signature: bytes, force: int) -> None:
    data = gb(image, signature, force)
    container = surveyed(data)
    container.check()
    assert container.gb is not None
    part = container.gb.manufacturer_image
    assert data[part.offset : part.end] == image
    assert (container.gb.force_replace, container.gb.signature) == (force, signature)


def test_sub_elements_that_add_up_are_taken_as_such_whatever_the_last_bytes_say() -> None:
    inside = b"image" + bytes([0, 0x40]) + b"\xa5" * 64
    container = surveyed(good(elements=[OtaElement(0, inside)]))
    container.check()
    assert container.gb is None
    assert len(container.elements) == 1


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data[:-65] + b"\x41" + data[-64:],  # the length of the signature
        lambda data: data[:8] + b"\x00" + data[9:],  # a field control without hardware versions
        lambda data: data[:-1],
        lambda data: data + b"\0",
    ],
)
def test_what_is_not_quite_a_gb_image_is_refused(spoil: Callable[[bytes], bytes]) -> None:
    _fault(spoil(gb(b"manufacturer image")))


def test_a_gb_image_without_a_manufacturer_image_is_refused() -> None:
    assert "sub-element 1" in _fault(gb(b"")).message


# -- what is wrong, and where ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "message", "found", "expected"),
    [
        (b"", "offset 0: not a Zigbee OTA upgrade file", "an empty file", "1e f1 ee 0b"),
        (b"PK\x03\x04" + good()[4:], "offset 0: not a Zigbee OTA upgrade file", "50 4b 03 04", "1e f1 ee 0b"),
        (b"\x1e\xf1", "offset 0: not a Zigbee OTA upgrade file", "1e f1", "1e f1 ee 0b"),
        (
            b"\x0b\xee\xf1\x1e" + good()[4:],
            "offset 0: the OTA upgrade file identifier is big-endian",
            "0b ee f1 1e",
            "1e f1 ee 0b",
        ),
        (good()[:30], "offset 30: the header is cut short", "30 bytes", "56 or more"),
        (good()[:58], "offset 58: the header is cut short", "58 bytes", "60 bytes"),
        (good()[:-1], "offset 83: the file is shorter than its header says", "83 bytes", "84 bytes"),
        (
            good() + b"\0",
            "offset 84: data after the end of the image",
            "a file of 85 bytes",
            "84 bytes (the total image size)",
        ),
        (good(elements=[]), "offset 60: nothing follows the header", "no sub-element", "an upgrade image"),
    ],
)
def test_a_wrong_file_says_at_which_offset_what_was_found_and_expected(
    data: bytes, message: str, found: str, expected: str
) -> None:
    fault = _fault(data)
    assert fault.where.file == "x.ota"
    assert (fault.message, fault.where.found, fault.where.expected) == (message, found, expected)


def _patched(offset: int, layout: str, value: int) -> bytes:
    data = bytearray(good())
    struct.pack_into(layout, data, offset, value)
    return bytes(data)


@pytest.mark.parametrize(
    ("offset", "layout", "value", "message", "found", "expected"),
    [
        (4, "<H", 0x0200, "offset 4: unknown header version", "0x0200", "0x0100"),
        (6, "<H", 56, "offset 6: the header length does not match the field control 0x0004", "56", "60"),
        (6, "<H", 0xFFFF, "offset 6: the header length does not match the field control 0x0004", "65535", "60"),
        (8, "<H", 0x0005, "offset 6: the header length does not match the field control 0x0005", "60", "61"),
        (8, "<H", 0x000C, "offset 8: reserved bits in the field control", "0x000C", "bits 0 to 2 only"),
        (52, "<I", 59, "offset 52: the total image size is less than the header", "59", "60 or more"),
        (56, "<H", 3, "offset 56: the minimum hardware version is above the maximum", "0x0003", "at most 0x0002"),
        (60, "<H", 3, "offset 62: sub-element 1 (tag 0x0003, image integrity code) has a wrong length", "8", "16"),
        (
            62,
            "<I",
            99,
            "offset 62: sub-element 1 (tag 0x0000, upgrade image) overruns the image",
            "length 99",
            "at most 18",
        ),
        (
            62,
            "<I",
            0xFFFFFFFF,
            "offset 62: sub-element 1 (tag 0x0000, upgrade image) overruns the image",
            "length 4294967295",
            "at most 18",
        ),
        (62, "<I", 14, "offset 80: sub-element 2 is cut short", "4 bytes", "6 bytes"),
        (
            76,
            "<I",
            5,
            "offset 76: sub-element 2 (tag 0xF000, manufacturer specific) overruns the image",
            "length 5",
            "at most 4",
        ),
    ],
)
def test_a_wrong_field_says_at_which_offset_what_was_found_and_expected(
    offset: int, layout: str, value: int, message: str, found: str, expected: str
) -> None:
    fault = _fault(_patched(offset, layout, value))
    assert (fault.message, fault.where.found, fault.where.expected) == (message, found, expected)


def test_the_offset_of_the_hardware_versions_counts_the_fields_before_them() -> None:
    data = good(hardware_versions=(2, 1), security_credential_version=1, upgrade_file_destination=1)
    assert _fault(data).message == "offset 65: the minimum hardware version is above the maximum"


def test_all_that_is_wrong_is_told_and_what_is_right_is_shown() -> None:
    container = surveyed(_patched(76, "<I", 5)[:82])
    assert [fault.message for fault in container.faults] == [
        "the file is shorter than its header says",
        "sub-element 2 (tag 0xF000, manufacturer specific) overruns the image",
    ]
    assert [(e.length, e.data.length) for e in container.elements] == [(8, 8), (5, 2)]


class _Counting(io.BytesIO):
    """A huge file of zeros behind its first bytes; counts what is read."""

    def __init__(self, start: bytes, size: int) -> None:
        super().__init__(start)
        self.size, self.at, self.bytes_read = size, 0, 0

    def seek(self, offset: int, whence: int = 0) -> int:
        self.at = self.size if whence == 2 else offset
        return self.at

    def read(self, count: int | None = -1) -> bytes:
        assert count is not None
        assert 0 <= count <= 100
        data = self.getvalue()[self.at : self.at + count]
        self.at += count
        self.bytes_read += count
        return data.ljust(count, b"\0")


def test_a_huge_file_of_empty_sub_elements_is_given_up_after_a_few_bytes() -> None:
    source = _Counting(_patched(52, "<I", 0xFFFFFFFF)[:60], 0xFFFFFFFF)
    container = survey(source, "x.ota")
    assert [fault.message for fault in container.faults] == ["too many sub-elements"]
    assert len(container.elements) == MOST_ELEMENTS
    assert source.bytes_read < 10 * MOST_ELEMENTS


def test_of_ten_gigabytes_after_a_good_image_nothing_is_read() -> None:
    source = _Counting(good(), 10 << 30)
    container = survey(source, "x.ota")
    assert [fault.offset for fault in container.faults] == [84]
    assert source.bytes_read < 200


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"manufacturer_code": 0x10000}, "manufacturer_code"),
        ({"file_version": -1}, "file_version"),
        ({"security_credential_version": 256}, "security_credential_version"),
        ({"upgrade_file_destination": 1 << 64}, "upgrade_file_destination"),
        ({"hardware_versions": (0, 65536)}, "maximum_hardware_version"),
        ({"header_string": b"x" * 33}, "header_string"),
        ({"elements": [OtaElement(70000, b"")]}, "tag"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_and_never_clipped(changes: dict[str, Any], key: str) -> None:
    with pytest.raises(InputError, match="does not fit") as error:
        good(**changes)
    assert error.value.where.key == key


@pytest.mark.parametrize(
    ("versions", "version", "fits"),
    [((2, 4), 1, False), ((2, 4), 2, True), ((2, 4), 4, True), ((2, 4), 5, False), (None, 9, True)],
)
def test_an_image_is_for_the_hardware_versions_between_its_two(
    versions: tuple[int, int] | None, version: int, fits: bool
) -> None:
    assert surveyed(good(hardware_versions=versions)).header.fits(version) == fits


def test_the_identifier_is_the_standards() -> None:
    assert good()[:4] == struct.pack("<I", FILE_IDENTIFIER) == bytes.fromhex("1ef1ee0b")


def test_the_gb_layout_is_as_gbcs_builds_it_byte_by_byte() -> None:
    """As a public program builds it that cites GBCS 11.2.2 to 11.2.4: image, force replace, 0x40, signature."""
    image, signature = b"the manufacturer image", bytes(range(64))
    body = image + b"\x00\x40" + signature
    data = (
        bytes.fromhex("1ef1ee0b 0001 3c00 0400 3412 0700 00030201 0200")
        + bytes(32)
        + struct.pack("<IHH", 60 + len(body), 1, 2)
        + body
    )
    container = surveyed(data)
    container.check()
    assert container.gb is not None
    part = container.gb.manufacturer_image
    assert hashlib.sha256(data[part.offset : part.end]).digest() == hashlib.sha256(image).digest()
    assert container.gb.signature == signature
