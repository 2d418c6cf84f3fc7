"""`rig twin serve`: the twin's wires, open for any program on this machine until it is told to stop."""

from __future__ import annotations

import os
import select
import signal
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rig.cli.options import a_number, add_fault, add_seed
from rig.errors import ExitCode, HarnessError, InputError, Where

if TYPE_CHECKING:
    from types import FrameType

    from rig.firmware import Fixture
    from rig.twin.faults import Fault
    from rig.twin.serving import SystemTwin
    from rig.twin.system_time import SystemTimeline

_STOPS = {signal.SIGINT: ExitCode.SIGINT, signal.SIGTERM: ExitCode.SIGTERM}
_FILE = "twin.toml"


def add_options(noun: ArgumentParser) -> None:
    """The one verb of this noun, and its options."""
    verb = noun.add_subparsers(title="verbs", metavar="VERB", required=True).add_parser(
        "serve",
        help="open the twin's wires until told to stop",
        description="Opens a twin bench on the system's clock: SCPI, Modbus, relays and sense lines on loopback"
        " sockets, and a bench file that names them. Prints one line of JSON (rig.twin/1); SIGINT or SIGTERM stops it.",
        epilog="exit codes: 130 SIGINT, 143 SIGTERM, 0 end of input (--until-eof), 2 bad input, 4 the twin failed",
    )
    verb.add_argument(
        "--bench",
        default="twin",
        metavar="NAME",
        help="which twin (default: twin), and its instruments: twin,supply=NAME",
    )
    verb.add_argument(
        "--scale",
        type=a_number,
        default=1.0,
        metavar="X",
        help="a second of the model takes X seconds; the bench file's durations, its limit too, shrink (0.001 to 1)",
    )
    add_seed(verb)
    add_fault(verb, "")
    verb.add_argument(
        "--firmware",
        action="append",
        default=[],
        metavar="NAME|DIR",
        help="a firmware that its meter knows (may be given more than once; default: all packaged ones)",
    )
    verb.add_argument(
        "--out", type=Path, metavar="DIR", help="where the bench file goes, and stays (default: a temporary folder)"
    )
    verb.add_argument(
        "--chip",
        metavar="DEVICE",
        help="relay and sense lines on this chip of the kernel's gpio-sim (/dev/gpiochipN), instead of on sockets",
    )
    verb.add_argument(
        "--undriven",
        choices=("falls", "keeps"),
        default="falls",
        help="with --chip: a relay line that nobody drives falls to its pull, or keeps its level (default: falls)",
    )
    verb.add_argument(
        "--look-s", type=a_number, default=0.02, metavar="S", help="with --chip: how often it looks at the relay lines"
    )
    verb.add_argument(
        "--replay", type=Path, metavar="FILE", help="no twin: the links of a recording (rig record --full) answer again"
    )
    verb.add_argument("--until-eof", action="store_true", help="stop also when standard input ends (for who starts it)")
    verb.add_argument(
        "--json", action="store_true", help="tell errors as JSON too; what it serves is always one line of JSON"
    )
    verb.set_defaults(verb=serve)


def serve(options: Namespace) -> int:
    """Start, print the line, serve until a signal (or the end of standard input) comes."""
    import json

    from rig import firmware
    from rig.benches import MAX_SEED
    from rig.twin.faults import parse

    if not 0 <= options.seed <= MAX_SEED:
        raise InputError("not a seed", Where(key="--seed", found=str(options.seed), expected=f"0 to {MAX_SEED}"))
    if options.until_eof and sys.stdin is None:
        raise InputError("standard input is closed already", Where(key="--until-eof"))
    if options.replay is not None:
        return _replay(options)
    faults = [parse(text) for text in options.fault]
    fixtures = [firmware.load(name) for name in options.firmware or firmware.names()]
    if not options.firmware:
        fixtures.sort(key=lambda fixture: fixture.version_from)  # the meter starts at the oldest version
    with ExitStack() as stack:
        stop = stack.enter_context(_signals())
        twin = _twin(options, fixtures, faults)
        stack.callback(twin.close)
        file = stack.enter_context(_bench_file(options.out, twin.bench_text()))
        print(json.dumps(_line(twin, file)), flush=True)  # noqa: T201
        if not options.json:
            print(f"rig: serving; try: rig run --bench {file}  (Ctrl-C stops it)", file=sys.stderr)  # noqa: T201
        return _wait(stop, twin.timeline, options.until_eof)


