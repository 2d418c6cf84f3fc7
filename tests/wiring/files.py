"""The benches that the project ships, and how to spoil a copy of one in either of its two files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rig.bench.config import check_bench
from rig.bench.wiring import Report, checked
from rig.toml_file import read_toml

WIRING = Path(__file__).parents[2] / "wiring"
BENCHES = sorted(WIRING.glob("*.toml"))


@dataclass(frozen=True)
class Pair:
    """A bench file and its harness, as files."""

    bench: Path
    harness: Path

    def check(self) -> Report:
        data, text = read_toml(self.bench)
        return checked(check_bench(data, text, str(self.bench)), text, str(self.bench), self.bench.parent)

    def line(self, file: Path, snippet: str) -> int:
        """The line (from 1) of the only place that has this snippet."""
        lines = [n for n, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1) if snippet in line]
        assert len(lines) == 1, f"{snippet!r} stands on lines {lines}"
        return lines[0]


def copy_of(name: str, folder: Path) -> Pair:
    """A copy of a shipped bench in `folder`."""
    pair = Pair(folder / f"{name}.toml", folder / f"{name}.harness.yml")
    for file in (pair.bench, pair.harness):
        file.write_text((WIRING / file.name).read_text(encoding="utf-8"), encoding="utf-8")
    return pair


def spoil(file: Path, *changes: tuple[str, str]) -> None:
    """Replace each old text, which must be there exactly once, by a new one, all at once."""
    text = file.read_text(encoding="utf-8")
    for number, (old, _) in enumerate(changes):
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times"
        text = text.replace(old, f"\0{number}\0")
    for number, (_, new) in enumerate(changes):
        text = text.replace(f"\0{number}\0", new)
    file.write_text(text, encoding="utf-8")
