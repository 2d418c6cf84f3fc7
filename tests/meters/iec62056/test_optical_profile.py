"""Profiles for IEC 62056-21: the packaged ones, what is wrong with a bad one, and ones that nobody would write.

RIG_EXAMPLES=5000 was run when this was written.
"""

from __future__ import annotations

import os
import tomllib
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rig.errors import InputError
from rig.meters.iec62056.profile import check_optical_profile, filled, load_optical_profile
from rig.meters.profile import load_profile
from rig.meters.profile_files import names

GOOD = (Path(str(resources.files("rig.meters"))) / "profiles" / "synthetic-esme-optical.toml").read_text("utf-8")
WORDS = GOOD.split()
MORE = int(os.environ.get("RIG_EXAMPLES", "0")) or 300
OPTICAL = names("iec62056-21")


@pytest.mark.parametrize("name", OPTICAL)
def test_every_packaged_profile_is_good_bears_its_files_name_and_names_its_source(name: str) -> None:
    profile = load_optical_profile(name)
    assert profile.name == name
    assert len(profile.manual) > 20


@pytest.mark.parametrize("name", [name for name in OPTICAL if name != "synthetic-esme-optical"])
def test_a_real_product_s_profile_only_reads_and_says_what_was_not_seen(name: str) -> None:
    profile = load_optical_profile(name)
    assert profile.notes
    assert profile.image is None
    assert profile.activation == []


def test_there_is_one_of_the_twin_and_two_of_real_meters() -> None:
    assert OPTICAL == ["lem-em4tii", "nzr-sem16", "synthetic-esme-optical"]


def test_a_profile_of_another_protocol_is_refused_where_it_says_so() -> None:
    for load, name, found in (
        (load_profile, "lem-em4tii", "'iec62056-21'"),
        (load_optical_profile, "synthetic-esme", "'modbus'"),
    ):
        with pytest.raises(InputError, match="a profile for another protocol") as caught:
            load(name)
        assert caught.value.where.found == found


def refused(old: str, new: str) -> str:
    text = GOOD.replace(old, new, 1)
    assert text != GOOD
    with pytest.raises(InputError) as caught:
        check_optical_profile(tomllib.loads(text), text, "bad.toml")
    line = caught.value.one_line()
    assert line.startswith("bad.toml:")
    return line


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("({twin_password})", "({twin_pasword})", "unknown name in braces; did you mean 'twin_password'?"),
        ('text = "({twin_password})"', 'text = "(1234)"', "no text uses this credential"),
        ('["twin_password"]', '["sha256", "twin_password"]', "this name stands for a piece of the image"),
        ("FW.B({offset})({data})", "FW.B({offset})", "a block is its place and its data"),
        ("FW.V({sha256})({size})", "FW.V({offset})", "unknown name in braces"),
        ('text = "0.2.0()"', 'text = "0.2.0({size})"', "a read command has no names in braces"),
        ('text = "0.2.0()"', 'text = "0.2.0("', "a bracket too many"),
        ('text = "0.2.0()"', 'text = "0.2.0()!"', "a character that no data set has"),
        ('text = "0.2.0()"', 'text = "0.2.0()\\u00e9"', "is not printable ASCII"),
        ('text = "FW.A({sha256})"', 'text = "FW.A({SHA})"', "a brace that belongs to no name"),
        ('command = "R1", text = "0.2.0()"', 'command = "W1", text = "0.2.0()"', "version.parts[0].command"),
        (
            'command = "R1", text = "0.2.0()"',
            'readout = "0.2.0", command = "R1", text = "()"',
            "one of command, readout",
        ),
        ('command = "R1", text = "0.2.0()"', 'command = "R1"', "command and text belong together"),
        ('"verified" = "3"', '"verifed" = "3"', "did you mean 'verified'?"),
        ('"verified" = "3"', '"verified" = "2"', "two states have the same meaning"),
        ("time_at = 1", "time_at = 2", "an entry of 2 fields does not hold that one"),
        ("bytes_a_block = 1024", "bytes_a_block = 0", "image.bytes_a_block"),
        ('protocol = "iec62056-21"', 'protocol = "modbus"', "protocol"),
        ("[status]\n", "[stats]\n", "stats"),
    ],
)
def test_what_is_wrong_is_one_line_with_its_place(old: str, new: str, told: str) -> None:
    assert told in refused(old, new)


def test_an_image_needs_who_starts_its_verification_and_who_tells_of_it() -> None:
    assert "nothing would start the verification" in refused(
        "[[image.verify]]", "[[other]]".replace("other", "activation")
    )


def test_names_in_braces_are_replaced_and_nothing_else() -> None:
    assert filled("A({sha256})({x})", {"sha256": "AB", "x": "{sha256}"}) == "A(AB)({sha256})"


# -- profiles that nobody would write ----------------------------------------------------------------------------------

SCALARS = st.one_of(
    st.booleans(), st.integers(-(2**70), 2**70), st.floats(), st.text(max_size=20), st.sampled_from(WORDS)
)
VALUES = st.recursive(
    SCALARS, lambda v: st.lists(v, max_size=4) | st.dictionaries(st.sampled_from(WORDS), v, max_size=4)
)


def checked(data: dict[str, Any], text: str) -> None:
    """Good, or one line that names the file; never anything else."""
    try:
        profile = check_optical_profile(data, text, "fuzzed.toml")
    except InputError as error:
        line = error.one_line()
        assert line.startswith("fuzzed.toml")
        assert len(line) < 2000
        return
    for action in [*profile.activation, *(profile.image.verify if profile.image else [])]:
        pieces = {**dict.fromkeys(profile.credentials, "x"), "sha256": "AB", "size": "1"}
        assert filled(action.text, pieces).isascii()


@settings(max_examples=MORE)
@given(at=st.integers(0, len(GOOD)), cut=st.integers(0, 40), put=st.text(max_size=12) | st.sampled_from(WORDS))
@example(at=0, cut=0, put="[" * 5000)
def test_a_good_file_with_a_piece_replaced_is_good_or_one_line(at: int, cut: int, put: str) -> None:
    text = GOOD[:at] + put + GOOD[at + cut :]
    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError):
        return
    checked(data, text)


@settings(max_examples=MORE)
@given(key=st.sampled_from(sorted(tomllib.loads(GOOD))), value=VALUES)
def test_a_good_file_with_any_value_in_a_key_is_good_or_one_line(key: str, value: Any) -> None:
    checked({**tomllib.loads(GOOD), key: value}, GOOD)
