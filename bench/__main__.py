"""`make bench`: every benchmark in this folder, one after the other. Ratios are against a reference of the same run.

Each runs in a process of its own: what one needed of memory would else be counted for the next one's children too.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SLOW = {"fuzz_firmware", "fuzz_waveforms"}
"""Only by name: `python -m bench fuzz_firmware`."""


def main(names: list[str]) -> int:
    known = sorted(path.stem for path in Path(__file__).parent.glob("*.py") if not path.stem.startswith("_"))
    for name in names:
        if name not in known:
            sys.exit(f"no benchmark {name!r}; known: {', '.join(known)}")
    codes = [
        subprocess.run([sys.executable, "-m", f"bench.{name}"], check=False).returncode
        for name in names or [name for name in known if name not in SLOW]
    ]
    return max(map(abs, codes))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
