"""Soaks invented for the tests. Nothing here was measured."""

from __future__ import annotations

import random
from collections.abc import Iterable

from rig.judgement import Verdict
from rig.judgement.soak import Cycle, Direction

THERE = Direction("cut-45s", "1.0.0", "1.1.0")
BACK = Direction("cut-45s-back", "1.1.0", "1.0.0", "back")


def cycle(
    number: int,
    lower_s: float | None,
    upper_s: float | None,
    verdict: Verdict = Verdict.PASS,
    direction: Direction = THERE,
    void: bool = False,
) -> Cycle:
    middle = None if lower_s is None or upper_s is None else (lower_s + upper_s) / 2
    return Cycle(number, direction, verdict, lower_s, middle, upper_s, void)


def known(lengths_s: Iterable[float], direction: Direction = THERE, half_width_s: float = 0.0) -> list[Cycle]:
    """Cycles of which the length is known to `half_width_s`."""
    return [
        cycle(n, max(0.0, s - half_width_s), s + half_width_s, direction=direction)
        for n, s in enumerate(lengths_s, start=1)
    ]


def verdicts(
    direction: Direction = THERE, *, passed: int = 0, failed: int = 0, inconclusive: int = 0, errors: int = 0
) -> list[Cycle]:
    words = [
        *[Verdict.PASS] * passed,
        *[Verdict.FAIL] * failed,
        *[Verdict.INCONCLUSIVE] * inconclusive,
        *[Verdict.ERROR] * errors,
    ]
    bounds = {
        Verdict.PASS: (44.9, 45.1),
        Verdict.FAIL: (190.0, 191.0),
        Verdict.INCONCLUSIVE: (30.0, None),
        Verdict.ERROR: (None, None),
    }
    return [cycle(n, *bounds[word], word, direction) for n, word in enumerate(words, start=1)]


def night(cycles: int = 60, grows_s: float = 0.0, seed: int = 0, longer_s: float = 0.0) -> list[Cycle]:
    """There and back in turn: 45 s there, 20 s back, with 20 ms of scatter and bounds of 50 ms to each side."""
    noise = random.Random(seed)
    rows = []
    for number in range(1, cycles + 1):
        there = number % 2 == 1
        length = (45.0 if there else 20.0) + longer_s + grows_s * number + noise.gauss(0.0, 0.02)
        rows.append(cycle(number, length - 0.05, length + 0.05, direction=THERE if there else BACK))
    return rows
