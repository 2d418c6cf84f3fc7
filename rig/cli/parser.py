"""The words of the command line. Imports nothing heavy: `rig --help` must be fast on a Raspberry Pi."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from rig import __version__
from rig.errors import InputError

_EXITS = (
    "exit codes: 0 pass, 1 fail, 2 bad input, 3 inconclusive, 4 bench error or not proven safe, 130 SIGINT, 143 SIGTERM"
)


class _Parser(argparse.ArgumentParser):
    """Wrong usage is one line, as every other bad input. `asked`: the innermost verb that was asked for."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.set_defaults(asked=self)

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message}; see '{self.prog} --help'")


def parse(words: Sequence[str]) -> argparse.Namespace:
    """The options, with `verb` the function to call. Raises InputError; `--help` and `--version` exit."""
    parser = _Parser(
        prog="rig",
        description="Proves, meter by meter and firmware by firmware, whether an activation keeps the hub powered.",
        epilog=f"'rig VERB --help' tells the options of a verb; {_EXITS}",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"ichis-rig {__version__}")
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    _add_run(verbs)
    _add_trigger(verbs)
    _add_controls(verbs)
    _add_soak(verbs)
    _add_compare(verbs)
    _add_safe(verbs)
    _add_analyse(verbs)
    _add_doctor(verbs)
    _add_wiring(verbs)
    _add_init(verbs)
    _add_twin(verbs)
    _add_firmware(verbs)
    _add_runs(verbs)
    _add_record(verbs)
    parser.set_defaults(taps=None)  # who hears the links: `rig record`
    options, unknown = parser.parse_known_args(words)
    if unknown:
        options.asked.error(f"unrecognized arguments: {' '.join(unknown)}")
    return options


def _add_record(verbs: argparse._SubParsersAction[_Parser]) -> None:
    from rig.cli import record

    verb = verbs.add_parser(
        "record",
        help="do another verb, and write down what its links say",
        description="Does what the words behind '--' say, and writes down what was sent and received on the links of"
        " the instruments and the meter, and when (docs/recording.md). Credentials are struck out.",
        epilog="exit codes: those of the verb that is recorded; with --check 0 read, 2 no recording",
        allow_abbrev=False,
    )
    record.add_words(verb, parse)


def _add_runs(verbs: argparse._SubParsersAction[_Parser]) -> None:
    from rig.cli import runs

    verb = verbs.add_parser(
        "runs",
        help="list what was run, or make the journal anew",
        description="Lists the attempts that the journal of a folder of results holds, and sums them up;"
        " with 'rebuild', makes the journal anew from the bundles and checks every one of them.",
        epilog="exit codes: 0 listed or made, 2 bad input, or damaged bundles, 4 the journal cannot be written",
        allow_abbrev=False,
    )
    runs.add_words(verb)


def _add_run(verbs: argparse._SubParsersAction[_Parser]) -> None:
    from rig.cli import run

    verb = verbs.add_parser(
        "run",
        help="do one activation test, end to end",
        description="Does one activation test: controls, transfer, activation, watch, verdict, evidence.",
        epilog=_EXITS,
        allow_abbrev=False,
    )
    verb.add_argument(
        "--bench",
        default="twin",
        metavar="NAME|FILE",
        help="bench by name, or a bench file (default: twin); a twin's instruments may be chosen behind its name:"
        " twin,supply=NAME,oscilloscope=NAME,meter=NAME",
    )
    verb.add_argument(
        "--firmware",
        default="cut-45s",
        metavar="NAME|DIR",
        help="firmware fixture by name, or its folder (default: cut-45s)",
    )
    verb.add_argument("--limit", type=_number, metavar="S", help="the limit in seconds (default: the bench file's)")
    verb.add_argument(
        "--comparison",
        choices=("ge", "gt"),
        help="which lengths fail: ge: the limit and longer, gt: longer only (default: the bench file's)",
    )
    verb.add_argument(
        "--out", type=Path, default=Path("runs"), metavar="DIR", help="where the evidence goes (default: runs)"
    )
    verb.add_argument("--seed", type=int, default=0, metavar="N", help="the twin's noise (default: 0)")
    verb.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="NAME[@S]",
        help="a fault of the twin, S seconds after the activation command; an unknown name lists all (may be given more"
        " than once)",
    )
    verb.add_argument(
        "--controls",
        choices=("auto", "always", "never"),
        default="auto",
        help="auto: those that do not stand from earlier; always: all; never: none, and no PASS without them"
        " (default: auto)",
    )
    verb.add_argument("--json", action="store_true", help="print one object (rig.run/1), and nothing else, on stdout")
    verb.set_defaults(verb=run.run)


def _add_trigger(verbs: argparse._SubParsersAction[_Parser]) -> None:
    from rig.cli import trigger

    verb = verbs.add_parser(
        "trigger",
        help="tell a run that its activation was just started",
        description="Tells a run on a bench with trigger = 'person', from another terminal, that the activation was"
        " just started, or (with --version) which version the meter runs.",
        epilog="exit codes: 0 the run has heard it, 2 bad input, or no run waits for it",
        allow_abbrev=False,
    )
    trigger.add_words(verb)


