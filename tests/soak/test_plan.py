"""A plan is checked to the last key before a bench is touched; whose turn it is follows from plan, seed and version."""

from __future__ import annotations

import json
import shutil
import tomllib
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, ValidationError

from rig.errors import InputError
from rig.firmware.fixture import packaged
from rig.procedures.soak.plan import Plan, load_plan
from rig.procedures.soak.schema import SCHEMA_FILE, schema_text
from tests.soak.plans import GOOD, written

ROOT = Path(__file__).parents[2]
VALIDATOR = Draft202012Validator(json.loads(schema_text()))


def refused(folder: Path, text: str) -> str:
    with pytest.raises(InputError) as caught:
        load_plan(written(folder, text))
    return caught.value.one_line().removeprefix(f"{folder}/")


# -- bad input ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('order = "in-turn"', 'odrer = "in-turn"', "plan.toml:5: plan.odrer: unknown key; did you mean 'order'?"),
        ("cycles = 4", "cycles = 0", "plan.toml:14: end.cycles: not allowed (found 0, expected at least 1)"),
        ("cycles = 4", "until = 08:00:00", 'plan.toml:14: end.until: 08:00:00 is no time like "08:00"'),
        ("cycles = 4", 'until = "8 am"', "plan.toml:14: end.until: '8 am' is no time like \"08:00\""),
        (
            "cycles = 4",
            "duration_h = -1.0",
            "plan.toml:14: end.duration_h: not allowed (found -1.0",
        ),
        (
            'fixture = "cut-45s"',
            'fixture = "cut-45"',
            "plan.toml:8: firmware[0].fixture: no firmware fixture 'cut-45'; did you mean 'cut-45s'?",
        ),
        (
            'fixture = "cut-45s"',
            'fixture = "cut-45s"\nweight = 3',
            "plan.toml:9: firmware[0].weight: no weight counts where all are in turn",
        ),
        (
            "[end]",
            "[on.fail]\nin_a_row = 2\n[end]",
            "plan.toml:13: on.fail: nothing is counted where the soak goes on all the same",
        ),
        ("[end]", '[recovery]\nsteps = ["reset-usb"]\n[end]', "plan.toml:13: recovery: 'reset-usb' among the steps"),
        ("[end]", '[recovery]\nsteps = ["pray"]\n[end]', "plan.toml:14: recovery.steps[0]: not allowed (found 'pray'"),
        ("[end]", '[disk]\npassed = "half"\n[end]', "plan.toml:14: disk.passed: not allowed (found 'half'"),
    ],
)
def test_what_is_wrong_with_a_plan_is_one_line_with_its_key_and_line(
    old: str, new: str, told: str, tmp_path: Path
) -> None:
    assert refused(tmp_path, GOOD.replace(old, new, 1)).startswith(told)


def test_a_firmware_that_does_not_lead_back_is_refused_by_its_line_in_the_plan(tmp_path: Path) -> None:
    told = refused(tmp_path, GOOD.replace('"double-reboot"', '"never-returns"'))
    assert told.startswith("plan.toml:11: firmware[1].fixture: no way back from this firmware")
    assert "never-returns/manifest.toml" in told


def test_two_firmwares_that_do_not_start_from_one_version_are_refused(tmp_path: Path) -> None:
    shutil.copytree(packaged() / "back-45s", tmp_path / "down")
    shutil.copytree(packaged() / "cut-45s", tmp_path / "up")
    manifest = tmp_path / "down" / "manifest.toml"
    text = manifest.read_text().replace('version_to = "1.0.0"', 'version_to = "1.0.0"\nback = "up"', 1)
    manifest.write_text(text)
    told = refused(tmp_path, GOOD.replace('"double-reboot"', '"down"'))
    assert told.startswith("plan.toml:11: firmware[1].fixture: all firmware of a plan starts from one version")
    assert "(found 1.1.0, expected 1.0.0)" in told


