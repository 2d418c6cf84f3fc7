"""`rig analyse`: judges oscilloscope files that a bench already has. Exit codes as for a run; a picture where asked."""

from __future__ import annotations

import argparse
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rig.cli.options import a_number, add_comparison, add_json
from rig.errors import ExitCode, InputError, Where

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rig.records.analysis import Analysis

_EXIT = {"PASS": ExitCode.PASS, "FAIL": ExitCode.FAIL, "INCONCLUSIVE": ExitCode.INCONCLUSIVE}


def add_options(verb: argparse.ArgumentParser) -> None:
    """The options of this verb."""
    verb.add_argument("files", nargs="+", type=Path, metavar="FILE", help="files of one event (CSV, .gz, .sr, .h5)")
    verb.add_argument(
        "--down", type=a_number, metavar="V", help="at and below this the rail is down (default: proposed)"
    )
    verb.add_argument("--up", type=a_number, metavar="V", help="at this and above the rail is up (default: proposed)")
    verb.add_argument("--limit", type=a_number, default=180.0, metavar="S", help="the limit in seconds (default: 180)")
    add_comparison(verb, "ge")
    verb.add_argument(
        "--ride-through", type=a_number, default=0.02, metavar="S", help="shorter dips are filled (default: 0.02)"
    )
    verb.add_argument(
        "--restore-min", type=a_number, default=1.0, metavar="S", help="shorter returns are dropped (default: 1)"
    )
    verb.add_argument(
        "--time-base-ppm",
        type=a_number,
        metavar="P",
        help="worst rate error of the time base (default: the file's own, or 100)",
    )
    verb.add_argument("--noise-v", type=a_number, metavar="V", help="worst-case noise (default: estimated)")
    verb.add_argument(
        "--channel",
        action="append",
        metavar="NAME",
        help="which channel, where there are several; once, or for each file",
    )
    verb.add_argument(
        "--dialect", action=_Dialect, metavar="NAME", help="force how the files are read; 'list' names the ways"
    )
    verb.add_argument("--interval", type=a_number, metavar="S", help="sample interval, for files that do not say")
    verb.add_argument("--start", type=a_number, metavar="S", help="time of the first sample, for files that do not say")
    verb.add_argument(
        "--offset", type=a_number, action="append", metavar="S", help="added to its times; once for each file"
    )
    verb.add_argument("--plot", type=Path, metavar="FILE.svg|png", help="draw the rail")
    add_json(verb, "rig.analysis/1")
    verb.set_defaults(verb=analyse)


class _Dialect(argparse.Action):
    """Takes a name, or lists them: for that no file is needed."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: Namespace, values: object, _option: str | None = None
    ) -> None:
        if values == "list":
            from rig.waveforms import dialects

            print("\n".join(dialects()))  # noqa: T201
            parser.exit()
        setattr(namespace, self.dest, values)


def analyse(options: Namespace) -> int:
    """Judge the files, draw, tell."""
    plot: Path | None = options.plot
    if plot is not None and plot.suffix.lower() not in (".svg", ".png"):
        raise InputError("not a picture", Where(key="--plot", found=str(plot), expected=".svg or .png"))
    from rig.procedures.analysing import Question, analyse_files

    question = Question(
        files=tuple(options.files),
        down_v=options.down,
        up_v=options.up,
        limit_s=options.limit,
        comparison=options.comparison,
        ride_through_s=options.ride_through,
        restore_min_s=options.restore_min,
        time_base_ppm=options.time_base_ppm,
        noise_v=options.noise_v,
        channels=tuple(options.channel or ()),
        dialect=options.dialect,
        interval_s=options.interval,
        start_s=options.start,
        offsets_s=tuple(options.offset or ()),
    )
    analysis, picture = analyse_files(question)
    if plot is not None:
        from rig.records.plot import save_plot

        save_plot(plot, analysis, picture)
    if options.json:
        import json

        print(json.dumps(analysis.to_json(), ensure_ascii=False, indent=2))  # noqa: T201
    else:
        for line in _summary(analysis):
            print(line)  # noqa: T201
    return _EXIT[analysis.verdict]


def _summary(analysis: Analysis) -> Iterator[str]:
    from rig.records.report_words import at_least, at_most, verdict_sentence

    for number, row in enumerate(analysis.files, 1):
        which = f"file {number}: " if len(analysis.files) > 1 else ""
        yield f"{which}{row.file}: channel {row.channel}, read as {row.dialect}, {row.samples} samples"
        yield from (f"  {note}" for note in row.notes if note != f"read as {row.dialect}")
    for assumption in analysis.assumptions:
        if assumption.source.startswith(("proposed", "estimated")):
            yield f"{assumption.key}: {assumption.value} ({assumption.source})"
    yield ""
    yield f"{verdict_sentence(analysis)} (waveform only)"
    yield from (f"  {reason.code}: {reason.text}" for reason in analysis.reasons)
    for number, outage in enumerate(analysis.outages, 1):
        upper = "unbounded" if outage.upper_s is None else f"{at_most(outage.upper_s)} s"
        start = "open at its start" if outage.start_s is None else f"from {outage.start_s:.3f} s"
        yield f"  outage {number}: {start}, {at_least(outage.lower_s)} to {upper}"
    if analysis.alerts is not None:
        yield from _alert_lines(analysis.alerts)


def _alert_lines(alerts: dict[str, Any]) -> Iterator[str]:
    """The chance in both regions; where there is one, when the alert would be sent, and the story."""
    from rig.records.report_words import at_least, at_most, nearest

    regions = {"north": "North", "south_central": "South & Central"}
    chances = (f"{name} {at_least(alerts[key][0])} to {at_most(alerts[key][1])}" for key, name in regions.items())
    yield f"  alert (AD1): {', '.join(chances)}"
    for key, name in regions.items():
        sent = alerts["sent_at_s"][key]
        if sent is not None:
            first = "before the file began" if sent[0] is None else f"at {nearest(sent[0])}"
            yield f"    {name}, sent {first} to {nearest(sent[1])} s:"
            yield from (f"      {sentence}" for sentence in alerts["story"][key])
