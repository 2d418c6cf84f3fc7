"""`rig record`: another verb, with everything that is said on the instruments' and the meter's links written down.

Exit codes: those of the verb that is recorded; with `--check` 0 or 2.
"""

from __future__ import annotations

import argparse
import sys
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from rig.errors import ExitCode, InputError, Where

if TYPE_CHECKING:
    from rig.recording import Recording

RECORDED = ("run", "controls", "soak", "doctor")
"""The verbs that open a bench's links."""
DEFAULT_FILE = Path("recording.txt")


def add_options(verb: argparse.ArgumentParser) -> None:
    """The options of this verb."""
    verb.add_argument(
        "--out", type=Path, default=DEFAULT_FILE, metavar="FILE", help=f"a new file (default: {DEFAULT_FILE})"
    )
    verb.add_argument("--full", action="store_true", help="keep long blocks whole, not by length and SHA-256")
    verb.add_argument("--check", type=Path, metavar="FILE", help="read a recording, and say what is in it")
    verb.add_argument(
        "--json", action="store_true", help="with --check: print one object (rig.record/1), and nothing else, on stdout"
    )
    verb.add_argument(
        "words", nargs=argparse.REMAINDER, metavar="-- VERB ...", help=f"what to record: {', '.join(RECORDED)}"
    )
    verb.set_defaults(verb=record)


def record(options: Namespace) -> int:
    """Record, or check a recording."""
    from rig.cli.parser import parse

    words = options.words[1:] if options.words[:1] == ["--"] else options.words
    if options.check is not None:
        if words:
            raise InputError("--check looks at a recording, and records nothing", Where(found=" ".join(words)))
        return _check(options)
    if words[:1] == [] or words[0] not in RECORDED:
        example = "rig record --out first.txt -- run --bench mine.toml"
        where = Where(found=" ".join(words) or "nothing", expected=f"one of {', '.join(RECORDED)}, as in: {example}")
        raise InputError("not a verb that can be recorded", where)
    return _record(options, parse(words))


def _record(options: Namespace, inner: Namespace) -> int:
    from rig.recording import Recorder

    recorder = Recorder(options.out, full=options.full)
    inner.taps = recorder
    try:
        code: int = inner.verb(inner)
    except BaseException:
        if recorder.close():
            _tell(options.out, recorder.broken)
        raise
    if recorder.close():
        _tell(options.out, recorder.broken)
    else:
        print(f"nothing was said on any link: {options.out} was not kept", file=sys.stderr)  # noqa: T201
    return code


def _tell(file: Path, broken: str | None) -> None:
    words = f"recorded: {file}" if broken is None else f"the recording {file} is not whole: {broken}"
    print(words, file=sys.stderr)  # noqa: T201


def _check(options: Namespace) -> int:
    from rig.recording import read_recording

    found = read_recording(options.check)
    if options.json:
        import json

        print(json.dumps({"schema": "rig.record/1", "file": found.file, "links": _links(found)}, indent=2))  # noqa: T201
        return ExitCode.PASS
    from rig.records.soak_words import counted

    for link in _links(found):
        openings = counted(int(link["openings"]), "time")
        counts = f"{link['sent']} sent, {link['received']} received, opened {openings}"
        print(f"{link['name']} at {link['address']}: {counts}, {link['seconds']:.3f} s; {link['kept']}")  # noqa: T201
    print(f"{found.file}: a whole recording of {len(found.names())} links")  # noqa: T201
    return ExitCode.PASS


def _links(found: Recording) -> list[dict[str, str | int | float]]:
    from rig.recording import Elided, Struck

    rows: list[dict[str, str | int | float]] = []
    for name in found.names():
        events = found.of(name)
        kinds = [event.kind for event in events]
        pieces = [piece for event in events for piece in event.data]
        kept = [
            *(["long blocks by their sum"] if any(isinstance(piece, Elided) for piece in pieces) else []),
            *(["secrets struck out"] if any(isinstance(piece, Struck) for piece in pieces) else []),
        ]
        rows.append(
            {
                "name": name,
                "address": events[0].text,
                "sent": kinds.count(">"),
                "received": kinds.count("<"),
                "openings": kinds.count("open"),
                "seconds": (events[-1].at_ns - events[0].at_ns) / 1e9,
                "kept": ", ".join(kept) or "every byte",
            }
        )
    return rows
