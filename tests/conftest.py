"""Property tests try the same examples at every push, so that a red build is the change's; more are tried by hand.

`RIG_EXAMPLES=5000 make test` draws that many new ones where a test does not state its own number.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["pytester"]

# Hundreds of programs of ours are started here. An environment that keeps no bytecode has each of them compile the rig.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

SLOW_OR_LARGE = [HealthCheck.too_slow, HealthCheck.data_too_large]
"""How fast the machine is proves nothing, as no deadline does; and a rail of many samples is as large as it is."""

settings.register_profile(
    "push",
    max_examples=int(os.environ.get("RIG_EXAMPLES", "150")),
    deadline=None,
    suppress_health_check=SLOW_OR_LARGE,
    derandomize="RIG_EXAMPLES" not in os.environ,
)
settings.load_profile("push")


def pytest_configure(config: pytest.Config) -> None:
    """Locks, counters and control books of a worker are its own, and never those of the person who runs the tests."""
    state = tempfile.TemporaryDirectory(prefix="rig-state-")
    os.environ["ICHIS_RIG_STATE"] = state.name
    config.add_cleanup(state.cleanup)


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A folder for Unix sockets, whose paths may have 107 bytes: pytest's own folders have long names."""
    with tempfile.TemporaryDirectory(prefix="rig-") as folder:
        yield Path(folder)


@pytest.fixture
def short_twin(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twins with small captures, and meters whose maximum is minutes: the verdicts are the same, sooner."""
    from rig.twin import bench

    template = bench.template
    monkeypatch.setattr(bench, "Twin", partial(bench.Twin, depth=120_000))
    monkeypatch.setattr(bench, "template", lambda name: template(name).replace("max_s = 3600.0", "max_s = 400.0"))
