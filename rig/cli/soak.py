"""`rig soak`: a night's work, with a live panel on a terminal, one plain line a cycle elsewhere; and its schedule."""

from __future__ import annotations

import argparse
import json
import re
import sys
from argparse import Namespace
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from rig.cli.options import add_bench, add_fault, add_json, add_out
from rig.cli.run import EXITS
from rig.cli.signals import stopped_code, stopping
from rig.errors import ExitCode

if TYPE_CHECKING:
    from rig.procedures.soak.schedule import ScheduleRow
    from rig.soak import PreparedSoak, SoakOutcome


def add_options(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "plan", type=Path, metavar="PLAN", help="what to do: a plan's file (rig.plan/1), or one of the rig's by name"
    )
    verb.add_argument("--cycles", type=_count, metavar="N", help="so many cycles, in place of the plan's own end")
    verb.add_argument(
        "--until", type=_clock, metavar="HH:MM", help="until the next such local time, in place of the plan's own end"
    )
    verb.add_argument("--resume", metavar="ID", help="go on with this soak (an id, its beginning, or 'last')")
    add_bench(verb)
    add_out(verb)
    verb.add_argument("--seed", type=int, metavar="N", help="of the twin's noise, and of what is drawn (default: 0)")
    add_fault(verb, ", S seconds after the first activation command")
    verb.add_argument("--dry-run", action="store_true", help="print what would happen when, and touch nothing")
    add_json(verb, "rig.soak/1, with --dry-run rig.schedule/1")
    verb.set_defaults(verb=run)


def _count(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,6}", text) or int(text) == 0:
        raise argparse.ArgumentTypeError(f"not a number of cycles: {text!r}")
    return int(text)


def _clock(text: str) -> str:
    if not re.fullmatch(r"([01]?[0-9]|2[0-3]):[0-5][0-9]", text):
        raise argparse.ArgumentTypeError(f"not a time of day: {text!r} (expected HH:MM)")
    return text.rjust(5, "0")


def run(options: Namespace) -> int:
    """Check the input; then the schedule, or one sitting and what came of it."""
    from rig.soak import PreparedSoak, SoakRequest

    prepared = PreparedSoak(
        SoakRequest(
            plan=options.plan,
            bench=options.bench,
            out=options.out,
            cycles=options.cycles,
            until=options.until,
            resume=options.resume,
            seed=options.seed,
            faults=tuple(options.fault),
            taps=options.taps,
        )
    )
    if options.dry_run:
        return _dry_run(prepared, options.json)
    from rig.cli.soak_panel import soak_progress_for

    with stopping(prepared), soak_progress_for(sys.stdout, options.json) as progress:
        outcome = prepared.run(progress)
    if options.json:
        print(json.dumps(outcome.record.to_json(), ensure_ascii=False, indent=2))  # noqa: T201
    else:
        for line in _summary(outcome):
            print(line)  # noqa: T201
    return exit_code(outcome)


def exit_code(outcome: SoakOutcome) -> int:
    """4 where it broke off or could not be kept; a signal's own where it ended safe; else what the record says."""
    if outcome.ending.failed or outcome.problem is not None:
        return ExitCode.BENCH_ERROR
    stopped = stopped_code(outcome.cancelled)
    return stopped if stopped is not None else EXITS[outcome.record.verdict]


def _summary(outcome: SoakOutcome) -> Iterator[str]:
    from rig.records.soak_words import summary_lines

    yield ""
    yield from summary_lines(outcome.record)
    if outcome.problem is not None:
        yield f"  NOT KEPT: {outcome.problem}"
    else:
        yield f"  evidence: {outcome.folder / 'report.html'}"
    if outcome.ending.reason not in ("cycles", "time"):
        yield f"  to go on: --resume {outcome.record.labels.soak_id}"


def _dry_run(prepared: PreparedSoak, as_json: bool) -> int:
    """The schedule. Nothing is opened."""
    from rig.clock import utc_label

    rows = list(prepared.schedule())
    begin, room = prepared.now(), prepared.room()
    if as_json:
        body = {
            "schema": "rig.schedule/1",
            "plan": prepared.plan.tables.plan.name,
            "bench": prepared.config.bench.name,
            "seed": prepared.seed,
            "begins_utc": utc_label(begin),
            "room": vars(room),
            "cycles": [{**vars(row)} for row in rows],
        }
        print(json.dumps(body, ensure_ascii=False, indent=2))  # noqa: T201
        return ExitCode.PASS
    for line in _schedule_lines(prepared, rows, begin):
        print(line)  # noqa: T201
    print(f"disk: {room.words}")  # noqa: T201
    return ExitCode.PASS


def _schedule_lines(prepared: PreparedSoak, rows: Sequence[ScheduleRow], begin: datetime) -> Iterator[str]:
    from rig.cli.soak_words import length_words
    from rig.records.soak_words import counted

    def shown(after_s: float) -> str:
        return f"{(begin + timedelta(seconds=after_s)).astimezone(prepared.place):%Y-%m-%d %H:%M:%S %Z}"

    yield f"{'cycle':>5}  {'begins about':<25}  {'takes':>12}  {'activates':<24}  and before it"
    for row in rows:
        what = f"{row.fixture}: {row.version_from} to {row.version_to}"
        before = ", ".join(w for w, do in (("K1 off and on", row.power_cycle), ("controls", row.controls)) if do)
        takes = length_words(row.expected_s)
        yield f"{row.number:>5}  {shown(row.starts_s):<25}  {takes:>12}  {what:<24}  {before}".rstrip()
    if not rows:
        yield "nothing is left to do"
        return
    ends = shown(rows[-1].starts_s + rows[-1].expected_s)
    yield f"{counted(len(rows), 'cycle')}; the last ends about {ends}. Nothing was touched."
