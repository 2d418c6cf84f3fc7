"""A plan that was checked, with the firmware that it names, there and back; and whose turn it is. Touches no bench.

The meter goes from one version to another and back again: each fixture has its way back, and all begin at one version.
Whose turn it is follows from the plan, the seed, how often the meter went there already, and the version that it runs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rig import firmware as fixtures
from rig.errors import InputError, Where
from rig.firmware import Fixture
from rig.procedures.soak.plan_file import PlanFile
from rig.shipped import shipped
from rig.toml_file import Key, did_you_mean, dotted, line_of, read_toml, validate


@dataclass(frozen=True)
class Pair:
    """One firmware there, and the one back."""

    there: Fixture
    back: Fixture
    weight: int


@dataclass(frozen=True)
class Turn:
    """What comes next: `fixture` is activated; `pair` is its place in the plan."""

    pair: int
    way: Literal["there", "back"]
    fixture: Fixture


@dataclass(frozen=True)
class Plan:
    """`text`: the file as it is, by which a soak knows its plan again."""

    path: Path
    tables: PlanFile
    pairs: tuple[Pair, ...]
    text: str

    @property
    def text_sha256(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def home(self) -> str:
        """The version from which every firmware goes there, and to which it comes back."""
        return self.pairs[0].there.version_from

    def at(self, *key: str, found: str | None = None) -> Where:
        """Where a key stands in the file."""
        return Where(str(self.path), dotted(key), line_of(self.text, key), found)

    def fixtures(self) -> tuple[Fixture, ...]:
        """All images, each once; the first starts from `home`."""
        found = {f.sha256: f for pair in self.pairs for f in (pair.there, pair.back)}
        return tuple(found.values())

    def drawn(self, number: int, seed: int) -> int:
        """Which pair goes there for the `number`-th time (from 0)."""
        if self.tables.plan.order == "in-turn":
            return number % len(self.pairs)
        digest = hashlib.sha256(f"rig.plan {seed} {number}".encode()).digest()
        left = int.from_bytes(digest[:8], "big") % sum(pair.weight for pair in self.pairs)
        for index, pair in enumerate(self.pairs):
            left -= pair.weight
            if left < 0:
                return index
        raise AssertionError("the weights do not add up")

    def turn(self, version: str, seed: int, theres: int, last: int | None) -> Turn | None:
        """What comes next for a meter that runs `version`; None when nothing in this plan starts from there.

        `theres`: how often it was sent there already; `last`: the pair of the last time.
        """
        if version == self.home:
            index = self.drawn(theres, seed)
            return Turn(index, "there", self.pairs[index].there)
        order: Sequence[int] = range(len(self.pairs))
        for index in order if last is None else (last, *order):
            if self.pairs[index].there.version_to == version:
                return Turn(index, "back", self.pairs[index].back)
        return None


def find_plan(name_or_path: Path) -> Path:
    """The file of a plan, or of one that comes with the rig, by its name. Raises InputError for an unknown name."""
    if name_or_path.suffix == ".toml" or name_or_path.is_file():
        return name_or_path
    name, known = str(name_or_path), sorted(path.stem for path in shipped("plans").glob("*.toml"))
    if name in known:
        return shipped("plans") / f"{name}.toml"
    expected = f"one of {', '.join(known)}, or the path of a plan (.toml)"
    raise InputError(f"no such plan{did_you_mean(name, known)}", Where(found=repr(name), expected=expected))


def load_plan(name_or_path: Path) -> Plan:
    """The plan of that name or in that file, checked, its firmware loaded. Raises InputError."""
    path = find_plan(name_or_path)
    data, text = read_toml(path)
    tables = validate(PlanFile, data, text, str(path))
    loader = _Loader(path, text, tables)
    pairs = tuple(loader.pair(index) for index in range(len(tables.firmware)))
    home = pairs[0].there
    for index, pair in enumerate(pairs):
        if pair.there.version_from != home.version_from:
            raise loader.wrong(
                ("firmware", index, "fixture"),
                f"all firmware of a plan starts from one version, or the meter cannot come back to {home.name}",
                pair.there.version_from,
                home.version_from,
            )
    return Plan(path, tables, pairs, text)


class _Loader:
    def __init__(self, path: Path, text: str, tables: PlanFile) -> None:
        self._path = path
        self._text = text
        self._tables = tables

    def pair(self, index: int) -> Pair:
        table = self._tables.firmware[index]
        key: Key = ("firmware", index, "fixture")
        if table.weight is not None and self._tables.plan.order != "weighted":
            raise self.wrong(
                ("firmware", index, "weight"), "no weight counts where all are in turn", "in-turn", "weighted"
            )
        beside = self._path.parent / table.fixture
        named = table.fixture in fixtures.names() or not beside.is_dir()
        try:
            there = fixtures.load(table.fixture if named else str(beside))
            back = fixtures.load_back(there)
            for fixture in (there, back):
                fixture.image_bytes()
        except InputError as error:
            where = error.where
            own = f"{where.file}:{where.line}: {where.key}" if where.file and where.line else where.file
            message = error.message if own is None else f"{error.message} ({own})"
            raise self.wrong(key, message, where.found or repr(table.fixture), where.expected) from error
        return Pair(there, back, table.weight or 1)

    def wrong(self, key: Key, message: str, found: str, expected: str | None) -> InputError:
        return InputError(message, Where(str(self._path), dotted(key), line_of(self._text, key), found, expected))
