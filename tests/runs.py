"""What runs leave in their folder of results."""

from __future__ import annotations

from pathlib import Path


def bundles(out: Path) -> list[Path]:
    """The finished bundles, without the journal beside them."""
    return sorted(path for path in out.iterdir() if path.is_dir() and not path.name.startswith("."))
