"""The sender: starts a child for each message, waits for it a stated time, and says how it went without any address.

The child (`python -m rig.notify`) is another process because a library, a resolver or a server that hangs must not hold
up a soak, and a process can be ended for certain. It is waited for on this machine's monotonic clock, also on the twin.
"""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Final

from rig.errors import InputError, Where
from rig.meters.credentials import PREFIX, read_private

VARIABLE: Final = "ICHIS_RIG_NOTIFY"
DEADLINE_S: Final = 15.0
"""The longest that a message may hold up a soak: the child's start (4 s on a Pi), and its addresses' own time-outs."""
_LONGEST_TEXT = 4000
_MOST_ADDRESSES = 20


class Kind(StrEnum):
    FAIL = "fail"
    STOP = "stop"
    NOT_SAFE = "not-safe"
    END = "end"


class Notifier:
    """Make with `open_notifier`."""

    def __init__(self, addresses: tuple[str, ...], deadline_s: float = DEADLINE_S) -> None:
        self._addresses = addresses
        self._deadline_s = deadline_s

    def __repr__(self) -> str:
        return f"Notifier({len(self._addresses)} addresses)"

    def tell(self, kind: Kind, title: str, text: str) -> str:
        """Send, and say how it went, e.g. `notification (fail): told 1 of 2; address 2 refused it`.

        Never raises an Exception; returns after the deadline at the latest. No part of an address is in the answer.
        """
        body = {"kind": kind.value, "title": title[:_LONGEST_TEXT], "text": text[:_LONGEST_TEXT]}
        try:
            answers = _ask({**body, "addresses": self._addresses}, self._deadline_s)
        except Exception as error:  # noqa: BLE001 - whatever it is, a soak goes on; its words might hold an address
            return f"notification ({kind.value}): told nobody ({type(error).__name__})"
        told = sum(answers.get(number) == "told" for number in range(1, len(self._addresses) + 1))
        wrong = [
            f"address {number} {_WORDS.get(answers.get(number, 'silent'), 'failed')}"
            for number in range(1, len(self._addresses) + 1)
            if answers.get(number) != "told"
        ]
        words = "".join(f"; {one}" for one in wrong).replace("SECONDS", f"{self._deadline_s:g}")
        return f"notification ({kind.value}): told {told} of {len(self._addresses)}{words}"


_WORDS = {
    "refused": "refused it, or was not there",
    "unknown": "is of no kind that apprise knows",
    "silent": "did not answer within SECONDS s",
}


def open_notifier(
    file: Path | None, environment: Mapping[str, str] | None = None, deadline_s: float = DEADLINE_S
) -> Notifier:
    """From `ICHIS_RIG_NOTIFY` (addresses with white space between) and, if given, `file` (`name = "address"`, 0600).

    Raises InputError when the extra is not installed, when there is no address, or one that apprise does not know.
    """
    if importlib.util.find_spec("apprise") is None:
        raise InputError("this plan wants notifications: install the extra, pip install 'ichis-rig[notify]'")
    found = os.environ if environment is None else environment
    addresses = found.get(VARIABLE, "").split()
    addresses += [] if file is None else read_private(file).values()
    where = Where(None if file is None else str(file))
    if not addresses:
        expected = f"the environment variable {VARIABLE}" + ("" if file is None else ', or name = "address" lines here')
        raise InputError("this plan wants notifications, and there is no address", Where(where.file, expected=expected))
    if len(addresses) > _MOST_ADDRESSES:
        raise InputError("too many addresses for notifications", Where(where.file, found=str(len(addresses))))
    _check(tuple(addresses), where, deadline_s)
    return Notifier(tuple(addresses), deadline_s)


def _check(addresses: tuple[str, ...], where: Where, deadline_s: float) -> None:
    """Nothing is sent."""
    try:
        answers = _ask({"kind": "check", "title": "", "text": "", "addresses": addresses}, 2 * deadline_s)
    except OSError as error:
        raise InputError(f"notifications cannot be sent from here: {error.strerror}", where) from None
    if len(answers) < len(addresses):
        raise InputError("notifications cannot be sent from here: apprise did not answer", where)
    for number, answer in sorted(answers.items()):
        if answer == "unknown":
            key = f"address {number} of {len(addresses)}"
            raise InputError(
                "apprise does not know this kind of address", Where(where.file, key, expected="such as ntfy://...")
            )


def _ask(body: Mapping[str, object], deadline_s: float) -> dict[int, str]:
    """What the child answered within the deadline, by the number of the address. It is gone when this returns."""
    words = [sys.executable, "-P", "-m", "rig.notify"]
    process = subprocess.Popen(  # noqa: S603 - our own module, by the interpreter that runs us
        words,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # a library's complaint may hold an address
        cwd="/",
        env=_environment(),
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(json.dumps(body).encode(), timeout=deadline_s)
    except subprocess.TimeoutExpired:
        _kill(process)
        output, _ = process.communicate()
    except BaseException:
        _kill(process)
        process.communicate()
        raise
    return _answers(output)


def _environment() -> dict[str, str]:
    """Without what it has no use for: addresses reach it by its input, a meter's passwords not at all."""
    kept = {k: v for k, v in os.environ.items() if k != VARIABLE and not k.startswith(PREFIX)}
    return {**kept, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def _kill(process: subprocess.Popen[bytes]) -> None:
    """It, and whatever it started: they are one session."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _answers(output: bytes) -> dict[int, str]:
    """`number word` lines; what is cut off or foreign is no answer."""
    found = {}
    for line in output.decode("ascii", errors="replace").splitlines():
        number, _, word = line.partition(" ")
        if number.isdecimal():
            found[int(number)] = word
    return found
