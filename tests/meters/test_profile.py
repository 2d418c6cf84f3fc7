"""A meter's profile: the packaged ones, a lab's own, and what is wrong with a bad one."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import pytest

from rig.errors import InputError
from rig.meters.port import ImageState
from rig.meters.profile import Profile, load_profile
from rig.meters.profile_files import names

PACKAGED = Path(str(resources.files("rig.meters"))) / "profiles"
TEXT = (PACKAGED / "synthetic-esme.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", names("modbus"))
def test_every_packaged_profile_is_good_bears_its_files_name_and_names_its_manual(name: str) -> None:
    profile = load_profile(name)
    assert profile.name == name
    assert len(profile.manual) > 20


@pytest.mark.parametrize("name", [name for name in names("modbus") if name != "synthetic-esme"])
def test_every_profile_of_a_real_product_names_its_pages_and_says_what_the_manual_does_not(name: str) -> None:
    profile = load_profile(name)
    assert "page" in profile.manual
    assert profile.notes
    assert profile.image is None, "no maker documents how an image goes over Modbus"


def test_a_labs_own_profile_is_read_by_path(tmp_path: Path) -> None:
    assert own(tmp_path, TEXT.replace("register = 140", "register = 141")).status.value.register_ == 141  # type: ignore[union-attr]


def own(tmp_path: Path, text: str) -> Profile:
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return load_profile(str(path))


def test_an_unknown_name_is_told_with_the_nearest() -> None:
    with pytest.raises(InputError, match=r"no meter profile 'synthetic-esm' .*did you mean 'synthetic-esme'\?"):
        load_profile("synthetic-esm")


def test_a_name_is_never_joined_to_a_path() -> None:
    with pytest.raises(InputError, match="no meter profile"):
        load_profile("../profiles/synthetic-esme")


def test_a_missing_file_is_told() -> None:
    with pytest.raises(InputError, match="no such file"):
        load_profile("nowhere.toml")


EXTRA = """
[credentials.password]
type = "uint16"

[[activation]]
function = 6
register = 300
credential = "password"
"""
BAD = {
    "a register out of range": ("register = 140", "register = 65536", "status.value.register", "not allowed"),
    "a text without its length": ('"ascii", words = 8', '"ascii"', "identity.maker", "ascii needs its number of words"),
    "a number with a length": ("register = 140", "register = 140, words = 1", "status.value", "belong to text"),
    "a text with a scale": ("words = 8 }", "words = 8, scale = 2.0 }", "identity.maker", "belong to numbers"),
    "a read past the end": ("register = 116", "register = 65530", "identity.serial", "reads past the last register"),
    "a read of more than 125": ("words = 3 }", "words = 126 }", "version.parts[0].words", "not allowed"),
    "nothing left of a text": ("words = 3 }", "words = 3, skip_bytes = 6 }", "version.parts[0]", "would cut a word"),
    "values that overlap": ("register = 108", "register = 107", "identity.model", "overlaps identity.maker"),
    "a status inside a text": ("register = 140", "register = 131", "status.value", "overlaps version.parts.0"),
    "an up-time that overlaps": ("register = 142", "register = 143", "image.received", "overlaps uptime"),
    "a log over the status": ("register = 152", "register = 138", "log.register", "the entries overlap status.value"),
    "an entry too short": ("time_at = 1 ", "time_at = 2 ", "log", "does not hold word 3"),
    "a log past the end": ("register = 152", "register = 65530", "log", "reads past the last register"),
    "an up-time that is text": ('"uint32"     # s', '"ascii"\nwords = 2 # s', "uptime.type", "must be a number"),
    "an unknown state": ('"none" = 0', '"nothing" = 0', "status.states", "no image state 'nothing'; known: none,"),
    "a state twice": ('"verified" = 3', '"verified" = 4', "status.states", "two states have the same meaning"),
    "a misspelt key": ("verify_s", "verfy_s", "image.verfy_s", "did you mean 'verify_s'?"),
    "a record too long": ("words_a_record = 100", "words_a_record = 122", "image.words_a_record", "not allowed"),
    "an image without a status": ("[status]\nvalue = { register = 140 }", "", None, None),
    "a scale of zero": ("register = 142", "register = 142\nscale = 0.0", "uptime.scale", "not allowed"),
    "value and credential": (
        'credential = "password"',
        'credential = "password"\nvalue = 1',
        "activation[1]",
        "a write has",
    ),
    "neither": ('credential = "password"', "", "activation[1]", "one of value, credential, image (found none)"),
    "an unknown credential": ('"password"', '"pasword"', "activation[1].credential", "did you mean 'password'?"),
    "a credential too long": ('type = "uint16"', 'type = "uint32"', "activation[1].credential", "writes one register"),
    "a credential of many words": (
        'type = "uint16"',
        'type = "ascii"',
        "credentials.password",
        "words belongs to ascii",
    ),
    "a value that is none": ('credential = "password"', "value = 70000", "activation[1].value", "neither true, false"),
    "a coil for a register": (
        'credential = "password"',
        "value = true",
        "activation[1]",
        "function 6 writes one number",
    ),
    "an image by function 6": ('credential = "password"', 'image = ["size"]', "activation[1]", "need function 16"),
    "a write past the end": ("register = 230", "register = 65530", "activation[0].register", "writes past the last"),
    "a delay without an end": (
        "register = 300",
        "register = 300\nafter_s = inf",
        "activation[1].after_s",
        "not allowed",
    ),
    "an unknown function": ("function = 6", "function = 22", "activation[1].function", "not allowed"),
}


@pytest.mark.parametrize(("old", "new", "key", "message"), BAD.values(), ids=BAD)
def test_a_bad_profile_is_told_in_one_line_with_key_and_line(
    tmp_path: Path, old: str, new: str, key: str | None, message: str | None
) -> None:
    text = TEXT.replace("[log]", EXTRA + "\n[log]")
    assert old in text
    with pytest.raises(InputError) as caught:
        own(tmp_path, text.replace(old, new, 1))
    line = caught.value.one_line()
    assert line.startswith(str(tmp_path / "mine.toml") + ":")
    if key is not None and message is not None:
        assert caught.value.where.key == key
        assert message in line
    assert caught.value.where.line is not None


def test_half_of_what_is_only_read_as_a_whole_is_told(tmp_path: Path) -> None:
    good = TEXT + "\n[[whole]]\nregister = 130\nwords = 3\n"
    assert own(tmp_path, good).whole[0].words == 3
    with pytest.raises(InputError, match="over-reads the registers that are only read as a whole") as caught:
        own(tmp_path, good.removesuffix("words = 3\n") + "words = 2\n")
    assert caught.value.where.key == "version.parts[0]"


def test_a_credential_that_no_write_uses_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no write uses this credential"):
        own(tmp_path, TEXT + '\n[credentials.password]\ntype = "uint16"\n')


def test_codes_become_states_and_unknown_codes_none() -> None:
    status = load_profile("synthetic-esme").status
    assert status is not None
    assert status.state(3) is ImageState.VERIFIED
    assert [status.state(code) for code in (-1, 8, 3.5)] == [None, None, None]
