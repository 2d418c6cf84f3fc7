"""A soak that is killed at any moment loses the one cycle it was in, and nothing else: whole soaks, real processes.

`make test` kills some sittings; `make campaign` (RIG_SOAK_KILLS=300) as many as are wanted. Moments are drawn from a
fixed seed; what the machine does at them is its own affair.
"""

from __future__ import annotations

import os
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.soak.whole_soaks import KilledSoak

KILLS = int(os.environ.get("RIG_SOAK_KILLS", "10"))
A_SOAK = 5
"""So many sittings of one soak are killed before one may end."""
BESIDE = 3


def test_a_soak_that_is_killed_at_any_moment_loses_nothing_that_was_finished(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draw = random.Random(8)
    soaks = [(n, random.Random(draw.random()), min(A_SOAK, KILLS - n)) for n in range(0, KILLS, A_SOAK)]

    def one(case: tuple[int, random.Random, int]) -> KilledSoak:
        folder = tmp_path / str(case[0])
        folder.mkdir()
        soak = KilledSoak(folder)
        soak.run(case[2], case[1])
        return soak

    with ThreadPoolExecutor(BESIDE) as pool:
        done = list(pool.map(one, soaks))
    moments = [moment for soak in done for moment in soak.moments]
    finished = sum(len(soak.finished) for soak in done)
    within = sum(moment != "between" for moment in moments)
    with capsys.disabled():
        print(
            f"\nSIGKILL: {len(moments)} sittings, {within} in a cycle; {finished} finished cycles, none lost or doubled"
        )
