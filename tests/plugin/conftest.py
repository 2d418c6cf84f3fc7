"""A test session inside a test: pytest's own `pytester`, with a twin whose captures are small."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import rig.api
import rig.twin.bench  # noqa: F401 - numpy loads once a process: it must be there before a session inside this one

SMALL_TWIN = """
from functools import partial
from rig.twin import bench
bench.Twin = partial(bench.Twin, depth=120_000)
"""

Session = Callable[..., pytest.RunResult]


@pytest.fixture
def session(pytester: pytest.Pytester) -> Session:
    """`session(text, *options)` runs `text` as a test file in a folder of its own."""
    pytester.makeconftest(SMALL_TWIN)

    def run(text: str, *options: str) -> pytest.RunResult:
        pytester.makepyfile(text)
        return pytester.runpytest_inprocess("-p", "no:cacheprovider", *options)

    return run
