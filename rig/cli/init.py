"""`rig init DIR`: a starting folder of HIL tests."""

from __future__ import annotations

import argparse
import json
from argparse import Namespace
from pathlib import Path

from rig.cli.options import add_json
from rig.errors import ExitCode


def add_options(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("folder", type=Path, metavar="DIR", help="a folder that is new, or empty")
    add_json(verb, "rig.init/1")
    verb.set_defaults(verb=run)


def run(options: Namespace) -> int:
    """Write it, and say what to do next."""
    from rig.hil_start import write
    from rig.twin.rack import template

    files = write(options.folder, template("twin"))
    if options.json:
        print(json.dumps({"schema": "rig.init/1", "files": [str(file) for file in files]}))  # noqa: T201
    else:
        for file in files:
            print(file)  # noqa: T201
        print(f"now: cd {options.folder} && pytest")  # noqa: T201
    return ExitCode.PASS
