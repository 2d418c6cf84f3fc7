"""Property tests try the same examples at every push, so that a red build is the change's; more are tried by hand.

`RIG_EXAMPLES=5000 make test` draws that many new ones where a test does not state its own number.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

pytest_plugins = ["pytester"]

settings.register_profile(
    "push",
    max_examples=int(os.environ.get("RIG_EXAMPLES", "100")),
    deadline=None,
    derandomize="RIG_EXAMPLES" not in os.environ,
)
settings.load_profile("push")


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A folder for Unix sockets, whose paths may have 107 bytes: pytest's own folders have long names."""
    with tempfile.TemporaryDirectory(prefix="rig-") as folder:
        yield Path(folder)
