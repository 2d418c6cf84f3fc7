"""`python -m kernel_bench build`: the kernel, built once. `… test [pytest's words]`: the tests marked `kernel` in it.

`… run WORD ...`: any program in it. Exit codes: the program's; 3 where no kernel can be built, or run; 4 when a build
or a boot failed.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from kernel_bench.boot import BootError, run
from kernel_bench.build import BuildError, kernel, site
from kernel_bench.source import CannotBuildError, find

ROOT = Path(__file__).parents[1]
START_S = 120.0
MOST_KERNELS = 4
"""Each may take a gigabyte of memory."""
NO_TESTS = 5
"""pytest's exit code where nothing was left to run: what a kernel gets when there are fewer tests than kernels."""
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
        _check_that_it_starts(linux)
        header = site(constraints=ROOT / "constraints.txt")
        if verb == "run":
            return run(linux, rest, _environment(header), Path.cwd())
        return _test(linux, _environment(header), rest)
    except CannotBuildError as error:
        _say(f"SKIPPED: there can be no kernel here: {error}")
        return 3
    except (BuildError, BootError) as error:
        _say(f"FAILED: {error}")
        return 4


def _check_that_it_starts(linux: Path) -> None:
    """Not every machine lets a kernel run as a process. Raises CannotBuildError where this one does not."""
    with tempfile.TemporaryFile() as output:
        try:
            if run(linux, ["true"], {"PATH": os.environ.get("PATH", os.defpath)}, ROOT, output, START_S) == 0:
                return
            why = "it starts, and runs nothing"
        except BootError as error:
            why = str(error)
        output.seek(0)
        told = output.read().decode(errors="replace").split("\n")
    last = next((line.strip() for line in reversed(told) if line.strip()), "it said nothing")
    raise CannotBuildError(f"it is built, but does not run on this machine: {why} ({last})")


def _test(linux: Path, environment: dict[str, str], rest: list[str]) -> int:
    """The tests, dealt out to one kernel a core: a kernel has one processor. What the others say comes at the end."""
    named = any((ROOT / word.partition("::")[0]).exists() for word in rest)
    program = [sys.executable, *PYTEST, *rest, *([] if named else ["tests/kernel"])]
    kernels = min(MOST_KERNELS, os.cpu_count() or 1)
    with ExitStack() as stack:
        files: list[IO[bytes] | None] = [None]
        files += [stack.enter_context(tempfile.TemporaryFile()) for _ in range(1, kernels)]

        def one(number: int) -> int:
            share = {**environment, "RIG_KERNEL_SHARE": f"{number}/{kernels}"}
            return run(linux, program, share, ROOT, files[number])

        with ThreadPoolExecutor(kernels) as pool:
            codes = list(pool.map(one, range(kernels)))
        for file in files:
            if file is not None:
                file.seek(0)
                sys.stdout.write(file.read().decode(errors="replace"))
    failed = [code for code in codes if code not in (0, NO_TESTS)]
    return max(failed, default=0) if failed or 0 in codes else NO_TESTS


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
