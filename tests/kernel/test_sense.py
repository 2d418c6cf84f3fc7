"""Sense lines on a kernel's chip: how true its stamps are, and what bounces, floods and stuck lines do to a run."""

from __future__ import annotations

import itertools
import select
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import pytest

from rig.instruments.ports import LineEdge
from rig.instruments.sense import GpiodSenseLines, SenseLine, load_request_lines
from tests.kernel.benches import Bench
from tests.kernel.chips import Chip

pytestmark = pytest.mark.kernel

RAIL_UP = 5
EDGES = 1000
APART_S = 0.0015
"""Edges nearer than a tick are one to the kernel's simulated interrupts, which come with the next tick."""
STAMP_NS = 1_000_000
"""How late a stamp may be here: a tick."""


def waited(lines: GpiodSenseLines, count: int) -> list[LineEdge]:
    """The edges, once there are so many."""
    found = lines.edges()
    while len(found) < count:
        assert select.select([lines], [], [], 10.0)[0], found
        found += lines.edges()
    return found


@contextmanager
def listening(chip: Chip) -> Iterator[GpiodSenseLines]:
    lines = (SenseLine("rail_up", RAIL_UP, active_high=True),)
    with closing(GpiodSenseLines(chip.device, lines, load_request_lines())) as found:
        yield found


def test_a_thousand_edges_are_stamped_when_they_were(chip: Chip, capsys: pytest.CaptureFixture[str]) -> None:
    late_ns = []
    with listening(chip) as lines:
        for number in range(EDGES):
            time.sleep(0.01)
            before = time.monotonic_ns()
            chip.pull(RAIL_UP, 1 - number % 2)
            after = time.monotonic_ns()
            (edge,) = waited(lines, 1)
            assert edge.active == (number % 2 == 0)
            assert before <= edge.at_ns <= after + STAMP_NS
            late_ns.append(edge.at_ns - before)
    with capsys.disabled():
        print(f"\n{EDGES} edges: stamped {min(late_ns)} to {max(late_ns)} ns after they were asked for")


def test_a_controller_that_comes_late_sees_late_levels_and_true_stamps(chip: Chip) -> None:
    """What a busy controller does: a level is known when it is looked at, an edge when it was."""
    with listening(chip) as lines:
        fell = time.monotonic_ns()
        chip.pull(RAIL_UP, 1)
        time.sleep(0.5)
        chip.pull(RAIL_UP, 0)
        looked = time.monotonic_ns()
        assert lines.levels() == {"rail_up": False}, "that it was up for half a second, no level tells"
        up, down = waited(lines, 2)
        assert looked - fell >= 500_000_000
        assert 0 <= up.at_ns - fell <= STAMP_NS
        assert abs(down.at_ns - up.at_ns - 500_000_000) <= 10_000_000


def test_a_queue_that_overran_is_seen_by_its_numbers(chip: Chip) -> None:
    with listening(chip) as lines:
        for number in range(3 * EDGES):
            chip.pull(RAIL_UP, 1 - number % 2)
            time.sleep(APART_S)
        found = waited(lines, 1)
        numbers = [edge.line_seqno for edge in found]
        assert len(found) < 3 * EDGES
        assert numbers[0] > 1 or any(b - a != 1 for a, b in itertools.pairwise(numbers))


@pytest.mark.parametrize(("name", "verdict"), [("cut-45s", "PASS"), ("cut-240s", "FAIL")])
def test_a_bounce_of_5_ms_changes_no_verdict(name: str, verdict: str, serve: Callable[..., Bench], chip: Chip) -> None:
    bench = serve("--firmware", name).quick()
    with bench.running(name) as run:
        run.step("watch")
        for level in (0, 1, 0, 1, 0, 1):
            chip.pull(RAIL_UP, level)
            time.sleep(0.005)
        run.end()
    assert bench.record()["verdict"] == verdict, bench.record()["reasons"]


def test_a_flood_of_edges_in_a_run_is_unknown_time_and_never_a_wrong_verdict(
    serve: Callable[..., Bench], chip: Chip
) -> None:
    bench = serve("--firmware", "cut-240s").quick()
    with bench.running("cut-240s") as run:
        run.step("watch")
        for number in range(2 * EDGES):
            chip.pull(RAIL_UP, number % 2)
            time.sleep(APART_S)
        run.end()
    assert bench.record()["verdict"] in ("FAIL", "INCONCLUSIVE")


@pytest.mark.parametrize("fault", ["rail-up-stuck-high", "rail-up-stuck-low", "rail-down-stuck-low", "k2-welded"])
def test_a_fault_on_the_chip_is_never_a_pass_for_a_long_cut(fault: str, serve: Callable[..., Bench]) -> None:
    bench = serve("--firmware", "cut-240s", "--fault", f"{fault}@1").quick()
    record = bench.run("cut-240s").json
    assert record["verdict"] != "PASS", record
