"""What a driver sets, as a table: a header, its value, and what must be read back; and how a family complains.

Every set is read back; where the family has an error queue, it is read behind every command too. Knows no instrument.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from rig.errors import LinkError, Where
from rig.instruments.scpi import ScpiLink, check_error, parse_number

_ROUNDING = 1e-6
"""Numbers are sent with seven digits."""


@dataclass(frozen=True)
class Word:
    """A set of a word; `back`: the answers (upper case) that say that it was obeyed; none: the word itself.

    `lasts` False: an acquisition changes it by itself.
    """

    header: str
    value: str
    back: tuple[str, ...] = ()
    question: str = ""
    lasts: bool = True

    @property
    def command(self) -> str:
        return f"{self.header} {self.value}"


@dataclass(frozen=True)
class Number:
    """A set of a number; what comes back may differ by `step` (the model rounds to it), and by the digits sent.

    `unit` stands behind the number as it is sent, `digits` are those sent and those that come back; `text`
    is sent in place of the number.
    """

    header: str
    value: float
    step: float = 0.0
    unit: str = ""
    digits: int = 7
    question: str = ""
    text: str = ""

    @property
    def command(self) -> str:
        if self.text:
            return f"{self.header} {self.text}"
        text = str(self.value) if isinstance(self.value, int) else f"{self.value:.{self.digits}g}"
        return f"{self.header} {text}{self.unit}"


@dataclass(frozen=True)
class Complaints:
    """How a family says that a command was wrong: the question, and what raises `LinkError` for a bad answer."""

    question: str
    check: Callable[[ScpiLink, str, str], None]


SCPI_QUEUE = Complaints(":SYST:ERR?", check_error)


class Setter:
    """Sends a family's commands over `link`. Without `complaints` a command is proven by its read-back alone.

    `asked`: the read-backs of what was set and lasts, in order: they can be asked again.
    """

    def __init__(self, link: ScpiLink, complaints: Complaints | None) -> None:
        self._link = link
        self._complaints = complaints
        self.asked: list[str] = []

    def command(self, text: str, behind: str = "*OPC?") -> None:
        """A command that nothing reads back. `behind`: what is asked behind it where there is no error queue."""
        if self._complaints is None:
            self._link.exchange(text, behind)
            return
        (reply,) = self._link.exchange(text, self._complaints.question)
        self._complaints.check(self._link, text, reply)

    def word(self, one: Word) -> str:
        """Set and read back; returns the word that came back, in upper case."""
        question = one.question or f"{one.header}?"
        if one.lasts:
            self.asked.append(question)
        reply = self._set(one.command, question)
        found = reply.strip().upper()
        expected = one.back or (one.value.upper(),)
        if found not in expected:
            raise self._disobeyed(one.command, repr(reply), " or ".join(expected))
        return found

    def number(self, one: Number) -> float:
        """Set and read back; returns the number that came back."""
        question = one.question or f"{one.header}?"
        self.asked.append(question)
        back = parse_number(self._link.name, question, self._set(one.command, question))
        room = one.step + max(_ROUNDING, 0.5 * 10.0 ** (1 - one.digits)) * abs(one.value)
        if abs(back - one.value) > room:
            raise self._disobeyed(one.command, f"{back:g}", f"{one.value:g}")
        return back

    def words(self, some: Iterable[Word]) -> None:
        for one in some:
            self.word(one)

    def _set(self, command: str, question: str) -> str:
        if self._complaints is None:
            return self._link.exchange(command, question)[0]
        self.command(command)
        return self._link.query(question)

    def _disobeyed(self, command: str, found: str, expected: str) -> LinkError:
        return LinkError(f"{self._link.name}: {command!r} was not obeyed", Where(found=found, expected=expected))
