"""The benches of the reference suite: without --rig-bench, the rule is tried on the twin of every variant."""

from __future__ import annotations

import pytest

from rig.pytest_plugin import BENCH_NAME

VARIANTS = ("twin", "twin-twin-element", "twin-polyphase")
"""Those in which the meter feeds the hub."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    every = metafunc.cls is not None and getattr(metafunc.cls, "every_variant", False)
    if every and BENCH_NAME in metafunc.fixturenames and not metafunc.config.getoption("--rig-bench"):
        metafunc.parametrize(BENCH_NAME, VARIANTS, indirect=True)
