"""A fixture's folder in a test: changes to its manifest and its image."""

from __future__ import annotations

import hashlib
from pathlib import Path


def change(folder: Path, old: str, new: str) -> int:
    """Replace `old` in the manifest; the line on which it was."""
    file = folder / "manifest.toml"
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1
    file.write_text(text.replace(old, new), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


def replace_image(folder: Path, data: bytes) -> None:
    """Another image, and its hash in the manifest."""
    old = hashlib.sha256((folder / "image.ota").read_bytes()).hexdigest()
    (folder / "image.ota").write_bytes(data)
    change(folder, old, hashlib.sha256(data).hexdigest())
