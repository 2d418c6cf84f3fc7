"""A night on a kernel's chip: sixty activations and their pauses, one process, real drivers, the kernel's own clock."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.kernel.benches import Bench
from tests.kernel.chips import Chip

pytestmark = pytest.mark.kernel

CYCLES = 60
LOOK_S = 0.2
"""How often the twin looks at the relay lines: each look is real work here, and a night has 100,000 of these. A contact
follows its coil that much later, which no cycle notices: it feeds for minutes."""
BEAT_S = 2.0
"""How often the rig and its guardian tell each other that they are there: a night of the usual half seconds is 44,000
beats each. The guardian still ends a rig that is silent for 5 s."""
PLAN = f"""
schema = "rig.plan/1"
[plan]
name = "night"
[[firmware]]
fixture = "cut-45s"
[end]
cycles = {CYCLES}
[between]
pause_s = 60.0
[disk]
passed = "none"
"""


@pytest.mark.timeout(200_000)  # on the kernel's clock: a night has some 22,000 s
def test_a_night_goes_through_and_every_cycle_is_kept(serve: Callable[..., Bench], chip: Chip, tmp_path: Path) -> None:
    words = ("--firmware", "cut-45s", "--firmware", "back-45s", "--look-s", str(LOOK_S))
    bench = serve(*words).quick()
    usual = bench.file.read_text()
    assert "\nbeat_s = 0.5\n" in usual
    bench.file.write_text(usual.replace("\nbeat_s = 0.5\n", f"\nbeat_s = {BEAT_S}\n"))
    plan = tmp_path / "night.toml"
    plan.write_text(PLAN)
    done = bench.rig("soak", str(plan), "--out", str(bench.out), "--json")
    assert done.code == 0, done.told[-2000:] + done.errors
    assert done.json["schema"] == "rig.soak/1"
    assert chip.feeds() == (0, 0)
    assert len(list(bench.out.glob("*/run.json"))) == CYCLES
    listed = bench.rig_here("runs", "--json", "--out", str(bench.out)).json
    assert [row["verdict"] for row in listed["runs"]] == ["PASS"] * CYCLES
