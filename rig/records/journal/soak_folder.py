"""The folder of a soak, `<out>/<soak-id>/`: all that the journal knows of it, so that the journal can be made anew.

`begun.json` (`rig.soak-begun/1`) and `plan.toml` are written once, before the journal's row; `events.jsonl` gets a
line, on the disk, before each row. `soak.json` and `report.html` come from elsewhere, through `seal`, which sums it all
up in SHA256SUMS. A folder without SHA256SUMS was not sealed: the soak goes on, or was killed. The bundles of its cycles
lie beside it, not in it.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rig.clock import Clock, utc_label
from rig.errors import BenchError, InputError, Where
from rig.guardian.strict import to_json
from rig.records.bundle import EVENTS, SUMS, json_text, sums_text
from rig.records.journal import EventKind, Journal, Soak, SoakEnd, SoakEvent
from rig.records.journal.bundles import read, read_json, strictly
from rig.whole_file import replace_whole, sync_folder, write_all, write_synced

BEGUN = "begun.json"
PLAN = "plan.toml"
SCHEMA = "rig.soak-begun/1"
PREFIX = "soak-"
_ID = re.compile(rf"{PREFIX}\d{{8}}T\d{{6}}Z-[0-9a-f]{{4}}")


def is_soak(folder: Path) -> bool:
    """By its name."""
    return _ID.fullmatch(folder.name) is not None


class SoakFolder:
    """A soak that goes on: what happens is noted in its folder and in the journal, in this order."""

    def __init__(self, journal: Journal, out: Path, clock: Clock, soak: Soak) -> None:
        self._journal = journal
        self._clock = clock
        self.soak = soak
        self.path = out / soak.soak_id

    @classmethod
    def start(
        cls, journal: Journal, out: Path, clock: Clock, *, plan_text: str, bench: str, bench_from: str,
        meter: str | None, seed: int,
    ) -> SoakFolder:  # fmt: skip
        """A new soak, durable when this returns. Raises BenchError."""
        now = clock.utc()
        soak_id = f"{PREFIX}{now.strftime('%Y%m%dT%H%M%SZ')}-{secrets.token_hex(2)}"
        soak = Soak(soak_id, utc_label(now), plan_text, bench, bench_from, meter, seed)
        started = cls(journal, out, clock, soak)
        body = {"schema": SCHEMA, **to_json(soak)}
        del body["plan_text"]  # it has a file of its own
        partial = out / f".{soak_id}.partial"
        try:
            partial.mkdir()
            write_synced(partial / BEGUN, json_text(body).encode())
            write_synced(partial / PLAN, plan_text.encode())
            write_synced(partial / EVENTS, b"")
            sync_folder(partial)
            partial.rename(started.path)
            sync_folder(out)
        except OSError as error:
            shutil.rmtree(partial, ignore_errors=True)
            raise _unwritable(started.path, error) from error
        journal.add(soak)
        return started

    @classmethod
    def resume(cls, journal: Journal, out: Path, clock: Clock, soak: Soak) -> SoakFolder:
        """Go on with one that the journal knows. Raises InputError, BenchError where its folder is not as it was."""
        resumed = cls(journal, out, clock, soak)
        try:
            (resumed.path / SUMS).unlink(missing_ok=True)  # it is no longer sealed
            _drop_half_a_line(resumed.path / EVENTS)
            sync_folder(resumed.path)
        except OSError as error:
            raise _unwritable(resumed.path, error) from error
        noted = len(journal.events(soak.soak_id)) + len(journal.ends(soak.soak_id))
        journal.add(*soak_in(resumed.path).facts[noted:])  # a kill between a line and its row
        return resumed

    def note(self, kind: EventKind, text: str, cycle: int | None = None, seconds: float | None = None) -> SoakEvent:
        """Something happened. Durable when this returns; raises BenchError."""
        event = SoakEvent(self.soak.soak_id, utc_label(self._clock.utc()), kind, text, cycle, seconds)
        self._append({"event": to_json(event)})
        self._journal.add(event)
        return event

    def end(self, reason: str, text: str) -> SoakEnd:
        """This sitting is over. Durable when this returns; raises BenchError."""
        end = SoakEnd(self.soak.soak_id, utc_label(self._clock.utc()), reason, text)
        self._append({"end": to_json(end)})
        self._journal.add(end)
        return end

    def seal(self, files: Mapping[str, str]) -> None:
        """Write these texts by file name (`soak.json`, `report.html`), and SHA256SUMS over all. Raises BenchError."""
        try:
            for name, text in files.items():
                replace_whole(self.path / name, text.encode())
            replace_whole(self.path / SUMS, sums_text(self.path).encode())
        except OSError as error:
            raise _unwritable(self.path, error) from error

    def _append(self, body: Mapping[str, object]) -> None:
        line = (json.dumps(body, ensure_ascii=False, allow_nan=False) + "\n").encode()
        try:
            with (self.path / EVENTS).open("ab", buffering=0) as file:
                before = file.tell()
                try:
                    write_all(file, line)
                    os.fsync(file.fileno())
                except OSError:
                    with contextlib.suppress(OSError):
                        file.truncate(before)  # the next line must not follow half of this one
                    raise
        except OSError as error:
            raise _unwritable(self.path / EVENTS, error) from error


@dataclass(frozen=True)
class SoakFacts:
    """All that a soak's folder tells. `half_a_line`: what a killed process left at the end of its events."""

    soak: Soak
    facts: tuple[SoakEvent | SoakEnd, ...]
    sealed: bool
    half_a_line: bool


def soak_in(folder: Path) -> SoakFacts:
    """Raises InputError naming the file and what is wrong."""
    file = folder / BEGUN
    body = read_json(file)
    if body.pop("schema", None) != SCHEMA:
        raise InputError("not the beginning of a soak", Where(str(file), "schema", expected=SCHEMA))
    plan = read(folder / PLAN).decode(errors="replace")
    soak = strictly(Soak, {**body, "plan_text": plan}, file)
    *lines, rest = read(folder / EVENTS).split(b"\n")
    facts = tuple(_fact(line, folder / EVENTS, number) for number, line in enumerate(lines, 1))
    return SoakFacts(soak, facts, (folder / SUMS).exists(), bool(rest))


def _fact(line: bytes, file: Path, number: int) -> SoakEvent | SoakEnd:
    try:
        body = json.loads(line)
    except ValueError:
        body = None
    if isinstance(body, dict) and body.keys() == {"event"}:
        return strictly(SoakEvent, body["event"], file)
    if isinstance(body, dict) and body.keys() == {"end"}:
        return strictly(SoakEnd, body["end"], file)
    raise InputError("not the events of a soak", Where(str(file), line=number, expected="an event or an end"))


def _drop_half_a_line(file: Path) -> None:
    """A process that was killed while it wrote left a line that nobody was told of."""
    content = file.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        replace_whole(file, content[:whole])


def _unwritable(path: Path, error: OSError) -> BenchError:
    return BenchError("the soak cannot be noted", Where(str(path), found=error.strerror or str(error)))