@pytest.mark.parametrize("spoil", [lambda t: t[:40], lambda t: t.replace("rig.plan/1", "rig.plan/9"), lambda _: ""])
def test_a_file_that_is_no_plan_is_one_line(spoil, tmp_path: Path) -> None:
    assert refused(tmp_path, spoil(GOOD)).startswith("plan.toml")


# -- the schema, the plans that are shipped ----------------------------------------------------------------------------


def test_the_committed_schema_is_the_one_that_the_model_gives() -> None:
    assert SCHEMA_FILE.read_text(encoding="utf-8") == schema_text(), "run python -m rig.procedures.soak.schema"
    Draft202012Validator.check_schema(json.loads(schema_text()))


@pytest.mark.parametrize("path", sorted((ROOT / "plans").glob("*.toml")), ids=lambda p: p.stem)
def test_the_plans_that_are_shipped_are_good_and_fit_the_schema(path: Path) -> None:
    load_plan(path)
    VALIDATOR.validate(tomllib.loads(path.read_text(encoding="utf-8")))


def test_a_plan_of_the_rigs_goes_by_its_name_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_plan(Path("overnight")).text == (ROOT / "plans" / "overnight.toml").read_text(encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_plan(Path("overnite"))
    assert caught.value.one_line() == (
        "no such plan; did you mean 'overnight'? (found 'overnite', expected one of hundred, mixture, overnight, or "
        "the path of a plan (.toml))"
    )


def test_a_file_beside_goes_before_a_plan_of_the_rigs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    written(tmp_path).rename(tmp_path / "overnight")
    assert load_plan(Path("overnight")).path == Path("overnight")


def test_an_unknown_key_does_not_fit_the_schema_either() -> None:
    with pytest.raises(ValidationError):
        VALIDATOR.validate(tomllib.loads(GOOD.replace("order =", "odrer =")))


# -- whose turn it is --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def weighted(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    text = GOOD.replace("in-turn", "weighted").replace('"double-reboot"', '"double-reboot"\nweight = 3')
    return load_plan(written(tmp_path_factory.mktemp("plan"), text))


@pytest.fixture(scope="module")
def in_turn(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    return load_plan(written(tmp_path_factory.mktemp("plan")))


def test_there_and_back_and_each_firmware_in_turn(in_turn: Plan) -> None:
    version, theres, last, went = in_turn.home, 0, None, []
    for _ in range(6):
        turn = in_turn.turn(version, 0, theres, last)
        assert turn is not None
        went.append((turn.fixture.name, turn.way))
        version = turn.fixture.version_to
        if turn.way == "there":
            theres, last = theres + 1, turn.pair
    back = ("back-45s", "back")
    assert went == [("cut-45s", "there"), back, ("double-reboot", "there"), back, ("cut-45s", "there"), back]


def test_a_meter_that_is_there_already_is_taken_back_whatever_came_before(in_turn: Plan) -> None:
    turn = in_turn.turn("1.1.0", 0, 0, None)
    assert turn is not None
    assert (turn.way, turn.fixture.version_to) == ("back", in_turn.home)


def test_a_version_that_no_firmware_of_the_plan_starts_from_has_no_turn(in_turn: Plan) -> None:
    assert in_turn.turn("7.7.7", 0, 0, None) is None


def test_the_draw_is_the_same_for_one_seed_and_follows_the_weights(weighted: Plan) -> None:
    draws = [weighted.drawn(n, 1) for n in range(4000)]
    assert draws == [weighted.drawn(n, 1) for n in range(4000)]
    assert draws != [weighted.drawn(n, 2) for n in range(4000)]
    assert 0.7 < Counter(draws)[1] / 4000 < 0.8


@given(st.integers(0, 2**32 - 1), st.integers(0, 10**6))
def test_every_draw_is_a_pair_of_the_plan(weighted: Plan, seed: int, number: int) -> None:
    assert weighted.drawn(number, seed) in range(len(weighted.pairs))
