"""How fast and in how little memory files are read and judged: CSV with and without pyarrow, and streamed captures.

    python -m bench.waveforms [ROWS]

Writes its files to a temporary folder. Each case runs in a process of its own, so that its peak memory is its own.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from rig.instruments.ports import Capture
from rig.procedures.analysing import Question, analyse_files
from rig.records.capture_file import save_capture
from rig.waveforms import read

ROWS = 24_000_000
CAPTURES = (1_000_000, 10_000_000, 100_000_000)
BUDGET_MB = {"csv": 1000, "numpy": 1000, "capture": 300}
_STEP = 1_000_000


def write_csv(path: Path, rows: int) -> None:
    """Seconds and volts at 100 kHz, one cut in the middle, noise."""
    noise = np.random.default_rng(1)
    with path.open("w") as file:
        file.write("Second,Volt\n")
        for first in range(0, rows, _STEP):
            at = np.arange(first, min(first + _STEP, rows))
            volts = np.where(np.abs(at / rows - 0.5) < 0.2, 0.1, 12.0) + noise.integers(-20, 20, len(at)) * 0.004
            pairs = zip((at * 1e-5).tolist(), volts.tolist(), strict=True)
            file.write("\n".join(f"{second:.7f},{volt:.5f}" for second, volt in pairs) + "\n")


def write_capture(path: Path, count: int) -> None:
    codes = np.random.default_rng(1).integers(170, 180, count).astype(np.uint8)
    codes[count // 3 : count // 2] = 28
    save_capture(path, Capture(codes, 6e-6, 0.0, 0.08, 27.0, 0, 255, 0.03, 0.1, 25.0, 1e-6))


def measure(kind: str, path: Path) -> str:
    """Read `path` once in this process; a capture is judged too."""
    if kind == "numpy":
        sys.modules.update({"pyarrow": None, "pyarrow.csv": None})  # type: ignore[dict-item]
    start, spent = time.perf_counter(), time.process_time()
    if kind == "capture":
        count = analyse_files(Question((path,), down_v=6.0, up_v=9.0))[0].files[0].samples
    else:
        count = read(path).count
    took, spent = time.perf_counter() - start, time.process_time() - spent
    size = path.stat().st_size / 1e6
    speed = f"{took:7.2f} s ({spent:.2f} s of processor) {size / took:6.0f} MB/s of file {count / took / 1e6:6.1f} M/s"
    return f"{kind:8} {count:>11,} samples {speed}, peak {_peak_mb():5.0f} MB (< {BUDGET_MB[kind]})"


def _peak_mb() -> float:
    """The most memory of this process alone: `getrusage` would count its parent's too."""
    status = Path("/proc/self/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024


def main(rows: int = ROWS) -> None:
    def run(kind: str, path: Path) -> None:
        subprocess.run([sys.executable, "-m", "bench.waveforms", kind, str(path)], check=True)

    with tempfile.TemporaryDirectory() as name:
        text = Path(name) / "scope.csv"
        write_csv(text, rows)
        run("csv", text)
        run("numpy", text)
        text.unlink()
        for count in CAPTURES:
            path = Path(name) / f"{count}.h5"
            write_capture(path, count)
            run("capture", path)
            path.unlink()


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(measure(sys.argv[1], Path(sys.argv[2])), flush=True)
    else:
        main(*(int(argument) for argument in sys.argv[1:2]))
