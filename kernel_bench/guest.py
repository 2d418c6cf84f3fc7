"""The first process inside the kernel: mounts what a Linux system has, runs one program, writes its exit code, ends.

Run by `kernel_bench.boot` as `guest.py job.json`, without the project's environment: standard library only.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import struct
import subprocess
import sys
from pathlib import Path

_MOUNTS = (  # the kernel itself has mounted /dev
    ("proc", "/proc"),
    ("sysfs", "/sys"),
    ("tmpfs", "/run"),
    ("configfs", "/sys/kernel/config"),
    ("devpts", "/dev/pts"),
    ("tmpfs", "/dev/shm"),  # multiprocessing needs it
)
_SIOCSIFFLAGS, _IFF_UP = 0x8914, 1


def main(job: str) -> None:
    for kind, place in _MOUNTS:
        Path(place).mkdir(exist_ok=True)
        subprocess.run(["mount", "-t", kind, kind, place], check=True)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", _IFF_UP))
    told = json.loads(Path(job).read_text())
    temporary = Path("/run/tmp")
    temporary.mkdir()
    environment = {**told["environment"], "TMPDIR": str(temporary), "HOME": "/run"}
    done = subprocess.run(told["words"], cwd=told["folder"], env=environment, stdin=subprocess.DEVNULL, check=False)
    code = Path(told["code"])
    code.write_text(str(done.returncode))
    os.sync()
    sys.stdout.flush()
    Path("/proc/sysrq-trigger").write_text("o")
    signal.pause()  # the first process must not end before the machine does


if __name__ == "__main__":
    main(sys.argv[1])
