"""Two soaks side by side: refused where they do not mean the same, loud about what else differs, plain at the top."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from rig.cli import main
from rig.errors import InputError
from rig.records import schema_text
from rig.records.bundle import sums_text
from rig.records.compare import CompareRecord, Side, compare, read_side
from rig.records.compare_report import render_compare
from rig.records.compare_words import compare_lines, compare_sentence
from rig.records.run import Assumption
from rig.records.soak import Setup, SoakRecord
from rig.records.soak_report import soak_files
from tests.records.soak_samples import (
    SOAK_ID,
    Told,
    all_unbounded,
    growing,
    lengths,
    nothing,
    quiet_night,
    record,
    rough_night,
)
from tests.records.test_soak_record import keep
from tests.records.test_soak_report import Page

VALIDATOR = Draft202012Validator(json.loads(schema_text("rig.compare/1")))


def folder(at: Path, of: SoakRecord) -> Path:
    at.mkdir()
    for name, text in soak_files(of).items():
        (at / name).write_text(text)
    (at / "SHA256SUMS").write_text(sums_text(at))
    return at


def side(of: SoakRecord, **setup: Any) -> Side:
    assert of.setup is not None
    changed = replace(of.setup, **setup)
    return Side(of.labels.soak_id, of.verdict, of.ending.fixed_n, changed, of.attempts, "x/soak.json")


def longer(by_s: float) -> SoakRecord:
    rows = [replace(t, lower=(t.lower or 0) + by_s, upper=(t.upper or 0) + by_s) for t in lengths(60, seed=5)]
    return replace(record(rows), labels=replace(quiet_night().labels, soak_id="soak-b"))


def failing() -> SoakRecord:
    rows = [t if n % 2 else Told("FAIL", 200.0, 200.2, ("limit_exceeded",)) for n, t in enumerate(lengths(60))]
    return replace(record(rows), labels=replace(quiet_night().labels, soak_id="soak-b"))


PAIRS: dict[str, Callable[[], CompareRecord]] = {
    "alike": lambda: compare(side(quiet_night()), side(longer(0.0))),
    "longer": lambda: compare(side(quiet_night()), side(longer(2.0))),
    "failing": lambda: compare(side(quiet_night()), side(failing())),
    "unbounded": lambda: compare(side(quiet_night()), side(all_unbounded())),
    "rough": lambda: compare(side(rough_night()), side(growing())),
}


@pytest.mark.parametrize("name", PAIRS)
def test_every_comparison_fits_its_schema_and_has_plain_lines(name: str) -> None:
    made = PAIRS[name]()
    VALIDATOR.validate(json.loads(json.dumps(made.to_json(), allow_nan=False)))
    lines = list(compare_lines(made))
    assert all(line.isprintable() and "None" not in line for line in lines)


def test_the_sentence_at_the_top_is_plain() -> None:
    assert compare_sentence(PAIRS["alike"]()) == (
        "No difference in how often the limit is broken was shown, and no difference in how long the hub is cut off "
        "was shown."
    )
    assert "B cuts the hub off for longer: cut-45s (1.0.0 to 1.1.0), cut-45s-back" in compare_sentence(
        PAIRS["longer"]()
    )
    assert compare_sentence(PAIRS["failing"]()).startswith("B breaks the limit more often: cut-45s")


def test_soaks_without_a_firmware_in_common_say_that_nothing_was_compared() -> None:
    b = side(longer(0.0))
    other = replace(b, attempts=tuple(replace(row, fixture=f"other-{row.number % 4}") for row in b.attempts))
    made = compare(side(quiet_night()), other)
    VALIDATOR.validate(json.loads(json.dumps(made.to_json(), allow_nan=False)))
    lines = list(compare_lines(made))
    assert lines[0] == "Nothing could be compared: no firmware of the one has a partner in the other."
    assert [line.split(",")[0] for line in lines[-2:]] == ["  only in A", "  only in B"]


def test_a_longer_outage_is_told_in_seconds() -> None:
    lines = "\n".join(compare_lines(PAIRS["longer"]()))
    assert "B less A is 1.900 to 2.091 s here" in lines
    assert "s with 97.5 % (30 and 30 cycles" in lines


def test_of_few_cycles_it_says_what_was_seen_and_that_this_is_little() -> None:
    lines = "\n".join(compare_lines(compare(side(record(list(lengths(4)))), side(record(list(lengths(3)))))))
    assert "s here; too little to say more (2 and 2 cycles)" in lines


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("limit_s", 170.0),
        ("comparison", "gt"),
        ("topology", "hot-shoe"),
        ("meter", {"maker": "Example", "model": "E100", "serial": "0002"}),
        ("definition", (Assumption("up_above_v", "11 V", "bench file"),)),
    ],
)
def test_another_meter_limit_or_outage_is_refused_with_both_values(key: str, value: Any) -> None:
    with pytest.raises(InputError, match="cannot be compared") as told:
        compare(side(quiet_night()), side(longer(1.0), **{key: value}))
    assert told.value.where.key == key
    assert told.value.where.found
    assert "as in" in (told.value.where.expected or "")


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("hub_commissioned", True, "hub_commissioned is not the same: False in A, True in B"),
        ("bench", "other", "bench is not the same: twin in A, other in B"),
        ("instruments", {"psu": {"model": "X1"}}, "instruments are not the same"),
        ("instruments", {"a": {"model": "X1"}, "b": {"model": "Y2"}}, "a: X1; b: Y2 in B"),
        ("differences", ("scope",), "scope changed within B"),
    ],
)
def test_what_else_differs_is_said_aloud(key: str, value: Any, words: str) -> None:
    made = compare(side(quiet_night()), side(longer(1.0), **{key: value}))
    assert any(words in text for text in made.attention)
    assert sum("ATTENTION" in line for line in compare_lines(made)) == len(made.attention) == 1


def test_a_soak_that_its_verdicts_stopped_is_pointed_out() -> None:
    assert any("A was stopped because of its verdicts" in text for text in PAIRS["rough"]().attention)


# -- where a soak is found ---------------------------------------------------------------------------------------------


def test_a_soak_is_found_by_folder_by_file_and_by_id(tmp_path: Path) -> None:
    told = list(lengths(8))
    keep(tmp_path, told)
    whole = folder(tmp_path / "soak", record(told, end=None))
    found = [read_side(word, tmp_path) for word in (str(whole), str(whole / "soak.json"), SOAK_ID)]
    assert found[0] == replace(found[1], where=found[0].where) == replace(found[2], where=found[0].where)
    assert len(found[0].attempts) == 8


def test_a_record_that_was_changed_by_hand_is_refused(tmp_path: Path) -> None:
    whole = folder(tmp_path / "soak", failing())
    text = (whole / "soak.json").read_text().replace("FAIL", "PASS")
    (whole / "soak.json").write_text(text)
    with pytest.raises(InputError, match=r"damaged: soak\.json: was changed"):
        read_side(str(whole), tmp_path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "not JSON"),
        ("[]", "not JSON as this rig writes it"),
        ("{}", "not the record of a soak"),
        ('{"schema": "rig.run/1"}', "not the record of a soak"),
        ('{"schema": "rig.soak/1"}', "not as this rig writes it"),
        ('{"schema": "rig.soak/1", "attempts": [{}], "setup": null}', "not as this rig writes it"),
        ('{"schema": "rig.soak/1", "attempts": 5, "setup": null}', "not as this rig writes it"),
    ],
)
def test_a_file_that_is_no_soak_is_one_line_and_exit_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str, words: str
) -> None:
    file = tmp_path / "a.json"
    file.write_text(content)
    assert main(["compare", str(file), str(file)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert words in captured.err
    assert "a.json" in captured.err


@pytest.mark.parametrize("word", ["soak-nowhere", "missing.json"])
def test_a_soak_that_is_not_there_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str], word: str) -> None:
    keep(tmp_path, list(lengths(2)))
    assert main(["compare", word, SOAK_ID, "--out", str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_soak_of_which_nothing_ended_cannot_be_compared(tmp_path: Path) -> None:
    whole = folder(tmp_path / "soak", nothing())
    with pytest.raises(InputError, match="nothing to compare"):
        read_side(str(whole), tmp_path)


def test_a_soak_in_which_the_limit_changed_cannot_be_compared(tmp_path: Path) -> None:
    night = quiet_night()
    assert night.setup is not None
    setup: Setup = replace(night.setup, differences=("limit_s",))
    whole = folder(tmp_path / "soak", replace(night, setup=setup))
    with pytest.raises(InputError, match="of two minds"):
        read_side(str(whole), tmp_path)


def test_the_command_compares_and_its_exit_code_does_not_tell_what_was_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a, b = folder(tmp_path / "a", quiet_night()), folder(tmp_path / "b", failing())
    assert main(["compare", str(a), str(b)]) == 0
    assert capsys.readouterr().out.startswith("B breaks the limit more often: cut-45s")
    assert main(["compare", str(a), str(b), "--json"]) == 0
    VALIDATOR.validate(json.loads(capsys.readouterr().out))


# -- the page ----------------------------------------------------------------------------------------------------------


def test_the_page_has_the_sentence_both_bands_and_loads_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a, b = folder(tmp_path / "a", quiet_night()), folder(tmp_path / "b", longer(2.0))
    assert main(["compare", str(a), str(b), "--html", str(tmp_path / "page.html")]) == 0
    source = (tmp_path / "page.html").read_text()
    page = Page(source)
    assert capsys.readouterr().out.splitlines()[0] in page.text
    assert not {"script", "img", "link"} & set(page.tags)
    assert page.tags.count("figure") == 2
    assert source.count("<polygon") == 4
    assert not re.search(r"nan|inf[^a-z]", source)


@pytest.mark.parametrize("name", ["unbounded", "rough"])
def test_every_comparison_has_a_page(name: str, tmp_path: Path) -> None:
    sides = {"unbounded": (quiet_night, all_unbounded), "rough": (rough_night, growing)}[name]
    a, b = (read_side(str(folder(tmp_path / str(n), of())), tmp_path) for n, of in enumerate(sides))
    assert "None" not in Page(render_compare(compare(a, b), a, b)).text


def test_a_page_that_cannot_be_written_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a = folder(tmp_path / "a", quiet_night())
    assert main(["compare", str(a), str(a), "--html", str(tmp_path / "no" / "page.html")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
