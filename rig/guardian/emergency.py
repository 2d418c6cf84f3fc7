"""The emergency act: end the controller, relays to their safe positions, supply off, all read back, all written down.

The relays come first: that is what cuts the feed, and no port of the controller's is needed for it. Beside them the
controller is ended, so that the supply's port is free, and the supply is switched off over a connection of the
guardian's own. What could not be proven is tried again for a stated time; then the bench is marked *not to be used*.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import threading
import time
from collections.abc import Callable

from rig.errors import RigError
from rig.guardian import record
from rig.guardian.charge import Charge
from rig.guardian.core import Core
from rig.guardian.journal import Journal
from rig.guardian.plain_supply import switch_off
from rig.guardian.port import Check

_AGAIN_S = 0.5
_ENDING_S = 5.0
"""How long a killed process may take to be gone (it may be in the kernel, writing to a slow disk)."""


class Controller:
    """The process that the guardian serves, by a descriptor: a recycled process id is never hit."""

    def __init__(self, pid: int) -> None:
        """`pid` started this process. When it is not its parent any more, it is dead, and its number anybody's."""
        self.pid = pid
        self._fd = -1
        with contextlib.suppress(ProcessLookupError):
            fd = os.pidfd_open(pid)
            if os.getppid() == pid:
                self._fd = fd
            else:
                os.close(fd)

    def fileno(self) -> int:
        """Readable when it has ended; -1 when it was never seen alive."""
        return self._fd

    def gone(self, wait_s: float = 0.0) -> bool:
        if self._fd < 0:
            return True
        poll = select.poll()
        poll.register(self._fd, select.POLLIN)
        return bool(poll.poll(wait_s * 1000))

    def end(self) -> bool:
        """SIGKILL, for a hung process hears nothing else; whether it is gone."""
        if not self.gone():
            signal.pidfd_send_signal(self._fd, signal.SIGKILL)
        return self.gone(_ENDING_S)


class Emergency:
    """One act. `locks` are the descriptors of the bench's lock files."""

    def __init__(self, charge: Charge, core: Core, journal: Journal, now: Callable[[], int], locks: tuple[int, ...]):
        self._charge = charge
        self._core = core
        self._journal = journal
        self._now = now
        self._locks = locks

    def act(self, why: str, controller: Controller | None) -> tuple[Check, ...]:
        """Do it; what was proven and what was not. `controller` None: it lives and has let go of the supply."""
        found: list[Check] = []
        began = self._now()
        relays = threading.Thread(target=lambda: found.extend(self._relays()))  # a dead board keeps nobody waiting
        relays.start()
        gone = controller.end() if controller is not None else False
        supplies = self._supplies()
        relays.join()
        checks = (*found, *supplies)
        self._journal.tell("emergency", why=why, controller_ended=gone, took_s=(self._now() - began) / 1e9)
        self._tell(checks)
        while self._unproven(checks) and self._now() - began < self._charge.retry_s * 1e9:
            time.sleep(_AGAIN_S)
            checks = (*self._relays(), *self._supplies())
            self._tell(checks)
        unproven = self._unproven(checks)
        self._journal.tell("ended", safe=not unproven, after_s=(self._now() - began) / 1e9)
        if unproven:
            self._mark(f"the guardian could not prove it safe ({'; '.join(unproven)})")
        return checks

    def _relays(self) -> tuple[Check, ...]:
        stays = {spec.name for spec in self._charge.relays if spec.safe_closed is None}
        try:
            safe = self._core.make_safe()
        except Exception as error:  # noqa: BLE001 - whatever a library does here, nothing is proven by it
            return (Check("relays", False, f"{type(error).__name__}: {error}"),)
        return tuple(relay_check(name, reads, name in stays) for name, reads in safe.items())

    def _supplies(self) -> tuple[Check, ...]:
        found = []
        for supply in self._charge.supplies:
            what = f"supply {supply.name} off"
            try:
                found.append(Check(what, True, f"says {switch_off(supply)}"))
            except RigError as error:
                found.append(Check(what, False, error.one_line()))
        return tuple(found)

    @staticmethod
    def _unproven(checks: tuple[Check, ...]) -> list[str]:
        return [f"{check.what}: {check.found}" for check in checks if not check.proven]

    def _tell(self, checks: tuple[Check, ...]) -> None:
        for check in checks:
            self._journal.tell("safe", what=check.what, proven=check.proven, found=check.found)

    def _mark(self, why: str) -> None:
        for fd in self._locks:
            try:
                record.mark(fd, why)
            except OSError as error:
                self._journal.tell("not_marked", why=str(error))


def relay_check(name: str, safe: bool, stays: bool) -> Check:
    """One relay's part of the safe state."""
    return Check(f"relay {name}", safe, "stays as it is" if stays else "line reads safe" if safe else "not proven")
