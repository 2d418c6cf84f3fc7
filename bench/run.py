"""What one test on the twin costs: real time and memory of `rig run --firmware cut-240s`, in a process of its own."""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time


def main() -> None:
    with tempfile.TemporaryDirectory() as out:
        start = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "rig", "run", "--firmware", "cut-240s", "--out", out],
            check=False,
            stdout=subprocess.DEVNULL,
        )
        elapsed = time.perf_counter() - start
    peak_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"rig run cut-240s: exit {done.returncode}, {elapsed:.1f} s (< 10), at most {peak_mb:.0f} MB (< 300)")


if __name__ == "__main__":
    main()
