"""Nights on the twin with small captures, and what they left."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from rig.procedures.soak.progress import CycleRow, SilentSoak, SoakState
from rig.records.journal import Attempt, Filter, Reader, SoakEnd, SoakEvent
from rig.soak import PreparedSoak, SoakOutcome, SoakRequest
from rig.twin import bench as twins
from tests.soak.plans import GOOD, written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pytest

DEPTH = 12_000


@dataclass
class Told(SilentSoak):
    """A listener that remembers, and may do something when a cycle has ended."""

    rows: list[CycleRow] = field(default_factory=list)
    states: list[SoakState] = field(default_factory=list)
    events: list[tuple[str, str]] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    after: Callable[[CycleRow], None] = lambda _: None

    def step(self, name: str, text: str) -> None:
        self.steps.append(name)

    def cycle(self, row: CycleRow, state: SoakState) -> None:
        self.rows.append(row)
        self.states.append(state)
        self.after(row)

    def happened(self, kind: str, text: str, elapsed_s: float) -> None:
        self.events.append((kind, text))


@contextmanager
def small_captures(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The twin's oscilloscope takes captures of 12,000 samples: 50 ms apart, enough for a cut of seconds."""
    whole = twins.Twin.__init__

    def small(self: twins.Twin, *words: object, **named: object) -> None:
        named.setdefault("depth", DEPTH)
        whole(self, *words, **named)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(twins.Twin, "__init__", small)
        yield


@dataclass
class Night:
    """One soak in a folder: sittings, and what its journal says."""

    folder: Path
    text: str = GOOD
    told: Told = field(default_factory=Told)

    @property
    def out(self) -> Path:
        return self.folder / "runs"

    def prepared(self, **request: object) -> PreparedSoak:
        plan = written(self.folder, self.text)
        return PreparedSoak(SoakRequest(plan, out=self.out, **request))  # type: ignore[arg-type]

    def sit(self, told: Told | None = None, **request: object) -> SoakOutcome:
        self.told = told or Told()
        return self.prepared(**request).run(self.told)

    def attempts(self) -> tuple[Attempt, ...]:
        with Reader.open(self.out) as reader:
            return reader.attempts(Filter(kind="run"))

    def events(self) -> tuple[SoakEvent, ...]:
        with Reader.open(self.out) as reader:
            return reader.events(reader.soaks()[-1].soak_id)

    def ends(self) -> tuple[SoakEnd, ...]:
        with Reader.open(self.out) as reader:
            return reader.ends(reader.soaks()[-1].soak_id)

    def bundles(self) -> set[str]:
        return {p.name for p in self.out.iterdir() if (p / "run.json").is_file() and not p.name.startswith(".")}
