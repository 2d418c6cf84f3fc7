"""What the README and the pages in docs/ promise: links that lead somewhere, commands that the rig takes."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from rig.cli import main
from rig.cli.parser import parse

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").rglob("*.md")), ROOT / "wiring" / "README.md"]
DECISIONS = ROOT / "docs" / "decisions"
LONGEST_README = 320


def _commands() -> Iterator[tuple[str, list[str]]]:
    """Every line that a page shows behind a prompt and that is the rig's."""
    for page in PAGES:
        for line in re.findall(r"^\$ rig (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE):
            yield page.name, [word for word in shlex.split(line, comments=True) if word != "&"]


def _anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    dead = []
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if "://" in link:
            continue
        name, _, anchor = link.partition("#")
        there = page.parent / name if name else page
        if not there.exists() or (anchor and anchor not in _anchors(there)):
            dead.append(link)
    assert dead == []


@pytest.mark.parametrize(
    ("page", "words"), list(_commands()), ids=lambda part: part if isinstance(part, str) else part[0]
)
def test_every_command_that_is_shown_is_one_that_the_rig_takes(page: str, words: list[str]) -> None:
    assert parse(words), page


def test_every_verb_has_a_section(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    verbs = re.findall(r"^    ([a-z]+) ", capsys.readouterr().out, re.MULTILINE)
    assert len(verbs) >= 14
    titles = " ".join(re.findall(r"^### (.*)$", README.read_text(encoding="utf-8"), re.MULTILINE))
    assert [verb for verb in verbs if f"rig {verb}" not in titles] == []


def test_every_folder_is_in_the_table_of_where_things_are() -> None:
    table = README.read_text(encoding="utf-8").partition("## Where things are")[2]
    ignored = {"runs", "build", "dist"}
    top = [path.name for path in ROOT.iterdir() if path.is_dir() and path.name[0] not in "._" and path.name != "rig"]
    rig = [f"rig/{path.name}" for path in (ROOT / "rig").iterdir() if path.is_dir() and path.name[0] not in "._"]
    faces = [f"rig/{path.name}" for path in (ROOT / "rig").glob("*.py") if not path.name.startswith("__")]
    wanted = {*top, *rig, *faces} - ignored
    assert sorted(name for name in wanted if f"`{name}`" not in table) == []
    named = re.findall(r"`([\w/.]+)`", "\n".join(re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)))
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_every_page_is_reached_from_the_readme() -> None:
    text = README.read_text(encoding="utf-8")
    pages = [page.name for page in (ROOT / "docs").glob("*.md")]
    assert [page for page in pages if f"(docs/{page}" not in text] == []


def test_the_readme_stays_short() -> None:
    assert len(README.read_text(encoding="utf-8").splitlines()) <= LONGEST_README


def test_each_decision_has_a_number_of_its_own_and_none_is_left_out() -> None:
    files = sorted(DECISIONS.glob("*.md"))
    assert [int(file.name[:4]) for file in files] == list(range(1, len(files) + 1))
    for file in files:
        assert file.read_text(encoding="utf-8").startswith(f"# {file.name[:4]} · ")


def test_every_decision_that_is_named_is_there() -> None:
    named = {
        name
        for path in [*(ROOT / "rig").rglob("*.py"), ROOT / "pyproject.toml", *PAGES]
        for name in re.findall(r"decisions/(\d{4}[\w-]*)", path.read_text(encoding="utf-8"))
    }
    assert named
    assert [name for name in sorted(named) if not (DECISIONS / f"{name}.md").is_file()] == []
