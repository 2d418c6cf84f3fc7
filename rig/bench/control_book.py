"""Which controls of this bench stand: kept in the state folder, so that not every run has to make them again.

A control speaks of one bench as it is wired and set: any other supply, oscilloscope, relay, sense line, topology or
threshold is another bench, and begins with an empty book. Validity counts by the wall clock, for it outlives a boot;
an entry from the future counts for nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rig.bench.config import BenchConfig
from rig.errors import BenchError
from rig.whole_file import replace_whole

_WHAT_COUNTS = {"supply", "oscilloscope", "relay", "sense", "topology", "rail"}


@dataclass(frozen=True)
class Entry:
    """One control as it was made: `cut_s` commanded (0 where nothing was cut), `made_utc` in ISO 8601."""

    kind: str
    valid: bool
    made_utc: str
    cut_s: float
    fall_s: float | None
    rise_s: float | None
    lowest_v: float | None
    highest_v: float | None


class ControlBook:
    """The book of one bench. Nothing is made until something is noted."""

    def __init__(self, folder: Path, config: BenchConfig) -> None:
        text = config.model_dump_json(include=_WHAT_COUNTS)
        self._path = folder / "controls" / f"{hashlib.sha256(text.encode()).hexdigest()[:32]}.json"
        self._bench = config.bench.name
        self._valid_for = timedelta(hours=config.limits.control_valid_h)

    def standing(self, now: datetime) -> tuple[Entry, ...]:
        """The newest entry of each kind that is valid and not too old. A book that cannot be read has none."""
        newest = {entry.kind: entry for entry in self._entries()}
        return tuple(e for e in newest.values() if e.valid and self._is_fresh(e, now))

    def note(self, made: Iterable[Entry]) -> None:
        """Add what was made, valid or not; durable when this returns. Raises BenchError."""
        entries = [*self._entries(), *made]
        newest = {entry.kind: entry for entry in entries}
        body = {"schema": "rig.controls/1", "bench": self._bench, "controls": [asdict(e) for e in newest.values()]}
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            replace_whole(self._path, json.dumps(body, indent=2).encode())
        except OSError as error:
            raise BenchError(f"the controls cannot be noted in {self._path.parent}: {error}") from error

    def _entries(self) -> list[Entry]:
        try:
            body = json.loads(self._path.read_text(encoding="utf-8"))
            return [Entry(**row) for row in body["controls"]]
        except (OSError, ValueError, KeyError, TypeError):  # none, or not ours: then nothing stands
            return []

    def _is_fresh(self, entry: Entry, now: datetime) -> bool:
        try:
            made = datetime.fromisoformat(entry.made_utc).astimezone(UTC)
        except ValueError:
            return False
        return timedelta() <= now - made <= self._valid_for


class HeldControls(ControlBook):
    """A book that lives only as long as this object: a twin's controls stand for the twin that made them."""

    def __init__(self, config: BenchConfig) -> None:
        super().__init__(Path(), config)
        self._held: dict[str, Entry] = {}

    def note(self, made: Iterable[Entry]) -> None:
        """See `ControlBook`."""
        self._held.update((entry.kind, entry) for entry in made)

    def _entries(self) -> list[Entry]:
        return list(self._held.values())
