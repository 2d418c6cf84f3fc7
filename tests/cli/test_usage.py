"""What every verb says of itself: its options in one style, and the exit codes that it has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rig.cli import main

VERBS = (
    *("run", "trigger", "controls", "soak", "compare", "safe", "analyse", "doctor", "wiring", "init", "runs", "record"),
    *("twin serve", "firmware inspect", "firmware verify", "firmware make", "firmware list"),
)


def _help(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as ended:
        main([*words, "--help"])
    assert ended.value.code == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_tells_its_exit_codes_and_can_print_json(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = " ".join(_help(verb.split(), capsys).split())
    assert " --json " in text
    assert re.search(r"exit codes: (0|130|those) ", text)


def test_no_verb_is_forgotten_here(capsys: pytest.CaptureFixture[str]) -> None:
    found = []
    for verb in re.findall(r"^    ([a-z]+) ", _help([], capsys), re.MULTILINE):
        inner = _help([verb], capsys).partition("verbs:")[2]
        found += [f"{verb} {word}" for word in re.findall(r"^    ([a-z]+) ", inner, re.MULTILINE)] or [verb]
    assert sorted(found) == sorted(VERBS)


@pytest.mark.parametrize(
    ("words", "verb"),
    [
        (["safe", "--out", "x"], "rig safe"),
        (["twin", "serve", "--nonsense"], "rig twin serve"),
        (["firmware", "list", "--nonsense"], "rig firmware list"),
        (["record", "--", "run", "--nonsense"], "rig run"),
    ],
)
def test_an_unknown_option_names_the_verb_whose_help_to_read(
    words: list[str], verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    told = capsys.readouterr().err
    assert told.startswith("rig: unrecognized arguments: --")
    assert told.endswith(f"; see '{verb} --help'\n")
    assert list(tmp_path.iterdir()) == []
