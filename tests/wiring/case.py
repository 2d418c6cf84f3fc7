"""A way in which a harness and its bench file contradict each other, and the check that it is told rightly."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.wiring.files import copy_of, spoil

Changes = list[tuple[str, str]]


@dataclass(frozen=True)
class Case:
    """What is changed in the bench file and in the harness, and what must be told of it, among others.

    `at` and `see` are snippets that stand in the line that must be named: `at` in the file with the fault, `see` in the
    other. `in_harness`: the fault is in the harness alone.
    """

    bench: Changes
    harness: Changes
    message: str
    found: str
    expected: str
    at: str
    see: str
    in_harness: bool = False
    name: str = "single-phase"

    def check(self, folder: Path) -> None:
        """The fault is told with file and line of both files, and nothing is told of how to wire."""
        pair = copy_of(self.name, folder)
        spoil(pair.bench, *self.bench)
        spoil(pair.harness, *self.harness)
        report = pair.check()
        told = [error for error in report.errors if error.message.startswith(self.message)]
        assert told, [error.one_line() for error in report.errors]
        where = told[0].where
        assert self.found in (where.found or "")
        assert self.expected in (where.expected or "")
        first, second = (pair.harness, pair.bench) if self.in_harness else (pair.bench, pair.harness)
        assert (where.file, where.line) == (str(first), _line(first, self.at, where.key))
        assert told[0].message.endswith(f"; see {second}:{_line(second, self.see, None)}")
        assert "\n" not in told[0].one_line()
        assert report.wires == ()


WIRING = "harness = "
"""What stands in the bench file where the harness alone is wrong."""
SAFE_K2 = 'pin = 27\nactive = "high"\nsafe = "open"'
MAINS_ROLE = 'role = "mains"\ndriver = "rpi-gpio"'
DRIVE = "- [{PI: [11, 13, 15, 6]}, {W1:"
SENSE = "- [{PI: [1, 2, 9, 29, 31, 33, 36, 37, 38]}"


def _line(file: Path, snippet: str, key: str | None) -> int:
    """The line of the snippet (which may go over several); in a bench file, of the key in the table where it stands."""
    text = file.read_text(encoding="utf-8")
    assert text.count(snippet) == 1, f"{snippet!r} stands {text.count(snippet)} times"
    line = text[: text.index(snippet)].count("\n") + 1
    if file.suffix != ".toml" or key is None:
        return line
    lines, name = text.splitlines(), key.rsplit(".", 1)[-1]
    head = max((n for n in range(line) if lines[n].startswith("[")), default=0)
    after = range(head + 1, len(lines))
    end = next((n for n in after if lines[n].startswith("[")), len(lines))
    return next((n for n in range(head, end) if lines[n].split("=")[0].strip() == name), head) + 1
