"""`rig runs`: what the journal of a folder of results holds; `rig runs rebuild`: it is made anew from the bundles.

Exit codes: 0 listed, or made anew and every bundle is as it was written · 2 bad input, a damaged journal, or damaged
bundles (the others are indexed) · 4 the journal is in use or cannot be written.
"""

from __future__ import annotations

import argparse
import gc
import sys
from argparse import Namespace
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rig.cli.options import add_json, add_out
from rig.errors import ExitCode, InputError, Where

if TYPE_CHECKING:
    from rig.records.journal.rebuilding import Rebuilt
    from rig.records.journal.rows import Listed
    from rig.records.runs import Listing

_ON_A_TERMINAL = 50
"""So many are shown on a terminal where nobody says how many; elsewhere all are."""

_FILTERS = ("soak", "verdict", "fixture", "bench", "since", "until", "limit")
_STYLES = {"PASS": "green", "VALID": "green", "FAIL": "bold red", "RUNNING": "cyan"}
_OTHER = "yellow"
_HEAD = ("run", "verdict", "fixture", "longest outage", "bench", "cycle", "soak")
_MS = 1_000_000
_DAY = len("2026-11-24")


def add_options(verb: argparse.ArgumentParser) -> None:
    """The options of this verb."""
    verb.add_argument("action", nargs="?", choices=("rebuild",), help="make the journal anew from the bundles alone")
    add_out(verb, "where the evidence is")
    verb.add_argument("--soak", metavar="ID", help="only the cycles of this soak")
    verb.add_argument("--verdict", metavar="VERDICT", help="only these; LOST: what began and never ended")
    verb.add_argument("--fixture", metavar="NAME", help="only activations of this firmware")
    verb.add_argument("--bench", metavar="NAME", help="only of this bench")
    verb.add_argument("--since", metavar="UTC", help="only what began then or later: 2026-11-24 or 2026-11-24T18:00")
    verb.add_argument("--until", metavar="UTC", help="only what began then or before; of a date, its whole day")
    verb.add_argument(
        "--limit", type=_count, metavar="N", help=f"only the N newest (default: {_ON_A_TERMINAL} on a terminal)"
    )
    add_json(verb, "rig.runs/1")
    verb.set_defaults(verb=runs)


def runs(options: Namespace) -> int:
    """List, or rebuild."""
    if options.action == "rebuild":
        return _rebuild(options)
    gc.disable()  # ten thousand rows are made and printed; looking for cycles among them takes a third of the time
    try:
        _list(options)
    finally:
        gc.enable()
    return ExitCode.PASS


def _list(options: Namespace) -> None:
    from rig.records.runs import Asked, listing

    terminal = sys.stdout.isatty() and not options.json
    newest = options.limit if options.limit is not None or not terminal else _ON_A_TERMINAL
    asked = Asked(
        soak=options.soak,
        verdict=_verdict(options.verdict),
        fixture=options.fixture,
        bench=options.bench,
        since=_label("--since", options.since, "T00:00:00"),
        until=_label("--until", options.until, "T23:59:59"),
        newest=newest,
    )
    found = listing(options.out, asked, short=not options.json)
    if options.json:
        import json

        print(json.dumps(found.to_json(), ensure_ascii=False))  # noqa: T201 - indented, 10,000 would take seconds
    elif terminal:
        _table(found)
    else:
        sys.stdout.writelines(f"{line}\n" for line in (*_lines(found), *_summary(found)))


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 10**9):
        raise argparse.ArgumentTypeError(f"not a number of runs: {text!r}")
    return int(text)


def _verdict(word: str | None) -> str | None:
    from rig.records.runs import LOST, VERDICTS

    if word is not None and word.upper() not in (*VERDICTS, LOST):
        where = Where(key="--verdict", found=word, expected=" or ".join((*VERDICTS, LOST)))
        raise InputError("not a verdict", where)
    return None if word is None else word.upper()


def _label(option: str, text: str | None, whole_day: str) -> str | None:
    """As the journal writes it, to the second and in UTC. Raises InputError."""
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(f"{text}{whole_day}" if len(text) == _DAY else text)
    except ValueError:
        expected = "2026-11-24, 2026-11-24T18:00 or 2026-11-24T18:00:00Z"
        raise InputError("not a moment", Where(key=option, found=text, expected=expected)) from None
    from rig.clock import utc_label

    return utc_label(at if at.tzinfo is not None else at.replace(tzinfo=UTC))


