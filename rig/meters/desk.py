"""Where a person tells the rig something: at its terminal, or by `rig trigger` from another one over a Unix socket.

One JSON object a line each way: `{"say": "trigger"}` or `{"say": "version", "version": "1.2.3"}`, answered by
`{"heard": true}` or `{"heard": false, "why": "..."}`. The socket is in a folder that only its owner enters.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rig.clock import Clock, to_ns
from rig.errors import InputError, Where

_LONGEST_LINE = 4096
_LONGEST_PATH = 107
"""Bytes of a Unix socket's path (unix(7))."""
_TALK_S = 5.0


@dataclass(frozen=True)
class Word:
    """What a person said, and when (ns). `version` None: the activation was started."""

    at_ns: int
    version: str | None


class Desk:
    """Listens for one bench. `terminal`: a descriptor on which lines are typed, where a person sits at one."""

    def __init__(self, bench: str, clock: Clock, terminal: int | None = None) -> None:
        """Raises InputError when another run listens for this bench, or the socket cannot be made."""
        self._clock = clock
        self._terminal = terminal
        self.path = socket_path(bench)
        self._listener = _listen(self.path)
        self._poll = select.epoll()
        self._poll.register(self._listener.fileno(), select.EPOLLIN)
        if terminal is not None:
            self._poll.register(terminal, select.EPOLLIN)
        self._open = True

    def wait(self, wants_version: bool, timeout_s: float) -> Word | None:
        """The next thing that fits the question, or None when the time is over. What does not fit is answered so."""
        deadline = self._clock.now() + to_ns(timeout_s)
        while True:
            left_s = max(0.0, (deadline - self._clock.now()) / 1e9)
            if not self._clock.wait(self._poll, left_s):
                return None
            for word in self._heard(wants_version):
                return word

    def close(self) -> None:
        if self._open:
            self._open = False
            self._poll.close()
            self._listener.close()
            with contextlib.suppress(OSError):
                self.path.unlink()

    def turn_away(self) -> None:
        """Before a question is put: nobody waited for what was said until now (when, is not known); it is told so."""
        while ready := {fd for fd, _ in self._poll.poll(0)}:
            if self._terminal in ready and self._terminal is not None:
                list(self._typed(self._terminal, True, 0))
            if self._listener.fileno() in ready:
                with contextlib.suppress(OSError), self._listener.accept()[0] as link:
                    _answer(link, "the run did not wait for this yet: say it again")

    def _heard(self, wants_version: bool) -> Iterator[Word]:
        ready = {fd for fd, _ in self._poll.poll(0)}
        at = self._clock.now()
        if self._terminal in ready and self._terminal is not None:
            yield from self._typed(self._terminal, wants_version, at)
        if self._listener.fileno() in ready:
            yield from self._said(wants_version, at)

    def _typed(self, terminal: int, wants_version: bool, at: int) -> Iterator[Word]:
        data = os.read(terminal, _LONGEST_LINE)
        if not data:  # the terminal went away: only the socket is left
            self._poll.unregister(terminal)
            self._terminal = None
            return
        line = data.decode("utf-8", "replace").strip()
        if not wants_version:
            yield Word(at, None)
        elif is_version(line):
            yield Word(at, line)

    def _said(self, wants_version: bool, at: int) -> Iterator[Word]:
        with contextlib.suppress(OSError), self._listener.accept()[0] as link:
            link.settimeout(_TALK_S)
            word, why = _understood(_line(link), at, wants_version)
            _answer(link, why)
            if word is not None:
                yield word


def tell(bench: str | None, version: str | None) -> str:
    """Say to the run on this bench (None: the only one there is) that the activation was started, or the version.

    Returns the name of the bench. Raises InputError when nobody listens, or it does not fit what the run asks now.
    """
    path = socket_path(bench) if bench is not None else _only_one()
    body = {"say": "trigger"} if version is None else {"say": "version", "version": version}
    where = Where(found=str(path))
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
            link.settimeout(_TALK_S + 1.0)
            link.connect(str(path))
            link.sendall(json.dumps(body).encode() + b"\n")
            reply = json.loads(_line(link) or b"null")
    except (FileNotFoundError, ConnectionRefusedError):
        raise InputError("no run on this bench waits for a word", where) from None
    except (OSError, ValueError) as error:
        raise InputError(f"the run did not answer ({type(error).__name__})", where) from None
    if not isinstance(reply, dict) or reply.get("heard") is not True:
        why = str(reply.get("why", "not understood")) if isinstance(reply, dict) else "not understood"
        raise InputError(why, where)
    return path.stem


def folder() -> Path:
    """Where the sockets are: `$XDG_RUNTIME_DIR/ichis-rig`, or `~/.local/state/ichis-rig`."""
    home = Path(os.environ.get("XDG_RUNTIME_DIR", ""))
    return (home if home.is_absolute() else Path.home() / ".local" / "state") / "ichis-rig"


def socket_path(bench: str) -> Path:
    return folder() / f"{bench}.trigger"


def is_version(text: str) -> bool:
    return 0 < len(text) <= 64 and text.isprintable()


def _only_one() -> Path:
    found = sorted(folder().glob("*.trigger"))
    if len(found) > 1:
        names = ", ".join(path.stem for path in found)
        where = Where(key="--bench", found=names, expected="one of them")
        raise InputError("several runs wait for a word", where)
    if not found:
        raise InputError("no run waits for a word")
    return found[0]


def _listen(path: Path) -> socket.socket:
    where = Where(file=str(path))
    if len(os.fsencode(path)) > _LONGEST_PATH:
        raise InputError("the path of the socket is too long; set XDG_RUNTIME_DIR to a shorter folder", where)
    if _someone_listens(path):
        raise InputError("another run listens for this bench", where)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        listener.bind(str(path))
        path.chmod(0o600)
        listener.listen(8)
    except OSError as error:
        listener.close()
        raise InputError(f"the socket cannot be made: {error.strerror}", where) from error
    return listener


def _someone_listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
        try:
            link.connect(str(path))
        except OSError:
            return False
    return True


def _line(link: socket.socket) -> bytes:
    data = b""
    while b"\n" not in data and len(data) <= _LONGEST_LINE:
        part = link.recv(_LONGEST_LINE)
        if not part:
            break
        data += part
    return data.partition(b"\n")[0]


def _understood(line: bytes, at: int, wants_version: bool) -> tuple[Word | None, str]:
    try:
        body = json.loads(line)
        said = body["say"]
    except (ValueError, TypeError, KeyError):
        return None, "not understood"
    if said == "trigger":
        return (None, "the run asks for the meter's version now") if wants_version else (Word(at, None), "")
    version = body.get("version")
    if said != "version" or not isinstance(version, str) or not is_version(version):
        return None, "not understood"
    return (Word(at, version), "") if wants_version else (None, "the run waits for the start of the activation now")


def _answer(link: socket.socket, why: str) -> None:
    body = {"heard": True} if not why else {"heard": False, "why": why}
    link.sendall(json.dumps(body).encode() + b"\n")
