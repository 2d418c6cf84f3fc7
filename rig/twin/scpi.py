"""The SCPI dialect of the twin's instruments: a command tree, an error queue, and the usual common commands.

Knows the syntax of SCPI-99 vol. 1: long and short forms, optional nodes in brackets, numeric suffixes, any case, and
several commands in a line joined by `;`, each read from the root. Knows no instrument.
"""

from __future__ import annotations

import math
import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from rig.twin.wire import SILENCE, Answer, Deferred, HangUp

_QUEUE_LENGTH = 20
_EVENTS = {1: 0x20, 2: 0x10, 3: 0x08, 4: 0x04}
"""The bit of the standard event register for an error of -1xx to -4xx (SCPI-99 vol. 2, 21.8; IEEE 488.2, 11.5.1)."""
_NODE = re.compile(r"(\[)?:?(\*?[A-Za-z_]+)(<n>)?(\])?")


class ScpiError(Exception):
    """What goes into the error queue: the codes of SCPI-99 vol. 2, 21.8."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


@dataclass(frozen=True)
class Call:
    """One command as it arrived: the numeric suffixes of its header in order (1 where left out), and its arguments."""

    suffixes: tuple[int, ...]
    args: tuple[str, ...]

    def word(self, index: int) -> str:
        """An argument in upper case; -109 when it is missing."""
        if index >= len(self.args):
            raise ScpiError(-109, "Missing parameter")
        return self.args[index].upper()

    def number(self, index: int, low: float, high: float) -> float:
        """A number within [low, high]; -104 when it is none, -222 when it is outside."""
        try:
            value = float(self.word(index))
        except ValueError:
            raise ScpiError(-104, "Data type error") from None
        if not (math.isfinite(value) and low <= value <= high):
            raise ScpiError(-222, "Data out of range")
        return value

    def boolean(self, index: int) -> bool:
        word = self.word(index)
        if word not in ("ON", "OFF", "1", "0"):
            raise ScpiError(-224, "Illegal parameter value")
        return word in ("ON", "1")

    def choice(self, index: int, *forms: str) -> str:
        """One of these mnemonics (`NEGative`), returned in its short form; -224 for another."""
        word = self.word(index)
        for form in forms:
            if word in (form.upper(), _short(form)):
                return _short(form)
        raise ScpiError(-224, "Illegal parameter value")


Set = Callable[[Call], None]
Get = Callable[[Call], str | bytes]


@dataclass(frozen=True)
class _Command:
    header: re.Pattern[str]
    set: Set | None
    get: Get | None


class ScpiFace:
    """A device that answers SCPI lines. Subclasses add their commands with `on`.

    Faults set: `silent` (it swallows what it gets, and lets who asks wait), `dead` (it hangs up), `reply_delay_s`.
    A query that fails is not answered, as on the real models: who asked waits in vain, and the queue says why.
    """

    def __init__(self, maker: str, model: str, serial: str, version: str) -> None:
        self.silent = False
        self.dead = False
        self.reply_delay_s = 0.0
        self.no_error = '0,"No error"'
        """What an empty error queue says."""
        self._errors: deque[str] = deque()
        self._commands: list[_Command] = []
        self.on("*IDN", get=lambda _: f"{maker},{model},{serial},{version}")
        self.on("*CLS", set=lambda _: self.clear())
        self.on("*RST", set=lambda _: self.reset())
        self._add_status()
        self.on(":SYSTem:ERRor[:NEXT]", get=lambda _: self._errors.popleft() if self._errors else self.no_error)

    def on(self, header: str, set: Set | None = None, get: Get | None = None) -> None:  # noqa: A002
        """Add a command. `header` as the guides write it: `:CHANnel<n>:SCALe`, `:OUTPut[:STATe]`."""
        self._commands.append(_Command(_pattern(header), set, get))

    def _add_status(self) -> None:
        """The status registers of IEEE 488.2, and what of it has nothing to wait for or to find here."""
        self._standard_events = 0
        self._masks = {"*ESE": 0, "*SRE": 0}
        self.on("*OPC", set=lambda _: self._happened(1), get=lambda _: "1")
        self.on("*WAI", set=lambda _: None)
        self.on("*TST", get=lambda _: "0")
        self.on("*ESR", get=lambda _: str(self._read_events()))
        self.on("*STB", get=lambda _: str(self._status_byte()))
        for name in self._masks:
            self.on(
                name,
                set=lambda call, at=name: self._masks.update({at: int(call.number(0, 0, 255))}),  # type: ignore[misc]
                get=lambda _, at=name: str(self._masks[at]),  # type: ignore[misc]
            )

    def _happened(self, bit: int) -> None:
        self._standard_events |= bit

    def _read_events(self) -> int:
        """The standard event register: cleared by reading."""
        found, self._standard_events = self._standard_events, 0
        return found

    def _status_byte(self) -> int:
        found = (0x04 if self._errors else 0) | (0x20 if self._standard_events & self._masks["*ESE"] else 0)
        return found | (0x40 if found & self._masks["*SRE"] else 0)

    def reset(self) -> None:
        """`*RST`."""

    def clear(self) -> None:
        """`*CLS`: the error queue, and what events a model keeps."""
        self._errors.clear()
        self._standard_events = 0

    def error(self, code: int, text: str) -> None:
        self._happened(_EVENTS.get(-code // 100, 0))
        if len(self._errors) >= _QUEUE_LENGTH:
            self._errors[-1] = '-350,"Queue overflow"'
        else:
            self._errors.append(f'{code},"{text}"')

    def handle(self, line: str) -> Answer:
        """What to do with one line: the handler of a `LineServer`."""
        parts = [part.strip() for part in line.split(";") if part.strip()]
        asked = any(_header(part).endswith("?") for part in parts)
        if self.dead:
            return HangUp()
        if self.silent:
            return SILENCE if asked else None
        replies = [reply for part in parts if (reply := self._execute(part)) is not None]
        if not replies:
            return SILENCE if asked else None
        whole = b";".join(replies) + b"\n"
        return Deferred(self.reply_delay_s, whole) if self.reply_delay_s else whole

    def _execute(self, text: str) -> bytes | None:
        """One command; its reply, or None when it has none or failed."""
        header = _header(text)
        args = text[len(header) :].strip()
        try:
            entry, suffixes = self._find(header)
            return _apply(entry, Call(suffixes, _split(args)), header.endswith("?"))
        except ScpiError as problem:
            self.error(problem.code, problem.text)
            return None

    def _find(self, header: str) -> tuple[_Command, tuple[int, ...]]:
        name = header.rstrip("?").upper()
        name = name if name.startswith((":", "*")) else f":{name}"
        for entry in self._commands:
            if found := entry.header.fullmatch(name):
                return entry, tuple(int(digits or 1) for digits in found.groups())
        raise ScpiError(-113, "Undefined header")


def _split(args: str) -> tuple[str, ...]:
    return tuple(arg.strip() for arg in args.split(",")) if args else ()


def _apply(entry: _Command, call: Call, asks: bool) -> bytes | None:
    if asks and entry.get is not None:
        reply = entry.get(call)
        return reply if isinstance(reply, bytes) else reply.encode("ascii")
    if not asks and entry.set is not None:
        entry.set(call)
        return None
    raise ScpiError(-113, "Undefined header")


def _header(text: str) -> str:
    return text.split(maxsplit=1)[0]


def _short(form: str) -> str:
    return "".join(c for c in form if c.isupper() or c.isdigit())


def _pattern(header: str) -> re.Pattern[str]:
    """The regular expression of a header as the guides write it; one group for each `<n>`."""
    out = ""
    for optional, word, suffix, _ in _NODE.findall(header):
        colon = "" if word.startswith("*") else ":"
        forms = re.escape(word.upper())
        if not word.startswith("*") and _short(word) not in ("", word.upper()):
            forms += f"|{_short(word)}"
        node = f"{colon}(?:{forms})" + (r"(\d*)" if suffix else "")
        out += f"(?:{node})?" if optional else node
    return re.compile(out)


def block(data: bytes) -> bytes:
    """A definite-length block as these models send it: `#9`, nine digits, the data."""
    return b"#9%09d" % len(data) + data
