"""What drops out at night is brought back, or the soak stops safe; the run that had the gap is no PASS."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from rig.errors import BenchError
from rig.instruments.usb import SysfsUsb
from rig.procedures.soak.visit import Visit
from tests.soak.nights import Night, Told
from tests.soak.plans import GOOD

LADDER = '[recovery]\nsteps = ["reconnect", "power-cycle-meter"]\nretry_s = 60.0\ngive_up_s = 3600.0\noff_s = 10.0\n'


def told(night: Night) -> list[str]:
    return [f"{event.kind}: {event.text}" for event in night.events()]


def test_an_oscilloscope_that_is_away_for_ten_minutes_is_brought_back_and_its_gap_counts_as_unknown(
    night: Night,
) -> None:
    night.text = GOOD + LADDER
    outcome = night.sit(faults=("scope-away@900",))
    assert (night.told.rows[0].verdict, night.told.rows[-1].verdict) == ("PASS", "PASS")
    hurt = [r for r in night.told.rows if r.verdict != "PASS"]
    assert hurt
    assert all("instrument_lost" in r.reasons for r in hurt)
    assert outcome.ending.reason == "cycles"
    words = told(night)
    assert words[0].startswith("gap: away: scope:")
    assert "recovery: reconnect scope: answers again" in words
    assert words[-1] == "gap: everything answers again"
    gap_s = [event.seconds for event in night.events() if event.text == "everything answers again"]
    assert gap_s[0] is not None
    assert 0 < gap_s[0] < 700


def test_a_supply_that_comes_back_lets_the_safe_state_be_proven_after_all(night: Night) -> None:
    night.text = GOOD + LADDER
    outcome = night.sit(faults=("supply-away@20",))
    assert night.told.rows[0].verdict == "ERROR"
    assert "safe_state_unproven" in night.told.rows[0].reasons
    assert outcome.ending.reason == "cycles"
    words = told(night)
    assert "recovery: reconnect psu: answers again" in words
    assert "recovery: the safe state is proven after all" in words


def test_a_cycle_that_ended_in_an_error_is_tried_again_with_the_same_firmware(night: Night) -> None:
    night.text = GOOD + LADDER
    night.sit(faults=("scope-away@640",))
    tries = [(r.number, r.attempt, r.fixture, r.verdict) for r in night.told.rows]
    again = [t for t in tries if t[1] > 1]
    assert again, tries
    for number, attempt, fixture, _ in again:
        before = next(t for t in tries if t[:2] == (number, attempt - 1))
        assert before[2:] == (fixture, "ERROR")


def test_what_never_comes_back_stops_the_soak_safe_after_the_time_that_the_plan_gives(night: Night) -> None:
    night.text = GOOD + LADDER.replace("3600.0", "300.0")
    outcome = night.sit(faults=("scope-dead@900",))
    assert (outcome.ending.reason, outcome.ending.failed) == ("lost", True)
    last = night.attempts()[-1].ended
    assert last is not None
    assert last.safe
    gap = [event for event in night.events() if event.text == "given up"]
    assert gap[0].seconds is not None
    assert 300 <= gap[0].seconds < 500


def test_a_supply_that_never_comes_back_is_never_called_safe(night: Night) -> None:
    night.text = GOOD + LADDER.replace("3600.0", "300.0")
    outcome = night.sit(faults=("supply-dead@20",))
    assert (outcome.ending.reason, outcome.ending.failed) == ("not-safe", True)


def test_mains_is_never_cut_while_an_activation_may_be_going_on(night: Night) -> None:
    prepared = night.prepared()
    with prepared.bench.opened(prepared.plan.fixtures(), night.out) as bench:
        visit = Visit(bench)
        assert visit.version() == "1.0.0"
        visit.activated(bench.clock.now(), over=False)
        bench.clock.sleep(bench.config.meter.max_s - 1.0)
        with pytest.raises(BenchError, match="no power cycle: an activation may still be going on"):
            visit.power_cycle(10.0)
        assert bench.relays.closed("mains")
        bench.clock.sleep(2.0)
        assert visit.power_cycle(10.0) == "1.0.0"
        assert [move.closed for move in bench.relays.moves] == [True, False, True]  # type: ignore[attr-defined]


def test_an_ntp_step_in_the_night_moves_labels_and_no_length(night: Night) -> None:
    begin = datetime(2026, 11, 24, 18, tzinfo=UTC)
    night.sit(faults=("utc-stepped@400",), utc=begin)
    assert [r.verdict for r in night.told.rows] == ["PASS"] * 4
    ended = [a.ended.elapsed_s for a in night.attempts() if a.ended is not None]
    assert max(ended[1:]) - min(ended[1:]) < 5.0
    labels = [datetime.fromisoformat(a.begun.utc) for a in night.attempts()]
    gaps_s = [(b - a).total_seconds() for a, b in pairwise(labels)]
    assert gaps_s[0] > 3600
    assert max(gaps_s[1:]) < 1000


@pytest.mark.parametrize(
    ("begins", "hours"), [("2026-03-28T23:00", 8.0), ("2026-10-24T22:00", 10.0), ("2026-11-24T22:00", 10.0)]
)
def test_until_eight_is_eight_on_the_wall_also_in_the_nights_when_the_clocks_change(
    begins: str, hours: float, night: Night
) -> None:
    night.text = GOOD.replace("cycles = 4", 'until = "08:00"\ntimezone = "Europe/London"') + (
        "[between]\npause_s = 14400.0\n"
    )
    begin = datetime.fromisoformat(begins).replace(tzinfo=UTC)
    prepared = night.prepared(utc=begin)
    assert prepared.end.after_ns == round(hours * 3600e9)
    outcome = prepared.run(Told())
    assert outcome.ending.reason == "time"
    last = datetime.fromisoformat(night.attempts()[-1].begun.utc)
    assert (last - begin).total_seconds() < hours * 3600


# -- USB ---------------------------------------------------------------------------------------------------------------


class StillClock:
    """A clock on which a sleep takes no time."""

    def __init__(self) -> None:
        self.at = 0

    def now(self) -> int:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += round(seconds * 1e9)


def device(root: Path, name: str, configured: str) -> Path:
    folder = root / name
    folder.mkdir(parents=True)
    (folder / "authorized").write_text("1")
    (folder / "bConfigurationValue").write_text(configured)
    (folder / "product").write_text("DP832\n")
    return folder


def test_a_usb_device_is_taken_off_and_put_back(tmp_path: Path) -> None:
    folder = device(tmp_path, "1-1.4", "1\n")
    assert SysfsUsb(StillClock(), tmp_path).reset("1-1.4") == "DP832"  # type: ignore[arg-type]
    assert (folder / "authorized").read_text() == "1"


def test_a_usb_device_that_is_not_there_or_does_not_come_back_is_told(tmp_path: Path) -> None:
    device(tmp_path, "1-1.4", "\n")
    bus = SysfsUsb(StillClock(), tmp_path)  # type: ignore[arg-type]
    with pytest.raises(BenchError, match="does not come back"):
        bus.reset("1-1.4")
    with pytest.raises(BenchError, match="cannot be reset"):
        bus.reset("1-1.5")


def test_a_meter_that_does_not_answer_is_power_cycled_a_few_times_and_no_more(night: Night) -> None:
    night.text = GOOD + LADDER
    outcome = night.sit(faults=("meter-dead@20",))  # the run waits for its new version as long as it may take
    assert outcome.ending.reason == "lost"
    cycled = [words for words in told(night) if words.startswith("recovery: power-cycle-meter:")]
    assert len(cycled) == 3
    assert not any("may still be going on" in words for words in cycled)
