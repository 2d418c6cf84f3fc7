"""Loading a fixture: everything is checked, one line says what is wrong, and nothing wrong gets through."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from rig.errors import ExitCode, InputError
from rig.firmware import OtaElement, build, load, names
from rig.firmware.fixture import MOST_IMAGE_BYTES, encode_version, packaged
from tests.firmware.containers import gb, good
from tests.firmware.folders import change, replace_image


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of a good fixture, to spoil."""
    return Path(shutil.copytree(packaged() / "cut-45s", tmp_path / "mine"))


def _fault(name: str | Path) -> InputError:
    with pytest.raises(InputError) as error:
        load(str(name))
    assert error.value.code is ExitCode.BAD_INPUT
    assert "\n" not in error.value.one_line()
    return error.value


def test_a_fixture_is_found_by_its_name() -> None:
    fixture = load("cut-45s")
    assert (fixture.name, fixture.maker, fixture.hardware) == ("cut-45s", "Synthetic Meters", "SM-ESME-1")
    assert (fixture.version_from, fixture.version_to) == ("1.0.0", "1.1.0")
    assert fixture.header.file_version == 0x01010000
    assert len(fixture.image_bytes()) == fixture.header.total_image_size
    assert fixture.synthetic


def test_a_fixture_is_found_by_its_folder(folder: Path) -> None:
    fixture = load(str(folder))
    assert fixture.name == "mine"
    assert fixture.sha256 == load("cut-45s").sha256


def test_a_folder_beside_a_fixtures_name_does_not_shadow_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(folder, folder.parent / "no-cut")
    monkeypatch.chdir(folder.parent)
    assert load("no-cut").folder == packaged() / "no-cut"
    assert load("./no-cut").sha256 == load("cut-45s").sha256


def test_an_unknown_name_is_refused_with_the_nearest_known_one() -> None:
    assert _fault("cut-45").one_line() == "no firmware fixture 'cut-45'; did you mean 'cut-45s'?"


def test_a_name_near_to_none_is_refused_with_the_list() -> None:
    expected = _fault("zzzzzz").where.expected
    assert expected is not None
    assert all(name in expected for name in names())


@pytest.mark.parametrize("name", ["", "cut-45s\0", "*", "CUT-45S"])
def test_what_is_not_a_name_is_refused(name: str) -> None:
    assert "no firmware fixture" in _fault(name).message


