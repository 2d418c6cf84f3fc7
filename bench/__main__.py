"""`make bench`: every benchmark in this folder, one after the other. Ratios are against a reference of the same run."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

SLOW = {"fuzz_firmware", "fuzz_waveforms"}
"""Only by name: `python -m bench fuzz_firmware`."""


def main(names: list[str]) -> None:
    known = sorted(path.stem for path in Path(__file__).parent.glob("*.py") if not path.stem.startswith("_"))
    for name in names or [name for name in known if name not in SLOW]:
        if name not in known:
            sys.exit(f"no benchmark {name!r}; known: {', '.join(known)}")
        importlib.import_module(f"bench.{name}").main()


if __name__ == "__main__":
    main(sys.argv[1:])
