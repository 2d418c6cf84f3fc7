"""Where the files are that come with the rig and are people's to read and copy: fixtures, plans, harnesses."""

from __future__ import annotations

from pathlib import Path


def shipped(name: str) -> Path:
    """The folder of that name: inside an installed package, else beside it in the sources."""
    package = Path(__file__).resolve().parent
    inside = package / name
    return inside if inside.is_dir() else package.parent / name
