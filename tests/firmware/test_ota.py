"""The Zigbee OTA container: strict on every length, and never an error that does not say where."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.errors import InputError
from rig.firmware.ota import FILE_IDENTIFIER, OtaElement, OtaImage, build, parse

_U16 = st.integers(0, 0xFFFF)


@dataclass(frozen=True)
class _Parts:
    arguments: dict[str, Any]


@st.composite
def _parts(draw: st.DrawFn) -> _Parts:
    element = st.builds(OtaElement, _U16, st.binary(max_size=40))
    return _Parts(
        {
            "manufacturer_code": draw(_U16),
            "image_type": draw(_U16),
            "file_version": draw(st.integers(0, 0xFFFFFFFF)),
            "elements": draw(st.lists(element, max_size=4)),
            "header_string": draw(st.binary(max_size=32)),
            "zigbee_stack_version": draw(_U16),
            "security_credential_version": draw(st.none() | st.integers(0, 0xFF)),
            "upgrade_file_destination": draw(st.none() | st.integers(0, 2**64 - 1)),
            "hardware_versions": draw(st.none() | st.tuples(_U16, _U16)),
        }
    )


def _good(**changes: Any) -> bytes:
    parts: dict[str, Any] = {
        "manufacturer_code": 0x1234,
        "image_type": 7,
        "file_version": 0x01020300,
        "elements": [OtaElement(0, b"firmware"), OtaElement(0xF000, b"more")],
        "header_string": b"a meter",
        "hardware_versions": (1, 2),
    }
    return build(**(parts | changes))


def _fault(data: bytes) -> InputError:
    with pytest.raises(InputError) as error:
        parse(data, "x.ota")
    return error.value


@given(_parts())
def test_what_was_built_is_what_is_parsed(parts: _Parts) -> None:
    given_ = parts.arguments
    data = build(**given_)
    image = parse(data, "x.ota")
    header = image.header
    assert list(image.elements) == given_["elements"]
    assert header.total_image_size == len(data)
    assert header.header_string == given_["header_string"].ljust(32, b"\0")
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


@given(st.binary(max_size=200))
def test_arbitrary_bytes_raise_nothing_but_an_input_error(data: bytes) -> None:
    with pytest.raises(InputError):
        parse(data, "x.ota")


@given(_parts(), st.data())
def test_mutated_files_raise_nothing_but_an_input_error(parts: _Parts, data: st.DataObject) -> None:
    content = bytearray(build(**parts.arguments))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(content)))
    for mutated in (bytes(content), bytes(content[:cut]), bytes(content) + b"\0"):
        result = _parse_or_fault(mutated)
        if isinstance(result, OtaImage):
            assert _size(result) == len(mutated)
        else:
            assert result.where.file == "x.ota"
            assert result.where.found is not None


def _parse_or_fault(data: bytes) -> OtaImage | InputError:
    try:
        return parse(data, "x.ota")
    except InputError as error:
        return error


def _size(image: OtaImage) -> int:
    return image.header.header_length + sum(6 + len(element.data) for element in image.elements)


@given(_parts(), st.data())
def test_a_file_cut_short_anywhere_is_refused(parts: _Parts, data: st.DataObject) -> None:
    content = build(**parts.arguments)
    _fault(content[: data.draw(st.integers(0, len(content) - 1))])


def test_the_header_of_a_gb_image_has_60_bytes_and_field_control_4() -> None:
    header = parse(_good(), "x.ota").header
    assert (header.header_length, header.field_control) == (60, 4)
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


def test_the_header_string_is_shown_up_to_its_first_nul_and_never_fails() -> None:
    assert parse(_good(header_string=b"caf\xe9 1\0rest"), "x").header.header_text == "caf\\xe9 1"


@pytest.mark.parametrize(
    ("data", "message", "found", "expected"),
    [
        (b"", "offset 0: not a Zigbee OTA upgrade file", "an empty file", "1e f1 ee 0b"),
        (b"PK\x03\x04" + _good()[4:], "offset 0: not a Zigbee OTA upgrade file", "50 4b 03 04", "1e f1 ee 0b"),
        (_good()[:30], "offset 30: the header is cut short", "30 bytes", "56 or more"),
        (_good()[:58], "offset 58: the header is cut short", "58 bytes", "60 bytes"),
        (_good()[:-1], "offset 52: the total image size is not the size of the file", "84", "83"),
        (_good() + b"\0", "offset 52: the total image size is not the size of the file", "84", "85"),
    ],
)
def test_a_wrong_file_says_at_which_offset_what_was_found_and_expected(
    data: bytes, message: str, found: str, expected: str
) -> None:
    fault = _fault(data)
    assert fault.where.file == "x.ota"
    assert (fault.message, fault.where.found, fault.where.expected) == (message, found, expected)


def _patched(offset: int, layout: str, value: int) -> bytes:
    data = bytearray(_good())
    struct.pack_into(layout, data, offset, value)
    return bytes(data)


@pytest.mark.parametrize(
    ("offset", "layout", "value", "message", "found", "expected"),
    [
        (4, "<H", 0x0200, "offset 4: unknown header version", "0x0200", "0x0100"),
        (6, "<H", 56, "offset 6: the header length does not match the field control 0x0004", "56", "60"),
        (8, "<H", 0x0005, "offset 6: the header length does not match the field control 0x0005", "60", "61"),
        (8, "<H", 0x000C, "offset 8: reserved bits in the field control", "0x000C", "bits 0 to 2 only"),
        (62, "<I", 99, "offset 62: sub-element 1 (tag 0x0000) overruns the file", "length 99", "at most 18"),
        (62, "<I", 0xFFFFFFFF, "offset 62: sub-element 1 (tag 0x0000) overruns the file", None, "at most 18"),
        (62, "<I", 14, "offset 80: sub-element 2 is cut short", "4 bytes", "6 bytes"),
        (76, "<I", 5, "offset 76: sub-element 2 (tag 0xF000) overruns the file", "length 5", "at most 4"),
    ],
)
def test_a_wrong_field_says_at_which_offset_what_was_found_and_expected(
    offset: int, layout: str, value: int, message: str, found: str | None, expected: str
) -> None:
    fault = _fault(_patched(offset, layout, value))
    assert fault.message == message
    assert fault.where.expected == expected
    assert found is None or fault.where.found == found


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
        _good(**changes)
    assert error.value.where.key == key


def test_the_identifier_is_the_standards() -> None:
    assert _good()[:4] == struct.pack("<I", FILE_IDENTIFIER) == bytes.fromhex("1ef1ee0b")
