"""Every test here runs on a GPIO chip of the kernel: inside `make kernel-test`, or where the kernel has `gpio-sim`."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.kernel.benches import Bench, served
from tests.kernel.chips import Chip, lacking, made

_NUMBERS = itertools.count()


TAKEN = os.environ.get("RIG_KERNEL_TAKEN")
"""Where several kernels share the work: a folder of the machine's, in which each makes a folder for a test it takes."""


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """The longest tests first; and where several kernels share the work, those that no other has taken."""
    if TAKEN is None or session.config.option.collectonly or session.testsfailed:
        return None
    ours = iter([item for item in sorted(session.items, key=_shortness) if item.get_closest_marker("kernel")])
    item = _next(ours, Path(TAKEN))
    while item is not None:
        following = _next(ours, Path(TAKEN))
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if session.shouldfail:
            raise session.Failed(session.shouldfail)
        if session.shouldstop:
            raise session.Interrupted(session.shouldstop)
        item = following
    return True


def _shortness(item: pytest.Item) -> int:
    return 0 if item.path.name == "test_night.py" else 1


def _next(items: Iterator[pytest.Item], taken: Path) -> pytest.Item | None:
    for item in items:
        with suppress(FileExistsError):
            (taken / item.nodeid.replace("/", ":")).mkdir()
            return item
    return None


@pytest.fixture(autouse=True)
def _a_kernel_that_has_it() -> None:
    why = lacking()
    assert TAKEN is None or why is None, why
    if why is not None:
        pytest.skip(why)


@pytest.fixture
def chip() -> Iterator[Chip]:
    with made(f"ichis-rig-{next(_NUMBERS)}") as found:
        yield found


@pytest.fixture
def serve(chip: Chip, tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    """Start a twin on the chip, with these words for `rig twin serve`."""
    with ExitStack() as stack:
        yield lambda *words: stack.enter_context(served(chip, tmp_path, *words))