@pytest.mark.parametrize("name", ["../firmware_fixtures/cut-45s", "cut-45s/../no-cut", "no-cut/"])
def test_a_path_is_never_looked_up_among_the_packaged_fixtures(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert _fault(name).one_line() == f"{name}: no such folder"


def test_a_folder_without_a_manifest_is_refused(tmp_path: Path) -> None:
    assert _fault(tmp_path).one_line() == f"{tmp_path / 'manifest.toml'}: no such file"


def test_malformed_toml_is_refused_with_its_line(folder: Path) -> None:
    line = change(folder, 'maker = "Synthetic Meters"', "maker = Synthetic")
    fault = _fault(folder)
    assert (fault.where.file, fault.where.line) == (str(folder / "manifest.toml"), line)
    assert "not valid TOML" in fault.message


@pytest.mark.parametrize(
    ("old", "new", "key", "words"),
    [
        (
            'schema = "rig.fixture/1"',
            'schema = "rig.fixture/2"',
            "schema",
            "found 'rig.fixture/2', expected 'rig.fixture",
        ),
        ('maker = "Synthetic Meters"', "maker = 7", "firmware.maker", "wrong type (found 7, expected text in quotes)"),
        ('hardware = "SM', 'hardwear = "SM', "firmware.hardwear", "unknown key; did you mean 'hardware'?"),
        ("accepts_image = true", 'accepts_image = "yes"', "synthetic.accepts_image", "expected true or false"),
        ("accepts_image = true", "accepts_image = false", "synthetic", "cannot change the version"),
        ("accepts_image = true", "color = 1\naccepts_image = true", "synthetic.color", "unknown key (expected one of:"),
        ("[3.0, 0.0]", "[3.0, true]", "synthetic.feed[0][1]", "wrong type (found true, expected a number)"),
        ("[3.0, 0.0]", "[3.0]", "synthetic.feed[0]", "expected at least 2 entries"),
        ("[48.0, 12.0]", "[48.0, 30.0]", "synthetic.feed", "the volts of the steps must be from 0 to 24"),
        ("[48.0, 12.0]", "[3.0, 12.0]", "synthetic.feed", "the times of the steps must be 0 or more, and ascend"),
        ("[48.0, 12.0]", "[inf, 12.0]", "synthetic.feed", "the times of the steps must be 0 or more, and ascend"),
        ("[48.0, 12.0]", "[48.0, nan]", "synthetic.feed", "the volts of the steps must be from 0 to 24"),
        ("[[2.0, 53.0]]", "[[53.0, 2.0]]", "synthetic.silent", "the stretches must be [from, until]"),
        ("[[2.0, 53.0]]", "[[2.0, nan]]", "synthetic.silent", "the stretches must be [from, until]"),
        ("_at_s = 53.0", "_at_s = -1.0", "synthetic.version_changes_at_s", "found -1.0, expected at least 0.0"),
        ("version_changes_at_s = 53.0", "", "synthetic", "version_changes_at_s belongs with version_after"),
        ('verdict = "PASS"', 'verdict = "pass"', "expected.verdict", "expected 'PASS', 'FAIL' or 'INCONCLUSIVE'"),
        ('verdict = "PASS"', 'verdict = "FAIL"', "expected", "a PASS has no reason code; every other verdict has one"),
        ('file = "image.ota"', 'file = "../image.ota"', "image.file", "is not a plain name"),
        ('file = "image.ota"', 'file = "/etc/passwd"', "image.file", "is not a plain name"),
        ('back = "back-45s"', 'back = "../back-45s"', "firmware.back", "is not a plain name"),
        ('back = "back-45s"', "back = true", "firmware.back", "wrong type (found true, expected text in quotes)"),
        ("hardware_version = 1", "hardware_version = 65536", "firmware.hardware_version", "at most 65535"),
        (
            "hardware_version = 1",
            "hardware_version = 2",
            "firmware.hardware_version",
            "image.ota is for other hardware (found 0x0001 to 0x0001, expected 0x0002 among them)",
        ),
        (
            "[expected]",
            "manufacturer_code = 5\n[expected]",
            "image.manufacturer_code",
            "another manufacturer code (found 0xFFF1, expected 0x0005)",
        ),
        (
            "[expected]",
            "image_type = 5\n[expected]",
            "image.image_type",
            "another image type (found 0x0001, expected 0x0005)",
        ),
        ('sha256 = "', 'sha256 = "F', "image.sha256", "not allowed"),
        ('version_to = "1.1.0"', 'version_to = "1.2.0"', "firmware.version_to", "expected 0x01020000 for 1.2.0"),
        ('version_to = "1.1.0"', 'version_to = "v9"', "firmware.version_to", "no file version follows from this text"),
        (
            "[expected]",
            "file_version = 5\n[expected]",
            "image.file_version",
            "file version 0x01010000, expected 0x00000005",
        ),
    ],
)
def test_a_wrong_manifest_is_refused_with_key_and_line(folder: Path, old: str, new: str, key: str, words: str) -> None:
    change(folder, old, new)
    fault = _fault(folder)
    assert fault.where.file == str(folder / "manifest.toml")
    assert fault.where.key == key
    assert words in fault.one_line()
    lines = (folder / "manifest.toml").read_text(encoding="utf-8").splitlines()
    assert fault.where.line is not None
    last = key.split(".")[-1].split("[")[0]
    wanted = f"[{key}]" if key in {"expected", "synthetic"} else new if "feed[" in key else f"{last} ="
    assert wanted in lines[fault.where.line - 1]


@pytest.mark.parametrize(
    ("pulses", "words"),
    [
        ("from_s = 5.0, until_s = 5.0, period_s = 1.0, on_s = 0.1", "from_s must be before until_s"),
        ("from_s = 5.0, until_s = 9.0, period_s = 1.0, on_s = 1.0", "on_s must be shorter than period_s"),
        ("from_s = 5.0, until_s = 9e9, period_s = 1.0, on_s = 0.1", "more than 100000 pulses"),
        ("from_s = 5.0, until_s = inf, period_s = 1.0, on_s = 0.1", "finite number"),
        ("from_s = 5.0, until_s = 9.0, period_s = 0.0, on_s = 0.1", "more than 0"),
        ("from_s = 5.0, until_s = 9.0, on_s = 0.1", "synthetic.pulses.period_s: missing key (expected a number)"),
    ],
)
def test_impossible_pulses_are_refused(folder: Path, pulses: str, words: str) -> None:
    line = change(folder, "accepts_image = true", f"pulses = {{ {pulses} }}")
    fault = _fault(folder)
    assert words in fault.one_line()
    assert fault.where.line == line


def test_a_missing_image_is_refused(folder: Path) -> None:
    (folder / "image.ota").unlink()
    assert _fault(folder).one_line() == f"{folder / 'image.ota'}: no such file"


@pytest.mark.parametrize("name", ["image.ota", "manifest.toml"])
@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo])
def test_a_folder_or_a_pipe_in_place_of_a_file_is_refused_and_never_waited_for(
    folder: Path, make: Callable[[Path], None], name: str
) -> None:
    (folder / name).unlink()
    make(folder / name)
    fault = _fault(folder)
    assert (fault.where.file, fault.message) == (str(folder / name), "not a plain file")


def test_an_image_that_no_meter_could_hold_is_refused_before_it_is_read(folder: Path) -> None:
    size = MOST_IMAGE_BYTES + 1
    header = good(elements=[], manufacturer_code=1)
    whole = header[:52] + size.to_bytes(4, "little") + header[56:] + b"\0\0" + (size - 66).to_bytes(4, "little")
    (folder / "image.ota").write_bytes(whole)
    os.truncate(folder / "image.ota", size)
    fault = _fault(folder)
    assert (fault.message, fault.where.found) == ("too large for a meter's firmware", f"{size} bytes")


