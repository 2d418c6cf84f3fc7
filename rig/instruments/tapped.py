"""A wire whose talk is heard by a recording. Changes nothing of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from rig.instruments.wires import Wire
from rig.recording import Tap

_B = TypeVar("_B", bytes, bytes | bytearray)


class TappedWire:
    """Implements `Wire` over another. What is sent is told before it leaves, what is received when it is there."""

    def __init__(self, wire: Wire, tap: Tap, address: str) -> None:
        self._wire = wire
        self._tap = tap
        self._address = address

    @property
    def settles_s(self) -> float:
        return self._wire.settles_s

    def open(self, timeout_s: float) -> None:
        self._wire.open(timeout_s)
        self._tap.opened(self._address)

    def wait_at_most(self, timeout_s: float) -> None:
        self._wire.wait_at_most(timeout_s)

    def write(self, data: bytes) -> None:
        self._tap.sent(data)
        self._wire.write(data)

    def read_line(self) -> bytes:
        return self._heard(self._wire.read_line)

    def read(self, count: int) -> bytes | bytearray:
        return self._heard(lambda: self._wire.read(count))

    def read_quiet(self, gap_s: float) -> bytes:
        return self._heard(lambda: self._wire.read_quiet(gap_s))

    def leftover(self) -> bytes:
        return self._heard(self._wire.leftover)

    def unread(self) -> bytes:
        return self._wire.unread()

    def clear(self) -> None:
        self._wire.clear()
        self._tap.cleared()

    def abort(self) -> None:
        self._wire.abort()

    def close(self) -> None:
        self._tap.closed()
        self._wire.close()

    def _heard(self, read: Callable[[], _B]) -> _B:
        """Half an answer is told, too."""
        try:
            data = read()
        except OSError:
            self._tap.received(self._wire.unread())
            raise
        self._tap.received(data)
        return data
