"""Profiles that nobody would write: 700 of them at each push, and as many more as RIG_EXAMPLES asks for.

Each is good, or one line that names the file. 40,000 were tried when this was written.
"""

from __future__ import annotations

import os
import tomllib
from importlib import resources
from pathlib import Path
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from rig.errors import InputError
from rig.meters.modbus import probes
from rig.meters.profile import check_profile
from rig.meters.profile_checks import write_words

FILE = "fuzzed.toml"
GOOD = (Path(str(resources.files("rig.meters"))) / "profiles" / "synthetic-esme.toml").read_text(encoding="utf-8")
WORDS = GOOD.split()
MORE = int(os.environ.get("RIG_EXAMPLES", "0"))

SCALARS = st.one_of(
    st.booleans(), st.integers(-(2**70), 2**70), st.floats(), st.text(max_size=20), st.sampled_from(WORDS), st.none()
).filter(lambda v: v is not None)
VALUES = st.recursive(
    SCALARS, lambda v: st.lists(v, max_size=4) | st.dictionaries(st.sampled_from(WORDS), v, max_size=4)
)


def checked(data: dict[str, Any], text: str) -> None:
    """Good, or one line that names the file; never anything else."""
    try:
        profile = check_profile(data, text, FILE)
    except InputError as error:
        line = error.one_line()
        assert line.startswith(FILE)
        assert "\n" not in line
        assert len(line) < 2000
        return
    for write in profile.writes():
        assert 1 <= write_words(profile, write) <= 123
    for register, count, function in probes(profile):
        assert register + count <= 0x10000
        assert 1 <= count <= 125
        assert function in (3, 4)


@settings(max_examples=MORE or 500)
@given(at=st.integers(0, len(GOOD)), cut=st.integers(0, 40), put=st.text(max_size=12) | st.sampled_from(WORDS))
@example(at=0, cut=0, put="[" * 5000)
def test_a_good_file_with_a_piece_replaced_is_good_or_one_line(at: int, cut: int, put: str) -> None:
    text = GOOD[:at] + put + GOOD[at + cut :]
    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError):
        return
    checked(data, text)


@settings(max_examples=MORE or 200)
@given(data=st.data())
def test_good_tables_with_values_replaced_are_good_or_one_line(data: st.DataObject) -> None:
    body = tomllib.loads(GOOD)
    for _ in range(data.draw(st.integers(1, 3))):
        table: Any = body
        while True:
            key = data.draw(st.sampled_from(sorted(table) if isinstance(table, dict) else list(range(len(table)))))
            if isinstance(table[key], dict | list) and table[key] and data.draw(st.booleans()):
                table = table[key]
                continue
            table[key] = data.draw(VALUES)
            break
    checked(body, "")
