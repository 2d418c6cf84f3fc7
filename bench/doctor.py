"""How long `rig doctor` takes on the twin, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import time

REPEATS = 3


def main() -> None:
    best = float("inf")
    for _ in range(REPEATS):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-m", "rig", "doctor"], check=False, stdout=subprocess.DEVNULL)
        best = min(best, time.perf_counter() - start)
    print(f"rig doctor on the twin: {best:.2f} s (< 2)")


if __name__ == "__main__":
    main()
