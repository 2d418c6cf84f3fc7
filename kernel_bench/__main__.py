"""`python -m kernel_bench build`: the kernel, built once. `… test [pytest's words]`: the tests marked `kernel` in it.

`… run WORD ...`: any program in it. Exit codes: the program's; 3 where no kernel can be built here, 4 when a build
or a boot failed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from kernel_bench.boot import BootError, run
from kernel_bench.build import BuildError, kernel, site
from kernel_bench.source import CannotBuildError, find

ROOT = Path(__file__).parents[1]
PYTEST = ("-m", "pytest", "-m", "kernel", "-p", "no:cacheprovider", "-p", "no:xdist")


def main(words: Sequence[str]) -> int:
    verb, rest = (words[0], list(words[1:])) if words else ("", [])
    if verb not in ("build", "test", "run") or (verb == "run" and not rest):
        _say("expected: build, test [pytest's words], or run WORD ...")
        return 2
    try:
        linux = kernel(find(), _say) / "linux"
        if verb == "build":
            _say(f"the kernel is at {linux}")
            return 0
        header = site(constraints=ROOT / "constraints.txt")
        program = [sys.executable, *PYTEST, *(rest or ["tests/kernel"])] if verb == "test" else rest
        return run(linux, program, _environment(header), ROOT if verb == "test" else Path.cwd())
    except CannotBuildError as error:
        _say(f"SKIPPED: no kernel can be built here: {error}")
        return 3
    except (BuildError, BootError) as error:
        _say(f"FAILED: {error}")
        return 4


def _environment(header: Path) -> dict[str, str]:
    """What programs inside get to know: a Pi's header, this checkout, and nothing that they would write into it."""
    kept = {name: value for name in ("PATH", "LANG", "TERM", "COLUMNS") if (value := os.environ.get(name))}
    return {
        **kept,
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(header)]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "RPI_LGPIO_REVISION": "c03111",  # a Raspberry Pi 4: there is no device tree to read it from
        "RIG_KERNEL": "time-travel",
    }


def _say(text: str) -> None:
    print(f"kernel bench: {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
