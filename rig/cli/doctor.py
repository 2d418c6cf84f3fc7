"""`rig doctor`: looks at a bench and this machine, and prints what was found and what to do. Changes nothing on either.

Exit codes: 0 all is well, warnings among it · 2 bad input · 4 something failed.
"""

from __future__ import annotations

import argparse
import sys
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from rig.cli.options import add_fault, add_json, add_out
from rig.errors import ExitCode

if TYPE_CHECKING:
    from rig.records.doctor import Check, Examination

_STYLES = {"ok": "green", "warning": "yellow", "failed": "bold red", "not here": "dim"}
DEFAULT_FILE = Path("bench.toml")


def add_options(verb: argparse.ArgumentParser) -> None:
    """The options of this verb."""
    verb.add_argument(
        "--bench", metavar="NAME|FILE", help="bench by name, or a bench file (default: twin; with --propose: none)"
    )
    verb.add_argument(
        "--propose",
        type=Path,
        nargs="?",
        const=DEFAULT_FILE,
        metavar="FILE",
        help=f"write a first bench file from what was found (default: {DEFAULT_FILE}); never overwrites",
    )
    verb.add_argument(
        "--probe",
        action="append",
        default=[],
        metavar="HOST[:PORT]",
        help="ask this address who it is, by *IDN? (may be given more than once)",
    )
    add_out(verb, "where evidence would go: is there room?")
    add_fault(verb, ", from the start", "NAME")
    add_json(verb, "rig.doctor/1")
    verb.set_defaults(verb=doctor)


def doctor(options: Namespace) -> int:
    """Look, and tell."""
    from rig.doctor import examine

    bench = options.bench
    if bench is None and options.propose is None:
        bench = "twin"
    found = examine(
        bench,
        out=options.out,
        probes=options.probe,
        propose=options.propose,
        faults=options.fault,
        taps=options.taps,
    )
    if options.json:
        import json

        print(json.dumps(found.to_json(), ensure_ascii=False, indent=2))  # noqa: T201
    elif sys.stdout.isatty():
        _table(found)
    else:
        for line in _lines(found):
            print(line)  # noqa: T201
    return ExitCode.BENCH_ERROR if found.status == "failed" else ExitCode.PASS


def _word(check: Check) -> str:
    return check.status if check.applies else "not here"


def _lines(found: Examination) -> Iterator[str]:
    width = max(len(check.what) for check in found.checks)
    for check in found.checks:
        yield f"{_word(check):<9} {check.what:<{width}}  {check.found}"
        if check.to_do:
            yield f"{'':<9} {'':<{width}}  -> {check.to_do}"
    yield ""
    yield from _summary(found)


def _table(found: Examination) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("", "what", "found, and what to do", box=None, padding=(0, 2, 0, 0))
    for check in found.checks:
        style = _STYLES[_word(check)]
        text = Text(check.found, style="dim" if not check.applies else "")
        if check.to_do:
            text.append(f"\n→ {check.to_do}", style=style)
        table.add_row(Text(_word(check), style=style), Text(check.what), text)
    console = Console(highlight=False)
    console.print(table)
    for line in _summary(found):
        console.print(Text(line))


def _summary(found: Examination) -> Iterator[str]:
    words = [_word(check) for check in found.checks]
    counts = [f"{count} {word}" for word in ("failed", "warning", "ok", "not here") if (count := words.count(word))]
    yield f"{'this machine' if found.bench is None else f'bench {found.bench}'}: {', '.join(counts)}"
    asked = dict.fromkeys(question for check in found.checks for question in check.asked)
    if asked:
        yield f"asked: {', '.join(asked)}; nothing was set, switched or moved"
    if found.proposal is not None:
        gaps = ", ".join(f"{gap.key} (line {gap.line})" for gap in found.proposal.to_fill_in)
        tail = f"still to fill in: {gaps}" if gaps else "complete; check what is marked CHECK"
        yield f"bench file: {found.proposal.file}, {tail}"