def _add_controls(verbs: argparse._SubParsersAction[_Parser]) -> None:
    from rig.cli import controls

    verb = verbs.add_parser(
        "controls",
        help="prove that the bench sees an outage, and whose it is",
        description="Cuts the hub's feed and the meter's mains by the bench's own relays: every source must see it.",
        epilog="exit codes: 0 all valid, 2 bad input, 4 not valid, or not proven safe, 130 SIGINT, 143 SIGTERM",
        allow_abbrev=False,
    )
    controls.add_words(verb)


def _add_soak(verbs: argparse._SubParsersAction[_Parser]) -> None:
    from rig.cli import soak

    verb = verbs.add_parser(
        "soak",
        help="do activation after activation, all night",
        description="Goes through a plan's firmware there and back, cycle after cycle, and keeps each before the next.",
        epilog=_EXITS,
        allow_abbrev=False,
    )
    soak.add_words(verb)


def _add_compare(verbs: argparse._SubParsersAction[_Parser]) -> None:
    from rig.cli import compare

    verb = verbs.add_parser(
        "compare",
        help="compare two soaks of one meter",
        description="Compares two soaks of one meter, two firmwares: does B break the limit more often,"
        " or cut for longer?",
        epilog="exit codes: 0 compared, whatever was found, 2 bad input, or not comparable",
        allow_abbrev=False,
    )
    compare.add_words(verb)


def _add_safe(verbs: argparse._SubParsersAction[_Parser]) -> None:
    from rig.cli import safe

    verb = verbs.add_parser(
        "safe",
        help="make a bench safe, and say what was proven",
        description="Puts relays into their safe positions, the supply off, and reads the rail,"
        " even where everything else is broken.",
        epilog="exit codes: 0 proven safe, 2 bad input, or the bench is in use, 4 not proven safe",
        allow_abbrev=False,
    )
    safe.add_words(verb)


def _add_analyse(verbs: argparse._SubParsersAction[_Parser]) -> None:
    from rig.cli import analyse

    verb = verbs.add_parser(
        "analyse",
        help="judge oscilloscope files",
        description="Judges the rail in files that a bench already has: how long was it away, and how sure is that?",
        epilog="exit codes: 0 pass, 1 fail, 2 bad input, 3 inconclusive",
        allow_abbrev=False,
    )
    analyse.add_words(verb, _number)


def _add_doctor(verbs: argparse._SubParsersAction[_Parser]) -> None:
    from rig.cli import doctor

    verb = verbs.add_parser(
        "doctor",
        help="check a bench and this machine",
        description="Checks a bench and this machine, and says what to do. Nothing is set, switched or moved.",
        epilog="exit codes: 0 nothing failed (there may be warnings), 2 bad input, 4 something failed",
        allow_abbrev=False,
    )
    doctor.add_words(verb)


def _add_wiring(verbs: argparse._SubParsersAction[_Parser]) -> None:
    from rig.cli import wiring

    verb = verbs.add_parser(
        "wiring",
        help="check a bench file against its harness",
        description="Checks that a bench is wired as its bench file says, and prints the table to wire from.",
        epilog="exit codes: 0 wired as the bench file says, 2 contradictions, or bad input",
        allow_abbrev=False,
    )
    wiring.add_words(verb)


def _add_init(verbs: argparse._SubParsersAction[_Parser]) -> None:
    from rig.cli import init

    verb = verbs.add_parser(
        "init",
        help="write a starting folder of HIL tests",
        description="Writes a folder of pytest tests, a bench file and a CI job; it passes on the twin as it is.",
        epilog="exit codes: 0 written, 2 bad input",
        allow_abbrev=False,
    )
    init.add_words(verb)


def _add_twin(verbs: argparse._SubParsersAction[_Parser]) -> None:
    from rig.cli import twin

    noun = verbs.add_parser(
        "twin",
        help="open the twin bench for other programs",
        description="The twin bench as a service, for other programs.",
        epilog="'rig twin VERB --help' tells options and exit codes",
        allow_abbrev=False,
    )
    verb = noun.add_subparsers(title="verbs", metavar="VERB", required=True).add_parser(
        "serve",
        help="open the twin's wires until told to stop",
        description="Opens a twin bench on the system's clock: SCPI, Modbus, relays and sense lines on loopback"
        " sockets, and a bench file that names them. Prints one line of JSON (rig.twin/1); SIGINT or SIGTERM stops it.",
        epilog="exit codes: 130 SIGINT, 143 SIGTERM, 0 end of input (--until-eof), 2 bad input, 4 the twin failed",
        allow_abbrev=False,
    )
    twin.add_words(verb, _number)


def _add_firmware(verbs: argparse._SubParsersAction[_Parser]) -> None:
    from rig.cli import firmware

    verb = verbs.add_parser(
        "firmware",
        help="look at, check, make and list firmware images",
        description="Firmware images in the Zigbee OTA container, and the fixtures around them.",
        epilog="'rig firmware VERB --help' tells options and exit codes",
        allow_abbrev=False,
    )
    firmware.add_words(verb)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"not a number: {text!r}") from None
