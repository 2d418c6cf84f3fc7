"""A night on the twin, with captures that are small enough for a test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.soak.nights import Night, small_captures


@pytest.fixture
def night(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Night]:
    with small_captures(monkeypatch):
        yield Night(tmp_path)
