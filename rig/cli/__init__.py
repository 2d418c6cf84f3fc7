"""The command `rig`: parses, calls, prints. Every rule is below it.

Exit codes: 0 pass · 1 fail · 2 wrong usage or bad input · 3 inconclusive · 4 bench or instrument error, or a safe state
that could not be proven · 130 SIGINT, 143 SIGTERM (and safe). With `--json`, stdout has one object and nothing else.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rig.cli.parser import parse
from rig.errors import ExitCode, RigError


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        options = parse(words)
        code: int = options.verb(options)
    except RigError as error:
        return _tell(error, "--json" in words)
    except KeyboardInterrupt:
        return ExitCode.SIGINT
    except BrokenPipeError:  # the reader of our output went away
        sys.stderr.close()
        return ExitCode.BENCH_ERROR
    return code


def _tell(error: RigError, as_json: bool) -> int:
    if as_json:
        import json

        print(json.dumps(error.to_json(), ensure_ascii=False))  # noqa: T201
    else:
        print(f"rig: {error.one_line()}", file=sys.stderr)  # noqa: T201
    return error.code
