"""Fixtures of a lab's own: made from what is said, loaded as made, refused in one line where something is missing."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.errors import InputError
from rig.firmware import load
from rig.firmware.make import Numbers, Own, own_draft, packaged_drafts, write
from tests.firmware.containers import gb, good, surveyed


@pytest.fixture
def payload(tmp_path: Path) -> Path:
    file = tmp_path / "fw.bin"
    file.write_bytes(b"the firmware" * 100)
    return file


_NUMBERS = Numbers(manufacturer_code=0x10AA, image_type=2, hardware_versions=(1, 3), header_string="E-100")


def _own(**changes: Any) -> Own:
    said: dict[str, Any] = {
        "name": "mine-2.4",
        "version_from": "2.3.0",
        "version_to": "2.4.0",
        "maker": 'Meters "R" Us \\ Söhne',
        "hardware": "E-100",
    }
    return Own(**(said | changes))


def _made(own: Own, place: Path) -> Any:
    assert write([own_draft(own)], place) == ["made"]
    return load(str(place / own.name))


def _fault(own: Own) -> InputError:
    with pytest.raises(InputError) as error:
        own_draft(own)
    assert "\n" not in error.value.one_line()
    return error.value


def test_a_payload_is_wrapped_and_loads_as_it_was_said(payload: Path, tmp_path: Path) -> None:
    fixture = _made(_own(payload=payload, numbers=_NUMBERS, hardware_version=2, back="mine-2.3"), tmp_path / "out")
    assert (fixture.maker, fixture.hardware) == ('Meters "R" Us \\ Söhne', "E-100")
    assert (fixture.version_from, fixture.version_to, fixture.back) == ("2.3.0", "2.4.0", "mine-2.3")
    header = fixture.header
    assert (header.manufacturer_code, header.image_type, header.file_version) == (0x10AA, 2, 0x02040000)
    assert (header.minimum_hardware_version, header.maximum_hardware_version) == (1, 3)
    assert header.header_text == "E-100"
    assert "\nfile_version = 0x02040000\n" in (fixture.folder / "manifest.toml").read_text(encoding="utf-8")
    data = fixture.image_bytes()
    (element,) = surveyed(data).elements
    assert data[element.data.offset : element.data.end] == payload.read_bytes()
    assert (fixture.expected, fixture.behaviour, fixture.synthetic) == (None, None, False)


@pytest.mark.parametrize("content", [good(), gb(b"manufacturer image")])
def test_an_image_is_taken_as_it_is(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "given.zigbee").write_bytes(content)
    fixture = _made(_own(image=tmp_path / "given.zigbee", version_to="A-77"), tmp_path / "out")
    assert fixture.image_bytes() == content
    assert fixture.version_to == "A-77"


def test_the_same_again_is_the_same_bytes(payload: Path) -> None:
    own = _own(payload=payload, numbers=_NUMBERS)
    assert own_draft(own) == own_draft(own)


_SAYABLE = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")), min_size=1, max_size=40)


@given(maker=_SAYABLE, hardware=_SAYABLE, version_from=_SAYABLE, version_to=_SAYABLE)
def test_every_text_that_prints_comes_back_as_it_was(
    maker: str, hardware: str, version_from: str, version_to: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    place = tmp_path_factory.mktemp("made")
    (place / "given.ota").write_bytes(good())
    own = _own(
        image=place / "given.ota", maker=maker, hardware=hardware, version_from=version_from, version_to=version_to
    )
    fixture = _made(own, place)
    assert (fixture.maker, fixture.hardware) == (maker, hardware)
    assert (fixture.version_from, fixture.version_to) == (version_from, version_to)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": "../mine"}, "not a name for a fixture (found '../mine'"),
        ({"name": ".hidden"}, "not a name for a fixture"),
        ({"name": "x" * 65}, "not a name for a fixture"),
        ({"name": ""}, "not a name for a fixture"),
        ({"maker": "two\nlines"}, "--maker: not a text (found 'two\\nlines', expected 1 to 500 characters that print)"),
        ({"maker": "\udcff"}, "--maker: not a text"),
        ({"hardware": ""}, "--hardware: not a text"),
        ({"version_from": "\x7f"}, "--from: not a text"),
        ({"version_to": "x" * 501}, "--to: not a text"),
        ({"back": "a/b"}, "--back: not a name of a fixture (found 'a/b')"),
        ({"payload": None}, "a fixture needs one file (expected either --payload FILE or --image FILE)"),
        ({"image": Path("x.ota")}, "a fixture needs one file"),
        ({"payload": Path("nothing.bin")}, "nothing.bin: no such file"),
        ({"version_to": "2.4b"}, "--file-version: missing (expected a number, as none follows from --to '2.4b')"),
        ({"numbers": Numbers(image_type=1)}, "--manufacturer-code: missing"),
        ({"numbers": Numbers(manufacturer_code=1)}, "--image-type: missing"),
        ({"numbers": Numbers(manufacturer_code=0x10000, image_type=1)}, "manufacturer_code: does not fit"),
        ({"numbers": Numbers(1, 1, file_version=1 << 32)}, "file_version: does not fit"),
        ({"numbers": Numbers(1, 1, header_string="x" * 33)}, "header_string: does not fit"),
        ({"numbers": Numbers(1, 1, hardware_versions=(3, 1))}, "--hardware-versions: out of order"),
        ({"numbers": Numbers(1, 1, hardware_versions=(1, 65536))}, "maximum_hardware_version: does not fit"),
        (
            {"hardware_version": 4},
            "--hardware-version: the image is for other hardware (found 0x0001 to 0x0003, expected 0x0004 among them)",
        ),
    ],
)
def test_what_is_said_wrongly_is_refused(changes: dict[str, Any], words: str, payload: Path) -> None:
    said = {"payload": payload, "numbers": _NUMBERS} | changes
    assert words in _fault(_own(**said)).one_line()


def test_an_empty_payload_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")
    assert _fault(_own(payload=tmp_path / "empty", numbers=_NUMBERS)).message == "an empty file"


def test_a_payload_that_no_meter_could_hold_is_refused(tmp_path: Path) -> None:
    (tmp_path / "huge").touch()
    os.truncate(tmp_path / "huge", 10 << 30)
    fault = _fault(_own(payload=tmp_path / "huge", numbers=_NUMBERS))
    assert fault.message == "too large for a meter's firmware"


def test_an_image_that_is_none_is_refused(payload: Path) -> None:
    assert "not a Zigbee OTA upgrade file" in _fault(_own(image=payload)).message


def test_an_image_brings_its_own_numbers(tmp_path: Path) -> None:
    (tmp_path / "given.ota").write_bytes(good())
    fault = _fault(_own(image=tmp_path / "given.ota", numbers=Numbers(image_type=7)))
    assert fault.message == "an image brings its own header: the options for one are for a payload only"


def test_a_packaged_fixture_is_made_with_its_way_back() -> None:
    assert [draft.name for draft in packaged_drafts(["no-cut", "cut-45s", "rejects-image"])] == [
        "no-cut",
        "back-45s",
        "cut-45s",
        "rejects-image",
    ]


def test_a_recipe_that_is_not_known_is_refused_with_the_nearest() -> None:
    with pytest.raises(InputError, match=r"no recipe 'cut-45'; did you mean 'cut-45s'\?"):
        packaged_drafts(["cut-45"])
