"""Whole runs on a kernel's chip and its clock: the verdicts of the virtual clock, bounds from real stamps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from rig import firmware, run_activation
from tests.kernel.benches import Bench
from tests.kernel.chips import Chip

pytestmark = pytest.mark.kernel

LATER_S = 0.01
"""Two ends, each stamped up to 2 ms late here (1 ms on the virtual clock), and the rig's own sampling."""
NEAREST = ("cut-179s", "cut-181s")
"""Nearest to the limit: their bounds have to be those of the virtual clock, but for later stamps."""
VERDICT_CODES = {"PASS": 0, "FAIL": 1, "INCONCLUSIVE": 3}
FIXTURES = [name for name in firmware.names() if name not in ("late", "back-45s")]
"""`late` starts after an hour; `back-45s` goes the other way."""


@pytest.mark.parametrize("name", FIXTURES)
def test_every_fixture_ends_in_its_verdict_and_leaves_both_feeds_open(
    name: str, serve: Callable[..., Bench], chip: Chip, tmp_path: Path
) -> None:
    bench = serve("--firmware", name).quick()
    assert chip.relays() == {"mains": 1, "meter-feed": 1, "supply-feed": 1}, "nobody holds them: energised"
    done = bench.run(name)
    record = done.json
    wanted = firmware.load(name).expected
    assert (record["verdict"], done.code) == (wanted.verdict, VERDICT_CODES[wanted.verdict]), record["reasons"]
    assert record["safe_state"]["proven"]
    assert chip.relays() == {"mains": 1, "meter-feed": 0, "supply-feed": 0}
    if name in NEAREST:
        virtual = run_activation("twin", name, out=tmp_path / "virtual").longest_outage
        kernel = record["longest_outage"]
        assert abs(kernel["lower_s"] - virtual.lower_s) <= LATER_S, (kernel, virtual)
        assert abs(kernel["upper_s"] - virtual.upper_s) <= LATER_S, (kernel, virtual)


def test_the_deepest_record_of_the_oscilloscope_agrees_with_the_stamps(serve: Callable[..., Bench]) -> None:
    record = serve("--firmware", "cut-45s").run("cut-45s").json
    assert record["verdict"] == "PASS"
    (outage,) = record["outages"]
    assert {"scope", "rail_down"} <= set(outage["sources"]), outage
    assert 44.9 < outage["lower_s"] <= outage["upper_s"] < 45.1
