"""A contradiction within a bench file, as the checks hand it on. Knows no check."""

from __future__ import annotations

from dataclasses import dataclass

from rig.toml_file import Key


@dataclass(frozen=True)
class Fault:
    """One contradiction: where it is, what is wrong, what was found and what was expected."""

    key: Key
    message: str
    found: str
    expected: str
