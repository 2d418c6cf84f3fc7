"""`rig run`: one activation test, with a live panel on a terminal and plain lines elsewhere."""

from __future__ import annotations

import argparse
import sys
from argparse import Namespace
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rig.cli.options import a_number, add_bench, add_comparison, add_fault, add_json, add_out, add_seed
from rig.cli.signals import stopped_code, stopping
from rig.errors import ExitCode

if TYPE_CHECKING:
    from rig.api import Outcome
    from rig.records.run import RunRecord

EXITS = {
    "PASS": ExitCode.PASS,
    "FAIL": ExitCode.FAIL,
    "INCONCLUSIVE": ExitCode.INCONCLUSIVE,
    "ERROR": ExitCode.BENCH_ERROR,
}
_START = {"start": "before the watch", "both": "never seen up", "end": "start not seen", "none": "start not seen"}


def add_options(verb: argparse.ArgumentParser) -> None:
    """The options of this verb."""
    add_bench(
        verb, "; a twin's instruments may be chosen behind its name: twin,supply=NAME,oscilloscope=NAME,meter=NAME"
    )
    verb.add_argument(
        "--firmware",
        default="cut-45s",
        metavar="NAME|DIR",
        help="firmware fixture by name, or its folder (default: cut-45s)",
    )
    verb.add_argument("--limit", type=a_number, metavar="S", help="the limit in seconds (default: the bench file's)")
    add_comparison(verb, None)
    add_out(verb)
    add_seed(verb)
    add_fault(verb, ", S seconds after the activation command")
    verb.add_argument(
        "--controls",
        choices=("auto", "always", "never"),
        default="auto",
        help="auto: those that do not stand from earlier; always: all; never: none, and no PASS without them"
        " (default: auto)",
    )
    add_json(verb, "rig.run/1")
    verb.set_defaults(verb=run)


def run(options: Namespace) -> int:
    """Check the input, do the test, tell the verdict."""
    from rig.api import Prepared, Request

    request = Request(
        bench=options.bench,
        firmware=options.firmware,
        out=options.out,
        limit_s=options.limit,
        comparison=options.comparison,
        seed=options.seed,
        faults=tuple(options.fault),
        terminal=sys.stdin.fileno() if sys.stdin is not None and sys.stdin.isatty() else None,
        controls=options.controls,
        taps=options.taps,
    )
    prepared = Prepared(request)
    from rig.cli.panel import progress_for

    with stopping(prepared), progress_for(sys.stdout, options.json) as progress:
        outcome = prepared.run(progress)
    if options.json:
        import json

        print(json.dumps(outcome.record.to_json(), ensure_ascii=False, indent=2))  # noqa: T201
    else:
        for line in _summary(outcome):
            print(line)  # noqa: T201
    return _exit_code(outcome)


def _exit_code(outcome: Outcome) -> int:
    stopped = stopped_code(outcome.cancelled)
    if stopped is not None and outcome.record.safe_state.proven:
        return stopped
    return EXITS[outcome.record.verdict]


def _summary(outcome: Outcome) -> Iterator[str]:
    from rig.records.report_words import at_least, at_most, log_words, verdict_sentence

    record: RunRecord = outcome.record
    yield ""
    yield verdict_sentence(record)
    if record.caveat is not None:
        yield f"  {record.caveat}"
    for reason in record.reasons:
        yield f"  {reason.code}: {reason.text}"
    for number, outage in enumerate(record.outages, 1):
        upper = "unbounded" if outage.upper_s is None else f"{at_most(outage.upper_s)} s"
        start = _START[outage.open] if outage.start_s is None else f"{outage.start_s:.1f} s after the command"
        yield f"  outage {number}: {start}, {at_least(outage.lower_s)} to {upper}, cause: {outage.cause}"
    for entry in record.activation.meter_log:
        if entry.duration_s is not None:
            yield f"  the meter's own log: {log_words(entry)}"
    if not record.safe_state.proven:
        for check in record.safe_state.checks:
            if not check.proven:
                yield f"  NOT SAFE: {check.what}: {check.found}"
    yield f"  evidence: {outcome.folder / 'report.html'}"
