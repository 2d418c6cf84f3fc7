"""The fixtures that come with the rig: their verdicts, what their meters do, and that they can be made again."""

from __future__ import annotations

import math
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.firmware import Behaviour, Pulses, load, load_back, names
from rig.firmware.fixture import packaged
from rig.firmware.make import packaged_drafts, write

PASS, FAIL, INCONCLUSIVE = ("PASS", None), ("FAIL", "limit_exceeded"), "INCONCLUSIVE"

VERDICTS = {
    "no-cut": PASS,
    "cut-45s": PASS,
    "back-45s": PASS,
    "cut-179s": PASS,
    "double-reboot": PASS,
    "chain-of-cuts": PASS,
    "brown-out": PASS,
    "hiccup": PASS,
    "late": PASS,
    "cut-181s": FAIL,
    "cut-240s": FAIL,
    "long-hiccup": FAIL,
    "never-returns": FAIL,
    "rejects-image": (INCONCLUSIVE, "activation_not_started"),
    "stays-old": (INCONCLUSIVE, "version_unchanged"),
}

OUTAGES: dict[str, list[tuple[float, float]]] = {
    "no-cut": [],
    "cut-45s": [(3, 48)],
    "back-45s": [(3, 48)],
    "cut-179s": [(3, 182)],
    "double-reboot": [(3, 53), (83, 153)],
    "chain-of-cuts": [(3, 53), (73, 123), (143, 193), (213, 263), (283, 333)],
    "brown-out": [(3, 73)],
    "hiccup": [(3, 103)],
    "late": [(2400, 2445)],
    "cut-181s": [(3, 184)],
    "cut-240s": [(3, 243)],
    "long-hiccup": [(3, 203)],
    "never-returns": [(3, math.inf)],
    "rejects-image": [],
    "stays-old": [(3, 48), (68, 113)],
}


def _behaviour(name: str) -> Behaviour:
    behaviour = load(name).behaviour
    assert behaviour is not None
    return behaviour


def _outages(behaviour: Behaviour, up_v: float = 10.0, restore_min_s: float = 1.0) -> list[tuple[float, float]]:
    """Stretches below `up_v`; ups shorter than `restore_min_s` restore nothing. Independent of `rig.rail`."""
    steps = [(-math.inf, 12.0), *behaviour.feed_steps(), (math.inf, 0.0)]
    ups = [(a, b) for (a, volts), (b, _) in pairwise(steps) if volts >= up_v]
    joined: list[tuple[float, float]] = []
    for start, end in ups:
        if joined and joined[-1][1] == start:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    kept = [(start, end) for start, end in joined if end - start >= restore_min_s]
    downs = [(end, start) for (_, end), (start, _) in pairwise(kept)]
    return [*downs, *([(kept[-1][1], math.inf)] if kept[-1][1] < math.inf else [])]


def test_the_fixtures_are_these() -> None:
    assert names() == sorted(VERDICTS)


@pytest.mark.parametrize("name", VERDICTS)
def test_each_fixture_loads_and_expects_its_verdict(name: str) -> None:
    expected = load(name).expected
    assert expected is not None
    assert (expected.verdict, expected.reason) == VERDICTS[name]
    assert expected.text


@pytest.mark.parametrize("name", VERDICTS)
def test_each_fixture_cuts_the_rail_exactly_as_its_name_says(name: str) -> None:
    assert _outages(_behaviour(name)) == OUTAGES[name]


@pytest.mark.parametrize("name", VERDICTS)
def test_an_outage_of_the_limit_is_what_parts_the_fails_from_the_rest(name: str) -> None:
    longest = max((end - start for start, end in OUTAGES[name]), default=0.0)
    assert (longest >= 180.0) == (VERDICTS[name] == FAIL)


@pytest.mark.parametrize("name", VERDICTS)
def test_a_meter_without_power_does_not_answer_and_needs_five_seconds_after_it(name: str) -> None:
    behaviour = _behaviour(name)
    for start, end in OUTAGES[name]:
        assert not behaviour.is_silent(start - 1.5)
        for at in (start - 0.5, start, min(end, start + 10), end + 4.5 if end < math.inf else start + 1e9):
            assert behaviour.is_silent(at)
        assert end == math.inf or not behaviour.is_silent(end + 5.0)


@pytest.mark.parametrize("name", VERDICTS)
def test_the_new_version_runs_when_the_meter_answers_after_its_last_cut(name: str) -> None:
    behaviour = _behaviour(name)
    changes = behaviour.version_changes_at_s
    if name in {"rejects-image", "stays-old", "never-returns"}:
        assert (behaviour.version_after, changes) == ("from", None)
    else:
        assert behaviour.version_after == "to"
        assert changes == behaviour.silent[-1][1] == (OUTAGES[name][-1][1] + 5 if OUTAGES[name] else 20)


