"""`rig safe`: makes a bench safe when everything else is broken, and says of each part what was proven."""

from __future__ import annotations

import argparse
import json
from argparse import Namespace
from dataclasses import asdict

from rig.cli.options import add_bench, add_json
from rig.errors import ExitCode


def add_options(verb: argparse.ArgumentParser) -> None:
    add_bench(verb)
    add_json(verb, "rig.safe/1")
    verb.set_defaults(verb=run)


def run(options: Namespace) -> int:
    """Make it safe; 0 only when all of it was proven."""
    from rig.safe import make_bench_safe

    outcome = make_bench_safe(options.bench)
    if options.json:
        body = {"schema": "rig.safe/1", "safe": outcome.safe, **asdict(outcome)}
        print(json.dumps(body, ensure_ascii=False, indent=2))  # noqa: T201
    else:
        for text in (*([outcome.wrong] if outcome.wrong else []), *outcome.left_out):
            print(f"bench file: {text}")  # noqa: T201
        for check in outcome.checks:
            print(f"{'proven' if check.proven else 'NOT PROVEN':<12}{check.what}: {check.found}")  # noqa: T201
        if outcome.cleared:
            print("the mark 'not to be used' is taken back")  # noqa: T201
        print("SAFE" if outcome.safe else "NOT PROVEN SAFE: make the bench safe by hand")  # noqa: T201
    return ExitCode.PASS if outcome.safe else ExitCode.BENCH_ERROR
