"""`python -m kernel_bench build`: the kernel, built once. `… test [pytest's words]`: the tests marked `kernel` in it.

`… run WORD ...`: any program in it. Exit codes: the program's; 1 where a test failed; 3 where no kernel can be built,
or run; 4 when a build or a boot failed; 130, 143 where a signal ended it, and with it all that ran in the kernel.
"""

from __future__ import annotations

import compileall
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from kernel_bench.boot import Ended, Program, run
from kernel_bench.build import BuildError, cache_folder, kernel, site
from kernel_bench.children import stopped_by_signals
from kernel_bench.source import CannotBuildError, find

ROOT = Path(__file__).parents[1]
MOST_KERNELS = 4
FAILED, CANNOT, BENCH_ERROR = 1, 3, 4
HANGS_S = 7200
"""On the kernel's own clock, so in a moment: a test that waits for what never comes fails by its name."""
PYTEST = ("-m", "pytest", "-v", "--no-header", "-m", "kernel", "-p", "no:cacheprovider", f"--timeout={HANGS_S}")


def main(words: Sequence[str]) -> int:
    verb, rest = (words[0], list(words[1:])) if words else ("", [])
    if verb not in ("build", "test", "run") or (verb == "run" and not rest):
        _say("expected: build, test [pytest's words], or run WORD ...")
        return 2
    try:
        with stopped_by_signals():
            return _do(verb, rest)
    except KeyboardInterrupt:
        return 130
    except CannotBuildError as error:
        _say(f"SKIPPED: there can be no kernel here: {error}")
        return CANNOT
    except BuildError as error:
        _say(f"FAILED: {error}")
        return BENCH_ERROR


def _do(verb: str, rest: list[str]) -> int:
    source = find()
    cache = cache_folder(_say)
    linux = kernel(source, _say, cache) / "linux"
    if verb == "build":
        _say(f"the kernel is at {linux}")
        return 0
    check_that_it_starts(linux)
    environment = _environment(site(_say, cache, ROOT / "constraints.txt"))
    if verb == "run":
        return _code(run(linux, Program(rest, environment, Path.cwd()), 1, lambda _, line: print(line, flush=True)))
    return _test(linux, environment, rest)


def check_that_it_starts(linux: Path) -> None:
    """Not every machine lets a kernel run as a process. Raises CannotBuildError where this one does not."""
    told: list[str] = []
    words = Program(["true"], {"PATH": os.environ.get("PATH", os.defpath)}, ROOT)
    (ended,) = run(linux, words, 1, lambda _, line: told.append(line))
    if ended.code != 0:
        why = ended.why or "it starts, and runs nothing"
        said = "".join(f"\n  {line}" for line in told[-20:])
        raise CannotBuildError(f"it is built, but does not run on this machine: {why}{said}")


def _test(linux: Path, environment: dict[str, str], rest: list[str]) -> int:
    """The tests, in one kernel a core, since a kernel has one processor: each takes the next that none has taken."""
    named = any((ROOT / word.partition("::")[0]).exists() for word in rest)
    color = "yes" if sys.stdout.isatty() else "no"
    words = [sys.executable, *PYTEST, f"--color={color}", *rest, *([] if named else ["tests/kernel"])]
    most = min(MOST_KERNELS, len(os.sched_getaffinity(0)))
    compileall.compile_dir(ROOT / "rig", quiet=2)  # inside, nothing is written: each process would do it again
    with tempfile.TemporaryDirectory(prefix="ichis-rig-taken-") as taken:
        program = Program(words, {**environment, "RIG_KERNEL_TAKEN": taken}, ROOT)
        code = _code(run(linux, program, most, lambda number, line: print(f"kernel {number} | {line}", flush=True)))
    return code if code in (0, BENCH_ERROR) else FAILED


def _code(ended: list[Ended]) -> int:
    """Of all kernels the worst."""
    for number, each in enumerate(ended):
        if each.code is None:
            _say(f"FAILED: kernel {number}: {each.why}")
    return max(BENCH_ERROR if each.code is None else each.code for each in ended)


def _environment(header: Path) -> dict[str, str]:
    """What programs inside get to know: a Pi's header, this checkout, and nothing that they would write into it."""
    kept = {
        name: value
        for name in ("PATH", "LANG", "TERM", "COLUMNS", "LD_LIBRARY_PATH")
        if (value := os.environ.get(name))
    }
    return {
        **kept,
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(header)]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "RPI_LGPIO_REVISION": "c03111",  # a Raspberry Pi 4: there is no device tree to read it from
    }


def _say(text: str) -> None:
    print(f"kernel bench: {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
