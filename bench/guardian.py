"""The guardian's process against the served twin: how fast it is up, how small it stays, what one request costs.

The budgets are 200 ms and 40 MB. Its start is compared with a bare interpreter's of the same run.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path

from rig import firmware
from rig.bench.config import check_bench
from rig.bench.guarding import charge
from rig.clock.system import SystemClock
from rig.guardian.client import GuardianClient
from rig.twin.serving import ServedTwin

REPEATS, REQUESTS = 10, 500


def _bare_s() -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-S", "-c", "import dataclasses, json, socket, threading"], check=True)
    return time.perf_counter() - start


def main() -> None:
    twin = ServedTwin([firmware.load("cut-45s")], scale=0.01)
    text = twin.bench_text()
    config, clock = check_bench(tomllib.loads(text), text, "twin"), SystemClock()
    starts, bare, memory_kb, request_us = [], [], 0, 0.0
    with tempfile.TemporaryDirectory() as state:
        for _ in range(REPEATS):
            bare.append(_bare_s())
            begin = time.perf_counter()
            client = GuardianClient.start(charge(config, Path(state)), clock)
            starts.append(time.perf_counter() - begin)
            begin = time.perf_counter()
            for _ in range(REQUESTS):
                client.closed("meter-feed")
            request_us = 1e6 * (time.perf_counter() - begin) / REQUESTS
            status = Path(f"/proc/{client.pid}/status").read_text()
            memory_kb = max(memory_kb, int(status.partition("VmHWM:")[2].split()[0]))
            client.close()
    twin.close()
    ratio = min(starts) / min(bare)
    print(f"guardian: up in {1e3 * min(starts):.0f} ms (budget 200), {ratio:.1f} times a bare interpreter's start")
    costs = f"a request and its board's answer {request_us:.0f} us"
    print(f"guardian: at most {memory_kb / 1e3:.1f} MB (budget 40); {costs}")


if __name__ == "__main__":
    main()
