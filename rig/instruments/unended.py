"""A `ScpiLink` to an instrument whose commands and answers nothing ends, over a `ByteLink`: lengths end the answers.

Knows the length of each answer by its question, and no instrument. Answers are bytes as characters (Latin-1).
"""

from __future__ import annotations

from collections.abc import Mapping

from rig.errors import LinkError
from rig.instruments.byte_link import ByteLink
from rig.instruments.scpi import PLAIN, Block, Frame, is_query


class UnendedLink:
    """`lengths`: of the answers to all questions that may be asked, in bytes; None: until the line is quiet."""

    def __init__(self, link: ByteLink, lengths: Mapping[str, int | None]) -> None:
        self._link = link
        self._lengths = lengths

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
        """See `ScpiLink`. Each question is an exchange, with the commands before it."""
        if not commands or not is_query(commands[-1]):
            raise ValueError("an exchange ends with a query")
        replies: list[str] = []
        before: list[str] = []
        for text in commands:
            if is_query(text):
                replies.append(self._link.ask(text, self._lengths[text], before).decode("latin-1"))
                before = []
            else:
                before.append(text)
        return tuple(replies)

    def query(self, command: str) -> str:
        return self.exchange(command)[0]

    def query_block(self, command: str, timeout_s: float | None = None, frame: Frame = PLAIN) -> Block:
        """There are no blocks without an end."""
        del timeout_s, frame
        raise LinkError(f"{self.name}: {command!r} has no block as its answer")

    def close(self) -> None:
        self._link.close()
