"""How often each relay has operated, over all runs of a bench on this machine, against its contact's rated life.

An operation is a closing and the opening after it, as relay makers count (IEC 61810-1), and is counted, durably, before
the contact closes: a crash may count one too many, never one too few. Only relays with `rated_operations` are counted.
A bench is known by its name. Counts are about the bench, not about what one run saw: they go into a run's events and to
`rig doctor`, never into `run.json`, which must come out the same for the same evidence.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from rig.bench.config import BenchConfig
from rig.errors import BenchError, InputError, Where
from rig.whole_file import replace_whole

_SCHEMA = "rig.relays/1"
_WARN_AT = 0.8


@dataclass(frozen=True)
class Wear:
    """One relay's operations so far, and how many its contact is rated for."""

    name: str
    operations: int
    rated: int

    @property
    def warning(self) -> str | None:
        """What a person must be told, or None below 80 % of the rated life."""
        part = self.operations / self.rated
        if part < _WARN_AT:
            return None
        words = f"relay {self.name} has made {self.operations} of the {self.rated} operations that it is rated for"
        return f"{words}: replace it" if part >= 1 else f"{words} ({100 * part:.0f} %)"


class WearBook:
    """The counts of one bench. `file` None = they live only as long as this object (a twin's relays do not wear)."""

    def __init__(self, config: BenchConfig, file: Path | None) -> None:
        """Reads what was counted before. Raises InputError for a file that is no such count."""
        self._bench = config.bench.name
        self._rated = {r.name: r.rated_operations for r in config.relay if r.rated_operations is not None}
        self._file = file if self._rated else None
        self._counts = _counts(file) if self._file is not None and file is not None else {}

    def closing(self, name: str) -> None:
        """Relay `name` is about to close. Raises BenchError when that cannot be kept: then it must not close."""
        if name not in self._rated:
            return
        counts = {**self._counts, name: self._counts.get(name, 0) + 1}
        if self._file is not None:
            try:
                self._file.parent.mkdir(parents=True, exist_ok=True)
                body = {"schema": _SCHEMA, "bench": self._bench, "operations": counts}
                replace_whole(self._file, (json.dumps(body, ensure_ascii=False) + "\n").encode())
            except OSError as error:
                text = f"the operations of relays cannot be kept: {error.strerror or error}"
                raise BenchError(text, Where(file=str(self._file))) from error
        self._counts = counts

    def rows(self) -> tuple[Wear, ...]:
        """Every relay that has a rated life, as the bench file names them."""
        return tuple(Wear(name, self._counts.get(name, 0), rated) for name, rated in self._rated.items())


def wear_file(config: BenchConfig, state_folder: Path) -> Path:
    """Where a bench's counts are kept."""
    return state_folder / "relays" / f"{config.bench.name}.json"


def _counts(file: Path) -> dict[str, int]:
    expected = f"{_SCHEMA}: put it right, or take it away and the count begins anew"
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", Where(file=str(file))) from error
    except ValueError as error:
        raise InputError(
            "no count of relay operations", Where(str(file), found=str(error), expected=expected)
        ) from error
    counts = data.get("operations") if isinstance(data, dict) and data.get("schema") == _SCHEMA else None
    if not isinstance(counts, dict) or not all(type(count) is int and count >= 0 for count in counts.values()):
        raise InputError("no count of relay operations", Where(str(file), found=repr(data)[:60], expected=expected))
    return counts
