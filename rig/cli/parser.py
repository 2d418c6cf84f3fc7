"""The verbs of the command line, a row each. A verb's own module is loaded only where the words name it.

So `rig --help` imports nothing but this: it must be fast on a Raspberry Pi.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, NoReturn

from rig import __version__
from rig.errors import InputError


@dataclass(frozen=True)
class _Verb:
    """`rig NAME`: its line in the list of verbs, what it does, and how it ends. `rig.cli.NAME` adds its options."""

    name: str
    help: str
    does: str
    ends: str


_OF_A_VERDICT = "0 pass, 1 fail, 2 bad input, 3 inconclusive"
_STOPPED = "130 SIGINT, 143 SIGTERM"
_OF_A_RUN = f"exit codes: {_OF_A_VERDICT}, 4 bench error or not proven safe, {_STOPPED}"

_VERBS = (
    _Verb(
        "run",
        "do one activation test, end to end",
        "Does one activation test: controls, transfer, activation, watch, verdict, evidence.",
        _OF_A_RUN,
    ),
    _Verb(
        "trigger",
        "tell a run that its activation was just started",
        "Tells a run on a bench with trigger = 'person', from another terminal, that the activation was just started,"
        " or (with --version) which version the meter runs.",
        "exit codes: 0 the run has heard it, 2 bad input, or no run waits for it",
    ),
    _Verb(
        "controls",
        "prove that the bench sees an outage, and whose it is",
        "Cuts the hub's feed and the meter's mains by the bench's own relays: every source must see it.",
        f"exit codes: 0 all valid, 2 bad input, 4 not valid, or not proven safe, {_STOPPED}",
    ),
    _Verb(
        "soak",
        "do activation after activation, all night",
        "Goes through a plan's firmware there and back, cycle after cycle, and keeps each before the next.",
        _OF_A_RUN,
    ),
    _Verb(
        "compare",
        "compare two soaks of one meter",
        "Compares two soaks of one meter, two firmwares: does B break the limit more often, or cut for longer?",
        "exit codes: 0 compared, whatever was found, 2 bad input, or not comparable",
    ),
    _Verb(
        "safe",
        "make a bench safe, and say what was proven",
        "Puts relays into their safe positions, the supply off, and reads the rail, even where everything else is"
        " broken.",
        "exit codes: 0 proven safe, 2 bad input, or the bench is in use, 4 not proven safe",
    ),
    _Verb(
        "analyse",
        "judge oscilloscope files",
        "Judges the rail in files that a bench already has: how long was it away, and how sure is that?",
        f"exit codes: {_OF_A_VERDICT}",
    ),
    _Verb(
        "doctor",
        "check a bench and this machine",
        "Checks a bench and this machine, and says what to do. Nothing is set, switched or moved.",
        "exit codes: 0 nothing failed (there may be warnings), 2 bad input, 4 something failed",
    ),
    _Verb(
        "wiring",
        "check a bench file against its harness",
        "Checks that a bench is wired as its bench file says, and prints the table to wire from.",
        "exit codes: 0 wired as the bench file says, 2 contradictions, or bad input",
    ),
    _Verb(
        "init",
        "write a starting folder of HIL tests",
        "Writes a folder of pytest tests, a bench file and a CI job; it passes on the twin as it is.",
        "exit codes: 0 written, 2 bad input",
    ),
    _Verb(
        "twin",
        "open the twin bench for other programs",
        "The twin bench as a service, for other programs.",
        "'rig twin VERB --help' tells options and exit codes",
    ),
    _Verb(
        "firmware",
        "look at, check, make and list firmware images",
        "Firmware images in the Zigbee OTA container, and the fixtures around them.",
        "'rig firmware VERB --help' tells options and exit codes",
    ),
    _Verb(
        "runs",
        "list what was run, or make the journal anew",
        "Lists the attempts that the journal of a folder of results holds, and sums them up; with 'rebuild', makes the"
        " journal anew from the bundles and checks every one of them.",
        "exit codes: 0 listed or made, 2 bad input, or damaged bundles, 4 the journal cannot be written",
    ),
    _Verb(
        "record",
        "do another verb, and write down what its links say",
        "Does what the words behind '--' say, and writes down what was sent and received on the links of the"
        " instruments and the meter, and when (docs/recording.md). Credentials are struck out.",
        "exit codes: those of the verb that is recorded; with --check 0 read, 2 no recording",
    ),
)


class _Parser(argparse.ArgumentParser):
    """Wrong usage is one line, as every other bad input. `asked`: the innermost verb that was asked for."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.allow_abbrev = False
        self.set_defaults(asked=self)

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message}; see '{self.prog} --help'")


def parse(words: Sequence[str]) -> argparse.Namespace:
    """The options, with `verb` the function to call. Raises InputError; `--help` and `--version` exit."""
    parser = _Parser(
        prog="rig",
        description="Proves, meter by meter and firmware by firmware, whether an activation keeps the hub powered.",
        epilog=f"'rig VERB --help' tells the options of a verb; {_OF_A_RUN}",
    )
    parser.add_argument("--version", action="version", version=f"ichis-rig {__version__}")
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    for row in _VERBS:
        verb = verbs.add_parser(row.name, help=row.help, description=row.does, epilog=row.ends)
        if row.name in words:
            import_module(f"rig.cli.{row.name}").add_options(verb)
    parser.set_defaults(taps=None)  # who hears the links: `rig record`
    options, unknown = parser.parse_known_args(words)
    if unknown:
        options.asked.error(f"unrecognized arguments: {' '.join(unknown)}")
    return options
