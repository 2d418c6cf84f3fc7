"""`rig compare A B`: two soaks of one meter, two firmwares: what is different, and how sure that is."""

from __future__ import annotations

import argparse
from argparse import Namespace
from pathlib import Path

from rig.cli.options import add_json, add_out
from rig.errors import ExitCode, InputError, Where


def add_options(verb: argparse.ArgumentParser) -> None:
    """The options of this verb."""
    soak = "a soak's folder, its soak.json, or its id in the journal"
    verb.add_argument("a", metavar="A", help=soak)
    verb.add_argument("b", metavar="B", help="likewise; B is compared with A")
    add_out(verb, "where the journal is")
    verb.add_argument("--html", type=Path, metavar="FILE", help="also write a page with pictures")
    add_json(verb, "rig.compare/1")
    verb.set_defaults(verb=run)


def run(options: Namespace) -> int:
    """Read both, compare, tell. What was found does not change the exit code."""
    from rig.records.compare import compare, read_side
    from rig.records.compare_report import render_compare
    from rig.records.compare_words import compare_lines

    a, b = read_side(options.a, options.out), read_side(options.b, options.out)
    record = compare(a, b)
    if options.html is not None:
        _write(options.html, render_compare(record, a, b))
    if options.json:
        import json

        print(json.dumps(record.to_json(), ensure_ascii=False, allow_nan=False, indent=2))  # noqa: T201
    else:
        for line in compare_lines(record):
            print(line)  # noqa: T201
    return ExitCode.PASS


def _write(file: Path, text: str) -> None:
    """Whole, or not at all. Raises InputError naming the file."""
    from rig.whole_file import replace_whole

    try:
        replace_whole(file, text.encode())
    except OSError as error:
        raise InputError("the page cannot be written", Where(str(file), found=error.strerror)) from error
