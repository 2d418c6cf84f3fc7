"""Programs and serial lines for tests: a server in a process of its own, and two serial ports that are joined."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import threading
import tty
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path


@contextmanager
def process(program: Path, *words: str) -> Iterator[str]:
    """The server, and what it printed when it was ready."""
    it = subprocess.Popen([sys.executable, str(program), *words], stdout=subprocess.PIPE, text=True)
    assert it.stdout is not None
    try:
        yield it.stdout.readline().strip()
    finally:
        it.kill()
        it.wait()
        it.stdout.close()


@contextmanager
def cable() -> Iterator[tuple[str, str]]:
    """Two serial ports, joined: what is written to one is read from the other."""
    with ExitStack() as stack:
        masters, names = [], []
        for _ in range(2):
            master, slave = os.openpty()
            tty.setraw(slave)
            stack.callback(os.close, master)
            stack.callback(os.close, slave)  # kept open: a port that nobody has open hangs up
            masters.append(master)
            names.append(os.ttyname(slave))
        stop = os.eventfd(0)
        stack.callback(os.close, stop)
        other = {masters[0]: masters[1], masters[1]: masters[0]}

        def carry() -> None:
            while True:
                for fd in select.select([*masters, stop], [], [])[0]:
                    if fd == stop:
                        return
                    os.write(other[fd], os.read(fd, 4096))

        thread = threading.Thread(target=carry)
        thread.start()
        stack.callback(thread.join)
        stack.callback(os.eventfd_write, stop, 1)
        yield names[0], names[1]
