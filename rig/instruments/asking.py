"""A link on which an instrument can only be asked, and which driver an instrument that answered belongs to.

For who looks at a bench and must change nothing on it: what is no query is refused before a byte leaves. Every question
is remembered, so that a report can say what was sent.
"""

from __future__ import annotations

from rig.errors import Refused
from rig.instruments.catalogue import Driver, oscilloscope_driver, supply_driver
from rig.instruments.ports import Identity
from rig.instruments.scpi import PLAIN, Block, Frame, ScpiLink, is_query, parse_identity


class AskingLink:
    """`ScpiLink` over another, for queries with a line as reply. `asked` holds each different one, in order."""

    def __init__(self, link: ScpiLink) -> None:
        self._link = link
        self.asked: list[str] = []

    @property
    def name(self) -> str:
        return self._link.name

    @property
    def openings(self) -> int:
        return self._link.openings

    @property
    def is_open(self) -> bool:
        return self._link.is_open

    def exchange(self, *commands: str) -> tuple[str, ...]:
        for text in commands:
            if not is_query(text) or ";" in text:  # a question may have a command before it in its line
                raise Refused(f"{self.name}: {text!r} is no question: nothing was sent")
        self.asked += [text for text in dict.fromkeys(commands) if text not in self.asked]
        return self._link.exchange(*commands)

    def query(self, command: str) -> str:
        return self.exchange(command)[0]

    def query_block(self, command: str, timeout_s: float | None = None, frame: Frame = PLAIN) -> Block:
        del timeout_s, frame
        raise Refused(f"{self.name}: {command!r} is no question of one line: nothing was sent")

    def close(self) -> None:
        self._link.close()


def identify(link: ScpiLink) -> Identity:
    """Ask `*IDN?`, whatever the instrument is. Raises `LinkError` or `LinkTimeout`."""
    return parse_identity(link.name, link.query("*IDN?"))


def driver_of(who: Identity) -> Driver | None:
    """The bench file's name of the driver for this instrument; None: there is none."""
    return supply_driver(who) or oscilloscope_driver(who)
