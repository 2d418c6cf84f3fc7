"""An instrument on a pseudo-terminal, for tests: what it hears goes to a function, what that returns is sent back.

Its answers come at once, or not at all: a test says when.
"""

from __future__ import annotations

import os
import select
import threading
import tty
from collections.abc import Callable


class SerialPeer:
    """`answer` gets what has come since the last answer; None: more must come, or nobody answers."""

    def __init__(self, answer: Callable[[bytes], bytes | None]) -> None:
        self._answer = answer
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.device = os.ttyname(self._slave)
        self.heard: list[bytes] = []
        self._stop = os.eventfd(0)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        return f"ASRL{self.device}::INSTR"

    def say(self, data: bytes) -> None:
        """Without having been asked."""
        os.write(self._master, data)

    def close(self) -> None:
        os.eventfd_write(self._stop, 1)
        self._thread.join(10.0)
        for fd in (self._master, self._slave, self._stop):
            os.close(fd)

    def _run(self) -> None:
        data = b""
        while self._stop not in select.select([self._master, self._stop], [], [])[0]:
            data += os.read(self._master, 4096)
            reply = self._answer(data)
            if reply is not None:
                self.heard.append(data)
                data = b""
                os.write(self._master, reply)
