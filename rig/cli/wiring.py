"""`rig wiring`: is a bench wired as its bench file says? Prints the table to wire from, or each contradiction.

A contradiction is bad input (exit 2), told with file and line of both files: all of them on a line each, or with
`--json` the first as `rig.error/1`.
"""

from __future__ import annotations

import argparse
import sys
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from rig.cli.options import add_json
from rig.errors import ExitCode, InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rig.bench.wiring import Report


def add_options(verb: argparse.ArgumentParser) -> None:
    """The options of this verb."""
    verb.add_argument("bench", metavar="BENCH", help="a bench file, or a bench of the twin by name")
    add_json(verb, "rig.wiring/1")
    verb.set_defaults(verb=wiring)


def wiring(options: Namespace) -> int:
    """Check the bench, tell."""
    report = _report(options.bench)
    if report.errors:
        return _refuse(report.errors, options.json)
    if options.json:
        import json

        print(json.dumps(report.to_json(), ensure_ascii=False, indent=2))  # noqa: T201
    else:
        for line in _lines(report):
            print(line)  # noqa: T201
    return ExitCode.PASS


def _report(bench: str) -> Report:
    """The check of a bench file, or of a twin's. The twin is loaded only where it is asked for."""
    from rig.bench import is_bench_file
    from rig.bench.config import check_bench
    from rig.bench.wiring import checked

    if is_bench_file(bench):
        from rig.toml_file import read_toml

        path = Path(bench)
        data, text = read_toml(path)
        return checked(check_bench(data, text, bench), text, bench, path.parent)
    from rig.twin.rack import draft, harness_folder

    config, text = draft(bench)
    return checked(config, text, f"bench '{bench}'", harness_folder())


def _refuse(errors: Sequence[InputError], as_json: bool) -> int:
    first, *others = errors
    if as_json:
        more = f" (and {len(others)} more: rig wiring tells them all without --json)" if others else ""
        raise InputError(first.message + more, first.where)
    for error in errors:
        print(f"rig: {error.one_line()}", file=sys.stderr)  # noqa: T201
    return ExitCode.BAD_INPUT


def _lines(report: Report) -> Iterator[str]:
    yield f"{report.file} is wired as {report.harness} says"
    yield ""
    rows = [
        (s.name, s.role, f"GPIO {s.gpio}", f"pin {s.pin}", s.direction, s.active, " > ".join(s.way))
        for s in report.signals
    ]
    yield from _table(("signal", "role", "gpio", "header", "is", "active", "by way of"), rows)
    yield ""
    for band in report.bands:
        worst, stated = (f"{low:.4g} to {high:.4g} {band.unit}" for low, high in (band.worst, band.stated))
        yield f"{band.name} switches within {worst}, worst case (stated: {stated})"
    if report.discharge_s is not None:
        yield f"an unfed rail is below safe_v after at most {report.discharge_s:.3g} s"
    if report.watchdog_s is not None:
        first, last = report.watchdog_s
        yield f"the watchdog opens the feeds {first:.3g} to {last:.3g} s after the last pulse"
    yield from (f"note: {note}" for note in report.notes)
    yield ""
    wires = [(w.signal, w.start, w.via, w.colour, w.gauge, w.end, w.node) for w in report.wires]
    yield from _table(("signal", "from", "wire", "colour", "gauge", "to", "node"), wires)


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    for row in (head, *rows):
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
