"""A bench file that is wrong somewhere still gives what makes the bench safe."""

from __future__ import annotations

from pathlib import Path

import pytest

from rig.bench.salvage import salvage
from rig.errors import InputError
from tests.bench.files import GOOD


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "bench.toml"
    path.write_text(text)
    return path


def test_a_good_file_is_whole(tmp_path: Path) -> None:
    found = salvage(written(tmp_path, GOOD))
    assert found.whole is not None
    assert (found.wrong, found.left_out) == (None, ())
    assert [r.name for r in found.relays] == ["K1", "K2", "K3"]
    assert {s.role for s in found.comparators} == {"rail_up", "rail_down"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("limit_s = 180.0", "limit_s = -1.0"),
        ("commissioned = false", 'commissioned = "no"'),
        ("volts = 12.0", "volts = 99.0"),
        ('driver = "modbus-tcp"', 'driver = "nothing"'),
        ("[limits]", "[limitz]"),
    ],
)
def test_what_making_safe_does_not_need_may_be_wrong(old: str, new: str, tmp_path: Path) -> None:
    found = salvage(written(tmp_path, GOOD.replace(old, new, 1)))
    assert found.whole is None
    assert found.wrong is not None
    assert found.left_out == ()
    assert (len(found.supplies), len(found.relays), len(found.comparators)) == (1, 3, 2)


def test_a_relay_that_cannot_be_told_is_left_out_by_name_of_its_table(tmp_path: Path) -> None:
    found = salvage(written(tmp_path, GOOD.replace("pin = 27", "pin = 99")))
    assert [r.name for r in found.relays] == ["K1", "K3"]
    assert len(found.left_out) == 1
    assert found.left_out[0].startswith("relay[1] is left out")


@pytest.mark.parametrize("text", ["", "a = 1\n", '[bench]\nname = "x"\n', "supply = 3\nrelay = 4\n"])
def test_a_file_that_tells_of_nothing_is_bad_input(text: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="neither a supply nor a relay"):
        salvage(written(tmp_path, text))


def test_a_file_that_is_no_toml_is_bad_input_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(InputError) as told:
        salvage(written(tmp_path, GOOD + "\n[[relay\n"))
    assert told.value.where.line is not None
