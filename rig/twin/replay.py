"""A recording played back: what stood behind a recorded link answers once more as it did then, over TCP, and at once.

Knows the recording, and nothing of the instrument: what is sent must be what was sent then. The next recorded command
is expected; one that comes out of turn is looked for further on, then from the beginning. For what was never sent the
connection is closed.
"""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager
from dataclasses import replace

from rig.errors import InputError
from rig.recording import Event, Recording
from rig.twin.ports import Timeline
from rig.twin.wire import Answer, NoRequest, TcpServer


class Script:
    """One link's commands and the answers that came, in their order."""

    def __init__(self, events: tuple[Event, ...]) -> None:
        self.steps: list[tuple[bytes, bytes]] = []
        for event in events:
            if event.kind == ">":
                self.steps.append((event.whole(), b""))
            elif event.kind == "<" and self.steps:
                sent, came = self.steps[-1]
                self.steps[-1] = (sent, came + event.whole())
        self._at = 0

    def split(self, data: bytes) -> tuple[list[bytes], bytes]:
        """`Split` by what was sent then, and the answers in their place: the handler has nothing more to find."""
        answers: list[bytes] = []
        while data:
            step = self._next(data)
            if step is None:
                if any(sent.startswith(data) for sent, _ in self.steps):
                    break  # the rest of it is still to come
                raise NoRequest
            sent, came = self.steps[step]
            self._at = step + 1
            answers.append(came)
            data = data[len(sent) :]
        return answers, data

    def _next(self, data: bytes) -> int | None:
        count = len(self.steps)
        order = (*range(self._at, count), *range(min(self._at, count)))
        return next((step for step in order if data.startswith(self.steps[step][0])), None)


class Replay:
    """Serves every link of a recording. Raises InputError for one of which not every byte was kept."""

    def __init__(self, recording: Recording, timeline: Timeline) -> None:
        scripts = {}
        for name in recording.names():
            try:
                scripts[name] = Script(recording.of(name))
            except InputError as error:
                raise InputError(error.message, replace(error.where, file=recording.file)) from None
        lock: AbstractContextManager[object] = threading.RLock()
        self._servers = {
            name: TcpServer(name, script.split, _answer, timeline, lock) for name, script in scripts.items()
        }

    def addresses(self) -> dict[str, str]:
        """The VISA resource name of each link."""
        return {name: f"TCPIP::{server.host}::{server.port}::SOCKET" for name, server in self._servers.items()}

    def close(self) -> None:
        for server in self._servers.values():
            server.close()


def _answer(came: bytes) -> Answer:
    return came or None
