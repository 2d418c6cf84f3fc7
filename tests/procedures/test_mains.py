"""Mains is there when every detector at the meter's terminals sees it, and away when one of them does not."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from rig.bench.config import load_bench
from rig.clock.virtual import VirtualClock
from rig.instruments.ports import LineEdge
from rig.procedures.watch import Watch
from tests.wiring.files import WIRING

S = 1_000_000_000
PHASES = ("mains", "mains_l2", "mains_l3")


class Lines:
    """Sense lines whose edges the test writes down."""

    def __init__(self, names: list[str]) -> None:
        self._levels = dict.fromkeys(names, False) | {"mains": True, "mains_l2": True, "mains_l3": True}
        self._edges: list[LineEdge] = []
        self._seqno = dict.fromkeys(names, 0)
        self._read, self._write = os.pipe()

    def names(self) -> tuple[str, ...]:
        return tuple(self._levels)

    def fileno(self) -> int:
        return self._read

    def edge(self, name: str, at_ns: int, active: bool) -> None:
        self._seqno[name] += 1
        self._edges.append(LineEdge(name, at_ns, active, self._seqno[name]))
        self._levels[name] = active

    def edges(self) -> list[LineEdge]:
        found, self._edges = self._edges, []
        return found

    def levels(self) -> dict[str, bool]:
        return dict(self._levels)

    def close(self) -> None:
        os.close(self._read)
        os.close(self._write)


@pytest.fixture
def bench() -> Iterator[tuple[VirtualClock, Lines, Watch]]:
    config = load_bench(WIRING / "polyphase.toml")
    clock, lines = VirtualClock(), Lines([s.name for s in config.sense])
    yield clock, lines, Watch(config, lines, clock)
    lines.close()


@pytest.mark.parametrize("phase", PHASES)
def test_a_phase_that_goes_takes_mains_away_and_nothing_else_does(
    bench: tuple[VirtualClock, Lines, Watch], phase: str
) -> None:
    clock, lines, watch = bench
    watch._look()
    assert watch.mains_now()
    clock.sleep(10.0)
    start = clock.now()
    lines.edge(phase, start, False)
    clock.sleep(1.0)
    watch._look()
    assert not watch.mains_now()
    clock.sleep(9.0)
    lines.edge(phase, clock.now(), True)
    clock.sleep(5.0)
    watch._look()
    assert watch.mains_now()
    present, absent = watch.mains()
    assert absent.contains(start + 5 * S)
    assert not present.contains(start + 5 * S)
    assert present.contains(start - 5 * S)
    assert not absent.contains(start - 5 * S)
    assert not absent.contains(start + 14 * S)


def test_mains_that_leaves_two_phases_in_turn_is_away_all_the_time(bench: tuple[VirtualClock, Lines, Watch]) -> None:
    clock, lines, watch = bench
    start = clock.now()
    watch._look()
    for at, phase, active in [
        (10, "mains", False),
        (12, "mains_l3", False),
        (14, "mains", True),
        (16, "mains_l3", True),
    ]:
        clock.sleep(at - (clock.now() - start) / S)
        lines.edge(phase, clock.now(), active)
        clock.sleep(0.5)
        watch._look()
    clock.sleep(5.0)
    watch._look()
    present, absent = watch.mains()
    assert absent.contains(start + 11 * S)
    assert absent.contains(start + 13 * S)
    assert absent.contains(start + 15 * S)
    assert not any(present.contains(start + at * S) for at in (11, 13, 15))
    assert present.contains(start + 18 * S)
