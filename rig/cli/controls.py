"""`rig controls`: makes all controls of a bench, and prints what every source made of each."""

from __future__ import annotations

import argparse
import sys
from argparse import Namespace
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rig.cli.options import add_bench, add_fault, add_json, add_out, add_seed
from rig.cli.signals import stopped_code, stopping
from rig.errors import ExitCode

if TYPE_CHECKING:
    from rig.controls import ControlsOutcome
    from rig.records.run import ControlRow


def add_options(verb: argparse.ArgumentParser) -> None:
    add_bench(verb)
    verb.add_argument(
        "--long", action="store_true", help="cuts of 179, 181 and 200 s too (never of a commissioned hub)"
    )
    add_out(verb)
    add_seed(verb)
    add_fault(verb, ", from the start", "NAME")
    add_json(verb, "rig.controls/1")
    verb.set_defaults(verb=run)


def run(options: Namespace) -> int:
    """Check the input, make the controls, tell which are valid."""
    from rig.controls import ControlsRequest, PreparedControls

    prepared = PreparedControls(
        ControlsRequest(options.bench, options.out, options.long, options.seed, tuple(options.fault), options.taps)
    )
    from rig.cli.panel import progress_for

    with stopping(prepared), progress_for(sys.stdout, options.json) as progress:
        outcome = prepared.run(progress)
    if options.json:
        import json

        print(json.dumps(outcome.record.to_json(), ensure_ascii=False, indent=2))  # noqa: T201
    else:
        for line in _summary(outcome):
            print(line)  # noqa: T201
    stopped = stopped_code(outcome.cancelled)
    if stopped is not None and outcome.record.safe_state.proven:
        return stopped
    return ExitCode.PASS if outcome.record.valid else ExitCode.BENCH_ERROR


def _summary(outcome: ControlsOutcome) -> Iterator[str]:
    record = outcome.record
    yield ""
    if record.valid:
        yield "VALID: every source called every control rightly."
    else:
        yield f"NOT VALID: {record.error or record.interrupted or 'no run on this bench is a PASS until they are.'}"
    for row in record.control.results:
        yield f"  {_words(row)}"
    made = {row.kind for row in record.control.results}
    for kind in record.control.required:
        if kind not in made:
            yield f"  {kind}: not made"
    for check in record.safe_state.checks:
        if not check.proven:
            yield f"  NOT SAFE: {check.what}: {check.found}"
    yield f"  evidence: {outcome.folder / 'controls.json'}"


def _words(row: ControlRow) -> str:
    cut = f" ({row.commanded_s:.3f} s)" if row.commanded_s else ""
    if row.problem is not None:
        return f"{row.kind}{cut}: {row.problem}"
    wrong = [s.source for s in row.sources if not s.right]
    if wrong:
        return f"{row.kind}{cut}: not called rightly by {', '.join(wrong)}"
    slopes = [
        f"{word} in at most {value_s:.3f} s"
        for word, value_s in (("fell", row.fall_s), ("rose", row.rise_s))
        if value_s
    ]
    swing = f"{row.lowest_v:.1f} to {row.highest_v:.1f} V" if row.lowest_v is not None else ""
    return f"{row.kind}{cut}: right by {', '.join(s.source for s in row.sources)}" + "".join(
        f"; {text}" for text in (*slopes, swing) if text
    )