def _replay(options: Namespace) -> int:
    import json

    from rig.recording import read_recording
    from rig.twin.replay import Replay
    from rig.twin.system_time import SystemTimeline

    with ExitStack() as stack:
        stop = stack.enter_context(_signals())
        timeline = SystemTimeline(1.0)
        stack.callback(timeline.close)
        replay = Replay(read_recording(options.replay), timeline)
        stack.callback(replay.close)
        print(json.dumps({"schema": "rig.replay/1", "links": replay.addresses(), "pid": os.getpid()}), flush=True)  # noqa: T201
        return _wait(stop, timeline, options.until_eof)


def _twin(options: Namespace, fixtures: Sequence[Fixture], faults: Sequence[Fault]) -> SystemTwin:
    from rig.twin.chip_lines import ChipChoice
    from rig.twin.serving import ChipTwin, ServedTwin

    if options.chip is None:
        twin = ServedTwin(fixtures, options.bench, options.scale, options.seed, faults)
        twin.stand_ready()
        return twin
    if not 0.001 <= options.look_s <= 1:
        raise InputError(
            "not a time between looks", Where(key="--look-s", found=f"{options.look_s:g}", expected="0.001 to 1")
        )
    choice = ChipChoice(options.chip, options.look_s, options.undriven == "keeps")
    return ChipTwin(choice, fixtures, options.bench, options.scale, options.seed, faults)


def _line(twin: SystemTwin, file: Path) -> dict[str, str | float | int | None]:
    """`rig.twin/1`. What is not there is null."""
    where = twin.addresses
    return {
        "schema": "rig.twin/1",
        "supply": where["supply"],
        "oscilloscope": where["oscilloscope"],
        "modbus": where.get("modbus"),
        "serial": where.get("serial"),
        "optical": where.get("optical", where.get("optical_tcp")),
        "dlms": where.get("dlms"),
        "relays": where.get("relays"),
        "sense": where.get("sense"),
        "chip": where.get("chip"),
        "bench_file": str(file),
        "scale": twin.timeline.scale,
        "pid": os.getpid(),
    }


@contextmanager
def _bench_file(out: Path | None, text: str) -> Iterator[Path]:
    """Written whole before anybody is told of it; a temporary one goes when the twin goes."""
    import shutil
    import tempfile

    try:
        if out is not None:
            out.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix="ichis-rig-twin-")) if out is None else out.resolve()
        draft = folder / f".{_FILE}.{os.getpid()}"
        draft.write_text(text, encoding="utf-8")
        file = draft.rename(folder / _FILE)
    except OSError as error:
        raise InputError(
            f"the bench file cannot be written: {error.strerror}", Where(key="--out", found=str(out))
        ) from error
    try:
        yield file
    finally:
        if out is None:
            shutil.rmtree(folder, ignore_errors=True)


class _Stop:
    """Which signal came; readable when one did."""

    def __init__(self) -> None:
        self.code: ExitCode | None = None
        self.fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def __call__(self, number: int, _: FrameType | None) -> None:
        self.code = self.code or _STOPS[signal.Signals(number)]
        os.eventfd_write(self.fd, 1)


@contextmanager
def _signals() -> Iterator[_Stop]:
    stop = _Stop()
    before = [(number, signal.signal(number, stop)) for number in _STOPS]
    try:
        yield stop
    finally:
        for number, handler in before:
            signal.signal(number, handler)
        os.close(stop.fd)


def _wait(stop: _Stop, timeline: SystemTimeline, until_eof: bool) -> int:
    poll = select.poll()
    poll.register(stop.fd, select.POLLIN)
    poll.register(timeline.failed, select.POLLIN)
    if until_eof:
        poll.register(0, select.POLLIN)
    while True:
        found = {fd for fd, _ in poll.poll()}
        if stop.code is not None:
            return stop.code
        if timeline.failure is not None:
            raise HarnessError(f"the twin failed: {timeline.failure!r}") from timeline.failure
        if 0 in found and not os.read(0, 4096):
            return ExitCode.PASS
