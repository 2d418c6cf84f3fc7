"""What an object of the twin's meter says to a request that it does not do."""

from __future__ import annotations

from enum import IntEnum


class Result(IntEnum):
    """Data-Access-Result and Action-Result, where they are the same (Green Book 9.5)."""

    SUCCESS = 0
    TEMPORARY_FAILURE = 2
    READ_WRITE_DENIED = 3
    OBJECT_UNDEFINED = 4
    TYPE_UNMATCHED = 12
    SCOPE_VIOLATED = 13
    BLOCK_UNAVAILABLE = 14
    OTHER_REASON = 250


class Refused(Exception):
    """The object says no."""

    def __init__(self, result: Result) -> None:
        self.result = result
