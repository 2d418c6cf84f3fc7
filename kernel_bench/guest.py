"""The first process inside the kernel: mounts what a Linux system has, runs one program, writes its exit code, ends.

Run by `kernel_bench.boot` as `guest.py job.json`, without the project's environment: standard library only.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import socket
import struct
import subprocess
import sys
import traceback
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
_POWER_OFF = 0x4321FEDC


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
    code = done.returncode if done.returncode >= 0 else 128 - done.returncode
    Path(told["code"]).write_text(str(code))
    os.sync()


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except Exception:  # noqa: BLE001 - whatever it is: the first process must not end before the machine does
        traceback.print_exc()
    sys.stdout.flush()
    ctypes.CDLL(None).reboot(_POWER_OFF)
