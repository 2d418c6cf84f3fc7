"""What is told of an upgrade file: every field by its standard name, every part with its hash, and what is wrong."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from rig.errors import InputError
from rig.firmware import OtaElement, load
from rig.firmware.fixture import packaged
from rig.firmware.inspection import Wanted, inspect, verify
from tests.firmware.containers import full, gb, good


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _told(tmp_path: Path, data: bytes) -> dict[str, Any]:
    file = tmp_path / "x.ota"
    file.write_bytes(data)
    told: dict[str, Any] = json.loads(json.dumps(inspect(str(file)).to_json()))
    return told


def test_every_field_of_the_header_is_told_by_its_standard_name(tmp_path: Path) -> None:
    told = _told(tmp_path, full())
    assert told["header"] == {
        "ota_upgrade_file_identifier": 0x0BEEF11E,
        "ota_header_version": 0x0100,
        "ota_header_length": 69,
        "ota_header_field_control": 7,
        "manufacturer_code": 0x1234,
        "image_type": 7,
        "file_version": 0x01020300,
        "zigbee_stack_version": 2,
        "ota_header_string": "a meter",
        "total_image_size": len(full()),
        "security_credential_version": 2,
        "upgrade_file_destination": "01:02:03:04:05:06:07:08",
        "minimum_hardware_version": 1,
        "maximum_hardware_version": 2,
    }
    assert told["ota_header_string_bytes"] == b"a meter".ljust(32, b"\0").hex()
    assert told["field_control_bits"] == [
        "security credential version present",
        "device specific file",
        "hardware versions present",
    ]
    assert (told["good"], told["faults"], told["contradictions"]) == (True, [], [])


def test_a_field_that_is_left_out_is_null(tmp_path: Path) -> None:
    header = _told(tmp_path, good(hardware_versions=None))["header"]
    assert [name for name, value in header.items() if value is None] == [
        "security_credential_version",
        "upgrade_file_destination",
        "minimum_hardware_version",
        "maximum_hardware_version",
    ]


def test_every_part_has_its_place_and_its_hash(tmp_path: Path) -> None:
    data = full()
    told = _told(tmp_path, data)
    assert (told["size"], told["sha256"]) == (len(data), _sha256(data))
    at = 69
    for element in told["elements"]:
        assert (element["offset"], element["data_offset"]) == (at, at + 6)
        content = data[at + 6 : at + 6 + element["length"]]
        assert element["held"] == element["length"] == len(content)
        assert element["sha256"] == _sha256(content)
        assert element["first_bytes"] == content[:16].hex()
        at += 6 + len(content)
    assert at == len(data)


def test_signatures_and_certificates_are_kept_as_bytes(tmp_path: Path) -> None:
    kept = {e["tag"]: e["data"] for e in _told(tmp_path, full())["elements"]}
    assert {tag for tag, data in kept.items() if data is None} == {0x0000, 0x0004, 0xFFFF}
    assert kept[0x0005] == (b"\x05" * 80).hex()


def test_of_a_gb_image_each_hash_is_told_for_what_it_is(tmp_path: Path) -> None:
    image, signature = b"manufacturer image" * 20, bytes(range(64))
    data = gb(image, signature, force_replace=1)
    told = _told(tmp_path, data)
    assert (told["layout"], told["elements"]) == ("GB upgrade image", [])
    assert told["sha256"] == _sha256(data)
    assert told["gb_upgrade_image"] == {
        "manufacturer_image_offset": 60,
        "manufacturer_image_length": len(image),
        "manufacturer_image_sha256": _sha256(image),
        "force_replace": 1,
        "signature_offset": len(data) - 64,
        "signature": signature.hex(),
    }
    assert told["manufacturer_image_hash"] == {
        "sha256": _sha256(image),
        "of": "the manufacturer image",
        "assumed": False,
    }


def test_in_a_file_of_sub_elements_the_manufacturer_image_is_an_assumption(tmp_path: Path) -> None:
    named = _told(tmp_path, good())["manufacturer_image_hash"]
    assert named == {
        "sha256": _sha256(b"firmware"),
        "of": "the data of the upgrade image sub-element",
        "assumed": True,
    }
    two = good(elements=[OtaElement(0, b"one"), OtaElement(0, b"two")])
    assert _told(tmp_path, two)["manufacturer_image_hash"] is None


def test_trailing_data_is_shown(tmp_path: Path) -> None:
    told = _told(tmp_path, good() + b"trailing")
    assert told["trailing"] == {"offset": 84, "length": 8, "first_bytes": b"trailing".hex()}
    assert len(told["elements"]) == 2
    assert not told["good"]
    assert told["faults"] == [
        {
            "offset": 84,
            "message": "data after the end of the image",
            "found": "a file of 92 bytes",
            "expected": "84 bytes (the total image size)",
        }
    ]


def test_what_cannot_be_read_as_a_sub_element_is_shown(tmp_path: Path) -> None:
    data = good()[:52] + (88).to_bytes(4, "little") + good()[56:] + b"junk"
    assert _told(tmp_path, data)["unread"] == {"offset": 84, "length": 4, "first_bytes": b"junk".hex()}


def test_of_a_file_cut_short_what_is_there_is_shown(tmp_path: Path) -> None:
    told = _told(tmp_path, good()[:-2])
    assert [(e["length"], e["held"]) for e in told["elements"]] == [(8, 8), (4, 2)]
    assert told["elements"][1]["sha256"] == _sha256(b"mo")
    assert [fault["offset"] for fault in told["faults"]] == [82, 76]


def test_ten_gigabytes_are_shown_but_not_read(tmp_path: Path) -> None:
    file = tmp_path / "huge.ota"
    file.write_bytes(good())
    os.truncate(file, 10 << 30)
    told = inspect(str(file)).to_json()
    assert (told["size"], told["sha256"]) == (10 << 30, None)
    assert told["trailing"]["length"] == (10 << 30) - 84
    assert told["header"]["manufacturer_code"] == 0x1234


def test_a_fixture_is_inspected_by_its_name_and_contradictions_are_told(tmp_path: Path) -> None:
    assert inspect("cut-45s").to_json()["fixture"] == "cut-45s"
    mine = Path(shutil.copytree(packaged() / "cut-45s", tmp_path / "mine"))
    (mine / "image.ota").write_bytes(good())
    told = inspect(str(mine)).to_json()
    assert (told["fixture"], told["good"], told["faults"]) == ("mine", False, [])
    assert len(told["contradictions"]) == 2
    assert "image.ota does not have this SHA-256" in told["contradictions"][0]
    assert "image.ota holds another version" in told["contradictions"][1]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("cut-45", "no such file, and no fixture of this name; did you mean 'cut-45s'?"),
        ("a/b.ota", "a/b.ota: no such file"),
        ("", "no such file"),
        ("nul\0", "no such file"),
    ],
)
def test_what_is_neither_a_file_nor_a_fixture_is_refused(name: str, words: str) -> None:
    with pytest.raises(InputError) as error:
        inspect(name)
    assert words in error.value.one_line()


def test_a_fixtures_name_goes_before_a_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "no-cut").write_bytes(good())
    assert inspect("no-cut").to_json()["fixture"] == "no-cut"
    assert inspect("./no-cut").to_json()["fixture"] is None


# -- strictly ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "x.ota"
    path.write_bytes(gb(b"manufacturer image"))
    return path


def _refusal(file: Path, **wanted: Any) -> str:
    with pytest.raises(InputError) as error:
        verify(str(file), Wanted(**wanted))
    return error.value.one_line()


def test_a_good_file_is_good_by_either_of_its_hashes(file: Path) -> None:
    for sha256 in (None, _sha256(file.read_bytes()), _sha256(b"manufacturer image")):
        inspection, fixture = verify(str(file), Wanted(sha256, hardware_version=2))
        assert (inspection.faults, fixture) == ([], None)


def test_another_hash_is_refused_and_both_are_told(file: Path) -> None:
    told = _refusal(file, sha256="0" * 64)
    assert f"another SHA-256 (found {_sha256(file.read_bytes())} of the file, " in told
    assert f"{_sha256(b'manufacturer image')} of the manufacturer image, expected {'0' * 64})" in told


def test_an_image_for_other_hardware_is_refused(file: Path) -> None:
    told = _refusal(file, hardware_version=3)
    assert told == f"{file}: the image is for other hardware (found 0x0001 to 0x0002, expected 0x0003 among them)"


@pytest.mark.parametrize("data", [good() + b"x", good()[:-1], b"", b"\x0b\xee\xf1\x1e" + good()[4:]])
def test_whatever_is_wrong_with_the_container_is_refused(data: bytes, file: Path) -> None:
    file.write_bytes(data)
    assert f"{file}: offset " in _refusal(file)


def test_a_fixture_is_verified_with_its_way_back(tmp_path: Path) -> None:
    _, fixture = verify("cut-45s", Wanted())
    assert fixture == load("cut-45s")
    mine = shutil.copytree(packaged() / "cut-45s", tmp_path / "mine")
    assert "no such fixture beside this one" in _refusal(Path(mine))