# -- for people --------------------------------------------------------------------------------------------------------


def _cells(row: Listed, word: str) -> tuple[str, ...]:
    cycle = "" if row.cycle is None else str(row.cycle)
    if row.attempt is not None and row.attempt > 1:
        cycle += f", attempt {row.attempt}"
    return (row.run_id, word, row.fixture or row.kind, _outage(row), row.bench, cycle, row.soak or "")


def _outage(row: Listed) -> str:
    """Its bounds, rounded outwards to milliseconds: they are whole nanoseconds, and ten thousand are asked for."""
    if row.rail_verdict is None or row.lower_s is None:
        return ""
    lower = f"{round(row.lower_s * 1e9) // _MS / 1000:.3f}"
    if row.upper_s is None:
        return f"{lower} to unbounded"
    return f"{lower} to {-(round(-1e9 * row.upper_s) // _MS) / 1000:.3f} s"


def _lines(found: Listing) -> Iterator[str]:
    if not found.rows:
        return
    table = [_HEAD, *(_cells(attempt, word) for attempt, word in found.rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    if not any(row[-1] for row in table[1:]):  # no soak among them
        table, widths = [row[:-2] for row in table], widths[:-2]
    for row in table:
        yield "  ".join(map(str.ljust, row, widths)).rstrip()


def _table(found: Listing) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    for number, line in enumerate(_lines(found)):
        text = Text(line, style="bold" if number == 0 else "")
        if number:
            word = found.rows[number - 1][1]
            text.highlight_words([f" {word} "], _STYLES.get(word, _OTHER))
        console.print(text, no_wrap=True, overflow="ellipsis", crop=True)
    for line in _summary(found):
        console.print(Text(line))


def _summary(found: Listing) -> Iterator[str]:
    summary = found.summary
    if found.rows:
        yield ""
    if len(found.rows) < summary.attempts:
        yield f"the newest {len(found.rows)} of {summary.attempts} are shown (--limit)"
    words = ", ".join(f"{count} {word}" for word, count in sorted(summary.words.items()))
    yield f"{_many(summary.attempts, 'attempt')}{': ' if words else ''}{words}"
    if summary.longest is not None:
        yield f"longest outage {_outage(summary.longest)} ({summary.longest.run_id})"
    if summary.unbounded:
        yield f"{summary.unbounded} without an upper bound"
    for row, word in found.rows:
        if word == "LOST":
            yield f"lost: {row.run_id}: {row.lost or _what_is_left(found.out, row.run_id)}"


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _what_is_left(out: Path, run_id: str) -> str:
    if (out / run_id).is_dir():
        return "its bundle is whole: the next run, or 'rig runs rebuild', puts it in"
    half = out / f".{run_id}.partial"
    return f"its process is gone; what it left is in {half}" if half.is_dir() else "its process is gone"


# -- rebuild -----------------------------------------------------------------------------------------------------------


def _rebuild(options: Namespace) -> int:
    for name in _FILTERS:
        if getattr(options, name) is not None:
            raise InputError(f"--{name} does not go with rebuild", Where(expected="all bundles"))
    from rig.records.journal.rebuilding import rebuild

    made = rebuild(options.out)
    if options.json:
        import json

        print(json.dumps(made.to_json(), ensure_ascii=False, indent=2))  # noqa: T201
    else:
        for line in _told(options.out, made):
            print(line)  # noqa: T201
    return ExitCode.BAD_INPUT if made.damaged else ExitCode.PASS


def _told(out: Path, made: Rebuilt) -> Iterator[str]:
    for damaged in made.damaged:
        yield f"damaged: {out / damaged.folder}: {damaged.why}"
    for name in made.half_written:
        yield f"half-written: {out / name}"
    for name in made.unsealed:
        yield f"not sealed: {out / name}: this soak was killed, or goes on"
    yield f"{_many(made.attempts, 'attempt')} and {_many(made.soaks, 'soak')} in {out / 'journal.sqlite3'}"
    if made.kept is not None:
        yield f"the journal from before is {out / made.kept}"
