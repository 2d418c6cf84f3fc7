"""`rig trigger`: tells a run that waits for it that the activation was just started, or which version the meter has."""

from __future__ import annotations

import argparse
import json
from argparse import Namespace
from pathlib import Path

from rig.cli.options import add_json
from rig.errors import ExitCode, InputError, Where


def add_options(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--bench", metavar="NAME|FILE", help="the bench of that run (needed only where several runs wait)"
    )
    verb.add_argument(
        "--version",
        metavar="V",
        help="the version that the meter runs now; without it: it was just started",
    )
    add_json(verb, "rig.trigger/1")
    verb.set_defaults(verb=trigger)


def trigger(options: Namespace) -> int:
    """Say it; 0 when the run has heard it, and was waiting for just that."""
    from rig.meters.desk import is_version, tell

    version: str | None = options.version
    if version is not None and not is_version(version):
        raise InputError("not a version", Where(key="--version", found=repr(version), expected="1 to 64 characters"))
    bench = tell(None if options.bench is None else _name(options.bench), version)
    if options.json:
        print(json.dumps({"schema": "rig.trigger/1", "bench": bench, "version": version}))  # noqa: T201
    else:
        said = "the activation was started" if version is None else f"the meter runs {version}"
        print(f"told the run on {bench}: {said}")  # noqa: T201
    return ExitCode.PASS


def _name(bench: str) -> str:
    from rig.bench import is_bench_file

    if not is_bench_file(bench):
        return bench
    from rig.bench.config import load_bench

    return load_bench(Path(bench)).bench.name