def test_the_late_meter_answers_with_its_old_version_for_forty_minutes() -> None:
    behaviour = _behaviour("late")
    assert not any(behaviour.is_silent(at) for at in range(2399))
    assert behaviour.version_changes_at_s == 2450.0


def test_only_the_rejecting_meter_rejects() -> None:
    assert [name for name in names() if not _behaviour(name).accepts_image] == ["rejects-image"]


def test_a_brown_out_is_an_outage_of_thirty_seconds_below_its_sag() -> None:
    assert _outages(_behaviour("brown-out"), up_v=8.0) == [(23, 53)]


def test_a_hiccup_gives_fifty_milliseconds_each_second() -> None:
    steps = _behaviour("hiccup").feed_steps()
    pulses = [(a, b - a) for (a, volts), (b, _) in pairwise(steps) if volts == 12.0]
    assert [at for at, _ in pulses] == list(range(4, 103))
    assert all(length == pytest.approx(0.05) for _, length in pulses)


def test_each_fixture_has_an_image_of_its_own_of_two_to_four_kilobytes() -> None:
    fixtures = [load(name) for name in names()]
    assert len({fixture.sha256 for fixture in fixtures}) == len(fixtures)
    for fixture in fixtures:
        assert 2048 <= len(fixture.image_bytes()) <= 4096
        assert (fixture.header.ota_header_length, fixture.header.ota_header_field_control) == (60, 4)


def test_every_firmware_that_runs_in_the_end_has_a_way_back() -> None:
    for name in names():
        there = load(name)
        if name == "back-45s":
            assert (there.version_from, there.version_to, there.back) == ("1.1.0", "1.0.0", None)
        elif _behaviour(name).version_after == "to":
            back = load_back(there)
            assert (back.name, back.version_from, back.version_to) == ("back-45s", "1.1.0", "1.0.0")
            assert (there.version_from, there.version_to) == ("1.0.0", "1.1.0")
        else:
            assert there.back is None


def test_every_fixture_says_that_it_is_synthetic() -> None:
    for name in names():
        assert load(name).synthetic
        assert "# Synthetic: " in (packaged() / name / "manifest.toml").read_text(encoding="utf-8")


def test_an_installed_package_finds_the_fixtures_inside_itself(tmp_path: Path) -> None:
    package = packaged().parent / "rig"
    shutil.copytree(package / "firmware", tmp_path / "rig" / "firmware")
    for file in ("__init__.py", "errors.py", "shipped.py", "toml_file.py", "whole_file.py"):
        shutil.copy(package / file, tmp_path / "rig" / file)
    shutil.copytree(packaged() / "no-cut", tmp_path / "rig" / "firmware_fixtures" / "no-cut")
    code = "from rig.firmware import load, names; print(names(), load('no-cut').folder)"
    command = [sys.executable, "-c", code]
    told = subprocess.run(command, check=True, capture_output=True, text=True, cwd=tmp_path)
    assert told.stdout.strip() == f"['no-cut'] {tmp_path / 'rig' / 'firmware_fixtures' / 'no-cut'}"


def test_making_the_fixtures_again_gives_the_same_bytes(tmp_path: Path) -> None:
    assert set(write(packaged_drafts([]), tmp_path)) == {"made"}
    made = {file.relative_to(tmp_path): file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    kept = {file.relative_to(packaged()): file.read_bytes() for file in packaged().rglob("*") if file.is_file()}
    assert made == kept


@given(
    feed=st.lists(
        st.tuples(st.integers(0, 40).map(float), st.sampled_from([0.0, 8.5, 12.0])), unique_by=lambda s: s[0]
    ),
    pulses=st.none()
    | st.builds(
        lambda start, length, period, on: Pulses(start / 4, (start + length) / 4, period / 4, period * on / 4),
        st.integers(0, 80),
        st.integers(1, 80),
        st.integers(1, 12),
        st.sampled_from([0.125, 0.25, 0.5]),
    ),
    at=st.integers(0, 3200).map(lambda n: n / 64 + 1 / 128),
)
def test_the_steps_with_pulses_give_what_the_words_say(
    feed: list[tuple[float, float]], pulses: Pulses | None, at: float
) -> None:
    behaviour = Behaviour(feed=tuple(sorted(feed)), pulses=pulses)
    steps = behaviour.feed_steps()
    assert all(a < b for (a, _), (b, _) in pairwise(steps))
    if pulses is not None and pulses.from_s <= at < pulses.until_s:
        expected = 12.0 if (at - pulses.from_s) % pulses.period_s < pulses.on_s else 0.0
    else:
        expected = ([12.0] + [volts for start, volts in sorted(feed) if start <= at])[-1]
    assert ([12.0] + [volts for start, volts in steps if start <= at])[-1] == expected
