"""The errors that reach a person: one clear line, and the exit code that the README documents.

Knows nothing of the rig. Every room raises these; only the faces turn them into text and exit codes.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import IntEnum
from typing import Any


class ExitCode(IntEnum):
    """What the process says when it ends."""

    PASS = 0
    FAIL = 1
    BAD_INPUT = 2
    INCONCLUSIVE = 3
    BENCH_ERROR = 4
    SIGINT = 130
    SIGTERM = 143


@dataclass(frozen=True)
class Where:
    """Where something was wrong: any part may be unknown. `line` counts from 1."""

    file: str | None = None
    key: str | None = None
    line: int | None = None
    found: str | None = None
    expected: str | None = None


class RigError(Exception):
    """Base of all errors that are told to a person in one line."""

    code: ExitCode = ExitCode.BENCH_ERROR

    def __init__(self, message: str, where: Where | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.where = where or Where()

    def one_line(self) -> str:
        """`file:line: key: message (found X, expected Y)`, as far as the parts are known; never a line break."""
        w = self.where
        place = ""
        if w.file:
            place = f"{w.file}:{w.line}: " if w.line else f"{w.file}: "
        if w.key:
            place += f"{w.key}: "
        parts = [f"found {w.found}"] if w.found is not None else []
        if w.expected is not None:
            parts.append(f"expected {w.expected}")
        tail = f" ({', '.join(parts)})" if parts else ""
        return " ".join(f"{place}{self.message}{tail}".split())

    def to_json(self) -> dict[str, Any]:
        """The object `rig.error/1`: {schema, code, message, file, key, line, found, expected}."""
        return {
            "schema": "rig.error/1",
            "code": int(self.code),
            "message": " ".join(self.message.split()),
            **asdict(self.where),
        }


class InputError(RigError):
    """Wrong usage or bad input: nothing was touched (exit 2)."""

    code = ExitCode.BAD_INPUT


class BenchError(RigError):
    """The bench or an instrument failed, or a safe state could not be proven (exit 4)."""

    code = ExitCode.BENCH_ERROR


class LinkError(BenchError):
    """A device answered wrongly, or its link broke."""


class AnotherInstrument(LinkError):
    """Who answers at a device's address says that it is something else."""


class LinkTimeout(LinkError):
    """A device stayed silent for the whole time allowed. After *activate* this is normal."""


class Refused(BenchError):
    """An interlock or a limit refused an action before a byte left. The bench was not changed by it."""


class HarnessError(RigError):
    """The test harness failed (for example: the machine was too slow for the virtual clock). Never a verdict."""
