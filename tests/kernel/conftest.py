"""Every test here runs on a GPIO chip of the kernel: inside `make kernel-test`, or where the kernel has `gpio-sim`."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.kernel.benches import Bench, served
from tests.kernel.chips import Chip, lacking, made

_NUMBERS = itertools.count()


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
