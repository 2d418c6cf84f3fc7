"""When what would happen: the cycles of a plan with expected times, before anything is touched. Pure.

Times come from the bench file and the synthetic behaviour of the firmware; where nobody knows what a meter does (no
fixture's `[synthetic]`), it is taken to cut the hub at once. A soak that goes on tells its end from measured cycles.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from rig.bench.config import BenchConfig
from rig.firmware import Fixture
from rig.procedures.control import quiet_s, required
from rig.procedures.soak.end import End
from rig.procedures.soak.plan import Plan
from rig.procedures.soak.tally import Tally
from rig.records.journal import Cycle

MOST_ROWS = 100_000
_PREFLIGHT_S = 2.2
_QUIETS_A_CUT = 4
_VERIFY_S = 3.0


@dataclass(frozen=True)
class ScheduleRow:
    """One cycle as it is expected. Seconds from the start of this sitting."""

    number: int
    starts_s: float
    expected_s: float
    way: Literal["there", "back"]
    fixture: str
    version_from: str
    version_to: str
    controls: bool
    power_cycle: bool


def schedule(plan: Plan, config: BenchConfig, seed: int, end: End, tally: Tally) -> Iterator[ScheduleRow]:
    """What is to come if every activation does what it should, from where `tally` stands. At most `MOST_ROWS`."""
    between, controls = plan.tables.between, plan.tables.controls
    version = plan.home if tally.last is None else _stands_at(plan, tally)
    now_s, controls_s, since, sitting = 0.0, 0.0, 0, 0
    for _ in range(MOST_ROWS):
        if end.over(tally.done, round(now_s * 1e9)) is not None:
            return
        if sitting:
            now_s += between.pause_s
            if end.over(tally.done, round(now_s * 1e9)) is not None:
                return
        turn = plan.turn(version, seed, tally.theres, tally.last)
        if turn is None:
            return
        number, attempt = tally.next()
        power = between.power_cycle_every is not None and sitting > 0 and sitting % between.power_cycle_every == 0
        due = sitting == 0 or (controls.every_cycles is not None and since >= controls.every_cycles)
        due = due or (controls.every_h is not None and now_s - controls_s >= 3600 * controls.every_h)
        expected = run_s(config, turn.fixture) + (controls_of_s(config) if due else 0.0)
        expected += between.off_s if power else 0.0
        fixture = turn.fixture
        yield ScheduleRow(
            number, now_s, expected, turn.way, fixture.name, fixture.version_from, fixture.version_to, due, power
        )
        if due:
            controls_s, since = now_s, 0
        now_s, since, sitting, version = now_s + expected, since + 1, sitting + 1, fixture.version_to
        tally.begin(Cycle("", number, attempt), fixture.name, turn.pair if turn.way == "there" else None)
        tally.running = False


def run_s(config: BenchConfig, fixture: Fixture) -> float:
    """How long one activation test takes on this bench, without controls."""
    meter, scope, behaviour = config.meter, config.oscilloscope[0], fixture.behaviour
    before = _PREFLIGHT_S + config.topology.least_off_s + config.hub.settle_s + _VERIFY_S + scope.pre_s
    if behaviour is None:
        return before + max(scope.window_s - scope.pre_s, meter.quiet_s)
    steps = behaviour.feed_steps()
    changes = meter.max_s if behaviour.version_changes_at_s is None else behaviour.version_changes_at_s
    over = max(changes, *(at_s for at_s, _ in steps), 0.0) + meter.quiet_s
    window = steps[0][0] + scope.window_s - scope.pre_s if steps else 0.0
    return before + max(over, window) + config.topology.discharge_s


def controls_of_s(config: BenchConfig) -> float:
    """How long all controls of this bench take."""
    cut_s = config.topology.control_cut_s + _QUIETS_A_CUT * quiet_s(config)
    return len(required(config)) * cut_s


def _stands_at(plan: Plan, tally: Tally) -> str:
    """What the meter should run now: nobody asked it yet."""
    assert tally.last is not None  # noqa: S101 - the caller looked
    return plan.pairs[tally.last].there.version_to if tally.went_there else plan.home
