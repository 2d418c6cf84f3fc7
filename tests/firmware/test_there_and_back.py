"""Pairs of fixtures: the way back starts where the way there ends, and nothing else passes for one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from rig.errors import InputError
from rig.firmware import load, load_back
from rig.firmware.fixture import packaged
from tests.firmware.containers import good
from tests.firmware.folders import change, replace_image


@pytest.fixture
def pair(tmp_path: Path) -> Path:
    """A folder with `mine` and `back-45s`, the way back, side by side."""
    shutil.copytree(packaged() / "cut-45s", tmp_path / "mine")
    shutil.copytree(packaged() / "back-45s", tmp_path / "back-45s")
    return tmp_path


def _no_way_back(place: Path) -> InputError:
    there = load(str(place / "mine"))
    with pytest.raises(InputError) as error:
        load_back(there)
    assert "\n" not in error.value.one_line()
    return error.value


def test_the_way_back_starts_where_the_way_there_ends_and_ends_where_it_starts(pair: Path) -> None:
    there = load(str(pair / "mine"))
    back = load_back(there)
    assert (back.version_from, back.version_to) == (there.version_to, there.version_from) == ("1.1.0", "1.0.0")
    assert back.folder == pair / "back-45s"


def test_the_way_back_is_found_from_inside_the_folder_too(pair: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(pair / "mine")
    assert load_back(load(".")).name == "back-45s"


def test_a_fixture_alone_loads_but_its_way_back_is_missing(pair: Path) -> None:
    shutil.rmtree(pair / "back-45s")
    fault = _no_way_back(pair)
    assert fault.message == "no such fixture beside this one"
    assert (fault.where.key, fault.where.found) == ("firmware.back", "'back-45s'")
    assert fault.where.line is not None


def test_a_fixture_that_names_no_way_back_says_so(pair: Path) -> None:
    change(pair / "mine", 'back = "back-45s"\n', "")
    fault = _no_way_back(pair)
    assert (fault.message, fault.where.key) == ("no way back from this firmware", "firmware")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            'version_from = "1.1.0"',
            'version_from = "1.2.0"',
            "its version_from is another (found 1.2.0, expected 1.1.0)",
        ),
        ('maker = "Synthetic Meters"', 'maker = "Others"', "its maker is another (found Others,"),
        ('hardware = "SM-ESME-1"', 'hardware = "SM-ESME-2"', "its hardware is another (found SM-ESME-2,"),
    ],
)
def test_what_does_not_lead_back_is_no_way_back(pair: Path, old: str, new: str, words: str) -> None:
    change(pair / "back-45s", old, new)
    assert f"back-45s does not lead back: {words}" in _no_way_back(pair).one_line()


def test_a_way_back_that_ends_in_another_version_is_none(pair: Path) -> None:
    replace_image(pair / "back-45s", good(file_version=0x00090000, manufacturer_code=0xFFF1, image_type=1))
    change(pair / "back-45s", 'version_to = "1.0.0"', 'version_to = "0.9.0"')
    assert "its version_to is another (found 0.9.0, expected 1.0.0)" in _no_way_back(pair).one_line()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"manufacturer_code": 5, "image_type": 1}, "its manufacturer code is another (found 0x0005, expected 0xFFF1)"),
        ({"manufacturer_code": 0xFFF1, "image_type": 5}, "its image type is another (found 0x0005, expected 0x0001)"),
    ],
)
def test_an_image_of_another_kind_is_no_way_back(pair: Path, change: dict[str, int], words: str) -> None:
    replace_image(pair / "back-45s", good(file_version=0x01000000, **change))
    assert words in _no_way_back(pair).one_line()


def test_the_same_image_is_no_way_back(pair: Path) -> None:
    shutil.copy(pair / "mine" / "image.ota", pair / "back-45s" / "image.ota")
    sha256 = load(str(pair / "mine")).sha256
    change(pair / "back-45s", load("back-45s").sha256, sha256)
    change(pair / "back-45s", "[expected]", "file_version = 0x01010000\n[expected]")
    assert "the same image" in _no_way_back(pair).one_line()


def test_a_way_back_that_is_wrong_in_itself_is_told_as_such(pair: Path) -> None:
    (pair / "back-45s" / "image.ota").write_bytes(b"")
    assert _no_way_back(pair).where.file == str(pair / "back-45s" / "image.ota")