def test_an_image_of_ten_gigabytes_is_refused_by_its_header_alone(folder: Path) -> None:
    os.truncate(folder / "image.ota", 10 << 30)
    assert _fault(folder).message == "offset 3138: data after the end of the image"


def test_a_manifest_of_ten_gigabytes_is_refused_unread(folder: Path) -> None:
    os.truncate(folder / "manifest.toml", 10 << 30)
    assert _fault(folder).message == "too large for a manifest"


def test_an_image_with_one_changed_bit_is_refused(folder: Path) -> None:
    image = folder / "image.ota"
    data = bytearray(image.read_bytes())
    data[-1] ^= 1
    image.write_bytes(data)
    fault = _fault(folder)
    assert fault.message == "image.ota does not have this SHA-256"
    assert fault.where.key == "image.sha256"
    assert fault.where.line is not None
    assert fault.where.expected == load("cut-45s").sha256


def test_a_container_that_is_wrong_is_refused_even_with_the_right_hash(folder: Path) -> None:
    replace_image(folder, (folder / "image.ota").read_bytes()[:-1])
    fault = _fault(folder)
    assert fault.where.file == str(folder / "image.ota")
    assert fault.message == "offset 3137: the file is shorter than its header says"


def test_an_image_of_another_version_is_refused_even_with_the_right_hash(folder: Path) -> None:
    replace_image(folder, good(file_version=0x01010001))
    fault = _fault(folder)
    assert fault.where.key == "firmware.version_to"
    assert fault.where.found == "file version 0x01010001"


def test_a_real_image_with_a_scheme_of_its_own_needs_no_behaviour_and_no_verdict(folder: Path) -> None:
    image = build(manufacturer_code=1, image_type=1, file_version=77, elements=[OtaElement(0, b"real")])
    replace_image(folder, image)
    change(folder, 'version_to = "1.1.0"', 'version_to = "A-77 (beta)"')
    change(folder, "[expected]", "file_version = 77\n[expected]")
    manifest = folder / "manifest.toml"
    manifest.write_text(manifest.read_text(encoding="utf-8").split("[expected]")[0], encoding="utf-8")
    fixture = load(str(folder))
    assert fixture.version_to == "A-77 (beta)"
    assert (fixture.expected, fixture.behaviour, fixture.synthetic) == (None, None, False)


def test_an_image_in_gbs_own_layout_is_a_fixture_too(folder: Path) -> None:
    replace_image(folder, gb(b"manufacturer image"))
    change(folder, "[expected]", "file_version = 0x01020300\n[expected]")
    assert load(str(folder)).image_bytes() == gb(b"manufacturer image")


def test_a_synthetic_fixture_without_an_expected_verdict_is_refused(folder: Path) -> None:
    manifest = folder / "manifest.toml"
    text = manifest.read_text(encoding="utf-8")
    head, rest = text.split("[expected]")
    manifest.write_text(head + rest[rest.index("# What the meter") :], encoding="utf-8")
    assert "[expected] is missing" in _fault(folder).message


def test_an_image_that_changed_after_it_was_checked_is_not_handed_out(folder: Path) -> None:
    fixture = load(str(folder))
    (folder / "image.ota").write_bytes(load("no-cut").image_bytes())
    with pytest.raises(InputError, match="changed after it was checked"):
        fixture.image_bytes()


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1.2.3", 0x01020300),
        ("255.0.255", 0xFF00FF00),
        ("256.0.0", None),
        ("1.2", None),
        ("1.2.3.4", None),
        ("1.2.3\n", None),
        ("v1.2.3", None),
        ("١.٢.٣", None),
    ],
)
def test_a_version_is_one_byte_a_number(text: str, number: int | None) -> None:
    assert encode_version(text) == number


def test_pydantic_is_loaded_only_when_a_fixture_is() -> None:
    code = "import sys, rig.firmware; sys.exit('pydantic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, env=os.environ).returncode == 0


_TOKENS = (
    "=",
    "[",
    "]",
    "{",
    "}",
    '"',
    "#",
    "\n",
    ",",
    ".",
    "-",
    "inf",
    "nan",
    "1e400",
    "0x10000",
    "'" * 3,
    "\0",
    "\ud7ff",
)


def test_damaged_manifests_raise_nothing_but_an_input_error(folder: Path) -> None:
    text = (folder / "manifest.toml").read_text(encoding="utf-8")
    source = random.Random("manifest")
    refused = []
    for _ in range(200):
        work = text
        for _ in range(source.randint(1, 3)):
            at = source.randrange(len(work))
            work = work[:at] + source.choice(_TOKENS) + work[at + source.randrange(4) :]
        (folder / "manifest.toml").write_text(work, encoding="utf-8")
        try:
            load(str(folder))
        except InputError as error:
            refused.append(error)
    assert all((error.where.file or "").startswith(str(folder)) for error in refused)
    assert 100 < len(refused) < 200
