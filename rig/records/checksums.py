"""Whether a bundle is what its SHA256SUMS says: each file there, none changed, none added. Changes nothing."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from rig.records.bundle import SUMS

_LINE = re.compile(r"([0-9a-f]{64})  (.+)")


def damages(folder: Path) -> tuple[str, ...]:
    """What is not as SHA256SUMS says, a line each: which file, what was found, what was expected. Empty: all well."""
    try:
        lines = (folder / SUMS).read_text(encoding="utf-8").splitlines()
    except OSError as error:
        return (f"{SUMS}: cannot be read: {error.strerror}",)
    except UnicodeError:
        return (f"{SUMS}: not text",)
    expected: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        parts = _LINE.fullmatch(line)
        if parts is None:
            return (f"{SUMS}:{number}: no line of sha256sum (found {line[:80]!r})",)
        expected[parts[2]] = parts[1]
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()} - {SUMS}
    added = [f"{name}: is not in {SUMS}" for name in sorted(there - expected.keys())]
    changed = [told for name, digest in expected.items() if (told := _changed(folder, name, digest)) is not None]
    return (*changed, *added)


def _changed(folder: Path, name: str, digest: str) -> str | None:
    file = folder / name
    if not file.resolve().is_relative_to(folder.resolve()):
        return f"{name}: lies outside of the bundle"
    try:
        with file.open("rb") as opened:
            found = hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        return f"{name}: cannot be read (found {error.strerror}, expected sha256 {digest})"
    return None if found == digest else f"{name}: was changed (found sha256 {found}, expected {digest})"
