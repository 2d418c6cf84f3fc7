"""Listing a journal of 10,000 runs: `rig runs` and `rig runs --json`, beside the start of the same interpreter."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rig.records.journal import Begun, Cycle, Ended, Journal, Process

RUNS = 10_000
REPEATS = 5
LIMIT_MS = 200.0


def _filled(out: Path) -> None:
    """As a year of nights would: every tenth run FAILs, every thousandth was lost."""
    gone = Process(1, 1, "another boot")
    facts: list[Begun | Ended] = []
    for n in range(RUNS):
        utc = f"2026-11-{1 + n // 1440:02}T{n // 60 % 24:02}:{n % 60:02}:00Z"
        run_id = f"{utc.translate({45: None, 58: None})}-{n:04x}"
        cycle = Cycle(f"soak-20261101T000000Z-{n // 60:04x}", n % 60 + 1)
        facts.append(Begun(run_id, "run", utc, "twin", "cut-45s", "1.0.0", "1.1.0", None, cycle, gone))
        if n % 1000 == 999:
            continue
        verdict = "FAIL" if n % 10 == 9 else "PASS"
        seconds = (44.9 + n / 1e5, 45.0 + n / 1e5, 45.1 + n / 1e5, 180.0)
        facts.append(
            Ended(run_id, verdict, verdict, (), *seconds, "ge", "1.0.0", "1.1.0", True, "a meter", "0" * 64, 700.0, 2.5)
        )
    with Journal.open(out) as journal:
        journal.add(*facts)


def _best_ms(words: list[str]) -> float:
    best = float("inf")
    for _ in range(REPEATS):
        start = time.perf_counter()
        subprocess.run([sys.executable, *words], check=True, stdout=subprocess.DEVNULL)
        best = min(best, time.perf_counter() - start)
    return 1e3 * best


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        _filled(out)
        start = _best_ms(["-m", "rig", "runs", "--help"])
        for words, limit in ([], f" (< {LIMIT_MS:.0f})"), (["--json"], ""):
            took = _best_ms(["-m", "rig", "runs", "--out", folder, *words]) - start
            name = " ".join(["rig runs", *words])
            print(f"{name}: {RUNS} runs, {took:.0f} ms beside a start of {start:.0f} ms{limit}")


if __name__ == "__main__":
    main()
