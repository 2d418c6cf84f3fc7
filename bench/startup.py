"""How fast the command line starts: `rig --help` against `pytest --version`, same interpreter, same run."""

from __future__ import annotations

import subprocess
import sys
import time

REPEATS = 7


def _best_s(words: list[str]) -> float:
    best = float("inf")
    for _ in range(REPEATS):
        start = time.perf_counter()
        subprocess.run([sys.executable, *words], check=True, stdout=subprocess.DEVNULL)
        best = min(best, time.perf_counter() - start)
    return best


def main() -> None:
    ours, theirs = _best_s(["-m", "rig", "--help"]), _best_s(["-m", "pytest", "--version"])
    times = f"rig --help {ours * 1e3:.0f} ms, pytest --version {theirs * 1e3:.0f} ms"
    print(f"start-up: {times}: ratio {ours / theirs:.2f} (< 1)")


if __name__ == "__main__":
    main()
