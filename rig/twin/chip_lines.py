"""The twin's relay and sense lines on a GPIO chip of the kernel: the loop is closed outside of every program.

Whoever drives a relay's line moves the model; the model's comparators and signals pull the sense lines, and the kernel
stamps what it sees. Each relay line is pulled to its *energised* level: a line that nobody drives is no safe one.

A change of an output is told to nobody, so the lines are looked at each `period_s`: a contact follows its coil that
much later at most, and a level that is shorter than that may not be seen, as a real coil would not follow it either.
A sense line follows the model as fast as this machine runs a thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from rig.bench.config import GpioRelayTable, RelayRole
from rig.instruments.chips import line_infos, load_open_chip
from rig.twin.devices import Contact, Signal
from rig.twin.sim_chip import SimChip

POLL_S = 0.02


@dataclass(frozen=True)
class ChipChoice:
    """Which chip, how often its outputs are looked at, and what a line does that nobody drives any more.

    `keeps`: it stays where it was, as on a Raspberry Pi's kernel; else it falls to its pull, as `gpio-sim` has it.
    """

    device: str
    period_s: float = POLL_S
    keeps: bool = False


class _RelayLine:
    """One relay's line: what its coil gets."""

    def __init__(self, table: GpioRelayTable, contact: Contact) -> None:
        self.pin = table.pin
        self.active_high = table.active == "high"
        self.contact = contact
        self.stuck: bool | None = None
        self.level: bool | None = None


class ChipLines:
    """A running loop. `close` ends it; the chip stays. `failed` is told what went wrong in the loop, once."""

    def __init__(
        self,
        choice: ChipChoice,
        relays: Sequence[GpioRelayTable],
        contacts: Mapping[RelayRole, Contact],
        wires: Mapping[int, Signal],
        lock: AbstractContextManager[object],
        failed: Callable[[Exception], None],
    ) -> None:
        """Raises InputError where `choice.device` is no simulated chip, or has not these lines."""
        self._choice = choice
        self._lock = lock
        self._failed = failed
        self._relays = {table.role: _RelayLine(table, contacts[table.role]) for table in relays}
        self._open_chip = load_open_chip()
        self._chip = SimChip(choice.device, [*(relay.pin for relay in self._relays.values()), *wires])
        self._end = threading.Event()
        for relay in self._relays.values():
            self._chip.pull(relay.pin, relay.active_high)
        for line, signal in wires.items():
            self._chip.pull(line, signal.level)
            signal.listen(lambda level, n=line: self._chip.pull(n, level))  # type: ignore[misc]
        self._look()
        self._thread = threading.Thread(target=self._run, name="twin relay lines", daemon=True)
        self._thread.start()

    def stick(self, role: RelayRole, level: bool) -> None:
        """Whatever drives this line, its coil sees this level from the next look on (a fault)."""
        self._relays[role].stuck = level

    def close(self) -> None:
        self._end.set()
        self._thread.join()
        self._chip.close()

    def _run(self) -> None:
        try:
            while not self._end.wait(self._choice.period_s):
                self._look()
        except Exception as error:  # noqa: BLE001 - who serves the twin is told
            self._failed(error)

    def _look(self) -> None:
        for relay in self._relays.values():
            level = self._chip.level(relay.pin) if relay.stuck is None else relay.stuck
            if level != relay.level and not self._kept(relay):
                relay.level = level
                with self._lock:
                    relay.contact.coil(level == relay.active_high)

    def _kept(self, relay: _RelayLine) -> bool:
        """Nobody drives the line, and it stays where it was last driven to."""
        if not self._choice.keeps or relay.level is None or relay.stuck is not None:
            return False
        return not line_infos(self._open_chip, self._choice.device, [relay.pin])[relay.pin].used
