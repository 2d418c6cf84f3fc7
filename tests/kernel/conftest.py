"""Every test here runs on a GPIO chip of the kernel: inside `make kernel-test`, or where the kernel has `gpio-sim`."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.kernel.benches import Bench, served
from tests.kernel.chips import Chip, lacking, made

_NUMBERS = itertools.count()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where several kernels share the work, this is one's share: `RIG_KERNEL_SHARE` is number/kernels."""
    number, _, kernels = os.environ.get("RIG_KERNEL_SHARE", "0/1").partition("/")
    ours = [item for item in items if item.get_closest_marker("kernel")]
    dropped = {item for index, item in enumerate(ours) if index % int(kernels) != int(number)}
    config.hook.pytest_deselected(items=list(dropped))
    items[:] = [item for item in items if item not in dropped]


@pytest.fixture(autouse=True)
def _a_kernel_that_has_it() -> None:
    if (why := lacking()) is not None:
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
