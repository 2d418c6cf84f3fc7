"""A meter's profile: the packaged ones, a lab's own, and what is wrong with a bad one."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import pytest

from rig.errors import InputError
from rig.meters.port import ImageState
from rig.meters.profile import load_profile

PACKAGED = Path(str(resources.files("rig.meters"))) / "profiles"
TEXT = (PACKAGED / "synthetic-esme.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", sorted(PACKAGED.glob("*.toml")), ids=lambda path: path.stem)
def test_every_packaged_profile_is_good_and_bears_its_files_name(path: Path) -> None:
    assert load_profile(path.stem).name == path.stem


def test_a_labs_own_profile_is_read_by_path(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(TEXT.replace("state_register = 140", "state_register = 141"), encoding="utf-8")
    assert load_profile(str(path)).image.state_register == 141


def test_an_unknown_name_is_told_with_the_nearest() -> None:
    with pytest.raises(InputError, match=r"no meter profile 'synthetic-esm' .*did you mean 'synthetic-esme'\?"):
        load_profile("synthetic-esm")


def test_a_name_is_never_joined_to_a_path() -> None:
    with pytest.raises(InputError, match="no meter profile"):
        load_profile("../profiles/synthetic-esme")


def test_a_missing_file_is_told() -> None:
    with pytest.raises(InputError, match="no such file"):
        load_profile("nowhere.toml")


@pytest.mark.parametrize(
    ("old", "new", "key", "message"),
    [
        ("register = 130", "register = 65536", "version.register", "not allowed"),
        ("words = 3 ", "words = 0 ", "version.words", "not allowed"),
        ("words_a_record = 100", "words_a_record = 122", "image.words_a_record", "not allowed"),
        ("verify_s", "verfy_s", "image.verfy_s", "did you mean 'verify_s'?"),
        ('"none"', '"nothing"', "image.states[0]", "not allowed"),
        ("unit_s = 1.0", "unit_s = 0.0", "uptime.unit_s", "not allowed"),
    ],
)
def test_a_bad_profile_is_told_with_key_and_line(tmp_path: Path, old: str, new: str, key: str, message: str) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(TEXT.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_profile(str(path))
    assert (caught.value.where.file, caught.value.where.key) == (str(path), key)
    assert caught.value.where.line is not None
    assert message in caught.value.message


def test_codes_become_states_and_unknown_codes_none() -> None:
    image = load_profile("synthetic-esme").image
    assert image.state(3) is ImageState.VERIFIED
    assert [image.state(code) for code in (-1, 8)] == [None, None]
