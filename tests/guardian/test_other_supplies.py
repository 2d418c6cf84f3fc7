"""A run that is killed while its supply feeds the hub: the guardian's own way to off, for supplies of other kinds."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.guardian.whole_runs import twin_and_run


@pytest.mark.parametrize("supply", ["keysight-e36300", "korad-ka3005p"])
def test_a_run_that_is_killed_while_its_supply_feeds_leaves_a_safe_bench(supply: str, tmp_path: Path) -> None:
    with twin_and_run(tmp_path, "supply-feed", bench=f"twin,supply={supply}") as (twin, run):
        assert twin.wait("supply", True)["supply"]
        run.signal(signal.SIGKILL)
        truth = twin.wait("safe", True)
        assert truth["safe"]
        assert not truth["supply"]
        assert run.end() == -signal.SIGKILL
        (ended,) = [entry for entry in run.guardians_journal() if entry["event"] == "ended"]
        assert ended["safe"] is True
